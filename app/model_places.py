"""What the columns of a model's data are: voxels of a grid, vertices of a cortex, or named regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .grid import Grid
from .io.write import Record, plain_json, record_content, write_map
from .models import Connectivity
from .outputs import refuse_place
from .problems import Problem

if TYPE_CHECKING:
    from ..stats.neighbours import Neighbours
    from .io.surface_cortex import Cortex
    from .io.volume_info import VolumeInfo

Point = tuple[float, float, float]
Unit = Literal["voxel", "vertex", "region"]


class Where(NamedTuple):
    """One element: its coordinates when it has any, and its name when it has one."""

    at_mm: Point | None
    name: str | None


@dataclass(frozen=True, eq=False)
class VolumePlace:
    """Voxels of a grid.

    Attributes
    ----------
    grid : Grid
    voxels : (V,) int64
        Flat numbers, x fastest.
    info : VolumeInfo
        Of the first image: maps are written on its grid, with its affines.
    space : str or None
        Template of the coordinates.
    """

    grid: Grid
    voxels: NDArray[np.int64]
    info: VolumeInfo
    space: str | None
    unit: Unit = "voxel"

    @property
    def size_mm3(self) -> float:
        """Of one element."""
        return self.grid.voxel_volume_mm3

    def of(self, elements: NDArray[np.int64]) -> VolumePlace:
        """Some of the elements."""
        return replace(self, voxels=self.voxels[elements])

    def fits(self, other: Place) -> bool:
        """Whether another place is on the same grid."""
        return isinstance(other, VolumePlace) and other.grid == self.grid

    def take(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The elements of a whole image's values, (V,)."""
        return values[self.voxels]

    def where(self, element: int) -> Where:
        """Centre of a voxel."""
        x, y, z = (round(float(mm), 3) for mm in self.mm(np.array([element]))[0])
        return Where((x, y, z), None)

    def mm(self, elements: NDArray[np.int64]) -> NDArray[np.float64]:
        """Centres of voxels, (n, 3)."""
        return self.grid.mm_of(np.stack(np.unravel_index(self.voxels[elements], self.grid.shape, order="F"), axis=-1))

    def neighbours(self, connectivity: Connectivity) -> Neighbours:
        """Who is next to whom."""
        from ..stats.neighbours import volume_neighbours  # noqa: PLC0415 - compiled

        return volume_neighbours(self.voxels, self.grid.shape, connectivity)

    def volume(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Values of the elements as a volume, NaN elsewhere."""
        from ..stats.arrays import unflatten  # noqa: PLC0415

        return unflatten(values, self.voxels, self.grid.shape)

    def write(self, folder: Path, name: str, values: NDArray[Any], record: Record) -> Path:
        """Write a map with its sidecar."""
        path = folder / f"{name}.nii.gz"
        write_map(path, self.volume(values), self.info, record)
        return path


@dataclass(frozen=True, eq=False)
class SurfacePlace:
    """Vertices of one hemisphere."""

    cortex: Cortex
    vertices: NDArray[np.int64]
    source: Path
    unit: Unit = "vertex"

    @property
    def n_vertices(self) -> int:
        """Of the whole surface."""
        return self.cortex.n_vertices

    def of(self, elements: NDArray[np.int64]) -> SurfacePlace:
        """Some of the elements."""
        return replace(self, vertices=self.vertices[elements])

    def fits(self, other: Place) -> bool:
        """Whether another place is on the same surface."""
        return isinstance(other, SurfacePlace) and other.n_vertices == self.n_vertices

    def take(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The elements of a whole surface's values, (V,)."""
        return values[self.vertices]

    def where(self, element: int) -> Where:
        """Coordinates of a vertex on the surface that lies in the brain."""
        vertex = int(self.vertices[element])
        surface = self.cortex.world
        name = f"{self.cortex.hemisphere or 'surface'} vertex {vertex}"
        if surface is None:
            return Where(None, name)
        x, y, z = (round(float(mm), 3) for mm in surface.coordinates[vertex])
        return Where((x, y, z), name)

    def neighbours(self, connectivity: Connectivity) -> Neighbours:
        """Who is next to whom along edges, with the areas of vertices."""
        from ..stats.neighbours import mesh_neighbours  # noqa: PLC0415 - compiled

        del connectivity
        surface = self.cortex.world
        if surface is None:
            todo = "name a white, midthickness or pial surface with --surface"
            raise Problem(self.source, "needs a surface that lies in the brain, for areas and neighbours", todo)
        return mesh_neighbours(surface.faces, surface.coordinates, self.vertices)

    def write(self, folder: Path, name: str, values: NDArray[Any], record: Record) -> Path:
        """Write values per vertex as GIFTI, with a sidecar; NaN outside the mask."""
        from .io.surface_write import write_surface_map  # noqa: PLC0415

        path = folder / f"{name}.func.gii"
        _refuse_inputs(path, folder / f"{name}.json", record)
        whole = np.full(self.n_vertices, np.nan, np.float32)
        whole[self.vertices] = values
        write_surface_map(path, whole, self.cortex.hemisphere, record)
        return path


@dataclass(frozen=True, eq=False)
class RegionPlace:
    """Named columns of a table."""

    names: tuple[str, ...]
    source: Path
    unit: Unit = "region"

    def of(self, elements: NDArray[np.int64]) -> RegionPlace:
        """Some of the elements."""
        return replace(self, names=tuple(self.names[n] for n in elements))

    def where(self, element: int) -> Where:
        """Name of a region."""
        return Where(None, self.names[element])

    def neighbours(self, connectivity: Connectivity) -> Neighbours:
        """Regions of a table have none."""
        del connectivity
        todo = "choose --correction fwe or fdr"
        raise Problem(self.source, "columns of a table are next to nothing, which clusters and TFCE need", todo)

    def write_table(self, path: Path, columns: Mapping[str, NDArray[Any]], record: Record) -> Path:
        """Write all maps of a test as the columns of one table, a row per region, with its sidecar."""
        import pandas as pd  # noqa: PLC0415 - slow to import

        from .io.files import replacing  # noqa: PLC0415

        _refuse_inputs(path, path.with_suffix(".json"), record)
        text = pd.DataFrame({"region": self.names, **columns}).to_csv(sep="\t", index=False, na_rep="n/a")
        with replacing(path.with_suffix(".json")) as beside, replacing(path) as file:
            beside.write(plain_json(record_content(record)))
            file.write(text.encode())
        return path


def _refuse_inputs(path: Path, sidecar: Path, record: Record) -> None:
    for target in (path, sidecar):
        refuse_place(target, record.inputs)


Place = VolumePlace | SurfacePlace | RegionPlace
