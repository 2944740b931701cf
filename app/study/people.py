"""What a study has to ask about: measures, sessions in order, scores, groups, arms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .reading_order import in_order, times_of
from .rows import Measure
from .values import PERSON, SESSION, Scan, Study

if TYPE_CHECKING:
    import pandas as pd

GROUPS = ("group", "diagnosis", "dx", "cohort", "patient_group", "participant_group")
ARMS = ("arm", "treatment", "drug", "allocation", "randomisation", "randomization", "treatment_arm")
HEALTHY = frozenset(
    {"hc", "hcs", "hv", "nc", "con", "healthy", "control", "controls"}
    | {"healthycontrol", "healthycontrols", "healthyvolunteer", "healthyvolunteers"}
)
CONTROL_ARMS = frozenset({"placebo", "pbo", "midazolam", "saline", "sham", "control", "mdz", "pla"})
KEYS = frozenset({PERSON, SESSION, "day", "days", "time", "visit", "week", "acq_time", "period", "condition", "rater"})
KINDS: Mapping[str, tuple[str, ...]] = {
    "pet": ("pet", "suvr"),
    "degree": ("bold",),
    "clustering": ("bold",),
    "regions": ("bold",),
    "map": ("map",),
}
COMPUTED = ("fd_mean", "mean_connectivity")  # columns that only the prepared table has


class Groups(NamedTuple):
    """A column of groups: its levels with patients first, and which one is healthy."""

    column: str
    patients: str
    healthy: str


class Arms(NamedTuple):
    """A column of arms: which one is the comparison, where its name says so, and all with their people."""

    column: str
    control: str | None
    people: Mapping[str, int]


def measured(study: Study) -> tuple[Measure, ...]:
    """Measures that a study has scans for, the likeliest first."""
    kinds = {scan.kind for scan in study.scans}
    return tuple(m for m in ("pet", "map", "degree", "clustering") if kinds & set(KINDS[m]))


def scans_for(study: Study, measure: str, column: str = "") -> tuple[Scan, ...]:
    """Scans that a measure is made of; native ones only where there are no others."""
    found = [
        scan
        for scan in study.scans
        if scan.kind in KINDS[measure] and (not column or scan.column == column or scan.kind != "map")
    ]
    return tuple([scan for scan in found if scan.space != "native"] or found)


def sessions_in_order(study: Study, measure: str | None = None, column: str = "") -> tuple[str, ...]:
    """Sessions in the order of time, all or those with scans for a measure."""
    if measure is None:
        tables = (study.sessions, *study.scores.values())
        named = [str(name) for frame in tables if SESSION in frame for name in frame[SESSION].dropna()]
    else:
        named = [scan.session for scan in scans_for(study, measure, column) if scan.session]
    return in_order(named, times_of(study.sessions, study.scores))


def score_columns(study: Study) -> dict[str, str]:
    """Columns of scores and the instrument that each belongs to."""
    return {
        str(column): instrument
        for instrument, frame in study.scores.items()
        for column in frame.columns
        if str(column) not in KEYS and frame[column].dtype.kind in "fi"
    }


def score_title(column: str) -> str:
    """A score's name for people."""
    names = {"madrs": "MADRS", "hamd17": "HAMD-17", "hamd": "HAMD", "cssrs": "C-SSRS", "qids": "QIDS", "bdi": "BDI"}
    first, _, rest = column.partition("_")
    if first.lower() not in names:
        return column.replace("_", " ")
    rest = {"total": "", "iss": "ideation severity"}.get(rest.lower(), rest.replace("_", " "))
    return f"{names[first.lower()]} {rest}".strip()


def groups_of(study: Study) -> Groups | None:
    """Patients and healthy people; None where the study has no column that says so."""
    for column in _named(study.participants.columns, GROUPS):
        levels = study.participants[column].dropna().astype(str).value_counts()
        healthy = [str(name) for name in levels.index if is_healthy(str(name))]
        patients = [str(name) for name in levels.index if str(name) not in healthy]
        if healthy and patients:
            return Groups(column, patients[0], healthy[0])
    return None


def is_healthy(level: str) -> bool:
    """Whether a group's name says that its people are healthy."""
    return _plain(level) in HEALTHY


def arms_of(study: Study, people: pd.DataFrame | None = None) -> Arms | None:
    """Arms of treatment with two levels or more among some people; None where there are none."""
    frame = study.participants if people is None else people
    for column in _named(study.participants.columns, ARMS):
        levels = frame[column].dropna().astype(str).value_counts()
        if len(levels) > 1:
            control = next((str(name) for name in levels.index if _plain(str(name)) in CONTROL_ARMS), None)
            return Arms(column, control, {str(name): int(n) for name, n in levels.items()})
    return None


def arm_column(study: Study) -> str | None:
    """The column of arms, however many levels it has."""
    return next(iter(_named(study.participants.columns, ARMS)), None)


def column_like(frame: pd.DataFrame, names: Iterable[str]) -> str | None:
    """The first column of one of these names, in any case."""
    return next(iter(_named(frame.columns, names)), None)


def _named(columns: Iterable[Any], names: Iterable[str]) -> list[str]:
    lower = {str(column).lower(): str(column) for column in columns}
    return [lower[name] for name in names if name in lower]


def _plain(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalnum())
