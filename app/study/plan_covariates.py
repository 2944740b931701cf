"""Covariates of a question: those asked for, or its own where they say something and can be afforded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..problems import Finding, Problem
from .people import column_like
from .plan_parts import SITE, Covariates, Setting, design_on, quoted, without
from .values import PERSON

if TYPE_CHECKING:
    import pandas as pd

AGE = ("age", "age_years", "age_at_scan")
SEX = ("sex", "gender")
PEOPLE_PER_SITE = 12  # for each column of sites that nobody asked for
LEAST_LEFT = 0.5  # degrees of freedom by people, for covariates that nobody asked for


def covariates_of(setting: Setting, frame: pd.DataFrame, terms: Sequence[str], needed: Sequence[str]) -> Covariates:
    """Covariates beside the terms of a question: those asked for, else age, sex and site where they say something.

    One that is constant or follows from the others is left out and named. So is one of the question's own choice that
    would leave fewer degrees of freedom than half the people, and sites of fewer than twelve people a column.

    Parameters
    ----------
    setting : Setting
    frame : DataFrame
    terms : sequence of str
        Of the formula so far.
    needed : sequence of str
        Columns that these terms are made of.

    Raises
    ------
    Problem
        A covariate that was asked for is no column.
    """
    kept = without(frame, setting.ask.exclude).dropna(subset=list(needed)).reset_index(drop=True)
    asked = setting.ask.covariates
    own = [column for column in (column_like(kept, names) for names in (AGE, SEX, SITE)) if column]
    names: list[str] = []
    findings: list[Finding] = []
    for name in own if asked is None else asked:
        if name not in kept.columns:
            offered = ", ".join(str(each) for each in kept.columns if each != PERSON)
            raise Problem(setting.study.folder, f"has no covariate {name}", f"choose from {offered}")
        if name in names or name in needed:
            continue
        why = _useless(setting, kept, [*terms, *map(quoted, names)], name, by_itself=asked is None)
        if why is None:
            names.append(name)
        else:
            findings.append(Finding(why[0], name, None, f"{name} is no covariate: {why[1]}."))
    return Covariates(tuple(names), tuple(findings))


def _useless(
    setting: Setting, frame: Any, terms: Sequence[str], name: str, *, by_itself: bool
) -> tuple[str, str] | None:
    """Why a covariate is not used: a code and the reason."""
    values: Any = frame[name].dropna()
    if values.nunique() < 2:
        return "constant-covariate", "it is the same in everybody" if len(values) else "nobody has a value"
    if by_itself and len(values) < 2 / 3 * len(frame):
        return "missing-covariate", f"{len(frame) - len(values)} of {len(frame)} people have no value"
    try:
        design = design_on(setting, frame, "~ " + " + ".join([*terms, quoted(name)]))
    except Problem as refused:
        return "collinear-covariate", f"beside {', '.join(terms)} it cannot be estimated ({refused.what})"
    n, used = design.matrix.shape
    sites = values.nunique() - 1 if name.lower() in SITE and values.dtype.kind not in "fi" else 0
    if by_itself and (n - used < LEAST_LEFT * n or sites * PEOPLE_PER_SITE > n):
        return "costly-covariate", f"it would take too many degrees of freedom of {n} people; ask for it to have it"
    return None
