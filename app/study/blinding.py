"""Blinded mode: one place where what names a person, a session or an arm becomes what may be seen.

Codes come from a secret that is kept with the user's data, never in the study: the same person has the same code
whenever the study is opened, and nobody learns the names from the codes. The two or more sessions of a person are X,
Y, ... in an order of each person's own.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b32decode, b32encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from .values import PERSON, SESSION, Scan, Study

if TYPE_CHECKING:
    import pandas as pd

ARM_COLUMNS = frozenset(
    {"arm", "treatment", "condition", "sequence", "allocation", "drug", "randomisation", "randomization"}
)
TIME_COLUMNS = frozenset({"session", SESSION, "day", "period", "visit", "date", "acq_time", "time"})
LETTERS = "XYZWVUTSRQ"
ARM_SHOWN, SESSION_SHOWN = "(arm)", "(session)"
PREFIX = "blinded"
_SIGNS = "23456789BCDFGHJKMNPQRTVWXZ"  # no vowels, so no words; none that look alike
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_BLOCK = 32  # hidden texts are padded to multiples of it: their length tells nothing


class Kept(msgspec.Struct, frozen=True):
    """What is remembered of a study's blinding.

    Attributes
    ----------
    id : str
        By which a hidden text finds its secret.
    key : str
        The secret, in hexadecimal; stays when the study is unblinded, so that codes in old exports keep their meaning.
    on : bool
    """

    id: str
    key: str
    on: bool = True


def new_kept() -> Kept:
    """A fresh secret, blinded."""
    return Kept(secrets.token_hex(4), secrets.token_hex(32))


@dataclass(frozen=True, eq=False)
class Blinding:
    """Names of a study as they are shown.

    Attributes
    ----------
    kept : Kept
    codes : mapping of str to str
        By participant.
    letters : mapping of (str, str) to str
        By participant and session.
    words : mapping of str to (str, str)
        What stands in texts, in lower case: what it is (``person``, ``session``, ``arm``), and whose.
    hidden : frozenset of str
        Columns that tell arm or session.
    """

    kept: Kept
    codes: Mapping[str, str] = field(default_factory=dict[str, str])
    letters: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    hidden: frozenset[str] = frozenset()

    @property
    def is_on(self) -> bool:
        """Whether names are hidden now."""
        return self.kept.on

    def shown_name(self, participant: str) -> str:
        """A person's code, or the name when nothing is hidden."""
        return self.codes.get(participant, "(person)") if self.is_on else participant

    def shown_session(self, participant: str, session: str | None) -> str:
        """A session's letter; the session without ``ses-`` when nothing is hidden."""
        if session is None:
            return ""
        return self.letters.get((participant, session), SESSION_SHOWN) if self.is_on else session.removeprefix("ses-")

    def shown_scan(self, scan: Scan) -> str:
        """Person, session and kind of a scan: the name of its layer."""
        kind = "PET" if scan.kind == "pet" else scan.kind.upper() if scan.kind in {"suvr", "bold", "mrs"} else scan.kind
        parts = self.shown_name(scan.participant), self.shown_session(scan.participant, scan.session)
        return ", ".join((" ".join(filter(None, parts)), kind))

    def shown_text(self, text: str) -> str:
        """A text without names of people, sessions and arms; file names are texts too."""
        if not self.is_on:
            return text
        who = ""

        def shown(found: re.Match[str]) -> str:
            nonlocal who
            kind, whose = self.words.get(found.group().lower(), ("", ""))
            if kind == "person":
                who = whose
                return self.shown_name(whose)
            if kind == "session":
                return self.letters.get((who, whose), SESSION_SHOWN)
            return ARM_SHOWN if kind == "arm" else found.group()

        return _TOKEN.sub(shown, text)

    def hides(self, text: str) -> bool:
        """Whether a text may not be seen as it is."""
        return self.shown_text(text) != text

    def shown_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table with codes, in the order of codes, without columns that tell arm or session."""
        if not self.is_on:
            return frame
        kept = frame.loc[:, [name for name in frame.columns if name not in self.hidden]].copy()
        if PERSON not in kept.columns:
            return kept
        kept[PERSON] = [self.shown_name(str(who)) for who in kept[PERSON]]
        return kept.iloc[kept[PERSON].argsort()].reset_index(drop=True)

    def in_order(self, participants: Iterable[str]) -> tuple[str, ...]:
        """People in the order given, or by their codes when names are hidden: their order may tell an arm."""
        return tuple(sorted(participants, key=self.shown_name) if self.is_on else participants)

    def sessions_in_order(self, participant: str, sessions: Iterable[str]) -> tuple[str, ...]:
        """Sessions of a person as given, or by their letters when they are hidden."""
        if not self.is_on:
            return tuple(sessions)
        return tuple(sorted(sessions, key=lambda session: LETTERS.find(self.shown_session(participant, session))))

    def hide(self, text: str) -> str:
        """A text that only this user can read again, if it names anybody; for files that may be handed on."""
        if not self.hides(text):
            return text
        plain = text.encode()
        plain += b"\0" * (-len(plain) % _BLOCK)
        key = bytes.fromhex(self.kept.key)
        mark = hmac.digest(key, b"mark" + plain, sha256)[:10]
        return f"{PREFIX}:{self.kept.id}:{b32encode(mark + _mixed(plain, key, mark)).decode().rstrip('=')}"


def blinding_of(study: Study, kept: Kept) -> Blinding:
    """Names of a study under a secret."""
    people = [str(who) for who in study.participants[PERSON]] if PERSON in study.participants else []
    people = list(dict.fromkeys([*people, *(scan.participant for scan in study.scans)]))
    sessions = _sessions(study)
    imaged = list(dict.fromkeys(scan.session for scan in study.scans if scan.session)) or sessions
    key = bytes.fromhex(kept.key)
    letters = {
        (who, session): LETTERS[min(place, len(LETTERS) - 1)]
        for who in people
        for place, session in enumerate(sorted(imaged, key=lambda each: _digest(key, "session", who, each)))
    }
    hidden = _hidden_columns(study)
    words: dict[str, tuple[str, str]] = {}
    for arm in _values_of(study, hidden & ARM_COLUMNS | (hidden & {"group"})):
        words[arm.lower()] = ("arm", "")
    for kind, names, prefix in (("session", sessions, "ses-"), ("person", people, "sub-")):
        for name in names:
            label = name.removeprefix(prefix)
            if not label.isdigit():  # a bare number may be anything
                words[label.lower()] = (kind, name)
            words[name.lower()] = (kind, name)
    return Blinding(kept, _codes(people, key), letters, words, hidden)


def reveal(value: Any, kept: Callable[[str], Kept | None]) -> Any:
    """The reverse of `Blinding.hide` in all texts of a value; ``kept`` finds what is remembered by its id.

    Texts whose secret is not this user's stay as they are.
    """

    def revealed(text: str) -> str:
        parts = text.split(":")
        if len(parts) != 3 or parts[0] != PREFIX:
            return text
        found = kept(parts[1])
        if found is None:
            return text
        try:
            packed = b32decode(parts[2] + "=" * (-len(parts[2]) % 8))
        except ValueError:
            return text
        key, mark = bytes.fromhex(found.key), packed[:10]
        plain = _mixed(packed[10:], key, mark)
        is_whole = hmac.compare_digest(mark, hmac.digest(key, b"mark" + plain, sha256)[:10])
        return plain.rstrip(b"\0").decode() if is_whole else text

    return mapped(value, revealed)


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """A value with a function applied to every text in it."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, msgspec.Struct):
        return type(value)(**{name: mapped(getattr(value, name), change) for name in value.__struct_fields__})
    return tuple(mapped(part, change) for part in value) if isinstance(value, tuple) else value


