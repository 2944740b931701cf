"""What the user keeps about a study: choices, notes on people, flags of scans. Never in the study's folder.

A file per study in the user's data folder, by the study's place and name, which nobody else may read.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from platformdirs import user_data_path

from ..problems import Finding, Problem
from ..settings import NAME
from .values import Choices, Scan, Study

Quality = Literal["good", "doubtful", "bad"]


class Kept(msgspec.Struct, frozen=True):
    """What is kept about one study.

    Attributes
    ----------
    study, name : str
        Folder and name, for people who look into the file.
    choices : Choices
    notes : mapping of str to str
        By participant.
    flags : mapping of str to str
        By the scan's path within the study: ``good``, ``doubtful`` or ``bad``.
    """

    study: str = ""
    name: str = ""
    choices: Choices = Choices()
    notes: dict[str, str] = {}
    flags: dict[str, Quality] = {}


# Made on import, which one thread does: two that prepare the same type at once crash in msgspec.
_DECODER = msgspec.json.Decoder(Kept)


def kept_file(study: Study) -> Path:
    """Where things about a study are kept."""
    key = hashlib.sha256(f"{study.folder.resolve()}\0{study.name}".encode()).hexdigest()[:32]
    return user_data_path(NAME, appauthor=False) / "studies" / f"{key}.json"


def kept_of(study: Study) -> tuple[Kept, tuple[Finding, ...]]:
    """What is kept about a study, and what is to be said of it.

    A file that cannot be read is set aside under another name, not lost, and said.
    """
    path = kept_file(study)
    try:
        return _DECODER.decode(path.read_bytes()), ()
    except FileNotFoundError:
        return Kept(), ()
    except OSError as error:
        message = f"What was kept about this study cannot be read: {(error.strerror or 'unknown').lower()}."
        return Kept(), (Finding("kept-unreadable", str(path), None, message),)
    except msgspec.DecodeError as error:
        aside = _set_aside(path)
        message = f"What was kept about this study (choices, notes, flags) makes no sense ({error}); {aside}."
        return Kept(), (Finding("kept-unreadable", str(path), None, message),)


def choices_of(study: Study) -> Choices:
    """Choices of a study's analyses; the defaults where none were made."""
    return kept_of(study)[0].choices


def keep_choices(study: Study, choices: Choices) -> None:
    """Keep the choices of a study.

    Raises
    ------
    Problem
        When nothing can be written into the user's data folder.
    """
    _keep(study, msgspec.structs.replace(_now(study), choices=choices))


def notes_of(study: Study) -> Mapping[str, str]:
    """Notes by participant."""
    return kept_of(study)[0].notes


def keep_note(study: Study, participant: str, text: str) -> None:
    """Keep a note on a person; an empty one removes it.

    Raises
    ------
    Problem
        As `keep_choices`.
    """
    now = _now(study)
    _keep(study, msgspec.structs.replace(now, notes=_with(now.notes, participant, text.strip())))


def flags_of(study: Study) -> Mapping[Path, Quality]:
    """Flags of scans, by their path."""
    root = study.folder if study.folder.is_dir() else study.folder.parent
    return {root / name: flag for name, flag in kept_of(study)[0].flags.items()}


def keep_flag(study: Study, scan: Scan, flag: Quality | None) -> None:
    """Keep the flag of a scan; None removes it.

    Raises
    ------
    Problem
        As `keep_choices`.
    """
    now = _now(study)
    root = study.folder if study.folder.is_dir() else study.folder.parent
    inside = scan.path.is_relative_to(root)
    name = (scan.path.relative_to(root) if inside else scan.path).as_posix()
    _keep(study, msgspec.structs.replace(now, flags=_with(now.flags, name, flag)))


def _with(mapping: Mapping[str, Any], key: str, value: str | None) -> dict[str, Any]:
    return {**{name: kept for name, kept in mapping.items() if name != key}, **({key: value} if value else {})}


def _now(study: Study) -> Kept:
    return msgspec.structs.replace(kept_of(study)[0], study=str(study.folder), name=study.name)


def _keep(study: Study, kept: Kept) -> None:
    path = kept_file(study)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # readable by its owner only
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(kept), indent=2))
        Path(temporary).replace(path)
    except OSError as error:
        what = f"cannot be written: {(error.strerror or 'unknown').lower()}"
        raise Problem(path, what, "make room there, or ask for the right to write") from error


def _set_aside(path: Path) -> str:
    number = 1
    while (aside := path.with_name(f"{path.stem}.unreadable-{number}.json")).exists():
        number += 1
    try:
        path.rename(aside)
    except OSError:
        return "it was left as it is and will be written over"
    return f"it was set aside as {aside.name}"
