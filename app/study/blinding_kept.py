"""Where blinding is remembered: in the folder of the user's data, with a log of who looked and why."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
from platformdirs import user_data_path

from ..io.files import replacing
from ..problems import Problem
from ..settings import NAME
from .blinding import Kept


class Event(msgspec.Struct, frozen=True):
    """One line of the log.

    Attributes
    ----------
    time : str
        ISO 8601, with its zone.
    study : str
        Folder.
    what : "blinded" or "unblinded"
    who : str
        Name of the user of this computer; empty where that is not known.
    reason : str
    """

    time: str
    study: str
    what: Literal["blinded", "unblinded"]
    who: str = ""
    reason: str = ""


# Made on import, which one thread does: two that prepare the same type at once crash in msgspec.
_KEPT, _EVENT = msgspec.json.Decoder(Kept), msgspec.json.Decoder(Event)


def folder() -> Path:
    """Where all of it is."""
    return user_data_path(NAME, appauthor=False) / "blinding"


def kept_blinding(study: Path) -> Kept | None:
    """What is remembered of a study; None when it was never blinded.

    Raises
    ------
    Problem
        Something is remembered and cannot be read: the study may not be shown unblinded by mistake.
    """
    path = _file(study)
    try:
        return _KEPT.decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        todo = "restore it from a backup; without it the study stays closed, since it was blinded"
        raise Problem(path, "cannot be read", todo) from error


def is_blinded(study: Path) -> bool:
    """Whether a study is blinded now.

    Raises
    ------
    Problem
        As `kept_blinding`.
    """
    kept = kept_blinding(study)
    return kept is not None and kept.on


def kept_by_id(wanted: str) -> Kept | None:
    """The remembered blinding of that id."""
    for path in folder().glob("*.json"):
        try:
            kept = _KEPT.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError):
            continue
        if kept.id == wanted:
            return kept
    return None


def keep_blinding(study: Path, kept: Kept, reason: str = "") -> None:
    """Remember a study's blinding and write a line into the log; the log comes first.

    Raises
    ------
    Problem
        When it cannot be written: then nothing changes.
    """
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        now = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        event = Event(now, str(study), "blinded" if kept.on else "unblinded", _user(), " ".join(reason.split()))
        with _log().open("ab") as log:
            log.write(msgspec.json.encode(event) + b"\n")
        with replacing(_file(study)) as file:
            file.write(msgspec.json.encode(kept))
    except OSError as error:
        raise Problem(folder(), "cannot be written", "make room, or set XDG_DATA_HOME to another folder") from error


def events(study: Path | None = None) -> Iterator[Event]:
    """The log, of one study or of all, the oldest first."""
    try:
        lines = _log().read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            event = _EVENT.decode(line)
        except msgspec.DecodeError:
            continue  # a line that was cut short when the disk was full
        if study is None or event.study == str(study):
            yield event


def _log() -> Path:
    return folder() / "log.jsonl"


def _file(study: Path) -> Path:
    return folder() / f"{sha256(str(study.resolve()).encode()).hexdigest()[:24]}.json"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
