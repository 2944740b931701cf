"""Scores of a study over its visits, by arm: what the score plot shows and says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...stats.errors import CannotCompute
from ...stats.trajectories import Difference, Shares, Summary, difference, newcombe, summarise
from .values import PERSON, SESSION, Study

if TYPE_CHECKING:
    import pandas as pd

RESPONSE = 0.5  # fall of the score by which someone is a responder
NOBODY = "n/a"
_TIMES = ("time", "visit", "day")  # columns beside the session that tell visits apart

Floats = NDArray[np.float64]


class Instrument(NamedTuple):
    """A column of scores."""

    instrument: str
    column: str
    title: str


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Everybody's scores of one instrument.

    Attributes
    ----------
    title, unit : str
    visits : tuple of str
    at : (v,) float64
        Where the visits stand: their median day, or their number.
    people : (n,) tuple of str
        A person stands twice where two conditions were had in a crossover.
    arms : (n,) tuple of str
        Of each; empty where there is none.
    scores : (n, v) float64
        NaN where there is none.
    """

    title: str
    visits: tuple[str, ...]
    at: Floats
    people: tuple[str, ...]
    arms: tuple[str, ...]
    scores: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """The arms, in order of appearance."""
        return tuple(dict.fromkeys(self.arms))

    def of_arm(self, arm: str) -> Floats:
        """Scores of one arm, (m, v)."""
        return self.scores[np.array([each == arm for each in self.arms], np.bool_)]

    def summaries(self, arm: str) -> tuple[Summary, ...]:
        """Of one arm, per visit."""
        return tuple(summarise(column) for column in self.of_arm(arm).T)

    def dropped_out(self) -> tuple[str, ...]:
        """People with a first score and no last one."""
        gone = np.isfinite(self.scores[:, 0]) & np.isnan(self.scores[:, -1])
        return tuple(who for who, is_gone in zip(self.people, gone, strict=True) if is_gone)


