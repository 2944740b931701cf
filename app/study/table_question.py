"""The answer of a formula whose outcome is a column: one row per test, no map."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from ..model_corrected import Inferred, infer
from ..model_fit import fit_model
from ..model_inference import check_inference
from ..model_traps import traps_of
from ..model_written import findings_of
from ..problems import silent
from .answers import Answered, Plan, RegionRow
from .map_questions import once
from .prepared import concrete, prepare
from .result_words import absence, region_row, simulated_words

Report = Callable[[float], None]
LEVEL = 0.05


def answer(plan: Plan, report: Report = silent) -> Answered:
    """Answer a formula on the study's table.

    Raises
    ------
    Problem
        As `model_fit.fit_model`.
    """
    inference = plan.ask.inference
    if inference.correction != "none":
        inference = structs.replace(inference, correction="fwe" if inference.permutations else "none")
    check_inference(inference)
    model = plan.models[0]
    if model.study is None:
        raise TypeError("a plan's model is of a study")
    prepared = prepare(model.study, lambda done: report(0.5 * done))
    fitted = fit_model(concrete(model), one_sided=inference.one_sided)
    tests = infer(fitted, inference, None, None, lambda done: report(0.5 + 0.5 * done))
    rows = tuple(_row(each) for each in tests)
    said = tuple(_words(row, plan.unit) for row in rows)
    return Answered(
        plan=plan,
        simulated=prepared.simulated or fitted.simulated,
        regions=rows,
        details={"n": len(fitted.values), "permutations": inference.permutations, "seed": inference.seed},
        words=(*simulated_words(plan), plan.words, *said, *absence(tests[0].tested.maps.df[1])),
        findings=once((*plan.findings, *fitted.findings, *findings_of(fitted, inference), *traps_of(fitted))),
        inputs=prepared.inputs,
    )


def _row(each: Inferred) -> RegionRow:
    maps = each.tested.maps
    nothing = float("nan")
    low, high = (nothing if end is None else float(end[0]) for end in (maps.ci_low, maps.ci_high))
    return RegionRow(
        region=each.tested.name,
        side="",
        atlas="",
        effect=nothing if maps.estimate is None else float(maps.estimate[0]),
        ci=(low, high),
        statistic=float(maps.statistic[0]),
        p=float(maps.p[0]),
        p_fwe=None if each.p_fwe is None else float(each.p_fwe[0]),
        df=maps.df[1],
        note="" if each.result is None else f"permutation p = {float(each.result.p.p[0]):.3g}",
    )


def _words(row: RegionRow, unit: str) -> str:
    found = "differs from 0" if row.p < LEVEL else "is not shown to differ from 0"
    return f"{region_row(row, unit).replace('  ', ' ')}, p = {row.p:.3g}: it {found}."
