"""Whether a finding survives other choices: the same question by reference region, and by threshold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace

from ..models import Inference
from ..problems import Finding, Problem, silent
from . import answering, planning
from .told import regions_frame

if TYPE_CHECKING:
    import pandas as pd

    from .answers import Answered, RegionRow
    from .asking import Ask
    from .values import Study

Report = Callable[[float], None]
KINDS = ("severity", "group", "change", "prediction", "formula")
REFERENCES = ("white matter", "cerebellum", "whole brain")
THRESHOLDS = (0.05, 0.01, 0.001)
LEVEL = 0.05
P = "neglog10-p"


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """One question under several choices.

    Attributes
    ----------
    answers : mapping of str to Answered
        By reference region.
    regions : DataFrame
        A row per reference and region: ``reference``, then the columns of `told.COLUMNS` but for the note.
    thresholds : DataFrame
        A row per reference and uncorrected p: ``positive_mm3`` and ``negative_mm3`` beyond it.
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

    @property
    def counts(self) -> dict[str, int]:
        """How many regions there are, how many keep their direction, and how many of these pass each time."""
        return _counts(self.answers)


def sensitivity(
    study: Study,
    ask: Ask,
    references: Sequence[str] = REFERENCES,
    thresholds: Sequence[float] = THRESHOLDS,
    report: Report = silent,
) -> Sensitivity:
    """Ask one question on maps with several reference regions; voxels are not permuted again.

    Raises
    ------
    Problem
        None of the references can be used, or the question cannot be asked.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import

    if ask.kind not in KINDS:
        raise Problem("sensitivity", f"is not of questions of {ask.kind}", f"ask {', '.join(KINDS[:-1])} or a formula")
    answers, findings = _answers(study, ask, references, report)
    if not answers:
        raise Problem("sensitivity", "none of the reference regions can be used", findings[0].message)
    mapped = {name: found for name, found in answers.items() if "t" in found.maps}
    sizes = [_size(name, found, p) for name, found in mapped.items() for p in thresholds if P in found.maps]
    return Sensitivity(
        answers,
        pd.concat([_regions(name, found) for name, found in answers.items()], ignore_index=True),
        pd.DataFrame(sizes, columns=["reference", "p", "positive_mm3", "negative_mm3"]),
        {name: found.maps["t"] for name, found in mapped.items()},
        _words(answers),
        findings,
    )


def _answers(
    study: Study, ask: Ask, references: Sequence[str], report: Report
) -> tuple[dict[str, Answered], tuple[Finding, ...]]:
    answers: dict[str, Answered] = {}
    findings: list[Finding] = []
    plain = Inference(seed=ask.inference.seed, one_sided=ask.inference.one_sided)
    for number, reference in enumerate(references):
        chosen = replace(ask, choices=replace(ask.choices, reference=reference), inference=plain)
        start, share = number / len(references), 1 / len(references)
        try:
            made = planning.plan(study, chosen)
            answers[reference] = answering.answer(
                made, lambda done, start=start, share=share: report(start + share * done)
            )
        except Problem as refused:
            findings.append(Finding("reference-refused", reference, None, f"{reference}: {refused.what}."))
    return answers, tuple(findings)


def _regions(reference: str, found: Answered) -> pd.DataFrame:
    frame = regions_frame(found).drop(columns="note")
    frame.insert(0, "reference", reference)
    return frame


def _size(reference: str, found: Answered, p: float) -> dict[str, Any]:
    t, grid = found.maps["t"]
    beyond = found.maps[P][0] > -np.log10(p)
    up, down = (float(np.count_nonzero(beyond & side) * grid.voxel_volume_mm3) for side in (t > 0, t < 0))
    return {"reference": reference, "p": p, "positive_mm3": up, "negative_mm3": down}


def _together(answers: Mapping[str, Answered]) -> list[tuple[RegionRow, ...]]:
    """The rows of each region that has a number with every reference."""
    rows = zip(*(found.regions for found in answers.values()), strict=True)
    return [same for same in rows if all(np.isfinite(row.effect) for row in same)]


def _agree(rows: Sequence[RegionRow]) -> bool:
    return len({row.effect > 0 for row in rows}) == 1


def _counts(answers: Mapping[str, Answered]) -> dict[str, int]:
    together = _together(answers)
    agreeing = [rows for rows in together if _agree(rows)]
    passing = sum(all(row.p < LEVEL for row in rows) for rows in agreeing)
    return {"regions": len(together), "same_direction": len(agreeing), "p_below_05_in_all": passing}


def _words(answers: Mapping[str, Answered]) -> tuple[str, ...]:
    """Regions that pass with every reference, and those that pass with some only."""
    every: list[str] = []
    some: list[str] = []
    for rows in _together(answers):
        passing = [row for row in rows if row.p < LEVEL]
        if passing:
            agree = len(passing) == len(rows) and _agree(rows)
            (every if agree else some).append(f"{rows[0].region} {rows[0].side}".strip())
    counts = _counts(answers)
    kept = (
        f"Divided by {_listed(tuple(answers))}, {counts['same_direction']} of {counts['regions']} regions keep their "
        f"direction, and {counts['p_below_05_in_all']} of them have an uncorrected p < .05 each time."
    )
    named = (
        f"Each time: {', '.join(every) or 'none'}. With some only, so that the finding rests on the choice: "
        f"{', '.join(some) or 'none'}."
    )
    return (kept, named)


def _listed(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
