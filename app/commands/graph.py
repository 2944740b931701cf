"""The command `habena graph`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ..console import Progress, print_json, print_text, print_warnings
from ..problems import Problem
from ..recipes import Preparation
from .options import as_json, preparation_options

if TYPE_CHECKING:
    from ...stats.graph import Edges

METRICS = (
    "degree, strength, clustering, betweenness, local_efficiency, eigenvector, core, transitivity, global_efficiency, "
    "path_length, assortativity, modularity; on request also participation, small_worldness"
)


def _densities(context: click.Context, option: click.Parameter, text: str | None) -> tuple[float, ...]:
    del context, option
    if text is None:
        return ()
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise Problem("--density", f"'{text}' is not D[,D..]", "write --density 0.1,0.15,0.2") from error


def _names(context: click.Context, option: click.Parameter, text: str | None) -> tuple[str, ...]:
    del context, option
    return () if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


@click.command()
@click.argument("source", metavar="MATRIX|RUN")
@click.option("--atlas", metavar="A", help="Regions of a RUN; default aal2.")
@click.option(
    "--kind",
    type=click.Choice(("pearson", "partial")),
    default="pearson",
    show_default=True,
    help="Correlation of a RUN's regions; partial with Ledoit and Wolf's shrinkage.",
)
@click.option("--density", callback=_densities, metavar="D[,D..]", help="Keep this share of all pairs, the largest.")
@click.option("--r", type=float, metavar="R", help="Keep pairs with r of at least R; instead of --density.")
@click.option(
    "--edges",
    type=click.Choice(("positive", "absolute", "signed")),
    default="positive",
    show_default=True,
    help="positive: negative values are dropped. absolute: the largest |r| are kept and weigh |r|. signed: the same "
    "edges, and the strength counts their sign; all other metrics use |r|. A value of 0 is never an edge.",
)
@click.option("--weighted", is_flag=True, help="Metrics use weights (distance 1/w, clustering by Onnela).")
@click.option("--metrics", callback=_names, metavar="A,B", help=f"Some of: {METRICS}.")
@click.option("--auc", is_flag=True, help="Also the area under each metric over the densities, by trapezoids.")
@click.option("--nulls", type=int, default=20, show_default=True, help="Random graphs for small_worldness.")
@click.option("--rewirings", type=int, default=10, show_default=True, help="How often each of their edges is rewired.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of random graphs and of the search for modules.")
@click.option("-o", "--output", "out", metavar="TSV", help="Write the nodes, a row for each density and node.")
@preparation_options
@as_json
def graph(
    source: str,
    atlas: str | None,
    kind: Literal["pearson", "partial"],
    density: tuple[float, ...],
    r: float | None,
    edges: Edges,
    weighted: bool,
    metrics: tuple[str, ...],
    auc: bool,
    nulls: int,
    rewirings: int,
    seed: int,
    out: str | None,
    preparation: Preparation,
    as_json: bool,
) -> None:
    """Measure the graph of a matrix of connections, or of a run's regions.

    MATRIX is a square, symmetric TSV or CSV; its diagonal is ignored. The series of a RUN are prepared as for
    `habena seed`, averaged within regions and correlated. Degree is a count, strength the sum of the kept values;
    betweenness counts each pair of nodes once and is not normalised; clustering is 0 below two neighbours; path length
    is over connected pairs; the eigenvector has length 1. Small-worldness is of the binary graph.
    """
    from .. import graphs  # noqa: PLC0415
    from ..outputs import refuse_place  # noqa: PLC0415

    cut = graphs.Cut(density, r, edges, weighted, metrics, auc, (nulls, rewirings, seed))
    if out is not None:
        refuse_place(Path(out), graphs.inputs_of(source, preparation))
    with Progress("Measuring") as report:
        table = graphs.graph(source, cut, graphs.RunOptions(atlas, preparation, kind), report)
    if out is not None:
        table.nodes().write(out)
    if as_json:
        print_json(table.document())
        return
    print_warnings(table.findings)
    print_text(table.text(nodes=out is None))
