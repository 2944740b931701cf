"""Names of regions: which side, how to read them, how to compare them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

Side: TypeAlias = Literal["L", "R", ""]
"""Left, right, or neither (midline, or both under one label)."""

_SIDES: Mapping[str, Side] = {"l": "L", "lh": "L", "left": "L", "r": "R", "rh": "R", "right": "R"}
_GAPS = re.compile(r"[\s_\-./,:;()\[\]]+")


class Sided(NamedTuple):
    """A name without its side, and the side."""

    name: str
    side: Side


def side_of(word: str) -> Side:
    """The side that a word stands for, such as ``L``, ``lh`` or ``Right``; empty for any other word."""
    return _SIDES.get(word.casefold(), "")


def split_side(label: str) -> Sided:
    """Part an atlas's own label into name and side.

    The side is the first or the last word (``Left-Thalamus``, ``Angular_L``, ``HN_LH``), or the word
    after a prefix that only says where the label comes from (``ctx-lh-insula``, ``7Networks_RH_Vis_1``).
    """
    words = [match for match in re.split(r"([_\-\s.]+)", label.strip()) if match]
    for position in _side_positions(words):
        side = side_of(words[position])
        if side:
            rest = words[2:] if position == 0 else words[: position - 1] + words[position + 1 :]
            return Sided("".join(rest), side)
    return Sided(label.strip(), "")


def _side_positions(words: list[str]) -> tuple[int, ...]:
    """Where in words and separators a side may stand: first, last, or second after a known prefix."""
    if len(words) < 3:
        return ()
    prefixed = words[0].casefold() == "ctx" or words[0].endswith("Networks")
    return (0, len(words) - 1, 2) if prefixed else (0, len(words) - 1)


def readable(name: str, separators: str = "_", words: Mapping[str, str] | None = None) -> str:
    """A name with spaces, abbreviations spelled out, and a capital first letter.

    Parameters
    ----------
    name : str
        Without its side, as in the atlas's table.
    separators : str
        Characters that part words.
    words : mapping
        What single words stand for; an empty string drops a word.
    """
    parts = re.split(f"[{re.escape(separators)}\\s]+", name)
    spelled = [(words or {}).get(part, part) for part in parts]
    text = " ".join(part for part in spelled if part)
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=16384)
def words_of(text: str) -> tuple[str, ...]:
    """Words of a text for comparison: no case, no accents, no punctuation; 'TE1.0' is te1, 0."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return tuple(word for word in _GAPS.split(plain.casefold().replace("'", "")) if word)
