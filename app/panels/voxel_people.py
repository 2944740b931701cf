"""People of a fitted model as a plot may name them: by code in blinded mode, and then without arms and sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..study.people import ARMS, GROUPS, column_like
from ..study.values import SESSION

if TYPE_CHECKING:
    from ..model_fit import Fitted
    from ..model_parts import Part
    from ..study.blinding import Blinding

MOST_KINDS = 4


@dataclass(frozen=True, eq=False)
class Seen:
    """How people may be named; without blinding by their names."""

    blinding: Blinding | None = None

    @property
    def hidden(self) -> bool:
        """Whether arms and sessions are hidden."""
        return self.blinding is not None and self.blinding.is_on

    def names(self, keys: tuple[str, ...], sessions: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Names or codes, with the sessions of scans where they are given."""
        blinding = self.blinding
        names = keys if blinding is None else tuple(map(blinding.shown_name, keys))
        if not sessions:
            return names
        if blinding is None:
            told = tuple(session.removeprefix("ses-") for session in sessions)
        else:
            told = tuple(map(blinding.shown_session, keys, sessions))
        return tuple(f"{name} {session}" for name, session in zip(names, told, strict=True))

    def text(self, text: str) -> str:
        """A text as it may be seen."""
        return text if self.blinding is None else self.blinding.shown_text(text)

    def tells_arm(self, formula: str) -> bool:
        """Whether who stands where in a plot of this model would tell what is hidden."""
        words = frozenset(re.findall(r"\w+", formula))
        return self.blinding is not None and self.blinding.is_on and bool(words & self.blinding.hidden)


def kinds_of(fitted: Fitted, part: Part, seen: Seen) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names of arms or groups, and whose each observation's is; nothing where there are none to tell apart."""
    labels = None if seen.hidden else _labels(fitted, part)
    if labels is None:
        return (), ()
    names, of = np.unique(labels, return_inverse=True)
    if not 1 < len(names) <= MOST_KINDS:
        return (), ()
    return tuple(map(str, names)), tuple(int(each) for each in of)


def sessions_of(fitted: Fitted, part: Part, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Session of each scan where people have several; nothing otherwise."""
    frame = fitted.laid.table.frame
    if part.combine is not None or len(set(keys)) == len(keys) or SESSION not in frame:
        return ()
    return tuple(frame[SESSION].iloc[fitted.laid.rows].astype(str))


def first_rows(fitted: Fitted, part: Part) -> list[int]:
    """Row of the table of each observation, the first of several."""
    rows = fitted.laid.rows
    if part.combine is None:
        return rows.tolist()
    return [int(rows[weights.nonzero()[0][0]]) for weights in part.combine]


def _labels(fitted: Fitted, part: Part) -> list[str] | None:
    if part.factor is not None:
        return [str(each) for each in part.factor]
    if fitted.model.study is None:
        return None
    frame = fitted.laid.table.frame.iloc[first_rows(fitted, part)]
    for names in (ARMS, GROUPS):
        column = column_like(frame, names)
        if column is not None and frame[column].nunique() > 1:
            return frame[column].astype(object).where(frame[column].notna(), "n/a").astype(str).tolist()
    return None
