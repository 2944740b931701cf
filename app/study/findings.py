"""What is said of a study: one sentence each, with who, which file, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..io.bids_tables import listed
from ..problems import Finding

SAID_ONE_BY_ONE = 3


def finding(code: str, where: Path, who: str | float | None, message: str) -> Finding:
    """A finding whose value is the person it is about, where it is about one."""
    return Finding(code, str(where), who, message)


def grouped(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings with many of one code and one text as one each, so that a study's oddity is said once."""
    same: dict[tuple[str, str], list[Finding]] = {}
    for each in findings:
        same.setdefault((each.code, each.message), []).append(each)
    return tuple(kept for (_, _), group in same.items() for kept in _told(group))


def _told(group: Sequence[Finding]) -> Sequence[Finding]:
    if len(group) <= SAID_ONE_BY_ONE:
        return group
    first = group[0]
    names = listed([Path(each.where).name for each in group])
    message = f"{first.message.rstrip('.')} ({len(group)} files: {names})."
    return (Finding(first.code, str(Path(first.where).parent), len(group), message),)
