"""Answers about graphs: every region and metric, the same question of every voxel, and what lies beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from msgspec.structs import replace as changed

from ..problems import Finding, Problem, silent
from .answers import Answered, Plan, RegionRow
from .graph_beside import (
    connectivity_findings,
    global_table,
    motion_table,
    score_correlations,
    score_table,
    several_thresholds,
)
from .graph_data import GraphData, graph_data
from .graph_tests import Asked, GraphTests, graph_tests
from .graph_words import words_of
from .map_questions import fit_of, maps_of_test, once, regions_of
from .region_rows import RegionTests
from .result_words import region_words
from .values import Study

Report = Callable[[float], None]
NAN = float("nan")
MAPS = 1  # of a plan's models: clustering of every voxel takes many times as long as its degree
LATER = "The map of clustering takes long and is made on request: ask with the measure clustering."


def answer(plan: Plan, report: Report = silent) -> Answered:
    """Answer a question on graphs from the study's folder.

    Parameters
    ----------
    plan : Plan
        Of `plan_graph.plan`.
    report : callable
        Progress; may raise to cancel.

    Raises
    ------
    Problem
        Runs cannot be prepared, or the model cannot be estimated.
    """
    from .reading import read_study  # noqa: PLC0415 - readers of images

    study = read_study(plan.ask.study)
    found = nodes_answered(study, plan, lambda done: report(0.4 * done))
    return with_voxels(found, lambda done: report(0.4 + 0.6 * done))


def nodes_answered(study: Study, plan: Plan, report: Report = silent) -> Answered:
    """The answer about regions and the whole graph, without maps."""
    data = graph_data(study, plan, lambda done: report(0.8 * done))
    tests = graph_tests(data, asked_of(plan), lambda done: report(0.8 + 0.2 * done))
    rows = rows_of(plan, data, tests)
    tables = {
        "nodes": _nodes_table(data, rows, tests),
        "graphs": global_table(data),
        "motion": motion_table(plan, data),
        "scores": score_table(study, plan, data),
        "score_correlations": score_correlations(plan, data),
    }
    findings = (*plan.findings, *data.findings, *connectivity_findings(plan, data), *several_thresholds(plan))
    return Answered(
        plan=plan,
        simulated=data.simulated,
        regions=rows,
        details=_details(plan, data, tests),
        words=words_of(plan, rows, tests, tables, simulated=data.simulated),
        tables={name: table for name, table in tables.items() if len(table)},
        findings=once(findings),
        inputs=data.inputs,
    )


def with_voxels(found: Answered, report: Report = silent) -> Answered:
    """With the maps of voxelwise models, and the named regions of them, which an atlas's nodes may not have."""
    plan = found.plan
    maps: dict[str, Any] = {}
    clusters: list[Any] = []
    rows, findings, words = list(found.regions), list(found.findings), list(found.words)
    shown, later = plan.models[:MAPS], plan.models[MAPS:]
    findings += [Finding("map-on-request", each.formula, None, LATER) for each in later]
    for number, model in enumerate(shown):
        measure = "" if model.study is None else model.study.measure
        try:
            made = fit_of(model, plan.test, plan.ask.inference, lambda done, n=number: report((n + done) / len(shown)))
        except Problem as refused:
            message = f"No map of {measure}: {refused.what}; {refused.todo}."
            findings.append(Finding("no-map", measure, None, message))
            continue
        named = regions_of(replace(plan, ask=changed(plan.ask, measure=measure)), model, made)
        rows += [_voxelwise(row, measure, named.permutations) for row in named.rows]
        maps |= {f"{measure}_{name}": volume for name, volume in maps_of_test(made).items()}
        clusters += [{"map": measure, **cluster} for cluster in made.clusters]
        of_fit = [each for each in made.fitted.findings if each.code != "zero-in-some"]  # a degree may be 0
        findings += [*made.prepared.findings, *of_fit, *named.findings]
        words.append(_named_words(plan, measure, named, made.tested.maps.df[1]))
    return replace(
        found,
        maps=maps,
        clusters=tuple(clusters),
        regions=tuple(rows),
        words=tuple(words),
        findings=once(findings),
    )


