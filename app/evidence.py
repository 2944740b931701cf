"""Evidence cards: what is claimed about a hypothesis or a region, how well it stands, and what loaded data can say.

A card is a TOML file. Those that come with the program lie in ``resources/evidence``; a user's own lie in the user's
data folder and take the place of a shipped card of the same name. The format is told in ``docs/evidence.md``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from platformdirs import user_data_path

from ..resources import folder
from .atlas import Region
from .io.atlases import regions_of
from .io.files import reading, regular_file, replacing, writing
from .problems import Problem
from .settings import NAME

Modality = Literal["pet", "bold", "mrs", "scores"]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Identifier = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
MAX_BYTES = 200_000
SOURCES = "sources.toml"
_DOI = re.compile(r"10\.\d{4,9}/\S+")


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a statement comes from.

    Attributes
    ----------
    citation : str
    read : str
        How much of it was read when the card was written.
    doi : str
    year : int or None
    """

    citation: Text
    read: Text
    doi: str = ""
    year: int | None = None


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One finding for or against a claim; numbers as their source prints them."""

    text: Text
    source: Identifier
    design: str = ""
    n: int | None = None
    effect: str = ""
    ci: str = ""
    p: str = ""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Regions of an atlas, by a pattern of their labels such as ``Angular_*``."""

    atlas: Text
    label: Text


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card as it stands in its file."""

    title: Text
    kind: Literal["hypothesis", "region"]
    claim: Text
    levels: Annotated[tuple[Literal["cell", "animal", "human"], ...], msgspec.Meta(min_length=1)]
    cannot_show: Text
    updated: date
    numbers: tuple[Text, ...] = ()
    gap: str = ""
    can_show: dict[Modality, Text] = {}
    places: tuple[Place, ...] = ()
    in_favour: tuple[Statement, ...] = msgspec.field(name="for", default=())
    against: tuple[Statement, ...] = ()
    sources: dict[Identifier, Source] = {}


# Made on import, which one thread does: two that prepare the same type at once crash in msgspec.
_FILE = msgspec.json.Decoder(_File)
_SOURCES = msgspec.json.Decoder(dict[str, Source])


class Card(NamedTuple):
    """What is known about one thing.

    Attributes
    ----------
    id : str
        Name of its file.
    title, claim : str
    kind : "hypothesis" or "region"
    levels : tuple of str
        Where it was seen: ``cell``, ``animal``, ``human``.
    in_favour, against : tuple of Statement
    numbers : tuple of str
    can_show : mapping of modality to str
        What images or scores of a kind could say about it.
    cannot_show : str
    gap : str
        What the card itself lacks.
    places : tuple of Place
    sources : mapping of str to Source
        Those that it cites.
    updated : date
    own : Path or None
        Its file, where it is a user's.
    shadows : bool
        Whether it takes the place of one that comes with the program.
    """

    id: str
    title: str
    kind: Literal["hypothesis", "region"]
    claim: str
    levels: tuple[str, ...]
    in_favour: tuple[Statement, ...]
    against: tuple[Statement, ...]
    numbers: tuple[str, ...]
    can_show: dict[Modality, str]
    cannot_show: str
    gap: str
    places: tuple[Place, ...]
    sources: dict[str, Source]
    updated: date
    own: Path | None = None
    shadows: bool = False

    def is_about(self, region: Region) -> bool:
        """Whether a region of an atlas is one of its places."""
        return any(
            place.atlas == region.atlas and fnmatchcase(region.abbreviation, place.label) for place in self.places
        )


def own_folder() -> Path:
    """Where a user's cards lie."""
    return user_data_path(NAME, appauthor=False) / "evidence"


def evidence_cards(own: Path | None = None) -> tuple[tuple[Card, ...], tuple[Problem, ...]]:
    """All cards, hypotheses first, and what is wrong with a user's that cannot be read.

    Parameters
    ----------
    own : Path or None
        Folder of the user's cards; None for the usual one.
    """
    shipped = _shipped()
    found = {card.id: card for card in shipped}
    problems: list[Problem] = []
    place = own or own_folder()
    for path in sorted(place.glob("*.toml")) if place.is_dir() else ():
        try:
            card = read_card(path)
        except Problem as problem:
            problems.append(problem)
        else:
            found[card.id] = card._replace(shadows=card.id in found)
    ordered = sorted(found.values(), key=lambda card: (card.kind != "hypothesis", card.title.casefold()))
    return tuple(ordered), tuple(problems)


