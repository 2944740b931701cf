"""What the numbers of a model cannot say: the traps that apply to it, and its power."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..stats import power
from ..stats.errors import CannotCompute
from ..stats.glm_fit import Groups, fit
from .model_fit import Fitted, Tested
from .model_parts import Laid
from .models import Inference, Model
from .problems import Finding

SUBJECTS = ("participant_id", "subject", "id")
SITES = ("site", "scanner", "center", "centre", "trial", "study", "cohort")
MOTION = ("fd_mean", "mean_fd", "fd", "framewise_displacement", "mean_framewise_displacement")
STRICT = 0.001
CORRECTED_LEVEL = 0.05
UNEQUAL = 1.5  # ratio of standard deviations that is told
FEWEST = 4  # scans of a group whose variance says anything
MOST_LOOKED_AT = 5000  # elements
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


def _unequal_variances(fitted: Fitted) -> tuple[Finding, ...]:
    """Groups that vary differently under one pooled variance: with unequal sizes p is far too small or too large."""
    if fitted.model.variance != "pooled":
        return ()
    some = np.unique(np.linspace(0, fitted.n_elements - 1, MOST_LOOKED_AT).astype(int))
    found: list[Finding] = []
    for part in fitted.laid.parts:
        groups = part.factor
        if groups is None or part.repeated is not None or fitted.covariates is not None:
            continue
        labels, sizes = np.unique(groups, return_counts=True)
        if len(labels) < 2 or sizes.min() < FEWEST:
            continue
        try:
            made = fit(part.observations(fitted.values[:, some]), part.design.matrix, None, groups).groups
        except CannotCompute:  # a group that the design explains wholly
            continue
        if made is None:
            continue
        variance = np.nanmedian(made.rss / made.df, axis=1)
        low, high = int(variance.argmin()), int(variance.argmax())
        ratio = float(np.sqrt(variance[high] / variance[low]))
        if ratio > UNEQUAL and (len(some) > 1 or _p_of_ratio(made, low, high) < CORRECTED_LEVEL):
            message = (
                f"The residual standard deviation of {made.labels[high]} (n = {sizes[high]}) is {ratio:.2g} times that "
                f"of {made.labels[low]} (n = {sizes[low]}): p of pooled variances is wrong. Choose --variance by-group."
            )
            found.append(Finding("unequal-variances", f"{made.labels[high]} and {made.labels[low]}", ratio, message))
    return tuple(found)


def _p_of_ratio(made: Groups, low: int, high: int) -> float:
    """Of the larger by the smaller residual variance of one element, two-sided."""
    from scipy import stats  # noqa: PLC0415

    df_high, df_low = (float(np.ravel(made.df[group])[0]) for group in (high, low))
    ratio = float((made.rss[high] / df_high / (made.rss[low] / df_low))[0])
    return 2 * float(stats.f.sf(ratio, df_high, df_low))


def scans_not_independent(model: Model, laid: Laid) -> tuple[Finding, ...]:
    """Several scans of a subject in a model that takes them as independent."""
    if model.within is not None or model.exchange is not None:
        return ()
    frame = laid.table.frame
    column = next((name for name in (model.subject, *SUBJECTS) if name in frame.columns), None)
    if column is None or column in model.formula:
        return ()
    people = frame[column].iloc[laid.rows]
    n, scans = people.nunique(), len(people)
    if n == scans:
        return ()
    message = f"{scans} scans of {n} subjects are taken as independent: name subject and within, or blocks to exchange."
    return (Finding("scans-not-independent", column, scans - n, message),)


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
    of_design = (*scans_not_independent(fitted.model, fitted.laid), *_mean_at_zero(fitted))
    return (*of_design, *_unequal_variances(fitted), *found)


def _factors(fitted: Fitted, frame: Any) -> tuple[str, ...]:
    """Columns of text that are terms of the model."""
    names = {name for part in fitted.laid.parts for term in part.design.terms for name in term.name.split(":")}
    within = fitted.model.within
    return tuple(str(n) for n in frame.columns if n in names and n != within and frame[n].dtype.kind not in "fi")


def _named(frame: Any, names: tuple[str, ...], factor: str) -> tuple[str, ...]:
    return tuple(str(column) for column in frame.columns if str(column).lower() in names and column != factor)
