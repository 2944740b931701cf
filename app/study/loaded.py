"""A study as it was read, with what the user has kept about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..problems import silent

if TYPE_CHECKING:
    from .blinding import Blinding
    from .values import Study

PARTICIPANTS, DESCRIPTION = "participants.tsv", "dataset_description.json"


class Loaded(NamedTuple):
    """What a window knows of a study.

    Attributes
    ----------
    study : Study
    blinding : Blinding or None
        None when it was never blinded.
    notes : dict of str to str
        By participant.
    flags : dict of Path to str
        By scan: ``good``, ``doubtful`` or ``bad``.
    """

    study: Study
    blinding: Blinding | None
    notes: dict[str, str]
    flags: dict[Path, str]


def is_study(path: Path) -> bool:
    """Whether a folder is a data set of people."""
    return any((path / name).is_file() for name in (PARTICIPANTS, DESCRIPTION))


def load(folder: str, report: Callable[[float], None] = silent) -> Loaded:
    """Read a study and what the user has kept about it.

    Raises
    ------
    Problem
        It is no study; or it was blinded and what was written down of that cannot be read.
    """
    from .blinding import blinding_of  # noqa: PLC0415 - pandas
    from .blinding_kept import kept_blinding  # noqa: PLC0415
    from .kept import flags_of, kept_of, notes_of  # noqa: PLC0415
    from .reading import read_study  # noqa: PLC0415

    kept = kept_blinding(Path(folder))
    study = read_study(folder, report)
    study = replace(study, findings=(*study.findings, *kept_of(study)[1]))
    blinding = None if kept is None else blinding_of(study, kept)
    return Loaded(study, blinding, dict(notes_of(study)), dict(flags_of(study)))
