"""The same question of graphs under many defensible choices: how far its answer depends on them.

After Steegen et al. 2016 (doi 10.1177/1745691616658637) and Simonsohn, Simmons and Nelson 2020
(doi 10.1038/s41562-020-0912-z). No choice is right by itself, and none is called a published paper's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace

from ..problems import Finding, Problem, silent
from .asking import Ask
from .graph_data import Element, graph_data
from .graph_questions import asked_of
from .graph_tests import graph_parametric
from .plan_graph import plan
from .spectra import Frame
from .values import Study

Report = Callable[[float], None]
LEVEL = 0.05
ATLASES = ("aal2",)
DENSITIES = ((0.10,), (0.15,), (0.20,), (0.25,), (0.30,), (0.10, 0.15, 0.20, 0.25, 0.30))
STRATEGIES = ("", "motion6", "motion24", "motion24+wm-csf", "motion24+wm-csf+global")


class Target(NamedTuple):
    """What is looked at in every universe: a metric of a region, found by the words of its name.

    Attributes
    ----------
    title : str
    words : tuple of str
        Each begins a word of the region's name, in any case; the first region that has them all is taken.
    side : str
    metric : str
    """

    title: str
    words: tuple[str, ...]
    side: str
    metric: str


TARGETS = (
    Target("angular gyrus L, degree", ("angular",), "L", "degree"),
    Target("angular gyrus R, degree", ("angular",), "R", "degree"),
    Target("angular gyrus L, clustering", ("angular",), "L", "clustering"),
    Target("angular gyrus R, clustering", ("angular",), "R", "clustering"),
    Target("thalamus R, degree", ("thalamus",), "R", "degree"),
)


@dataclass(frozen=True)
class Universes:
    """The choices whose combinations are all asked.

    Attributes
    ----------
    atlases : tuple of str
    densities : tuple of tuple of float
        Several in one tuple are an area under the curve.
    strategies : tuple of str
        Of fMRIPrep's confounds; empty for none.
    edges : tuple of "positive", "absolute" or "signed"
    targets : tuple of Target
    """

    atlases: tuple[str, ...] = ATLASES
    densities: tuple[tuple[float, ...], ...] = DENSITIES
    strategies: tuple[str, ...] = STRATEGIES
    edges: tuple[str, ...] = ("positive",)
    targets: tuple[Target, ...] = TARGETS


class Multiverse(NamedTuple):
    """Many answers to one question.

    Attributes
    ----------
    table : DataFrame
        A row per universe and target: ``target``, ``atlas``, ``density`` (``10 %``, or ``AUC 10-30 %``), ``strategy``,
        ``edges``, ``n``, ``effect``, ``ci_low``, ``ci_high``, ``t``, ``df``, ``p``, and ``order``, the place in the
        specification curve of its target (by t).
    summary : DataFrame
        A row per target: ``universes``, ``share_positive``, ``share_same_sign``, ``share_p05``, ``median_t``,
        ``smallest_p``, ``largest_p``.
    words : tuple of str
    findings : tuple of Finding
    """

    table: Frame
    summary: Frame
    words: tuple[str, ...]
    findings: tuple[Finding, ...]


def multiverse(study: Study, ask: Ask, universes: Universes | None = None, report: Report = silent) -> Multiverse:
    """Ask the same question under every combination of choices.

    Parameters
    ----------
    study : Study
    ask : Ask
        Of kind ``graph``; its groups, sessions and covariates are those of every universe.
    universes : Universes, optional
    report : callable, optional
        May raise to cancel. Matrices of runs are kept, so that a second call is quick.

    Raises
    ------
    Problem
        No universe has an answer.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import

    asked = universes or Universes()
    every = list(product(asked.atlases, asked.strategies, asked.edges, asked.densities))
    rows: list[dict[str, Any]] = []
    findings: list[Finding] = []
    for number, (atlas, strategy, rule, chosen) in enumerate(every):
        share = 1 / len(every)

        def told(done: float, first: float = number * share, share: float = share) -> None:
            report(first + share * done)

        name = _named(atlas, strategy, rule, chosen)
        choices = replace(ask.choices, atlas=atlas, strategy=strategy, edges=rule, r=None)
        metrics = tuple(dict.fromkeys(target.metric for target in asked.targets))
        own = replace(ask, choices=choices, densities=chosen, metrics=metrics)
        try:
            rows += [{**name, **row} for row in _universe(study, own, asked.targets, told)]
        except Problem as problem:
            where = ", ".join(str(value) for value in name.values())
            findings.append(Finding("universe-failed", where, None, f"{problem.what}; {problem.todo}."))
    if not rows:
        raise Problem(study.folder, "has no universe with an answer", findings[0].message if findings else "look")
    table: Frame = pd.DataFrame(rows)
    table["order"] = table.groupby("target", sort=False)["t"].rank(method="first").astype(int)
    summary = _summary(table)
    report(1.0)
    return Multiverse(table, summary, _words(table, summary), tuple(findings))


