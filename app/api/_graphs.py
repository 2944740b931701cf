"""Graphs of regions and of voxels: `graph`, `degree` and `clustering`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ._arguments import Band, Path_, listed, name_of, preparation_of
from .app.problems import Finding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .app.graphs import GraphTable
    from .app.recipes import Preparation

Edges = Literal["positive", "absolute", "signed"]


@dataclass(frozen=True, eq=False)
class VoxelGraphMap:
    """A measure of the graph whose nodes are the voxels of a run.

    Attributes
    ----------
    values : (nx, ny, nz) float32
        NaN outside the brain mask.
    affine : (4, 4) float64
        Voxel indices to world mm.
    notes : dict
        Everything that was done: nodes, edges, threshold, density, preparation.
    findings : tuple of Finding
        What to know about the input.
    """

    values: NDArray[np.float32]
    affine: NDArray[np.float64]
    notes: dict[str, Any]
    findings: tuple[Finding, ...]


def degree(  # noqa: PLR0913 - the options of the command
    run: Path_,
    *,
    r: float | None = None,
    density: float | None = None,
    binary: bool = True,
    edges: Edges = "positive",
    drop: int = 0,
    fwhm: float = 0.0,
    detrend: int = 0,
    band: Band | None = None,
    confounds: Path_ | None = None,
    columns: str | Sequence[str] = (),
    censor: float | None = None,
    brain: Path_ | None = None,
    out: Path_ | None = None,
) -> VoxelGraphMap:
    """Degree of every voxel: with how many others it is correlated, or how strongly in all.

    Parameters
    ----------
    run : path
        4D image.
    r, density : float
        One of them: edges are pairs with r of at least this, or this share of all pairs, those with the largest r.
    binary : bool
        An edge counts 1, or its r.
    edges : str
        ``positive``: r counts; ``absolute``: abs(r) counts; ``signed``: abs(r) makes an edge, and its sign counts.
    drop, fwhm, detrend, band, confounds, columns, censor, brain
        Preparation of the run, as in `seed`.
    out : path
        Where to write the map, with a JSON sidecar.
    """
    preparation = preparation_of(drop, fwhm, detrend, band, confounds, columns, censor, brain)
    return _map(run, "degree", (r, density, edges, not binary), preparation, out)


def clustering(  # noqa: PLR0913 - the options of the command
    run: Path_,
    *,
    r: float | None = None,
    density: float | None = None,
    binary: bool = True,
    edges: Edges = "positive",
    drop: int = 0,
    fwhm: float = 0.0,
    detrend: int = 0,
    band: Band | None = None,
    confounds: Path_ | None = None,
    columns: str | Sequence[str] = (),
    censor: float | None = None,
    brain: Path_ | None = None,
    out: Path_ | None = None,
) -> VoxelGraphMap:
    """Clustering coefficient of every voxel: the share of pairs of its neighbours that are neighbours.

    Parameters
    ----------
    run, r, density, edges, drop, fwhm, detrend, band, confounds, columns, censor, brain, out
        As for `degree`.
    binary : bool
        False for Onnela's weighted coefficient.
    """
    preparation = preparation_of(drop, fwhm, detrend, band, confounds, columns, censor, brain)
    return _map(run, "clustering", (r, density, edges, not binary), preparation, out)


def graph(  # noqa: PLR0913 - the options of the command
    source: Path_,
    *,
    atlas: str | None = None,
    kind: Literal["pearson", "partial"] = "pearson",
    density: float | Sequence[float] = (),
    r: float | None = None,
    edges: Edges = "positive",
    weighted: bool = False,
    metrics: str | Sequence[str] = (),
    auc: bool = False,
    nulls: int = 20,
    rewirings: int = 10,
    seed: int = 0,
    drop: int = 0,
    fwhm: float = 0.0,
    detrend: int = 0,
    band: Band | None = None,
    confounds: Path_ | None = None,
    columns: str | Sequence[str] = (),
    censor: float | None = None,
    brain: Path_ | None = None,
    out: Path_ | None = None,
) -> GraphTable:
    """Measure the graph of a matrix of connections, or of a run's regions.

    Parameters
    ----------
    source : path
        Square, symmetric TSV or CSV; or a 4D image.
    atlas, kind
        Regions of a run (default: AAL2), and the correlation of their series.
    density, r
        One of them: this share of all pairs is kept, one graph for each; or pairs with r of at least this.
    edges : str
        As for `degree`.
    weighted : bool
        Metrics use weights.
    metrics : str or sequence of str
        Default: all but ``participation`` and ``small_worldness``.
    auc : bool
        Also the area under each metric over the densities.
    nulls, rewirings, seed : int
        Random graphs for small-worldness; the seed is also that of the search for modules.
    drop, fwhm, detrend, band, confounds, columns, censor, brain
        Preparation of a run, as in `seed`.
    out : path
        TSV of the nodes.

    Returns
    -------
    GraphTable
        ``graphs``, ``nodes()``, ``overall()``, ``findings``; ``document()`` is what ``habena graph --json`` prints.
    """
    from .app import graphs  # noqa: PLC0415 - importing habena stays quick
    from .app.outputs import refuse_place  # noqa: PLC0415

    preparation = preparation_of(drop, fwhm, detrend, band, confounds, columns, censor, brain)
    densities = (float(density),) if isinstance(density, int | float) else tuple(density)
    cut = graphs.Cut(densities, r, edges, weighted, listed(metrics), auc, (nulls, rewirings, seed))
    if out is not None:
        refuse_place(Path(out), graphs.inputs_of(os.fspath(source), preparation))
    found = graphs.graph(os.fspath(source), cut, graphs.RunOptions(atlas, preparation, kind))
    if out is not None:
        found.nodes().write(os.fspath(out))
    return found


def _map(
    run: Path_,
    measure: Literal["degree", "clustering"],
    graph_: tuple[float | None, float | None, Edges, bool],
    preparation: Preparation,
    out: Path_ | None,
) -> VoxelGraphMap:
    from .app import voxel_graphs  # noqa: PLC0415 - importing habena stays quick
    from .app.seeding import image_of  # noqa: PLC0415

    found = voxel_graphs.voxel_graph(
        os.fspath(run), measure, voxel_graphs.VoxelGraph(*graph_), preparation, name_of(out)
    )
    image = image_of(found)
    return VoxelGraphMap(image.frame(0), image.grid.affine, dict(found.notes), found.findings)