def _sessions(study: Study) -> list[str]:
    """Sessions that are named anywhere; letters are for those with scans."""
    frames = [study.sessions, *study.scores.values()]
    named = [str(each) for frame in frames if SESSION in frame for each in frame[SESSION].dropna()]
    return list(dict.fromkeys([*(scan.session for scan in study.scans if scan.session), *named]))


def _hidden_columns(study: Study) -> frozenset[str]:
    """Columns that tell arm or session. Where no column is an arm's by its name, groups may be arms."""
    frames = [study.participants, study.sessions, *study.scores.values()]
    columns = {str(name) for frame in frames for name in frame.columns}
    arms = {name for name in columns if name.lower() in ARM_COLUMNS} or columns & {"group"}
    times = {name for name in columns if name.lower() in TIME_COLUMNS}
    told = {name for name in study.sessions.columns if name != PERSON}
    scores = {str(name) for frame in study.scores.values() for name in frame.columns if name != PERSON}
    return frozenset(arms | times | told | scores)


def _values_of(study: Study, columns: Iterable[str]) -> set[str]:
    """Texts in columns that tell an arm."""
    frames = (study.participants, study.sessions)
    found = {
        str(value)
        for frame in frames
        for name in frame.columns
        if name in columns
        for value in frame[name].dropna().unique()
    }
    return {value for value in found if value.lower() != "n/a" and not value.replace(".", "").isdigit()}


def _codes(people: Iterable[str], key: bytes) -> dict[str, str]:
    """Four signs for each person, more for those whom four do not tell apart; the same whoever else takes part."""
    codes: dict[str, str] = {}
    taken: set[str] = set()
    for who in sorted(people):
        number = int.from_bytes(_digest(key, "person", who))
        signs = ""
        while len(signs) < 4 or signs in taken:
            number, place = divmod(number, len(_SIGNS))
            signs += _SIGNS[place]
        taken.add(signs)
        codes[who] = f"P-{signs}"
    return codes


def _digest(key: bytes, *parts: str) -> bytes:
    return hmac.digest(key, "\0".join(parts).encode(), sha256)


def _mixed(text: bytes, key: bytes, mark: bytes) -> bytes:
    """A stream cipher from HMAC-SHA256 in counter mode; its own reverse."""
    blocks = (hmac.digest(key, b"stream" + mark + n.to_bytes(4), sha256) for n in range(-(-len(text) // 32)))
    return bytes(a ^ b for a, b in zip(text, b"".join(blocks), strict=False))
