"""The report of an answer: one page that holds everything needed to judge it and to repeat it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .answers import Answered
from .report_charts import MOST_ROWS, course, design, forest
from .report_design import design_of, power_lines
from .report_page import Node, element, facts, items, page, section, table
from .report_repeat import WITHHELD
from .spectra import limits_of
from .told import cluster_lines, counted, direction, region_table, sentences
from .values import Choices
from .veil import Veil

if TYPE_CHECKING:
    import pandas as pd

    from .report_figure import Extra

COURSE, FOREST = "time_course", "forest"
OF_PET = {"reference", "window_min", "scaling", "fwhm_mm"}
OF_RUNS = {"strategy", "density", "r", "edges", "weighted"}
OF_RUNS_MEASURES = {"degree", "clustering", "regions"}
SIMULATED = "Simulated data: nobody was scanned. The numbers show what the program does, and nothing about patients."
MOST_TABLE_ROWS = 200
SHORT_UNIT = 24  # longer ones stand with the question only
MOST_NUMBERS = 15  # more are folded
COUNTED = {"graph": "all regions and metrics"}


def report_page(
    answered: Answered,
    result: Mapping[str, Any],
    record: Mapping[str, Any],
    veil: Veil,
    figure: bytes | None,
    more: Sequence[Extra] = (),
) -> bytes:
    """The page, self-contained: pictures inside, no network.

    Parameters
    ----------
    answered : Answered
    result : mapping
        The JSON document, with codes for people.
    record : mapping
        Question, inputs with hashes, versions, and how to repeat it.
    veil : Veil
    figure : bytes or None
        PNG.
    more : sequence of Extra
        Figures beside it.
    """
    plan = answered.plan
    sections = (
        _result(answered),
        _question(answered, record),
        _data(answered, result),
        _design(answered),
        _figures(answered, figure, more),
        _regions(answered),
        _clusters(answered),
        *_further(answered, veil),
        section("Power", *(element("p", line) for line in power_lines(answered))),
        _warnings(result["warnings"]),
        _repeat(record, veil),
        _provenance(record),
    )
    banner = element("p", SIMULATED, class_="banner", role="note") if answered.simulated else None
    title = plan.title
    return page(title, banner, element("h1", title), *(each for each in sections if each is not None))


def _result(answered: Answered) -> Node:
    told = [element("p", sentence) for sentence in sentences(answered)]
    return element("section", *told, class_="lead")


def _question(answered: Answered, record: Mapping[str, Any]) -> Node:
    plan, ask = answered.plan, answered.plan.ask
    inference = ask.inference
    told = [("Model", plan.formula), ("Effect", plan.effect_name), ("Unit", plan.unit or "none")]
    if plan.test:
        told.append(("Test", plan.test))
    sides = "one-sided (positive)" if inference.one_sided else "two-sided"
    told.append(("Tests", f"{sides}, {_variance(ask.variance)}"))
    told.append(("Permutations", _permutations(answered)))
    if ask.within:
        told.append(("Small volume", ask.within))
    chosen = [(name.replace("_", " "), _chosen(value)) for name, value in _choices(answered, record["ask"]["choices"])]
    return section("Question", element("p", plan.words), facts([*told, *chosen]))


def _variance(name: str) -> str:
    return "variance by group (Welch)" if name == "by-group" else "one pooled variance"


def _permutations(answered: Answered) -> str:
    inference, kind = answered.plan.ask.inference, answered.plan.ask.kind
    if kind in COUNTED and "permutations" in answered.details:
        return f"{answered.details['permutations']} arrangements for p over {COUNTED[kind]}, seed {inference.seed}"
    if kind == "crossover":
        return "whole people between sequences, for the exact companion; their number stands with the numbers"
    if not inference.permutations:
        regions = answered.details.get("permutations_regions")
        over = f"; {regions} arrangements for p over the regions, seed {inference.seed}" if regions else ""
        return f"none over voxels: p-values are parametric, and nothing is corrected{over}"
    how = {"none": "no correction", "tfce": _tfce(answered)}.get(inference.correction, inference.correction)
    return f"{inference.permutations} and the observed arrangement, seed {inference.seed}, {how}"


def _tfce(answered: Answered) -> str:
    inference = answered.plan.ask.inference
    return f"TFCE with H {inference.tfce_h:g}, E {inference.tfce_e:g}, {inference.connectivity} neighbours"


def _choices(answered: Answered, choices: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """What was chosen for the data, with what a preparation changed."""
    default, ask = Choices(), answered.plan.ask
    if ask.kind == "crossover":
        yield from ((f"limit: {name}", value) for name, value in _limits(ask.quality))
        return
    hidden = OF_PET if ask.kind == "graph" or ask.measure in OF_RUNS_MEASURES else OF_RUNS
    for name, value in choices.items():
        if name not in hidden and name != "preparation" and value not in (None, ""):
            yield name, value
    for name, value in choices["preparation"].items() if hidden is OF_PET else ():
        usual = getattr(default.preparation, name)
        if value != usual and value not in ([], None):
            yield f"runs: {name}", value


def _limits(quality: Iterable[tuple[str, float]]) -> Iterable[tuple[str, Any]]:
    """Limits of spectra that are in force."""
    for name, value in asdict(limits_of(quality)).items():
        yield name.replace("_", " "), "none" if value is None else value


def _chosen(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _data(answered: Answered, result: Mapping[str, Any]) -> Node:
    left = answered.plan.n.get("excluded", 0)
    reasons = [each.message for each in result["warnings"] if each.code.endswith("left-out")]
    nobody = "Nobody was left out of all of it, but of parts:" if reasons else "Nobody was left out."
    told = f"{left} left out." if left else nobody
    return section(
        "Data",
        element("p", f"{counted(answered)}. {told}"),
        items(reasons) if reasons else None,
    )


def _design(answered: Answered) -> Node | None:
    found = design_of(answered.plan)
    if found is None:
        return None
    matrix, names = found
    caption = f"{len(matrix)} rows in the order of the table; each column from its lowest (dark) to its highest value."
    return section("Design", element("figure", design(matrix, names), element("figcaption", caption)))


def _figures(answered: Answered, content: bytes | None, more: Sequence[Extra]) -> Node | None:
    """The main figure and those beside it; charts are drawn in the colours of the page."""
    title = answered.plan.title
    caption = f"{title}. {answered.plan.effect_name}."
    table = answered.tables.get(COURSE)
    curve = None if table is None else course(table, answered.plan.unit or "mean")
    main = curve if curve is not None else None if content is None else _image(content, title)
    drawn = [] if main is None else [element("figure", main, element("figcaption", caption))]
    for extra in more:
        if extra.name != FOREST:  # stands with the regions
            picture = _image(extra.png, extra.caption) if extra.chart is None else extra.chart
            drawn.append(element("figure", picture, element("figcaption", extra.caption)))
    return section("Figures" if len(drawn) > 1 else "Figure", *drawn) if drawn else None


def _image(content: bytes, words: str) -> Node:
    return element("img", src=f"data:image/png;base64,{base64.b64encode(content).decode()}", alt=words)


def _regions(answered: Answered) -> Node | None:
    rows, plan = answered.regions, answered.plan
    if not rows:
        return None
    heads, cells = region_table(rows, plan.unit if len(plan.unit) <= SHORT_UNIT else "")
    chart = forest(rows, plan.unit or plan.effect_name)
    up = sum(direction(row) == "+" for row in rows)
    share = f"{up} of {len(rows)} effects are positive. "
    some = f"Drawn: the {MOST_ROWS} with the smallest p. " if len(rows) > MOST_ROWS else ""
    caption = f"{share}{some}Filled: p ≤ .05, corrected over the rows where that was done. Lines: 95 % intervals."
    notes = list(dict.fromkeys(f"{row.region} {row.side}".strip() + f": {row.note}" for row in rows if row.note))
    drawn = None if chart is None else element("figure", chart, element("figcaption", caption))
    listed = table(heads, cells, texts=len(heads) - (6 if "p FWE" in heads else 5))
    title = "Terms" if heads[0] == "term" else "Regions"
    return section(title, drawn, listed, items(notes) if notes else None)


def _clusters(answered: Answered) -> Node | None:
    if not answered.clusters:
        return None
    return section("Clusters", items(cluster_lines(answered.clusters)))


def _further(answered: Answered, veil: Veil) -> Iterable[Node]:
    """Tables beside the main one, and the numbers of the details that are single."""
    single = [(name.replace("_", " "), value) for name, value in _flat(answered.details) if _is_single(value)]
    if single:
        listed = facts((name, veil.value(value)) for name, value in single)
        folded = element("details", element("summary", f"{len(single)} numbers"), listed)
        yield section("Numbers", folded if len(single) > MOST_NUMBERS else listed)
    for name, frame in answered.tables.items():
        shown = _told_columns(veil.frame(frame)).head(MOST_TABLE_ROWS)
        heads = [str(column) for column in shown.columns]
        cells = shown.astype(object).to_numpy().tolist()
        more = len(frame) - len(shown)
        rest = element("p", f"{more} more rows are in the table beside this page.", class_="soft") if more else None
        listed = table(heads, cells)
        if len(shown) > MOST_ROWS:
            listed = element("details", element("summary", f"{len(shown)} rows"), listed)
        yield section(str(name).replace("_", " ").capitalize(), listed, rest)


def _told_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Without columns that say nothing in any row."""
    told = [frame[name].notna() & (frame[name].astype(object) != "") for name in frame.columns]
    return frame.loc[:, [bool(each.any()) or frame.empty for each in told]]