class Response(NamedTuple):
    """Responders of one arm: of those with a first and a last score."""

    yes: int
    n: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of the arms between the first and the last visit.

    Attributes
    ----------
    first, last, improvement : mapping of str to Summary
        By arm; improvement is first less last, larger is better.
    responses : mapping of str to Response
    contrast : (str, str) or None
        Which two arms are compared, first less second.
    welch, student : Difference or None
        Of their improvements.
    shares : Shares or None
        Of their responders.
    why_not : str
        Why nothing is compared.
    """

    first: dict[str, Summary]
    last: dict[str, Summary]
    improvement: dict[str, Summary]
    responses: dict[str, Response]
    contrast: tuple[str, str] | None
    welch: Difference | None
    student: Difference | None
    shares: Shares | None
    why_not: str = ""


def instruments(study: Study) -> tuple[Instrument, ...]:
    """Columns of numbers among the scores, the totals first."""
    found = [
        Instrument(name, str(column), study.descriptions.get(str(column), str(column)))
        for name, frame in study.scores.items()
        for column in frame.columns
        if column not in (PERSON, SESSION, *_TIMES) and frame[column].dtype.kind in "fiu"
    ]
    return tuple(sorted(found, key=lambda each: "total" not in each.column))


def trajectories(study: Study, instrument: Instrument) -> Trajectories:
    """Scores by person and visit; healthy people without scores are left out.

    In a crossover (sessions with a condition) visits are those within a session, and arms are the conditions.
    """
    frame = study.scores[instrument.instrument].copy()
    frame[PERSON] = frame[PERSON].astype(str)
    conditions = _conditions(study) if _has_times(frame) else {}
    if conditions:
        visit = "time" if "time" in frame.columns else "visit"
        keys = list(zip(frame[PERSON], frame[SESSION].astype(str), strict=True))
        frame["_unit"] = [f"{who} {session}" for who, session in keys]
        frame["_arm"] = [conditions.get(key, "") for key in keys]
    else:
        visit = SESSION
        arms = _arms(study)
        frame["_unit"] = frame[PERSON]
        frame["_arm"] = [arms.get(who, "") for who in frame[PERSON]]
    return _gathered(frame, instrument, visit)


def _gathered(frame: pd.DataFrame, instrument: Instrument, visit: str) -> Trajectories:
    frame = frame.dropna(subset=[instrument.column, visit])
    has_days = visit == SESSION and "day" in frame.columns and len(frame) > 0 and not frame["day"].hasnans
    visits = [str(name) for name in dict.fromkeys(frame[visit])]
    if has_days:
        days = {name: float(np.median(frame.loc[frame[visit].astype(str) == name, "day"])) for name in visits}
        visits.sort(key=days.__getitem__)
        at = np.array([days[name] for name in visits])
    else:
        at = np.arange(len(visits), dtype=np.float64)
    units = list(dict.fromkeys(frame["_unit"]))
    scores = np.full((len(units), len(visits)), np.nan)
    rows, columns = {name: n for n, name in enumerate(units)}, {name: n for n, name in enumerate(visits)}
    people, arms = [""] * len(units), [""] * len(units)
    for who, arm, unit, when, value in zip(
        frame[PERSON], frame["_arm"], frame["_unit"], frame[visit].astype(str), frame[instrument.column], strict=True
    ):
        row = rows[unit]
        people[row], arms[row] = who, arm
        if np.isnan(scores[row, columns[when]]):  # doubled rows are among the findings; the first counts
            scores[row, columns[when]] = value
    order = sorted(range(len(units)), key=lambda n: (arms[n] == "", arms[n]))
    return Trajectories(
        instrument.title,
        tuple(name.removeprefix("ses-") for name in visits),
        at,
        tuple(people[n] for n in order),
        tuple(arms[n] for n in order),
        scores[order],
    )


def outcome(found: Trajectories) -> Outcome:
    """First, last and improvement by arm; two arms are compared, the one of fewer letters placebo-like last.

    What cannot be compared says why.
    """
    first, last = ({arm: found.summaries(arm)[end] for arm in found.names} for end in (0, -1))
    fall = {arm: found.of_arm(arm)[:, 0] - found.of_arm(arm)[:, -1] for arm in found.names}
    improvement = {arm: summarise(values) for arm, values in fall.items()}
    responses = {arm: _response(found.of_arm(arm)) for arm in found.names}
    none = Outcome(first, last, improvement, responses, None, None, None, None)
    named = [arm for arm in found.names if arm]
    if len(found.visits) < 2:
        return _because(none, "there is one visit only")
    if len(set(found.people)) < len(found.people):
        return _because(none, "the same people had both conditions; the crossover question compares within people")
    if len(named) != 2:
        return _because(none, f"there are {len(named)} arms, not two" if named else "nobody has an arm")
    a, b = sorted(named, key=_is_control)
    try:
        welch, student = (difference(improvement[a], improvement[b], how) for how in ("by-group", "pooled"))
        shares = newcombe(*responses[a], *responses[b])
    except CannotCompute as no:
        return _because(none, no.what)
    return Outcome(first, last, improvement, responses, (a, b), welch, student, shares)


def _because(none: Outcome, why: str) -> Outcome:
    return Outcome(none.first, none.last, none.improvement, none.responses, None, None, None, None, why)


def _is_control(arm: str) -> bool:
    return arm.lower() in {"placebo", "midazolam", "control", "saline", "sham"}


def _response(scores: Floats) -> Response:
    both = scores[np.isfinite(scores[:, 0]) & np.isfinite(scores[:, -1])]
    fell = (both[:, 0] > 0) & (both[:, 0] - both[:, -1] >= RESPONSE * both[:, 0])
    return Response(int(np.count_nonzero(fell)), len(both))


def _has_times(frame: pd.DataFrame) -> bool:
    return "time" in frame.columns or "visit" in frame.columns


def _conditions(study: Study) -> dict[tuple[str, str], str]:
    """What someone had in a session of a crossover."""
    if "condition" not in study.sessions.columns:
        return {}
    rows = study.sessions.dropna(subset=["condition"])
    keys = zip(rows[PERSON].astype(str), rows[SESSION].astype(str), strict=True)
    return dict(zip(keys, rows["condition"].astype(str), strict=True))


def _arms(study: Study) -> dict[str, str]:
    """Arm of each person, or the group where the study has no arms."""
    frame = study.participants
    column = next((name for name in ("arm", "treatment", "group") if name in frame.columns), None)
    if column is None:
        return {}
    values = frame[column].fillna("").astype(str).replace(NOBODY, "")
    return dict(zip(frame[PERSON].astype(str), values, strict=True))
