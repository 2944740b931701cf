"""Traps of a planned question: what its numbers will not be able to say, before anything is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...stats.errors import CannotCompute
from ..problems import Finding
from .people import column_like
from .plan_parts import SITE, Draft
from .region_set import named_regions, seen

if TYPE_CHECKING:
    from ...stats.design import LinearDesign
    from .values import Choices

SCANNER_MM = {"pet": 6.0, "degree": 4.0, "clustering": 4.0, "map": 6.0}
"""Assumed resolution of scans before smoothing: no sidecar of BIDS must say it."""
RELIABILITY = 0.85  # of two sessions, where a number is to show the size of a coupling
STRICT, LEVEL = 0.001, 0.05  # where many elements are looked at, and one


def resolution_mm(measure: str, choices: Choices) -> float:
    """Full width at half maximum of maps: the scanner's, assumed, and the smoothing that was chosen."""
    smoothing = choices.fwhm_mm if measure in {"pet", "map"} else choices.preparation.fwhm_mm or 0.0
    return float((SCANNER_MM[measure] ** 2 + smoothing**2) ** 0.5)


def traps_of_plan(draft: Draft, design: LinearDesign, kept: Any) -> tuple[Finding, ...]:
    """What applies to a question, each once."""
    backwards = _reversed(draft)
    if draft.of_table:
        return (*backwards, *_power(draft, design, LEVEL))
    return (
        *backwards,
        *group_and_site(draft, kept),
        *_power(draft, design, STRICT),
        *_coupling(draft),
        *small_regions(draft.setting.measure, draft.setting.ask.choices),
        *_motion(draft),
    )


def group_and_site(draft: Draft, kept: Any) -> tuple[Finding, ...]:
    """Groups that are compared and come from different sites."""
    from ...stats.trap_designs import group_is_site, site_table  # noqa: PLC0415 - SciPy

    groups, site = draft.setting.groups, column_like(kept, SITE)
    if draft.setting.ask.kind not in {"group", "overlap"} or groups is None or site is None:
        return ()
    both = kept[[groups.column, site]].dropna().astype(str)
    if both.empty:
        return ()
    table = site_table(both[groups.column].to_numpy(), both[site].to_numpy())
    return tuple(Finding(*trap) for trap in group_is_site(f"{groups.column} and {site}", table))


def _reversed(draft: Draft) -> tuple[Finding, ...]:
    """Two sessions that are named the later first."""
    visits, sessions = draft.setting.study.visits, draft.rows.sessions
    known = [visits.index(name) for name in sessions if name in visits]
    if len(known) != 2 or known[0] <= known[1]:
        return ()
    first, last = sessions
    message = (
        f"{first} is named first and comes after {last}: differences ({last} less {first}) and improvement ({first} "
        f"less {last}) are reversed. Name {last},{first} to have them the usual way round."
    )
    return (Finding("sessions-reversed", f"{first}, {last}", None, message),)


def _power(draft: Draft, design: LinearDesign, alpha: float) -> tuple[Finding, ...]:
    """What this many people can show."""
    from ...stats.power import Sensitivity  # noqa: PLC0415 - SciPy

    df = len(design.matrix) - len(design.columns)
    n = len(design.matrix)
    try:
        found = Sensitivity("r", (1.0, df), df + 2, alpha)
        least, true = found.significant, found.detectable()
    except CannotCompute:
        return ()
    message = (
        f"With n = {n} and {df} degrees of freedom, two-sided p < {alpha:g} needs a partial |r| of {least:.2f}; "
        f"a true one of {true:.2f} is found in 80 % of such studies. Whatever passes is likely to be too large."
    )
    return (Finding("power", draft.contrasts[0].partition("=")[0], least, message),)


def _coupling(draft: Draft) -> tuple[Finding, ...]:
    """A change, and a map of the first scan with the same outcome, resemble each other by their shared scans."""
    from ...stats.trap_designs import coupling  # noqa: PLC0415 - SciPy

    other = {"change": "prediction", "prediction": "change"}.get(draft.setting.ask.kind)
    if other is None or len(draft.setting.sessions) < 2 or draft.setting.ask.baseline:
        return ()
    expected = coupling(RELIABILITY)
    message = (
        f"Shares the first scans with the map of {other}: under pure noise the two correlate at "
        f"-sqrt((1 - rho) / 2), {expected:.2f} where sessions correlate at {RELIABILITY:g}. That they agree is no "
        "replication."
    )
    return (Finding("shared-data", "change, prediction", expected, message),)


def small_regions(measure: str, choices: Choices) -> tuple[Finding, ...]:
    """Regions that the blur fills with what lies around them, named in one sentence."""
    fwhm = resolution_mm(measure, choices)
    kept = {region.title: seen(region, fwhm) for region in named_regions()}
    small = {title: found.recovery for title, found in kept.items() if found is not None and found.small}
    if not small:
        return ()
    title = min(small, key=lambda each: small[each])
    told = ", ".join(f"{name} {100 * share:.0f} %" for name, share in small.items())
    message = (
        f"At {fwhm:.2g} mm FWHM ({SCANNER_MM[measure]:g} mm of the scanner assumed) small regions keep only part of "
        f"their own signal: {told}. Compare the ring round each; that nothing is found there shows little."
    )
    return (Finding("partial-volume", title, small[title], message),)


def _motion(draft: Draft) -> tuple[Finding, ...]:
    """Measures of runs follow motion."""
    if draft.setting.measure not in {"degree", "clustering"} or "fd_mean" in draft.formula:
        return ()
    message = "Measures of runs follow motion: look at fd_mean by group, and add it as a covariate to see what stays."
    return (Finding("motion-unadjusted", "fd_mean", None, message),)
