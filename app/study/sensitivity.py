"""Whether a finding survives other choices: the same question by reference region, and by threshold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace

from ..problems import Finding, Problem, silent
from .answering import answer
from .answers import Answered
from .planning import plan

if TYPE_CHECKING:
    import pandas as pd

    from .asking import Ask
    from .values import Study

Report = Callable[[float], None]
REFERENCES = ("white matter", "cerebellum", "whole brain")
THRESHOLDS = (0.05, 0.01, 0.001)
LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """One question under several choices.

    Attributes
    ----------
    answers : mapping of str to Answered
        By reference region.
    regions : DataFrame
        A row per reference and region: reference, region, side, atlas, effect, ci_low, ci_high, statistic, p, p_fwe.
    thresholds : DataFrame
        A row per reference and uncorrected two-sided p: mm3 above it in each direction.
    maps : mapping of str to (array, Grid)
        The map of t by reference: small multiples of one scale.
    words : tuple of str
    findings : tuple of Finding
        References that cannot be used.
    """

    answers: Mapping[str, Answered]
    regions: pd.DataFrame
    thresholds: pd.DataFrame
    maps: Mapping[str, Any]
    words: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def sensitivity(
    study: Study,
    ask: Ask,
    references: Sequence[str] = REFERENCES,
    thresholds: Sequence[float] = THRESHOLDS,
    report: Report = silent,
) -> Sensitivity:
    """Ask one question on maps with several reference regions.

    Raises
    ------
    Problem
        None of the references can be used, or the question cannot be asked.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import

    if ask.kind not in {"severity", "group", "change", "prediction"}:
        raise Problem("sensitivity", f"is not of questions of {ask.kind}", "ask severity, group, change or prediction")
    answers: dict[str, Answered] = {}
    findings: list[Finding] = []
    for number, reference in enumerate(references):
        chosen = replace(ask, choices=replace(ask.choices, reference=reference))
        start, share = number / len(references), 1 / len(references)
        try:
            answers[reference] = answer(
                plan(study, chosen), lambda done, start=start, share=share: report(start + share * done)
            )
        except Problem as refused:
            findings.append(Finding("reference-refused", reference, None, f"{reference}: {refused}."))
    if not answers:
        raise Problem("sensitivity", "none of the reference regions can be used", findings[0].message)
    regions = pd.DataFrame([_row(name, row) for name, found in answers.items() for row in found.regions])
    sizes = pd.DataFrame([_size(name, found, p) for name, found in answers.items() for p in thresholds])
    maps = {name: found.maps["t"] for name, found in answers.items()}
    return Sensitivity(answers, regions, sizes, maps, _words(answers), tuple(findings))


def _row(reference: str, row: Any) -> dict[str, Any]:
    kept = {name: getattr(row, name) for name in ("region", "side", "atlas", "effect")}
    rest = {name: getattr(row, name) for name in ("statistic", "p", "p_fwe")}
    return {"reference": reference, **kept, "ci_low": row.ci[0], "ci_high": row.ci[1], **rest}


def _size(reference: str, found: Answered, p: float) -> dict[str, Any]:
    t, grid = found.maps["t"]
    beyond = found.maps["neglog10-p"][0] > -np.log10(p)
    up, down = (float(np.count_nonzero(beyond & side) * grid.voxel_volume_mm3) for side in (t > 0, t < 0))
    return {"reference": reference, "p": p, "positive_mm3": up, "negative_mm3": down}


def _words(answers: Mapping[str, Answered]) -> tuple[str, ...]:
    """Regions that pass with every reference, and those that pass with some only."""
    every: list[str] = []
    some: list[str] = []
    for rows in zip(*(found.regions for found in answers.values()), strict=True):
        passing = [row for row in rows if row.p < LEVEL]
        if not passing:
            continue
        agree = len(passing) == len(rows) and len({row.effect > 0 for row in rows}) == 1
        (every if agree else some).append(f"{rows[0].region} {rows[0].side}")
    n = len(answers)
    said = f"At uncorrected p < .05 with each of {n} reference regions, in one direction: {', '.join(every) or 'none'}."
    return (said, f"With some only, so that the finding rests on the choice: {', '.join(some) or 'none'}.")
