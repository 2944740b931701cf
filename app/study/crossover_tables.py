"""Tables of a crossover study: its sessions, spectra over time and scores, in the form that its models take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..problems import Finding, Problem
from .spectra import TIME_MIN, Frame
from .values import PERSON, SESSION, Study

if TYPE_CHECKING:
    from .asking import Ask

CONDITIONS, PERIODS, SEXES = ("condition", "treatment", "drug"), ("period", "visit"), ("sex", "gender")
SCORE_TIMES = ("time", "day", "timepoint")
REFERENCES = ("placebo", "pbo", "sham", "control", "saline", "vehicle", "midazolam")
STARTS = ("baseline", "pre", "before")
MOST_BINS, BIN_MIN = 12, 5.0
QUALITY = ("linewidth", "snr", "crlb", "gm_fraction", "wm_fraction", "csf_fraction", "tissue_fraction")


@dataclass(frozen=True, eq=False)
class CrossoverSessions:
    """Who had what, when.

    Attributes
    ----------
    table : DataFrame
        ``participant_id``, ``session_id``, ``condition``, ``period``, ``sequence`` (such as ``naltrexone, placebo``)
        and ``sex`` where the study has it.
    conditions : (str, str)
        Reference (placebo) first: effects are the second less the first.
    periods : (str, str)
    sexes : tuple of str
        Two, or empty.
    findings : tuple of Finding
    """

    table: Frame
    conditions: tuple[str, str]
    periods: tuple[str, str]
    sexes: tuple[str, ...]
    findings: tuple[Finding, ...]


def crossover_sessions(study: Study, exclude: tuple[str, ...] = ()) -> CrossoverSessions:
    """Sessions of a two-period crossover.

    Raises
    ------
    Problem
        When the study says no condition of its sessions, or has other than two conditions or periods.
    """
    sessions: Frame = study.sessions
    sessions = sessions[~sessions[PERSON].isin(exclude)]
    condition = _column(sessions, CONDITIONS)
    if condition is None:
        raise Problem(study.folder, "says no condition of its sessions", "add a column condition to *_sessions.tsv")
    table = sessions[[PERSON, SESSION]].copy()
    table["condition"] = sessions[condition]
    table["period"] = _periods(sessions)
    known = table.dropna(subset=["condition", "period"])
    known = known.assign(condition=known["condition"].astype(str), period=known["period"].map(_plain))
    conditions, periods = _two(study, known, "condition"), _two(study, known, "period")
    known["sequence"] = known[PERSON].map(_sequences(known))
    people: Frame = study.participants.set_index(PERSON)
    sex = _column(people, SEXES)
    sexes: tuple[str, ...] = ()
    if sex is not None:
        known["sex"] = known[PERSON].map(people[sex])
        sexes = tuple(sorted(known["sex"].dropna().astype(str).unique()))
    first, second = conditions
    if not any(word in first.lower() for word in REFERENCES) and any(word in second.lower() for word in REFERENCES):
        conditions = (second, first)
    findings = (*_gaps(table, known), *_contradictions(known, people))
    return CrossoverSessions(known, conditions, periods, sexes if len(sexes) == 2 else (), findings)


def outcome_of(fits: Frame) -> str:
    """Column of the fitted ratio: ``glx_tnaa``, else the first whose name begins with glx, else the first measured.

    Raises
    ------
    Problem
        When there is none.
    """
    taken = (PERSON, SESSION, TIME_MIN)
    measured = [
        str(name)
        for name in fits.columns
        if name not in taken and not str(name).startswith(QUALITY) and fits[name].dtype.kind in "fi"
    ]
    if not measured:
        raise Problem("fitted spectra", "have no column of fitted values", "add one such as glx_tnaa")
    return min(measured, key=lambda name: (name != "glx_tnaa", not name.lower().startswith("glx")))


def with_sessions(fits: Frame, sessions: CrossoverSessions) -> Frame:
    """Fitted values with condition, period, sequence and sex of their sessions; others are left out."""
    return fits.merge(sessions.table, on=[PERSON, SESSION], how="inner", validate="many_to_one")


def series(kept: Frame, outcome: str) -> Frame:
    """Spectra after the start as rows of the model: ``baseline`` (mean before it, of the session) and ``time_bin``.

    Times are taken as they are where there are few, else in bins of 5 min, named by their middle.
    """
    before = kept[kept[TIME_MIN] < 0].groupby([PERSON, SESSION])[outcome].mean().rename("baseline")
    after = kept[kept[TIME_MIN] >= 0].copy()
    times = after[TIME_MIN].to_numpy(np.float64)
    few = len(np.unique(times)) <= MOST_BINS
    after["time_bin"] = times if few else np.floor(times / BIN_MIN) * BIN_MIN + BIN_MIN / 2
    return after.merge(before, left_on=[PERSON, SESSION], right_index=True, how="left")


def scores_table(study: Study, ask: Ask, sessions: CrossoverSessions) -> tuple[Frame, str] | None:
    """Scores with condition, period and ``time`` (categories in order), and their column; None where there are none."""
    frame: Frame
    for frame in study.scores.values():
        columns = [str(name) for name in frame.columns if name not in (PERSON, SESSION)]
        numbers = [name for name in columns if frame[name].dtype.kind in "fi" and name not in SCORE_TIMES]
        score = ask.score if ask.score in numbers else "" if ask.score else next(iter(numbers), "")
        time = next((name for name in SCORE_TIMES if name in columns), None)
        if score and time is not None:
            merged = frame[[PERSON, SESSION, time, score]].merge(sessions.table, on=[PERSON, SESSION], how="inner")
            known = merged.dropna(subset=[score, time]).rename(columns={time: "time"})
            if len(_in_order(known["time"])) > 1:
                return known.assign(time=_categories(known["time"])), score
    return None


def _in_order(times: Any) -> list[object]:
    """Times ascending, or as they occur with the baseline first."""
    found = list(times.unique())
    if times.dtype.kind in "fi":
        return sorted(found)
    return sorted(found, key=lambda name: not str(name).lower().startswith(STARTS))


def _categories(times: Any) -> Any:
    import pandas as pd  # noqa: PLC0415 - slow to import

    return pd.Categorical(times.map(_plain), categories=[_plain(level) for level in _in_order(times)])


def time_course(table: Frame, outcome: str, time: str, level: float = 0.95) -> Frame:
    """Means per condition and time with within-subject intervals.

    Cousineau's normalisation with the correction of Morey (2008, doi 10.20982/tqmp.04.2.p061): a person's mean over
    the cells that he or she has is taken out, and variances are multiplied by M / (M - 1) for M cells.

    Returns
    -------
    DataFrame
        ``condition``, the column of time, ``mean``, ``lo``, ``hi``, ``n``; NaN limits for fewer than two people.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import
    from scipy.special import stdtrit  # noqa: PLC0415

    cells = table.groupby([PERSON, "condition", time], sort=True, observed=True)[outcome].mean().reset_index()
    own = cells.groupby(PERSON)[outcome].transform("mean")
    cells["normalised"] = cells[outcome] - own + cells[outcome].mean()
    m = cells.groupby(["condition", time], observed=True).ngroups
    rows: list[dict[str, object]] = []
    for (condition, at), cell in cells.groupby(["condition", time], sort=True, observed=True):
        n = len(cell)
        spread = float(cell["normalised"].std(ddof=1)) * (m / max(m - 1, 1)) ** 0.5 if n > 1 else float("nan")
        half = float(stdtrit(n - 1, (1 + level) / 2)) * spread / n**0.5 if n > 1 else float("nan")
        mean = float(cell[outcome].mean())
        rows.append({"condition": condition, time: at, "mean": mean, "lo": mean - half, "hi": mean + half, "n": n})
    return pd.DataFrame(rows)