def _named_words(plan: Plan, measure: str, named: RegionTests, df: float) -> str:
    """What survives among named regions of a voxelwise map, whose correction knows nothing of the other tests."""
    unit = "" if measure == "clustering" else "connections"
    said = region_words(replace(plan, unit=unit), named.rows, df, named.permutations)[0]
    return f"Voxelwise {measure} in named regions, a family of its own beside the tests above: {said}"


def asked_of(plan: Plan) -> Asked:
    """The test of a plan, for every metric."""
    inference = plan.ask.inference
    contrast = plan.models[0].contrasts[0]
    return Asked(plan.formula, contrast, inference.permutations, inference.seed, plan.ask.variance == "by-group")


def rows_of(plan: Plan, data: GraphData, tests: GraphTests) -> tuple[RegionRow, ...]:
    """A row per region and metric, and per metric of the whole graph."""
    maps = tests.maps
    numbers = (maps.estimate, maps.ci_low, maps.ci_high)
    estimate, low, high = (np.full(len(data.elements), NAN) if each is None else each for each in numbers)
    rows: list[RegionRow] = []
    for n, element in enumerate(data.elements):
        p_fwe = float(tests.p_fwe[n])
        rows.append(
            RegionRow(
                region=element.region or "whole graph",
                side=element.side,
                atlas=plan.ask.choices.atlas,
                effect=float(estimate[n]),
                ci=(float(low[n]), float(high[n])),
                statistic=float(maps.statistic[n]),
                p=float(maps.p[n]),
                p_fwe=None if np.isnan(p_fwe) else p_fwe,
                metric=element.metric,
                df=float(maps.df[1] if maps.df_map is None else maps.df_map[n]),
                note=_note(tests, n),
            )
        )
    return tuple(rows)


def _note(tests: GraphTests, n: int) -> str:
    if np.isnan(tests.maps.statistic[n]):
        return "does not vary between people"
    return f"q = {tests.q[n]:.3g} (Benjamini and Hochberg over all)"


def _voxelwise(row: RegionRow, measure: str, permutations: int) -> RegionRow:
    note = f"mean of the voxelwise map; p_fwe over named regions of this map, {permutations} arrangements"
    return row._replace(metric=f"voxelwise {measure}", note="; ".join(part for part in (row.note, note) if part))


def _nodes_table(data: GraphData, rows: Sequence[RegionRow], tests: GraphTests) -> Any:
    import pandas as pd  # noqa: PLC0415 - slow to import

    table = pd.DataFrame(row._asdict() for row in rows).drop(columns=["ci", "note"])
    table.insert(4, "ci_low", [row.ci[0] for row in rows])
    table.insert(5, "ci_high", [row.ci[1] for row in rows])
    table["p_permutation"], table["q"] = tests.p_permutation, tests.q
    used = data.values[tests.design.rows]
    table["mean"] = used.mean(axis=0)
    return table


def _details(plan: Plan, data: GraphData, tests: GraphTests) -> dict[str, Any]:
    ask = plan.ask
    return {
        "metrics": list(ask.metrics),
        "densities": list(ask.densities),
        "r": ask.choices.r,
        "edges": ask.choices.edges,
        "weighted": ask.choices.weighted,
        "atlas": ask.choices.atlas,
        "strategy": ask.choices.strategy,
        "tests": int(tests.tested.size),
        "correction": "p_fwe: largest |t| over all regions and metrics; q: Benjamini and Hochberg over the same",
        "permutations": tests.permutations,
        "exhaustive": tests.exhaustive,
        "seed": ask.inference.seed,
        "residual_df": float(tests.maps.df[1]),
        "negative_share": float(data.scans["negative_share"].mean()),
        "mean_connectivity": float(data.scans["mean_connectivity"].mean()),
    }
