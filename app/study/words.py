"""Sentences of plans: the model in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .values import Study


def marked(study: Study, text: str) -> str:
    """With what is simulated marked so, beginning in upper case."""
    text = f"simulated: {text}" if study.simulated else text
    return text[:1].upper() + text[1:]


def improvement_words(title: str, first: str, last: str) -> str:
    """Improvement with its sign."""
    return f"improvement in {title} ({first} less {last}; larger is better)"


def sentence(words: str, covariates: Sequence[str], n: Mapping[str, int]) -> str:
    """The model in words, with covariates and people."""
    adjusted = f", adjusted for {listed(covariates)}" if covariates else ""
    return f"{words}{adjusted}, in {people(n)}."


def people(n: Mapping[str, int]) -> str:
    """How many of whom."""
    counted = {name: number for name, number in n.items() if name != "excluded"}
    if set(counted) == {"people"}:
        return f"{counted['people']} people"
    total = sum(counted.values())
    if len(counted) == 1:
        return f"{total} people ({next(iter(counted))})"
    told = ", ".join(f"{number} {name}" for name, number in counted.items())
    return f"{total} people ({told})"


def in_all(n: Mapping[str, int]) -> int:
    """How many, whoever they are."""
    return sum(number for name, number in n.items() if name != "excluded")


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    names = [name.replace("_", " ") for name in names]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
