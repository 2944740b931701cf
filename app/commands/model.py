"""The command `habena model`."""

from __future__ import annotations

from typing import Any, cast, get_args

import click

from ..console import Progress, print_json, print_text, print_warnings
from ..models import Correction, Inference, Model
from ..problems import Problem
from .options import as_json


def _voxelwise(context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    del context, option
    pairs = tuple((name.strip(), column.strip()) for name, _, column in (text.partition("=") for text in texts))
    for text, (name, column) in zip(texts, pairs, strict=True):
        if not (name and column):
            raise Problem("--voxelwise", f"'{text}' is not NAME=COL", "write --voxelwise gm=grey_matter_file")
    return pairs


def _names(context: click.Context, option: click.Parameter, text: str | None) -> tuple[str, ...]:
    del context, option
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


@click.command()
@click.argument("data")
@click.option("--table", required=True, help="TSV or CSV, one row per scan.")
@click.option("--formula", required=True, help="Such as '~ group + age'.")
@click.option(
    "--contrast",
    "contrasts",
    multiple=True,
    metavar="NAME=...",
    help="Weights in the order of the printed columns ('d=0 1 -1'), rows of an F test split by ';', or an expression "
    "of column names; may be repeated. Default: each column but the intercept.",
)
@click.option("--terms", is_flag=True, help="Test every term but the intercept: type III, sum-to-zero coding, F.")
@click.option("--subject", help="Column that says who was scanned, for repeated measures.")
@click.option("--within", help="Column that tells a subject's scans apart, such as session.")
@click.option("--exchange", help="Column of exchangeability blocks.")
@click.option("--exchange-mode", type=click.Choice(("within", "whole")), default="within", show_default=True)
@click.option("--voxelwise", multiple=True, callback=_voxelwise, metavar="NAME=COL", help="Covariate of images.")
@click.option("--permutations", type=int, default=0, show_default=True, help="The unpermuted data count as one more.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the permutations.")
@click.option("--correction", type=click.Choice(get_args(Correction)), default="none", show_default=True)
@click.option("--cluster-threshold", type=float, default=0.001, show_default=True, help="Uncorrected p.")
@click.option("--connectivity", type=click.Choice(("6", "18", "26")), default="6", show_default=True)
@click.option("--tfce-h", type=float, default=2.0, show_default=True)
@click.option("--tfce-e", type=float, default=0.5, show_default=True)
@click.option("--mask", help="Analyse only within this mask.")
@click.option("--region", help="Analyse only within this region (small volume).")
@click.option("--atlas", help="Atlas of the region; regions of clusters are named by it too. Default: aal2.")
@click.option("--surface", help="Surface that data on vertices belong to; default: fsaverage5, or the one beside them.")
@click.option("--one-sided", is_flag=True, help="t tests look for positive effects only; default: two-sided.")
@click.option("--across-tests", is_flag=True, help="Correct over all tests, not within each.")
@click.option("--variance", type=click.Choice(("pooled", "by-group")), default="pooled", show_default=True)
@click.option("--exclude", callback=_names, metavar="ID,..", help="Subjects to leave out.")
@click.option("--scheduler", metavar="ADDR", help="Spread permutations over the workers of a dask scheduler.")
@click.option("-o", "--output", "out", help="Folder for maps and tables.")
@as_json
def model(
    data: str,
    table: str,
    formula: str,
    contrasts: tuple[str, ...],
    terms: bool,
    subject: str | None,
    within: str | None,
    exchange: str | None,
    exchange_mode: Any,
    voxelwise: tuple[tuple[str, str], ...],
    permutations: int,
    seed: int,
    correction: Any,
    cluster_threshold: float,
    connectivity: Any,
    tfce_h: float,
    tfce_e: float,
    mask: str | None,
    region: str | None,
    atlas: str | None,
    surface: str | None,
    one_sided: bool,
    across_tests: bool,
    variance: Any,
    exclude: tuple[str, ...],
    scheduler: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Fit a linear model at every voxel, vertex or region.

    DATA is a 4D image in the order of the table's rows, column:COL (a column of files), a table of regions (TSV,
    a column each), or 'table': the outcome is the formula's left side.
    """
    from .. import modelling  # noqa: PLC0415

    question = Model(
        data,
        table,
        formula,
        contrasts,
        terms,
        subject,
        within,
        exchange,
        exchange_mode,
        variance,
        voxelwise,
        exclude,
        mask,
        region,
        atlas,
        surface,
    )
    inference = Inference(
        permutations,
        seed,
        correction,
        cluster_threshold,
        cast("Any", int(connectivity)),
        tfce_h,
        tfce_e,
        one_sided,
        across_tests,
    )
    with Progress("Fitting") as report:
        found = modelling.model(question, inference, out, scheduler, report)
    if as_json:
        print_json(found.document())
        return
    print_warnings(found.findings)
    print_text(found.text())
