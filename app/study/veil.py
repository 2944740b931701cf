"""Names of people taken out of what is handed on: rows of the study's table stand for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ..problems import Finding
from .values import PERSON

if TYPE_CHECKING:
    import pandas as pd

_LABEL = re.compile(r"sub-[0-9A-Za-z]+")
SOMEBODY = "a participant"


@dataclass(frozen=True)
class Veil:
    """What stands for each person in files: ``P01`` is the first row of the participants' table.

    Attributes
    ----------
    codes : mapping of str to str
        By ``participant_id``.
    lifted : bool
        Names are written as they are.
    """

    codes: Mapping[str, str] = field(default_factory=dict[str, str])
    lifted: bool = False

    def text(self, text: str) -> str:
        """A sentence or a file name with codes for names; an id of digits alone could be any number and stays."""
        if self.lifted:
            return text
        told = self._pattern().sub(lambda found: self.codes[found[0]], text) if self._names() else text
        return _LABEL.sub(SOMEBODY, told)

    def person(self, name: object) -> str:
        """One person."""
        return str(name) if self.lifted else self.codes.get(str(name), SOMEBODY)

    def finding(self, finding: Finding) -> Finding:
        """A finding about nobody by name."""
        if self.lifted:
            return finding
        message, where = finding.message, finding.where
        if where in self.codes:  # also an id of digits alone
            message = re.sub(rf"(?<!\w){re.escape(where)}(?!\w)", self.codes[where], message)
            where = self.codes[where]
        value = self.text(finding.value) if isinstance(finding.value, str) else finding.value
        return replace(finding, where=self.text(where), value=value, message=self.text(message))

    def findings(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Findings, each once."""
        return tuple(dict.fromkeys(map(self.finding, findings)))

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table whose column of people holds codes, and its cells of text no names."""
        if self.lifted:
            return frame
        made = frame.copy()
        for column in frame.columns:
            if str(column) == PERSON:
                made[column] = [self.person(name) for name in frame[column]]
            elif frame[column].dtype.kind not in "fiub":
                made[column] = [self.text(cell) if isinstance(cell, str) else cell for cell in frame[column]]
        return made

    def value(self, value: Any) -> Any:
        """Lists and mappings of a JSON document with codes for names."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(each) for key, each in value.items()}
        if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
            return [self.value(each) for each in value]
        return value

    def _names(self) -> list[str]:
        return sorted((name for name in self.codes if not name.isdigit()), key=len, reverse=True)

    def _pattern(self) -> re.Pattern[str]:
        return re.compile(r"(?<![0-9A-Za-z])(?:" + "|".join(map(re.escape, self._names())) + r")(?![0-9A-Za-z])")


def veil_of(names: Iterable[str], *, lifted: bool = False) -> Veil:
    """Codes for people in the order of the study's table."""
    people = list(dict.fromkeys(map(str, names)))
    width = max(2, len(str(len(people))))
    return Veil({name: f"P{number:0{width}d}" for number, name in enumerate(people, start=1)}, lifted)
