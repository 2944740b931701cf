"""What a question in the words of a study comes to: first a plan, then an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..models import Model
from ..problems import Finding
from .asking import Ask


@dataclass(frozen=True, eq=False)
class Plan:
    """A question made exact, before anything is computed: what a form shows while it is filled in.

    Attributes
    ----------
    ask : Ask
        With every field filled.
    title : str
        Short, for a layer or a heading, with what is simulated marked so.
    words : str
        The model in a sentence, with the sign of improvement where there is one.
    formula : str
        As it is fitted.
    models : tuple of Model
        One for most questions, two for an overlap, one per metric family for graphs, none for a table's model.
    test : str
        Name of the contrast that the question is about, in the first model.
    effect_name, unit : str
        What a region's effect is, such as ``slope of SUVR change on improvement`` in ``SUVR per point``.
    n : mapping of str to int
        People by group or arm, and ``excluded``.
    findings : tuple of Finding
        Traps that apply and what was left out.
    n_each : tuple of mapping of str to int
        People of each model as `n`, where models are of different people.
    """

    ask: Ask
    title: str
    words: str
    formula: str
    models: tuple[Model, ...]
    test: str
    effect_name: str
    unit: str
    n: Mapping[str, int]
    findings: tuple[Finding, ...] = ()
    n_each: tuple[Mapping[str, int], ...] = ()


class RegionRow(NamedTuple):
    """A region of the named set (or a term of a table's model): significant or not, it is listed.

    Attributes
    ----------
    region : str
        Common name, such as ``habenula``; of a crossover the term.
    side : "L", "R" or ""
    atlas : str
        Where its outline comes from, with the id that `habena regions` lists.
    effect : float
        Of the region's mean, in the answer's unit.
    ci : (float, float)
        95 %.
    statistic : float
    p : float
        Of this region alone.
    p_fwe : float or None
        Over all regions listed, by permutation of the largest statistic.
    metric : str
        Of graphs, else empty.
    df : float
    note : str
        What must be said beside it, such as the share of its signal that the blur leaves.
    """

    region: str
    side: str
    atlas: str
    effect: float
    ci: tuple[float, float]
    statistic: float
    p: float
    p_fwe: float | None
    metric: str = ""
    df: float = float("nan")
    note: str = ""


@dataclass(frozen=True, eq=False)
class Answered:
    """An answer, written or not.

    Attributes
    ----------
    plan : Plan
    simulated : bool
    regions : tuple of RegionRow
    clusters : tuple of dict
        As `habena model` prints them.
    maps : mapping of str to (array, Grid)
        By name (``t``, ``effect``, ``p``, ``p_fwe``, ``overlap``...): float32 volumes, for writing and figures.
    details : mapping
        More fields of the JSON document: sizes and p of an overlap, r and error of a prediction, the crossover's tests.
    words : tuple of str
        The result in honest sentences.
    tables : mapping of str to DataFrame
        Further tables worth writing, by name.
    findings : tuple of Finding
    inputs : tuple of Path
        Of the study, whose hashes a report gives.
    """

    plan: Plan
    simulated: bool
    regions: tuple[RegionRow, ...]
    clusters: tuple[Mapping[str, Any], ...] = ()
    maps: Mapping[str, Any] = field(default_factory=dict[str, Any])
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    words: tuple[str, ...] = ()
    tables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    findings: tuple[Finding, ...] = ()
    inputs: tuple[Path, ...] = ()
