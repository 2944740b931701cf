"""What all plans of maps have in common: the rows of a question, its covariates, its model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from msgspec.structs import replace

from ...stats.errors import CannotCompute
from ..models import TABLE, Model
from ..problems import Finding, Problem
from .asking import Ask
from .people import (
    COMPUTED,
    Groups,
    column_like,
    groups_of,
    is_healthy,
    measured,
    score_columns,
    score_title,
    sessions_in_order,
)
from .prepare_people import people_of
from .prepare_table import table_of
from .rows import Measure, Per, StudyRows
from .values import PERSON, Study

if TYPE_CHECKING:
    import pandas as pd

    from ...stats.design import LinearDesign

AGE = ("age", "age_years", "age_at_scan")
SEX = ("sex", "gender")
PEOPLE_PER_SITE = 12  # for each column of sites that nobody asked for
LEAST_LEFT = 0.5  # degrees of freedom by people, for covariates that nobody asked for
SITE = ("site", "scanner", "center", "centre", "trial", "cohort")
DEPRESSION = ("madrs", "hamd", "hdrs", "ids", "qids", "bdi", "phq")  # scales that a question is about unless told
QUANTITIES = {"pet": "SUVR", "degree": "degree centrality", "clustering": "clustering coefficient", "map": "value"}
LEFT = {"pet": "suvr", "degree": "degree", "clustering": "clustering", "map": "map"}


class Setting(NamedTuple):
    """A study and what is asked of it, with measure and sessions chosen.

    Attributes
    ----------
    study : Study
    ask : Ask
    measure : str
    column : str
        Of a plain table's images, else empty.
    sessions : tuple of str
        With such scans, in order.
    groups : Groups or None
    """

    study: Study
    ask: Ask
    measure: Measure
    column: str
    sessions: tuple[str, ...]
    groups: Groups | None

    @property
    def quantity(self) -> str:
        """What the maps hold."""
        return self.column or QUANTITIES[self.measure]

    @property
    def left(self) -> str:
        """The same as the left side of a formula."""
        return LEFT[self.measure]


class Covariates(NamedTuple):
    """Those that are used, and what was said of the others."""

    names: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, eq=False)
class Draft:
    """A model on the way to a plan.

    Attributes
    ----------
    setting : Setting
    rows : StudyRows
    frame : DataFrame
        The rows' table without images.
    formula : str
    contrasts : tuple of str
        The first is what the question is about.
    voxelwise : tuple of (str, str)
    findings : tuple of Finding
    covariates : Covariates
    of_table : bool
        The outcome is a column, not a map.
    """

    setting: Setting
    rows: StudyRows
    frame: pd.DataFrame
    formula: str
    contrasts: tuple[str, ...]
    voxelwise: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    covariates: Covariates = field(default_factory=lambda: Covariates((), ()))
    of_table: bool = False

    @property
    def model(self) -> Model:
        """As it is fitted."""
        ask, people = self.setting.ask, set(self.frame[PERSON].astype(str))
        return Model(
            data=TABLE if self.of_table else "",
            table="",
            formula=self.formula,
            contrasts=self.contrasts,
            variance=ask.variance,
            voxelwise=self.voxelwise,
            exclude=tuple(name for name in ask.exclude if name in people),
            region=ask.within,
            study=self.rows,
        )

    def design(self) -> LinearDesign:
        """Of the rows that are complete."""
        return design_on(
            self.setting,
            without(self.frame, self.setting.ask.exclude),
            self.formula,
            tuple(name for name, _ in self.voxelwise),
        )


def setting_of(study: Study, ask: Ask) -> Setting:
    """Choose measure and sessions.

    Raises
    ------
    Problem
        The study has no such scans or people.
    """
    offered = measured(study)
    if not offered:
        raise Problem(study.folder, "has no images that a map could be of", "look at what was found in the folder")
    measure = ask.measure or offered[0]
    if measure not in offered:
        raise Problem(study.folder, f"has no scans for {measure}", f"choose from {', '.join(offered)}")
    column = next((scan.column for scan in study.scans if scan.kind == "map"), "") if measure == "map" else ""
    check_excluded(study, ask)
    sessions = sessions_in_order(study, measure, column)
    for name in ask.sessions:
        if name not in sessions:
            todo = f"choose from {', '.join(sessions)}" if sessions else "leave the sessions out"
            raise Problem(study.folder, f"has no scans of {name}", todo)
    return Setting(study, ask, measure, column, sessions, groups_of(study))


def check_excluded(study: Study, ask: Ask) -> None:
    """Refuse to leave out people who are not there.

    Raises
    ------
    Problem
    """
    known = set(study.participants[PERSON].astype(str)) | {scan.participant for scan in study.scans}
    unknown = [name for name in ask.exclude if name not in known]
    if unknown:
        raise Problem(study.folder, f"has no {', '.join(unknown)} to exclude", "write people as in participants.tsv")


def one_session(setting: Setting) -> tuple[str, ...]:
    """The session that a question of one scan is about; empty where a study has none."""
    return (setting.ask.sessions or setting.sessions)[:1]


def two_sessions(setting: Setting) -> tuple[str, str]:
    """First and last.

    Raises
    ------
    Problem
        The study has one only.
    """
    asked = setting.ask.sessions
    if len(asked) == 1 or len(set(asked)) < len(asked):
        raise Problem(setting.study.folder, f"{', '.join(asked)} are no two sessions", "name first and second")
    first, last = (asked or setting.sessions or ("",))[0], (asked[:2] or setting.sessions or ("",))[-1]
    if not first or first == last:
        what = "has scans of one session only, and a change needs two"
        raise Problem(setting.study.folder, what, "ask about severity or groups")
    return first, last


def score_of(setting: Setting) -> str:
    """The score that is asked about, or the study's first of depression, or its first.

    Raises
    ------
    Problem
        There is none, or none of that name.
    """
    study, asked = setting.study, setting.ask.score
    offered = list(score_columns(study))
    if not offered:
        raise Problem(study.folder, "has no scores", "put a table of scores into phenotype/")
    if not asked:
        of_depression = [name for scale in DEPRESSION for name in offered if name.lower().startswith(scale)]
        return (of_depression or offered)[0]
    for name in offered:
        if asked.lower() in {name.lower(), score_title(name).lower(), score_columns(study)[name].lower()}:
            return name
    raise Problem(study.folder, f"has no score {asked}", f"choose from {', '.join(offered)}")


def rows_of(setting: Setting, per: Per, sessions: tuple[str, ...], where: Sequence[tuple[str, str]] = ()) -> StudyRows:
    """The rows of a question."""
    return StudyRows(
        study=str(setting.study.folder),
        measure=setting.measure,
        choices=setting.ask.choices,
        per=per,
        sessions=sessions,
        column=setting.column,
        where=tuple(where),
    )


def patients(setting: Setting) -> tuple[tuple[str, str], ...]:
    """Only patients, where a study has healthy people too."""
    groups = setting.groups
    return () if groups is None else ((groups.column, groups.patients),)


def frame_of(setting: Setting, rows: StudyRows) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """The table of rows without images, with who is left out.

    Raises
    ------
    Problem
        Nobody is left.
    """
    people = people_of(setting.study, rows)
    frame, findings = table_of(setting.study, rows, people)
    if setting.measure in {"degree", "clustering"}:  # only validates formulas: the values come with the runs
        stand_in = np.random.default_rng(0)
        for column in COMPUTED:
            if column not in frame:
                frame[column] = stand_in.normal(size=len(frame))
    return frame, (*_other_patients(setting, rows), *people.findings, *findings)


def _other_patients(setting: Setting, rows: StudyRows) -> Iterable[Finding]:
    """Groups that are neither healthy nor asked about."""
    groups = setting.groups
    if groups is None or (groups.column, groups.patients) not in rows.where:
        return
    levels = setting.study.participants[groups.column].dropna().astype(str).value_counts(sort=False)
    for name, count in levels.items():
        if str(name) != groups.patients and not is_healthy(str(name)):
            message = f"{name} ({count} people) is no part of this: of several groups of patients the largest is asked."
            yield Finding("group-left-out", groups.column, str(name), message)


def known_in(frame: pd.DataFrame, column: str) -> Any:
    """A table without rows that lack a value."""
    return frame[frame[column].notna()].reset_index(drop=True)


def asked_of(setting: Setting, where: Sequence[tuple[str, str]]) -> Any:
    """Participants with these values, with or without scans."""
    frame: Any = setting.study.participants
    for column, value in where:
        frame = frame[frame[column].astype(str) == value]
    return frame


def without(frame: pd.DataFrame, people: Iterable[str]) -> Any:
    """A table without some people."""
    return frame[~frame[PERSON].astype(str).isin(list(people))].reset_index(drop=True)


def design_on(setting: Setting, frame: pd.DataFrame, formula: str, voxelwise: tuple[str, ...] = ()) -> LinearDesign:
    """The design of a formula.

    Raises
    ------
    Problem
        When it cannot be estimated.
    """
    from ...stats.design import linear_design  # noqa: PLC0415 - formulaic is slow to import

    try:
        return linear_design(frame, formula, voxelwise=voxelwise)
    except CannotCompute as refused:
        raise Problem(setting.study.folder, refused.what, refused.todo) from refused


def score_column(setting: Setting, frame: pd.DataFrame, column: str, title: str) -> None:
    """Refuse a score that nobody has, or that is the same in all.

    Raises
    ------
    Problem
    """
    kept = without(frame, setting.ask.exclude)
    known = kept[column].dropna() if column in kept else kept.iloc[:0, 0]
    if len(known) < 4:
        what = f"{title} is known of {len(known)} people with the scans that are needed"
        raise Problem(setting.study.folder, what, "at least 4 are needed; check sessions and scores")
    if known.nunique() < 2:
        raise Problem(setting.study.folder, f"{title} is {known.iloc[0]:g} in everybody", "choose another score")


def quoted(name: str) -> str:
    """A column as a formula writes it."""
    return name if name.isidentifier() else f"`{name}`"


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


def formula_of(left: str, terms: Sequence[str], covariates: Sequence[str] = ()) -> str:
    """As text."""
    return f"{left} ~ " + " + ".join([*terms, *map(quoted, covariates)])


def counts(frame: Any, column: str | None, everybody: int) -> dict[str, int]:
    """People by a column, and how many are left out."""
    if column is None or column not in frame or frame[column].isna().all():
        found = {"people": len(frame)}
    else:
        found = {str(name): int(n) for name, n in frame[column].astype(str).value_counts(sort=False).items()}
    return {**found, "excluded": everybody - len(frame)}


def n_everybody(setting: Setting, rows: StudyRows) -> int:
    """People that a question is about, with or without scans."""
    return int(asked_of(setting, rows.where)[PERSON].nunique())


def filled(setting: Setting, **chosen: Any) -> Ask:
    """The question with what was chosen for it."""
    return replace(setting.ask, measure=setting.measure, **chosen)
