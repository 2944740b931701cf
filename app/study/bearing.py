"""Options that have no part in a question: said, so that nobody takes its answer for that to another one."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import asdict

from ..problems import Finding
from .answers import Plan
from .wanted import Wanted

_MAPS = frozenset({"severity", "group", "change", "overlap", "prediction", "formula"})
_RUNS = frozenset({"degree", "clustering", "regions"})
_PREPARED = ("strategy", "run_fwhm", "drop", "detrend", "band", "columns", "censor", "brain")
_CUT = ("density", "r", "edges", "weighted")


class Part(NamedTuple):
    """Which questions an option has a part in, and of which measures; None for all."""

    kinds: frozenset[str] | None = None
    measures: frozenset[str] | None = None


_PARTS: dict[str, Part] = {
    "arm": Part(frozenset({"change", "overlap", "prediction", "graph", "formula"})),
    "percent": Part(frozenset({"change", "overlap", "graph"})),
    "baseline": Part(frozenset({"change", "overlap", "graph"})),
    "variance": Part(_MAPS | {"graph"}),
    "covariates": Part(_MAPS - {"formula"} | {"graph"}),
    "contrasts": Part(frozenset({"formula"})),
    "thresholds": Part(frozenset({"overlap"})),
    "quality": Part(frozenset({"crossover"})),
    "sessions": Part(_MAPS | {"graph"}),
    "metrics": Part(frozenset({"graph"})),
    "region": Part(_MAPS),
    "permutations": Part(_MAPS | {"graph"}),
    "correction": Part(_MAPS | {"graph"}),
    "reference": Part(None, frozenset({"pet"})),
    "window": Part(None, frozenset({"pet"})),
    "scaling": Part(None, frozenset({"pet", "map", "degree", "clustering"})),
    "fwhm": Part(_MAPS | {"graph"}),
    "mask": Part(_MAPS),
    "grid": Part(_MAPS),
    **dict.fromkeys((*_PREPARED, *_CUT), Part(None, _RUNS)),
}
_OPTIONS = {"contrasts": "--contrast"}  # the others are called as their fields are


def without_part(plan: Plan, wanted: Wanted) -> tuple[Finding, ...]:
    """What was asked for and changes nothing, one finding each.

    Parameters
    ----------
    plan : Plan
        Of the question.
    wanted : Wanted
        All that was said.
    """
    kind, default = plan.ask.kind, asdict(Wanted())
    rows = [model.study for model in plan.models if model.study is not None]
    measures = {each.measure for row in rows for each in (row, *(beside for _, beside in row.beside))}
    findings: list[Finding] = []
    for name, part in _PARTS.items():
        if getattr(wanted, name) == default[name]:
            continue
        if part.kinds is not None and kind not in part.kinds:
            findings.append(_finding(name, f"a question of {kind}"))
        elif part.measures is not None and not part.measures & measures:
            findings.append(_finding(name, f"this question of {', '.join(sorted(measures)) or 'spectra'}"))
    if kind in {"severity", "group"} and len(wanted.sessions) > 1:
        message = f"A question of {kind} is about one session: {wanted.sessions[0]} is taken, the other is not used."
        findings.append(Finding("option-unused", "--sessions", wanted.sessions[1], message))
    return tuple(findings)


def _finding(name: str, question: str) -> Finding:
    option = _OPTIONS.get(name, "--" + name.replace("_", "-"))
    return Finding("option-unused", option, None, f"{option} has no part in {question}: it is not used.")