def density_words(densities: Sequence[float]) -> str:
    """One density, or the range of an area under the curve."""
    if len(densities) == 1:
        return f"{100 * densities[0]:g} %"
    return f"AUC {100 * min(densities):g}-{100 * max(densities):g} %"


def _named(atlas: str, strategy: str, rule: str, densities: Sequence[float]) -> dict[str, str]:
    return {"atlas": atlas, "strategy": strategy or "none", "edges": rule, "density": density_words(densities)}


def _universe(study: Study, ask: Ask, targets: Sequence[Target], report: Report) -> list[dict[str, Any]]:
    made = plan(study, ask)
    data = graph_data(study, made, report)
    maps, design = graph_parametric(data, asked_of(made))
    rows: list[dict[str, Any]] = []
    for target in targets:
        n = _place(target, data.elements)
        if n is None or maps.estimate is None or maps.ci_low is None or maps.ci_high is None:
            continue
        rows.append(
            {
                "target": target.title,
                "region": f"{data.elements[n].region} {data.elements[n].side}".strip(),
                "n": len(design.rows),
                "effect": float(maps.estimate[n]),
                "ci_low": float(maps.ci_low[n]),
                "ci_high": float(maps.ci_high[n]),
                "t": float(maps.statistic[n]),
                "df": float(maps.df[1]),
                "p": float(maps.p[n]),
            }
        )
    return [row for row in rows if np.isfinite(row["t"])]


def _place(target: Target, elements: Sequence[Element]) -> int | None:
    for n, element in enumerate(elements):
        same = element.side == target.side and element.metric == target.metric
        if same and all(re.search(rf"\b{re.escape(word)}", element.region, re.IGNORECASE) for word in target.words):
            return n
    return None


def _summary(table: Frame) -> Frame:
    import pandas as pd  # noqa: PLC0415 - slow to import

    rows: list[dict[str, Any]] = []
    for name, own in table.groupby("target", sort=False):
        positive = float((own["t"] > 0).mean())
        rows.append(
            {
                "target": name,
                "universes": len(own),
                "share_positive": positive,
                "share_same_sign": max(positive, 1 - positive),
                "share_p05": float((own["p"] < LEVEL).mean()),
                "median_t": float(own["t"].median()),
                "smallest_p": float(own["p"].min()),
                "largest_p": float(own["p"].max()),
            }
        )
    return pd.DataFrame(rows)


def _words(table: Frame, summary: Frame) -> tuple[str, ...]:
    """How fragile each target is."""
    said = ["No combination of choices is right by itself; universes share their data, so shares are no tests."]
    for row in summary.itertuples():
        sign = "positive" if row.share_positive >= 0.5 else "negative"
        verdict = _verdict(row.share_same_sign, row.share_p05)
        text = (
            f"{row.target}: {row.share_same_sign:.0%} of {row.universes} universes are {sign}, {row.share_p05:.0%} "
            f"have p < .05 uncorrected (p from {row.smallest_p:.2g} to {row.largest_p:.2g}): {verdict}."
        )
        said.append(text.replace("%", " %"))
    lost = table["target"].value_counts()
    if lost.min() < lost.max():
        said.append("Not every target exists in every atlas: compare targets by their number of universes.")
    return tuple(said)


def _verdict(same: float, significant: float) -> str:
    if same < 0.9:
        return "fragile: even the sign depends on the choices"
    if significant == 0:
        return "a consistent sign, and no choice gives p < .05"
    if significant < 0.5:
        return "fragile: most choices do not give p < .05"
    if significant < 1:
        return "fairly robust: most choices agree, not all"
    return "robust to these choices"
