"""What the numbers of a model cannot say: the traps that apply to it, and its power."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..stats import power
from ..stats.errors import CannotCompute
from .model_fit import Fitted, Tested
from .models import Inference
from .problems import Finding

SITES = ("site", "scanner", "center", "centre", "trial", "study", "cohort")
MOTION = ("fd_mean", "mean_fd", "fd", "framewise_displacement", "mean_framewise_displacement")
STRICT = 0.001
CORRECTED_LEVEL = 0.05
FAR = 1.0  # standard deviations between the average of a covariate and 0


class PowerLine(NamedTuple):
    """What a test can find.

    Attributes
    ----------
    test : str
    effect : "d", "r" or "f2"
    alpha : float
    two_sided : bool
    significant : float
        Smallest effect in the sample that passes.
    detectable : float
        Smallest true effect that passes in 80 % of such studies.
    message : str
    """

    test: str
    effect: str
    alpha: float
    two_sided: bool
    significant: float
    detectable: float
    message: str


def power_lines(fitted: Fitted, inference: Inference) -> tuple[PowerLine, ...]:
    """Sensitivity of each test: at p < .001 where many elements are looked at, at .05 for one."""
    alpha = STRICT if fitted.n_elements > 1 else CORRECTED_LEVEL
    return tuple(line for each in fitted.tests for line in _power(each, alpha, inference))


def _power(tested: Tested, alpha: float, inference: Inference) -> Iterable[PowerLine]:
    a, b = tested.maps.df
    two_sided = tested.is_f or not inference.one_sided
    try:
        if tested.sphericity is not None or not tested.signed:
            found = power.Sensitivity("f2", (a, b), a + b + 1, alpha)
        else:
            found = power.Sensitivity("r", (1.0, b), b + 2, alpha, two_sided)
        significant, detectable = found.significant, found.detectable()
    except CannotCompute:
        return
    sides = "" if tested.is_f else "two-sided " if two_sided else "one-sided "
    sign = {"r": "|r|", "f2": "f²"}[found.effect]
    message = (
        f"{tested.name}: {sides}p < {alpha:g} needs a partial {sign} of {significant:.2f}; "
        f"a true one of {detectable:.2f} is found in 80 % of such studies."
    )
    yield PowerLine(tested.name, found.effect, alpha, two_sided, significant, detectable, message)


def _mean_at_zero(fitted: Fitted) -> tuple[Finding, ...]:
    """A mean is tested where all covariates are 0, which may lie far from anybody."""
    found: list[Finding] = []
    for each in fitted.tests:
        design, weights = each.part.design, each.contrast.weights
        constant = np.flatnonzero((design.matrix == 1).all(axis=0))
        if not weights[:, constant].any():
            continue
        for k, name in enumerate(design.names):
            column = design.matrix[:, k]
            spread = float(column.std())
            is_number = len(np.unique(column)) > 2
            if is_number and not weights[:, k].any() and abs(column.mean()) > FAR * spread:
                message = (
                    f"{each.name} tests the mean where {name} is 0; on average it is {column.mean():.4g}. "
                    f"Write center({name}) to test it at the average."
                )
                found.append(Finding("mean-at-zero", each.name, float(column.mean()), message))
    return tuple(found)


def traps_of(fitted: Fitted) -> tuple[Finding, ...]:
    """Traps of a design: means far from the data, groups from other sites, groups that move differently."""
    from ..stats.trap_designs import group_is_site, motion_by_group, motion_follows_group, site_table  # noqa: PLC0415

    frame = fitted.laid.table.frame.iloc[fitted.laid.rows]
    found: list[Finding] = []
    for factor in _factors(fitted, frame):
        group = frame[factor].astype(str).to_numpy()
        for column in _named(frame, SITES, factor):
            table = site_table(group, frame[column].astype(str).to_numpy())
            found += [Finding(*trap) for trap in group_is_site(f"{factor} and {column}", table)]
        for column in _named(frame, MOTION, factor):
            if frame[column].dtype.kind not in "fi":
                continue
            try:
                motion = motion_by_group(frame[column].to_numpy(np.float64), group)
            except CannotCompute:
                continue
            found += [Finding(*trap) for trap in motion_follows_group(f"{factor} and {column}", motion)]
    return (*_mean_at_zero(fitted), *found)


def _factors(fitted: Fitted, frame: Any) -> tuple[str, ...]:
    """Columns of text that are terms of the model."""
    names = {name for part in fitted.laid.parts for term in part.design.terms for name in term.name.split(":")}
    within = fitted.model.within
    return tuple(str(n) for n in frame.columns if n in names and n != within and frame[n].dtype.kind not in "fi")


def _named(frame: Any, names: tuple[str, ...], factor: str) -> tuple[str, ...]:
    return tuple(str(column) for column in frame.columns if str(column).lower() in names and column != factor)
