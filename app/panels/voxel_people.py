"""People of a fitted model as a plot may name them: by code in blinded mode, and then without arms and sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..study.people import ARMS, GROUPS, column_like

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

    def names(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Names or codes."""
        return keys if self.blinding is None else tuple(map(self.blinding.shown_name, keys))

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
