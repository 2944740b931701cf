"""An answer as the panel shows it: sentences, rows, plots and tables, with nothing in them that is hidden."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...widgets.ask_results import AnswerTable, AnswerView
from ...widgets.numbers import format_number
from ...widgets.region_forest import Region
from ...widgets.series_plot import Series, SeriesData
from ...widgets.value_model import Cell, Column
from ..study.answers import Answered, RegionRow
from ..study.told import cluster_line, sentences
from ..study.values import PERSON

if TYPE_CHECKING:
    from ..study.blinding import Blinding

Said = Callable[[str], str]
TITLES = {
    "nodes": "Regions and metrics",
    "graphs": "Whole graphs by person",
    "motion": "Motion and mean connectivity",
    "scores": "Change of scores",
    "score_correlations": "Regions and scores",
    "regions_groups": "Regions: patients and healthy people",
    "time_course": "Time course",
    "score_time_course": "Time course of the score",
    "filters": "What the filters remove",
    "spectra": "Spectra and their quality",
    "terms": "Terms of the mixed model",
    "score_terms": "Terms of the score's model",
    "prediction": "Observed and predicted",
    "multiverse": "Other choices",
    "multiverse_summary": "Other choices, summed up",
    "sensitivity": "Other reference regions",
    "sensitivity_thresholds": "Other reference regions and thresholds",
}
OVERLAP_COLOURS = (
    "Blue: lower in patients; orange: rises with improvement; green, in white outlines: both. "
    "The opposite signs are layers too. "
)
MULTIVERSE, SENSITIVITY = "multiverse", "sensitivity"
OF_ONE_MAP = frozenset({"severity", "group", "change", "prediction"})


def view_of(answered: Answered, blinding: Blinding | None, *, picture: bytes = b"", so_far: bool = False) -> AnswerView:
    """What the panel shows of an answer.

    Parameters
    ----------
    answered : Answered
    blinding : Blinding or None
        Hides names where it is on.
    picture : bytes
        Small multiples, PNG.
    so_far : bool
        Permutations are still being counted.
    """
    plan = answered.plan

    def said(text: str) -> str:
        return text if blinding is None else blinding.shown_text(text)

    words = [said(each) for each in sentences(answered)]
    if so_far:
        words.insert(min(1, len(words)), "So far without permutations of voxels, which are being counted.")
    findings = tuple(dict.fromkeys((*plan.findings, *answered.findings)))
    colours = OVERLAP_COLOURS if plan.ask.kind == "overlap" else ""
    return AnswerView(
        title=said(plan.title),
        about=said(f"{colours}Effect: {plan.effect_name}{_unit(plan.unit)}. {_people(plan.n)}"),
        words=tuple(words),
        regions=tuple(_region(row, said) for row in answered.regions),
        notes=tuple(said(finding.message) for finding in findings),
        plots=plots_of(answered, blinding),
        tables=tuple(_tables(answered, blinding)),
        picture=picture,
        more=more_of(answered),
        of_terms=bool(answered.regions) and not any(row.atlas for row in answered.regions),
    )


def more_of(answered: Answered) -> str:
    """What else can be asked of the same question, unless it was."""
    ask = answered.plan.ask
    if ask.kind == "graph" and MULTIVERSE not in answered.tables:
        return MULTIVERSE
    if ask.kind in OF_ONE_MAP and ask.measure == "pet" and SENSITIVITY not in answered.tables:
        return SENSITIVITY
    return ""


def _unit(unit: str) -> str:
    return "" if not unit else f" {unit}" if unit.startswith("of ") else f", in {unit}"


def _people(n: Any) -> str:
    told = ", ".join(f"{count} {name}" for name, count in n.items() if name != "excluded")
    return f"{told}; {n['excluded']} left out." if n.get("excluded") else f"{told}."


def _region(row: RegionRow, said: Said) -> Region:
    return Region(
        said(row.region),
        row.side,
        row.metric,
        row.effect,
        *row.ci,
        row.statistic,
        row.p,
        row.p_fwe,
        said("; ".join(filter(None, (row.note, row.atlas)))),
    )


# -- plots


def plots_of(answered: Answered, blinding: Blinding | None) -> tuple[SeriesData, ...]:
    """Plots of an answer, where it has any."""
    tables, plots = answered.tables, list[SeriesData]()
    if "time_course" in tables:
        plots.append(_course(answered, "time_course", "time_min", answered.plan.unit))
    if "score_time_course" in tables:
        plots.append(_course(answered, "score_time_course", "time", answered.plan.ask.score))
    if "prediction" in tables:
        plots.append(_prediction(answered, blinding))
    if MULTIVERSE in tables:
        frame = tables[MULTIVERSE]
        plots += [_curve(answered, str(name), part) for name, part in frame.groupby("target", sort=False)]
    return tuple(plots)


def _course(answered: Answered, name: str, x: str, unit: str) -> SeriesData:
    frame = answered.tables[name]
    of_words = frame[x].dtype.kind not in "fiu"
    places = {value: float(n) for n, value in enumerate(dict.fromkeys(frame[x]))} if of_words else {}
    series: list[Series] = []
    for number, (condition, part) in enumerate(frame.groupby("condition", sort=False)):
        at = np.array([places[value] if of_words else float(value) for value in part[x]])
        apart = (float(np.ptp(at)) or 1.0) * 0.008 * number
        mean, low, high = (part[column].to_numpy(np.float64) for column in ("mean", "lo", "hi"))
        labels = tuple(
            f"{value if of_words else f'{value:.3g} min'}: {format_number(m)} "
            f"[{format_number(a)}, {format_number(b)}], n = {int(n)}"
            for value, m, a, b, n in zip(part[x], mean, low, high, part["n"], strict=True)
        )
        series.append(Series(str(condition), at + apart, mean, low, high, labels, joined=True))
    return SeriesData(
        title=_marked(answered, f"{unit} by condition over time"),
        x_title="" if of_words else "minutes from the start of the infusion",
        y_title=unit,
        series=tuple(series),
        below="Means with 95 % CI.",
        ticks=tuple((place, str(value)) for value, place in places.items()),
    )


def _prediction(answered: Answered, blinding: Blinding | None) -> SeriesData:
    frame, details = answered.tables["prediction"], answered.details
    people = [str(name) for name in frame[PERSON]]
    shown = people if blinding is None else [blinding.shown_name(name) for name in people]
    observed, predicted = (frame[column].to_numpy(np.float64) for column in ("observed", "predicted"))
    labels = tuple(
        f"{name}: observed {format_number(a)}, predicted {format_number(b)}"
        for name, a, b in zip(shown, observed, predicted, strict=True)
    )
    r, mae, p = (details.get(name) for name in ("r", "mae", "p"))
    below = "" if r is None else f"Out of sample: r = {r:.2f}, mean absolute error {mae:.1f} points, p = {p:.3g}."
    return SeriesData(
        title=_marked(answered, "Observed and predicted improvement (larger is better)"),
        x_title="predicted improvement",
        y_title="observed improvement",
        series=(Series("people", predicted, observed, labels=labels, keys=tuple(people)),),
        below=below,
        identity=True,
    )


def _curve(answered: Answered, target: str, frame: Any) -> SeriesData:
    """A specification curve: every choice, in the order of its t."""
    ordered = frame.sort_values("order")
    labels = tuple(
        f"{row.atlas}, {row.density}, confounds {row.strategy}: {format_number(row.effect)}, "
        f"t = {format_number(row.t)}, p = {format_number(row.p)}"
        for row in ordered.itertuples()
    )
    numbers = [ordered[name].to_numpy(np.float64) for name in ("order", "effect", "ci_low", "ci_high")]
    return SeriesData(
        title=_marked(answered, f"{target} under other choices"),
        x_title="choices, by their t",
        y_title="effect",
        series=(Series(target, *numbers, labels=labels),),
        below="Each point is one combination of atlas, density and confounds; 95 % CI.",
        zero=True,
    )


def _marked(answered: Answered, title: str) -> str:
    return f"Simulated: {title}" if answered.simulated else title


# -- tables


def _tables(answered: Answered, blinding: Blinding | None) -> list[AnswerTable]:
    made: list[AnswerTable] = []
    if answered.clusters:
        rows = tuple((cluster_line(each),) for each in answered.clusters)
        made.append(AnswerTable("clusters", "Clusters", (Column("Cluster"),), rows))
    for name, frame in answered.tables.items():
        shown = frame if blinding is None else blinding.shown_frame(frame)
        made.append(table_of(str(name), shown, str if blinding is None else blinding.shown_text))
    return made


def table_of(name: str, frame: Any, said: Said = str) -> AnswerTable:
    """A frame as typed columns; texts as they may be ``said``."""
    columns: list[Column] = []
    cells: list[Sequence[Cell]] = []
    for column in frame.columns:
        title = str(column).replace("_", " ")
        kind = frame[column].dtype.kind
        if kind in "fiu":
            columns.append(Column(title, "", "integer" if kind in "iu" else "number"))
            cells.append([_number(value) for value in frame[column].tolist()])
        else:
            columns.append(Column(title))
            cells.append([said(_text(value)) for value in frame[column].tolist()])
    return AnswerTable(name, TITLES.get(name, name.replace("_", " ")), tuple(columns), tuple(zip(*cells, strict=True)))


def _number(value: Any) -> Cell:
    return None if isinstance(value, float) and math.isnan(value) else value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return " to ".join(format_number(each) if isinstance(each, float) else str(each) for each in value)
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)