def _flat(details: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in details.items():
        if isinstance(value, Mapping):
            yield from _flat({str(key): each for key, each in value.items()}, f"{before}{name}: ")
        else:
            yield f"{before}{name}", value


def _is_single(value: object) -> bool:
    return isinstance(value, str | int | float) or value is None


def _warnings(findings: Iterable[Any]) -> Node:
    messages = list(dict.fromkeys(each.message for each in findings))
    return section("Warnings", items(messages) if messages else element("p", "None."))


def _repeat(record: Mapping[str, Any], veil: Veil) -> Node:
    repeat = record["repeat"]
    told = "" if veil.lifted or not record["ask"]["exclude"] else f" Put the people left out where {WITHHELD} stands."
    return section(
        "How to repeat it",
        element("p", f"From the folder that holds the study; OUT is a folder of yours.{told}"),
        element("pre", element("code", repeat["command"])),
        element("pre", element("code", repeat["python"])),
    )


def _provenance(record: Mapping[str, Any]) -> Node:
    inputs = record["inputs"]
    rows = ((each["name"], each["bytes"], each["sha256"]) for each in inputs)
    listed = table(("input", "bytes", "SHA-256"), rows) if inputs else element("p", "No input files are recorded.")
    folded = element("details", element("summary", f"{len(inputs)} input files with hashes"), listed)
    seed = record["ask"]["inference"]["seed"]
    return section("Versions, seed and inputs", facts([*record["software"].items(), ("seed", seed)]), folded)
