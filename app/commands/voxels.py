"""The commands `habena degree` and `habena clustering`: graphs whose nodes are the voxels of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ..console import Progress, print_json, print_text, print_warnings
from ..recipes import Preparation
from .options import as_json, output, preparation_options

if TYPE_CHECKING:
    from ...stats.voxel_edges import EdgeRule
    from ..voxel_graphs import Measure

_GRAPH = (
    click.argument("run"),
    click.option("-o", "--output", "out", callback=output, metavar="MAP", help="Map to write: .nii.gz or .nii"),
    click.option("--r", type=float, metavar="R", help="Edges: pairs of voxels with r >= R, -1 to 1. Give R or D."),
    click.option("--density", type=float, metavar="D", help="Edges: this share of all pairs, the largest r."),
    click.option("--binary/--weighted", "binary", default=True, show_default=True, help="An edge counts 1, or its r."),
    click.option(
        "--edges",
        type=click.Choice(("positive", "absolute", "signed")),
        default="positive",
        show_default=True,
        help="positive: r counts. absolute: |r| counts. signed: |r| makes an edge, and its sign counts in the degree.",
    ),
)


def _graph_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_GRAPH):
        command = option(command)
    return command


@click.command()
@_graph_options
@preparation_options
@as_json
def degree(
    run: str,
    out: str,
    r: float | None,
    density: float | None,
    binary: bool,
    edges: EdgeRule,
    preparation: Preparation,
    as_json: bool,
) -> None:
    """Map the degree of every voxel: with how many others it is correlated, or how strongly in all.

    Raw counts, or sums of r, over all other voxels of the brain mask with r >= R. With --edges absolute |r| >= R, and
    |r| is summed; with signed |r| >= R, and edges count 1 or -1, or their r. Correlations are float32, exact to 1e-7.
    At a density of D the D V (V - 1) / 2 largest are kept, halves rounded up, of equal ones the first.
    """
    _map(run, "degree", (r, density, edges, not binary), preparation, (out, as_json))


@click.command()
@_graph_options
@preparation_options
@as_json
def clustering(
    run: str,
    out: str,
    r: float | None,
    density: float | None,
    binary: bool,
    edges: EdgeRule,
    preparation: Preparation,
    as_json: bool,
) -> None:
    """Map the clustering coefficient of every voxel: the share of pairs of its neighbours that are neighbours.

    Edges as in `habena degree`; 0 below two neighbours. Weighted: Onnela's geometric means of |r| by its largest.
    Memory grows with the square of the voxels: a bit for each pair both ways, 6.5 GB at 228,000; weighted 12 bytes for
    each edge. What does not fit is refused with the figure.
    """
    _map(run, "clustering", (r, density, edges, not binary), preparation, (out, as_json))


def _map(
    run: str,
    measure: Measure,
    graph: tuple[float | None, float | None, EdgeRule, bool],
    preparation: Preparation,
    printed: tuple[str, bool],
) -> None:
    from .. import voxel_graphs  # noqa: PLC0415

    out, as_json = printed
    with Progress("Correlating") as report:
        found = voxel_graphs.voxel_graph(run, measure, voxel_graphs.VoxelGraph(*graph), preparation, out, report)
    if as_json:
        print_json({"map": out, **found.notes, "warnings": found.findings})
        return
    notes = found.notes
    print_warnings(found.findings)
    print_text(
        f"{out}: {notes['measure']}; threshold {notes['threshold']:.4g}, {notes['nodes']} voxels, "
        f"{notes['edges']} edges, density {notes['density']:.3g}, {notes['residual_degrees_of_freedom']} "
        "degrees of freedom"
    )
