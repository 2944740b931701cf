"""The answer to a crossover in honest sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...stats.errors import CannotCompute
from ...stats.power import two_samples
from .plan_crossover import ratio_name
from .result_words import SIMULATED

if TYPE_CHECKING:
    from ...stats.crossover import Crossover
    from ...stats.mixed import Coefficient, MixedFit
    from .answers import Plan
    from .crossover_document import Modelled
    from .crossover_models import SexTest
    from .crossover_tables import CrossoverSessions

LEVEL = 0.05


def words_of(
    plan: Plan, sessions: CrossoverSessions, ratio: Modelled, score: Modelled | None, against: str, *, simulated: bool
) -> tuple[str, ...]:
    """What was found, what was not, and what must not be made of it."""
    reference, other = sessions.conditions
    said = [SIMULATED] if simulated else []
    said += _effect(f"{plan.unit}, {other} less {reference}", "condition", ratio)
    said += _by_time(plan.unit, ratio.fit)
    if ratio.exact is not None:
        said.append(_carry_over(plan.unit, ratio.exact))
    if ratio.sex is not None:
        said.append(_sex(plan.unit, ratio.sex))
    if score is not None:
        name = ratio_name(plan.ask.score)
        said += _effect(f"Change of {name} (last less first), {other} less {reference}", "condition:time", score)
        if score.exact is not None:
            said.append(_carry_over(f"change of {name}", score.exact))
        if score.sex is not None:
            said.append(_sex(f"change of {name}", score.sex))
    said.append("One voxel was measured: nothing is said of other places, and there is no map.")
    said.append(against)
    return tuple(said)


def _effect(what: str, term: str, found: Modelled) -> list[str]:
    """The mixed model's test and the exact one beside it."""
    said: list[str] = []
    one = _coefficient(found.fit, term)
    if one is not None:
        said.append(
            f"{what}: {one.estimate:.3g} (95 % CI {one.ci_low:.3g} to {one.ci_high:.3g}; mixed model, Wald z = "
            f"{one.z:.2f}, p = {one.p:.2g}, without denominator degrees of freedom, so too small with "
            f"{found.fit.n_subjects} people)."
        )
    exact = found.exact
    if exact is None:
        return said
    test = exact.treatment
    said.append(
        f"Exact companion (period-adjusted paired differences): {test.estimate:.3g} (95 % CI {test.ci_low:.3g} to "
        f"{test.ci_high:.3g}; t({test.df:.0f}) = {test.t:.2f}, p = {test.p:.2g}); whole people permuted between "
        f"sequences, p = {exact.p_permutation:.2g}."
    )
    if one is not None and one.p < LEVEL <= test.p:
        said.append("The two disagree at .05: rely on the exact test.")
    if test.p >= LEVEL:
        said.append(_absence(exact))
    return said


def _absence(exact: Crossover) -> str:
    n, other = exact.sequences.values()
    try:
        least = two_samples(n, other).detectable()
    except CannotCompute:
        return "This does not show absence: there are too few people to say."
    return (
        f"This does not show absence: with {n + other} people, differences below {least / 2:.2g} standard deviations "
        "of the paired differences would usually be missed."
    )


def _by_time(unit: str, fit: MixedFit) -> list[str]:
    term = next((term for term in fit.terms if term.name == "condition:time_bin"), None)
    if term is None:
        return []
    return [f"{unit}, condition x time bin: Wald chi-squared({term.df}) = {term.chi2:.1f}, p = {term.p:.2g}."]


def _carry_over(what: str, exact: Crossover) -> str:
    test = exact.carry_over
    return (
        f"Carry-over, {what}: t({test.df:.0f}) = {test.t:.2f}, p = {test.p:.2g}; it compares people and would find "
        f"only {exact.carry_over_detectable:.1f} standard deviations with 80 % power, so its silence says little."
    )


def _sex(what: str, sex: SexTest) -> str:
    first, second = sex.sexes
    return (
        f"Exploratory, {what}: the difference between conditions in {second} (n = {sex.n[1]}) less that in {first} "
        f"(n = {sex.n[0]}) is {sex.estimate:.3g} (95 % CI {sex.ci_low:.3g} to {sex.ci_high:.3g}; t({sex.df:.0f}) = "
        f"{sex.t:.2f}, p = {sex.p:.2g}, exact; not corrected for other tests)."
    )


def _coefficient(fit: MixedFit, term: str) -> Coefficient | None:
    return next((one for one in fit.coefficients if one.name == term), None)
