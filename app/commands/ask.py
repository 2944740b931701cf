"""The command `habena ask`."""

from __future__ import annotations

import math
from typing import Any, get_args

import click

from ..console import Progress, print_json, print_text, print_warnings
from ..models import Correction
from ..problems import Problem
from ..study.rows import Measure
from .options import as_json, numbers, output


def _names(context: click.Context, option: click.Parameter, text: str | None) -> tuple[str, ...]:
    del context, option
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _covariates(context: click.Context, option: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return () if text.strip().lower() == "none" else _names(context, option, text)


def _floats(context: click.Context, option: click.Parameter, text: str | None) -> tuple[float, ...]:
    return () if text is None else numbers(text.count(",") + 1, "D[,D..]")(context, option, text)


def _pairs(context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    del context, option
    pairs = tuple((name.strip(), what.strip()) for name, _, what in (text.partition("=") for text in texts))
    for text, (name, what) in zip(texts, pairs, strict=True):
        if not (name and what):
            raise Problem("--voxelwise", f"'{text}' is not NAME=MEASURE or NAME=FILE", "write --voxelwise dc=degree")
    return pairs


def _limits(context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    del context, option
    try:
        pairs = [text.partition("=") for text in texts]
        return tuple((name.strip(), math.inf if what.strip() == "none" else float(what)) for name, _, what in pairs)
    except ValueError:
        raise Problem(
            "--quality", f"'{', '.join(texts)}' is not NAME=NUMBER", "write --quality linewidth_hz_max=10, or =none"
        ) from None


@click.command(context_settings={"show_default": True})
@click.argument("folder", metavar="DIR")
@click.argument("question")
@click.option("--score", metavar="COL", help="Such as madrs_total; default: the study's first.")
@click.option("--covariates", callback=_covariates, metavar="A,B|none", help="Default: age and sex where they vary.")
@click.option("--arm", default="pooled", metavar="pooled|interaction|NAME", help="Of a change.")
@click.option("--percent", is_flag=True, help="Change in percent of the first scan.")
@click.option("--baseline", is_flag=True, help="The last scan, adjusted for the first (ANCOVA).")
@click.option("--variance", type=click.Choice(("pooled", "by-group")), default="pooled")
@click.option("--sessions", callback=_names, metavar="A,B", help="First and second; default: the first and the last.")
@click.option("--measure", type=click.Choice(get_args(Measure)), help="Default: what fits question and study.")
@click.option("--contrast", "contrasts", multiple=True, metavar="NAME=...", help="Of a formula; may be repeated.")
@click.option("--metrics", callback=_names, metavar="A,B", help="Of graphs.")
@click.option("--voxelwise", multiple=True, callback=_pairs, metavar="NAME=MEASURE|FILE", help="Covariate of images.")
@click.option("--thresholds", callback=numbers(2, "P,P"), metavar="P,P", help="Of an overlap, uncorrected.")
@click.option("--exclude", callback=_names, metavar="ID,..", help="People to leave out.")
@click.option("--region", help="Analyse only within this region (small volume).")
@click.option("--density", callback=_floats, metavar="D[,D..]", help="Share of edges; several: area under the curve.")
@click.option("--r", type=float, help="Keep edges with r of at least this instead.")
@click.option("--edges", type=click.Choice(("positive", "absolute", "signed")), help="Default: positive.")
@click.option("--weighted", is_flag=True, help="Graph metrics use weights.")
@click.option("--atlas", help="Of graphs and regions; default: aal2.")
@click.option("--reference", metavar="NAME|FILE", help="Region that PET is divided by.")
@click.option("--window", callback=numbers(2, "START,END"), metavar="START,END", help="Frames of PET, minutes.")
@click.option("--fwhm", type=float, metavar="MM", help="Gaussian smoothing of maps and runs; default: none.")
@click.option("--scaling", type=click.Choice(("none", "global mean")), help="Default: none.")
@click.option("--mask", metavar="FILE", help="Analyse only within this mask.")
@click.option("--grid", metavar="FILE", help="Bring all maps to the grid of this image.")
@click.option("--strategy", metavar="NAME", help="Confounds of runs, such as motion24+wm-csf.")
@click.option("--run-fwhm", type=float, metavar="MM", help="Smoothing of runs, where it is not --fwhm.")
@click.option("--drop", type=int, metavar="N", help="Leading volumes of runs to leave out.")
@click.option("--detrend", type=int, metavar="N", help="Remove polynomials of order 0 to N from runs.")
@click.option("--band", callback=numbers(2, "LO,HI"), metavar="LO,HI", help="Pass band of runs in Hz.")
@click.option("--columns", callback=_names, metavar="A,B", help="Columns of confounds to remove from runs.")
@click.option("--censor", type=float, metavar="MM", help="Censor volumes of a larger framewise displacement.")
@click.option("--brain", metavar="FILE", help="Brain mask of runs.")
@click.option("--permutations", type=int, default=0, help="The unpermuted data count as one more.")
@click.option("--seed", type=int, default=1, help="Of the permutations.")
@click.option("--correction", type=click.Choice(get_args(Correction)), default="none")
@click.option("--cluster-threshold", type=float, default=0.001, help="Uncorrected p.")
@click.option("--connectivity", type=click.Choice(("6", "18", "26")), default="6")
@click.option("--tfce-h", type=float, default=2.0)
@click.option("--tfce-e", type=float, default=0.5)
@click.option("--one-sided", is_flag=True, help="t tests look for positive effects only; default: two-sided.")
@click.option(
    "--quality",
    multiple=True,
    callback=_limits,
    metavar="NAME=NUMBER|none",
    help="Limit of spectra: linewidth_hz_max, snr_min, crlb_percent_max, gm_fraction_min; may be repeated.",
)
@click.option("--multiverse", is_flag=True, help="Of graphs: the same for other atlases, densities and strategies.")
@click.option("--sensitivity", is_flag=True, help="Of PET: the same for other reference regions and thresholds.")
@click.option("--names", is_flag=True, help="Name people in the files; default: rows of the participants' table.")
@click.option("--kept", is_flag=True, help="Start from the choices that the window keeps with the study.")
@click.option("-o", "--output", "out", callback=output, help="Folder for maps, tables, figure and report.")
@as_json
def ask(folder: str, question: str, out: str, as_json: bool, connectivity: str, **options: Any) -> None:
    """Ask a study: severity, group, change, overlap, prediction, graph, crossover, or a formula.

    severity: the first scan and how ill a patient is. group: patients and healthy people. change: second scan less
    first, and improvement (first score less last: larger is better). overlap: where both meet. prediction: improvement
    from the first scan. graph: network metrics by group and time. crossover: spectra of two conditions in the same
    people. A formula such as 'pet ~ group * age' asks anything else.
    """
    from ..study import asked  # noqa: PLC0415
    from ..study.wanted import Wanted  # noqa: PLC0415

    wanted = Wanted(connectivity=int(connectivity), **options)  # pyright: ignore[reportArgumentType] - checked by click
    with Progress("Asking") as report:
        found = asked.ask(folder, question, wanted, out, report)
    if as_json:
        print_json(found.document())
        return
    print_warnings(found.findings)
    print_text(found.text())