def halves(column: Any, levels: tuple[str, ...]) -> Any:
    """A column of two levels as -1/2 and 1/2: its coefficient is the second less the first, at the mean of others."""
    return column.astype(str).map({levels[0]: -0.5, levels[1]: 0.5})


def _column(frame: Frame, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in frame.columns), None)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _periods(sessions: Frame) -> Any:
    """As the study says, else the order of a person's sessions."""
    named = _column(sessions, PERIODS)
    return sessions[named] if named is not None else sessions.groupby(PERSON).cumcount() + 1


def _two(study: Study, table: Frame, column: str) -> tuple[str, str]:
    levels = sorted(table[column].unique())
    if len(levels) != 2:
        listed = ", ".join(levels) or "none"
        raise Problem(study.folder, f"has {len(levels)} levels of {column} ({listed})", "a crossover here has two")
    return levels[0], levels[1]


def _sequences(known: Frame) -> dict[str, str]:
    """Order of conditions of each person; of one session alone the other condition is the one that is left."""
    conditions = sorted(known["condition"].unique())
    first = min(known["period"].unique())
    orders: dict[str, str] = {}
    for who, own in known.groupby(PERSON, sort=False):
        period, given = str(own["period"].iloc[0]), str(own["condition"].iloc[0])
        other = conditions[1 - conditions.index(given)]
        orders[str(who)] = f"{given}, {other}" if period == first else f"{other}, {given}"
    return orders


def _gaps(table: Frame, known: Frame) -> tuple[Finding, ...]:
    """Sessions that say nothing, people with one session, and people with one condition twice."""
    unsaid = table[table[["condition", "period"]].isna().any(axis=1)]
    found = [
        Finding("session-condition-missing", str(who), None, f"{who}: a session without condition or period.")
        for who in unsaid[PERSON].unique()
    ]
    for who, own in known.groupby(PERSON, sort=False):
        if own["condition"].nunique() == 1 and len(own) > 1:
            message = f"{who} had {own['condition'].iloc[0]} in both periods: the exact test leaves this person out."
            found.append(Finding("condition-twice", str(who), len(own), message))
        elif len(own) == 1:
            message = f"{who} has one session only: the mixed model uses it, the exact test does not."
            found.append(Finding("session-missing", str(who), 1, message))
    return tuple(found)


def _contradictions(known: Frame, people: Frame) -> tuple[Finding, ...]:
    """A sequence of ``participants.tsv`` whose letters are not those of the sessions."""
    if "sequence" not in people:
        return ()
    found: list[Finding] = []
    for who, own in known.groupby(PERSON, sort=False):
        said = people["sequence"].get(who)
        letters = "".join(word[0] for word in str(own["sequence"].iloc[0]).split(", ")).upper()
        if isinstance(said, str) and len(said) == len(letters) and said.upper() != letters:
            message = f"{who}: participants.tsv says sequence {said}, the sessions {letters}; the sessions count."
            found.append(Finding("sequence-contradicted", str(who), said, message))
    return tuple(found)
