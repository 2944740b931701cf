"""How to ask the same again: the words of the command line and the Python call."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace

from .asking import Ask
from .values import Choices
from .wanted import NONE, Wanted

OPTIONS = {"contrasts": "--contrast"}  # the others are called as their fields are
REPEATED = {"contrasts", "voxelwise", "quality"}
PATHS = {"mask", "grid", "brain", "reference"}
MAPPINGS = {"voxelwise", "quality"}  # of the Python call
WITHHELD = "NAMES"


def question_of(ask: Ask) -> str:
    """What was asked, in one word or as a formula."""
    return ask.formula if ask.kind == "formula" else ask.kind


def command_line(ask: Ask, *, names: bool = False, more: tuple[str, ...] = ()) -> str:
    """The command, for a shell; folders and files by their last names, people only when `names` are written.

    `more` are switches that are not part of the question, such as ``sensitivity``.
    """
    words = ["habena", "ask", Path(ask.study).name, question_of(ask)]
    for name, value in _given(ask, names).items():
        option = OPTIONS.get(name, "--" + name.replace("_", "-"))
        if value is True:
            words.append(option)
        elif name in REPEATED:
            words += [part for each in value for part in (option, _assigned(each))]
        else:
            words += [option, _text(value)]
    return shlex.join([*words, *(f"--{name}" for name in more), "-o", "OUT"])


def python_call(ask: Ask, *, names: bool = False, more: tuple[str, ...] = ()) -> str:
    """The call, for Python; as `command_line`."""
    given = {name: _mapping(value) if name in MAPPINGS else value for name, value in _given(ask, names).items()}
    given |= dict.fromkeys(more, True)
    told = [repr(Path(ask.study).name), repr(question_of(ask)), *(f"{name}={value!r}" for name, value in given.items())]
    return f"habena.ask({', '.join(told)})"


def wanted_of(ask: Ask) -> Wanted:
    """The options that ask the same again, from the program's own defaults."""
    choices, default, run = ask.choices, Choices(), ask.choices.preparation
    changed: dict[str, Any] = {
        name: getattr(choices, name)
        for name in ("reference", "scaling", "mask", "grid", "strategy", "atlas", "r", "edges", "weighted")
        if getattr(choices, name) != getattr(default, name)
    }
    one = () if choices.density is None or choices.density == default.density else (choices.density,)
    inference = ask.inference
    return Wanted(
        score=ask.score or None,
        covariates=ask.covariates,
        arm=ask.arm,
        percent=ask.percent,
        baseline=ask.baseline,
        variance=ask.variance,
        sessions=ask.sessions,
        measure=ask.measure,
        contrasts=ask.contrasts,
        metrics=ask.metrics,
        voxelwise=ask.voxelwise,
        thresholds=_pair(ask.thresholds) if ask.kind == "overlap" else None,
        exclude=ask.exclude,
        region=ask.within,
        density=ask.densities or one,
        window=choices.window_min,
        fwhm=choices.fwhm_mm or None,
        run_fwhm=None if run.fwhm_mm == choices.fwhm_mm else run.fwhm_mm,
        drop=run.drop or None,
        detrend=run.detrend or None,
        band=run.band_hz,
        columns=run.columns,
        censor=run.censor_fd_mm,
        brain=run.brain,
        permutations=inference.permutations,
        seed=inference.seed,
        correction=inference.correction,
        cluster_threshold=inference.cluster_p,
        connectivity=inference.connectivity,
        tfce_h=inference.tfce_h,
        tfce_e=inference.tfce_e,
        one_sided=inference.one_sided,
        quality=ask.quality,
        **changed,
    )


def _pair(values: tuple[float, ...]) -> tuple[float, float]:
    return values[0], values[-1]


def _given(ask: Ask, names: bool) -> dict[str, Any]:
    wanted = wanted_of(ask)
    if ask.exclude and not names:
        wanted = replace(wanted, exclude=(f"{WITHHELD} of {len(ask.exclude)}",))
    default = asdict(Wanted())
    given = {name: value for name, value in asdict(wanted).items() if value != default[name]}
    return {
        name: Path(value).name if name in PATHS and isinstance(value, str) else value for name, value in given.items()
    }


def _assigned(value: Any) -> str:
    return f"{value[0]}={_text(value[1])}" if isinstance(value, tuple) else value


def _mapping(pairs: Any) -> dict[str, Any]:
    return {name: None if value == math.inf else value for name, value in pairs}


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(_text(each) for each in value) or NONE
    return f"{value!r}" if isinstance(value, float) else str(value)
