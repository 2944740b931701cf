"""What the program says about input: problems that stop a task, findings that go with its result."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec


class Problem(Exception):
    """Something a user can act on: where it is, what is wrong, what to do.

    The one exception family of the program. Its text is one sentence that is shown as it is,
    in the window and (after ``habena: ``) on the command line.
    """

    def __init__(self, where: str | Path, what: str, todo: str) -> None:
        super().__init__(f"{where}: {what}; {todo}")
        self.where = str(where)
        self.what = what
        self.todo = todo


class Cancelled(Exception):
    """The user stopped the work. Raised by a ``report`` callback, passed through by whoever called it."""


class Finding(msgspec.Struct, frozen=True):
    """One thing the user should know about a file or a result: which, where, how large.

    Attributes
    ----------
    code : str
        Stable, hyphenated name, such as ``tr-sidecar``.
    where : str
        File, column, region or voxel concerned.
    value : float, str or None
        The size of it, when it has one.
    message : str
        One sentence for a person.
    """

    code: str
    where: str
    value: float | str | None
    message: str


def without_names(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings for files that are handed on: who was left out is told by row or not at all, never by name."""
    return tuple(_unnamed(finding) for finding in findings)


def _unnamed(finding: Finding) -> Finding:
    if finding.code not in {"row-left-out", "subject-left-out"}:
        return finding
    who = "A subject" if finding.code == "subject-left-out" else f"Row {finding.value}"
    return Finding(
        finding.code, who.lower(), finding.value, who + finding.message[finding.message.find(" is left out") :]
    )


def silent(fraction: float) -> None:
    """A report of progress that nobody reads."""
    del fraction