def read_card(path: Path) -> Card:
    """A card of the user's.

    Raises
    ------
    Problem
        Not readable, not TOML, a field that is missing, unknown or of a wrong kind, a source that is nowhere.
    """
    return _card(path, own=path)


def add_card(path: Path, own: Path | None = None) -> Card:
    """Copy a card into the user's folder, after it was checked.

    Raises
    ------
    Problem
        As `read_card`; or there is another of that name.
    """
    read_card(path)
    target = (own or own_folder()) / path.name
    if target.exists():
        raise Problem(target, "is there already", "rename the new card's file, or change the one that is there")
    with reading(path):
        content = path.read_bytes()
    with writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        file.write(content)
    return read_card(target)


def card_of(regions: Sequence[Region], cards: Iterable[Card]) -> Card | None:
    """The card of a place, by the regions there from the most to the least specific; None when there is none."""
    of_regions = [card for card in cards if card.kind == "region"]
    return next((card for region in regions for card in of_regions if card.is_about(region)), None)


def region_of(card: Card) -> Region | None:
    """The first region of a card whose atlas is there; None when it has no place."""
    for place in card.places:
        try:
            regions = regions_of(place.atlas)
        except Problem:  # an atlas that the user has not installed
            continue
        found = next((region for region in regions if card.is_about(region)), None)
        if found is not None:
            return found
    return None


def template() -> str:
    """A card to start from."""
    return (folder("evidence") / "template.txt").read_text(encoding="utf-8")


@cache
def _shipped() -> tuple[Card, ...]:
    return tuple(_card(path, own=None) for path in sorted(folder("evidence").glob("*.toml")) if path.name != SOURCES)


@cache
def _shipped_sources() -> dict[str, Source]:
    return _SOURCES.decode(msgspec.json.encode(_toml(folder("evidence") / SOURCES)))


def _card(path: Path, own: Path | None) -> Card:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}", path.stem):
        raise Problem(path, "has a name that is no name of a card", "use small letters, digits and hyphens")
    try:
        file = _FILE.decode(msgspec.json.encode(_toml(path)))
    except msgspec.ValidationError as error:
        raise Problem(path, f"is no evidence card: {_plain(error)}", "compare it with docs/evidence.md") from error
    sources = {**_shipped_sources(), **file.sources}
    cited = dict.fromkeys(statement.source for statement in (*file.in_favour, *file.against))
    for name in cited:
        if name not in sources:
            raise Problem(path, f"cites '{name}', which is no source", f"add [sources.{name}] with citation and read")
        doi = sources[name].doi
        if doi and not _DOI.fullmatch(doi):
            raise Problem(path, f"source '{name}': '{doi}' is no DOI", "write it like 10.1000/xyz, without https")
    return Card(
        id=path.stem,
        title=file.title,
        kind=file.kind,
        claim=file.claim,
        levels=file.levels,
        in_favour=file.in_favour,
        against=file.against,
        numbers=file.numbers,
        can_show=file.can_show,
        cannot_show=file.cannot_show,
        gap=file.gap,
        places=file.places,
        sources={name: sources[name] for name in cited},
        updated=file.updated,
        own=own,
    )


def _toml(path: Path) -> dict[str, Any]:
    if regular_file(path).size > MAX_BYTES:
        raise Problem(path, "is too large for an evidence card", f"keep it under {MAX_BYTES // 1000} kB")
    with reading(path):
        text = path.read_bytes()
    try:
        return tomllib.loads(text.decode())
    except UnicodeDecodeError as error:
        raise Problem(path, "is not UTF-8", "save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise Problem(path, f"is not TOML: {error}", "mend that line") from error


def _plain(error: msgspec.ValidationError) -> str:
    """Msgspec's words with the field as a person writes it."""
    return re.sub(r" - at `\$\.?(.*)`", r" (field \1)", str(error)).replace("Object", "it")
