"""Find regions by name: for the search box, for the command line, for one-key jumps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Literal, NamedTuple

import msgspec

from ..resources import file
from .atlas import Region
from .atlas_names import Side, side_of, words_of
from .io.atlases import atlas_ids, describe, regions_of
from .problems import Problem

FILLERS = frozenset(("gyrus", "cortex", "division", "area", "region", "part", "proper", "the", "of"))
"""Words that one atlas has in a name and another leaves out."""
BY_SYNONYM = 0.5
CANDIDATES_NAMED = 8
SPELLED_ALIKE = 0.75


class Match(NamedTuple):
    """A region that fits a search; a lower score fits better; ``note`` is what its user must know."""

    region: Region
    score: float
    note: str


class Synonym(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people type, what it is called in atlases, and what to say with it."""

    term: str
    means: str
    note: str = ""


class Jump(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key and the region that it goes to, named by its atlas and the atlas's own label."""

    key: str
    title: str
    atlas: str
    label: str

    @property
    def region(self) -> Region:
        """The region; its centre comes from the atlas."""
        return next(region for region in regions_of(self.atlas) if region.abbreviation == self.label)


class _Query(NamedTuple):
    """A search text parted into words and a side."""

    words: tuple[str, ...]
    side: Side | Literal["both"]


# Made on import, which one thread does: two that prepare the same type at once crash in msgspec.
_JUMPS = msgspec.json.Decoder(tuple[Jump, ...])
_SYNONYMS = msgspec.json.Decoder(tuple[Synonym, ...])


@cache
def jumps() -> tuple[Jump, ...]:
    """One-key jumps."""
    return _JUMPS.decode(file("jumps.json").read_bytes())


@cache
def synonyms() -> tuple[Synonym, ...]:
    """Other names of regions."""
    return _SYNONYMS.decode(file("synonyms.json").read_bytes())


def find(text: str, regions: Iterable[Region], limit: int = 30) -> tuple[Match, ...]:
    """Regions that fit a search text, the best first.

    Every word of the text must occur in the name or label of the region, at the start of a word for a good
    score. Case, accents and order of words do not matter; a first or last word such as L, left or rh is a side.

    Parameters
    ----------
    text : str
        What was typed so far.
    regions : iterable of Region
        Where to look, preferred atlases first.
    limit : int
        Most matches returned.
    """
    query = _query(text)
    if not query.words:
        return ()
    tried = [(words, note, BY_SYNONYM if k else 0.0) for k, (words, note) in enumerate(_readings(query.words))]
    found: list[Match] = []
    for region in regions:
        if query.side in {"L", "R"} and region.side not in {query.side, ""}:
            continue
        fits = [
            Match(region, score + more, note) for words, note, more in tried if (score := _score(words, region)) >= 0
        ]
        if fits:
            found.append(min(fits, key=lambda match: match.score))
    seen: dict[tuple[str, str], int] = {}
    for match in found:
        seen.setdefault((match.region.atlas, match.region.name), len(seen))
    # equal scores: in the order of the atlas, but left before right
    found.sort(key=lambda m: (m.score, seen[m.region.atlas, m.region.name], m.region.side))
    return tuple(found[:limit])


def resolve_region(name: str, atlas_id: str | None = None) -> tuple[Region, ...]:
    """Regions that a name on the command line stands for.

    Parameters
    ----------
    name : str
        As listed by ``habena regions`` or as in the atlas's own table, in any case; with L or R where the
        region has both sides, or ``both``.
    atlas_id : str, optional
        Atlas to look in; all when not given.

    Returns
    -------
    tuple of Region
        One region, or left and right.

    Raises
    ------
    Problem
        When there is no such region (with near names), more than one (with the candidates), or no side given.
    """
    where = (describe(atlas_id).id,) if atlas_id else atlas_ids()
    return resolve(name, [region for one in where for region in regions_of(one)])


def caution(name: str) -> str:
    """What to say with a name that means less than it says, such as the lateral habenula; empty for others."""
    return next((note for _, note in _readings(_query(name).words) if note), "")


def resolve(name: str, regions: Sequence[Region]) -> tuple[Region, ...]:
    """Like `resolve_region`, among given regions."""
    query = _query(name)
    exact = [r for r in regions if words_of(name) in {words_of(r.title), words_of(r.abbreviation)}]
    named = _named(query, regions)
    if not query.side and len({region.atlas for region in named}) > 1:
        exact = []  # one atlas has it whole, others by sides: not for us to choose
    found = exact or named
    sided = [r for r in found if query.side in {"", "both"} or r.side == query.side or exact]
    if not sided:
        raise _unknown(name, found, regions)
    groups = {(region.atlas, region.name) for region in sided}
    if len(groups) > 1:
        listed = _listing(sided)
        raise Problem(name, f"could be {listed}", "name the atlas with --atlas, or the region in full")
    return _one_group(name, query.side, sided)


def _one_group(name: str, side: str, found: Sequence[Region]) -> tuple[Region, ...]:
    """Check the sides asked for against those that there are."""
    title = found[0].name
    if side == "both":
        pair = tuple(sorted((r for r in found if r.side), key=lambda region: region.side))
        if len(pair) != 2:
            raise Problem(name, f"{title} has no two sides in {found[0].atlas}", f"ask for {title!r}")
        return pair
    if len(found) == 1:
        return (found[0],)
    if sorted(region.side for region in found) == ["L", "R"]:
        raise Problem(name, f"{title} has two sides", f"ask for '{title} L', '{title} R' or '{title} both'")
    labels = ", ".join(region.abbreviation for region in found[:CANDIDATES_NAMED])
    raise Problem(name, f"{len(found)} regions of {found[0].atlas} have this name", f"ask by label: {labels}")


def _query(text: str) -> _Query:
    """Part a text into words and a side, which is its first or last word; a side alone is a word."""
    words = words_of(text)
    if len(words) > 1:
        for position, rest in ((-1, words[:-1]), (0, words[1:])):
            side = "both" if words[position] == "both" else side_of(words[position])
            if side:
                return _Query(rest, side)
    return _Query(words, "")


def _readings(words: tuple[str, ...]) -> list[tuple[tuple[str, ...], str]]:
    """The words as typed, then with each synonym put in place of what it stands for."""
    readings = [(words, "")]
    for synonym in synonyms():
        term = words_of(synonym.term)
        for start in range(len(words) - len(term) + 1):
            if words[start : start + len(term)] == term:
                put = words_of(synonym.means)
                readings.append((words[:start] + put + words[start + len(term) :], synonym.note))
    return readings


def _score(wanted: tuple[str, ...], region: Region) -> float:
    """How far the words of a text are from a region's name, from 0; -1 when one does not occur."""
    name = words_of(region.name)
    words = name + words_of(region.abbreviation)
    total = 0.0
    for word in wanted:
        if word in words:
            total += 0.0 if word in name else 0.25
        elif any(other.startswith(word) for other in words):
            total += 1.0
        elif len(word) > 2 and any(word in other for other in words):
            total += 3.0
        else:
            return -1.0
    missed = len(name) - sum(any(other.startswith(word) for word in wanted) for other in name)
    first = 0.0 if any(name[0].startswith(word) for word in wanted) else 0.3
    return total + first + 0.1 * missed


def _named(query: _Query, regions: Sequence[Region]) -> list[Region]:
    """Regions whose name or label has the same words, fillers aside, as typed or by a synonym."""
    for words, _ in _readings(query.words):
        wanted = frozenset(words) - FILLERS or frozenset(words)
        found = [r for r in regions if wanted in (_kernel(r.name), _kernel(r.abbreviation))]
        if found:
            return found
    return []


@cache
def _kernel(text: str) -> frozenset[str]:
    """Words of a name without fillers and side."""
    words = frozenset(word for word in words_of(text) if not side_of(word))
    return words - FILLERS or words


def _unknown(name: str, found: Sequence[Region], regions: Sequence[Region]) -> Problem:
    """The problem of a name that no region has, or not on that side."""
    if found:
        region = found[0]
        what = f"{region.name} is only on the side {region.side}" if region.side else f"{region.name} has no sides"
        return Problem(name, f"{what} in {region.atlas}", f"ask for {region.title!r}")
    near = [match.region for match in find(name, regions, CANDIDATES_NAMED)] or _spelled_alike(name, regions)
    todo = f"did you mean {_listing(near)}?" if near else "list the names with `habena regions`"
    return Problem(name or "the region's name", "is no region that the atlases name", todo)


def _spelled_alike(name: str, regions: Sequence[Region]) -> list[Region]:
    """Regions whose title is spelled nearly like the name."""
    titles: dict[str, Region] = {}
    for region in regions:
        titles.setdefault(" ".join(words_of(region.title)), region)
    near = get_close_matches(" ".join(words_of(name)), titles, n=CANDIDATES_NAMED, cutoff=SPELLED_ALIKE)
    return [titles[title] for title in near]


def _listing(regions: Sequence[Region]) -> str:
    """Titles with their atlases, some of many."""
    shown = [f"{region.title} ({region.atlas})" for region in regions[:CANDIDATES_NAMED]]
    more = len(regions) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
