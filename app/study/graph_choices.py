"""Which metrics and thresholds a question on graphs is about."""

from __future__ import annotations

from .asking import Ask

METRICS = ("degree", "clustering")
DENSITIES = (0.10, 0.15, 0.20, 0.25, 0.30)


def metrics_of(ask: Ask) -> tuple[str, ...]:
    """Metrics that are asked for, or the usual ones."""
    return ask.metrics or METRICS


def densities_of(ask: Ask) -> tuple[float, ...]:
    """Densities that are asked for; the usual range unless a threshold on r is chosen."""
    return ask.densities or (() if ask.choices.r is not None else DENSITIES)


def threshold_words(ask: Ask) -> str:
    """How edges are chosen, in words."""
    densities = densities_of(ask)
    if not densities:
        return f"at r of {ask.choices.r:g} or more"
    if len(densities) == 1:
        return f"at a density of {100 * densities[0]:g} %"
    return f"area under the curve over densities of {100 * min(densities):g} to {100 * max(densities):g} %"


def check_choices(ask: Ask) -> None:
    """Refuse metrics and densities that there are not."""
    if not (ask.metrics or ask.densities) and ask.choices.r is None:
        return
    from ..graphs import Cut, check_cut  # noqa: PLC0415 - Numba

    densities = densities_of(ask)
    check_cut(Cut(densities, None if densities else ask.choices.r, metrics=ask.metrics, area=len(densities) > 1))
