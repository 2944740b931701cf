"""How to ask the same again: the words of the command line and the Python call."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace

from .asking import Ask
from .wanted import NONE, Wanted, wanted_of

OPTIONS = {"contrasts": "--contrast"}  # the others are called as their fields are
REPEATED = {"contrasts", "voxelwise"}
PATHS = {"mask", "grid", "brain", "reference"}
WITHHELD = "NAMES"


def question_of(ask: Ask) -> str:
    """What was asked, in one word or as a formula."""
    return ask.formula if ask.kind == "formula" else ask.kind


def command_line(ask: Ask, *, names: bool = False, more: tuple[str, ...] = ()) -> str:
    """The command, for a shell; folders and files by their last names, people only when `names` are written."""
    words = ["habena", "ask", Path(ask.study).name, question_of(ask)]
    for name, value in _given(ask, names).items():
        option = OPTIONS.get(name, "--" + name.replace("_", "-"))
        if value is True:
            words.append(option)
        elif name in REPEATED:
            words += [part for each in value for part in (option, "=".join(each) if isinstance(each, tuple) else each)]
        else:
            words += [option, _text(value)]
    return shlex.join([*words, *more, "-o", "OUT"])


def python_call(ask: Ask, *, names: bool = False) -> str:
    """The call, for Python."""
    given = {name: dict(value) if name == "voxelwise" else value for name, value in _given(ask, names).items()}
    told = [repr(Path(ask.study).name), repr(question_of(ask)), *(f"{name}={value!r}" for name, value in given.items())]
    return f"habena.ask({', '.join(told)})"


def _given(ask: Ask, names: bool) -> dict[str, Any]:  # noqa: FBT001 - a private detail of both
    wanted = wanted_of(ask)
    if ask.exclude and not names:
        wanted = replace(wanted, exclude=(f"{WITHHELD} of {len(ask.exclude)}",))
    default = asdict(Wanted())
    given = {name: value for name, value in asdict(wanted).items() if value != default[name]}
    return {
        name: Path(value).name if name in PATHS and isinstance(value, str) else value for name, value in given.items()
    }


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(_text(each) for each in value) or NONE
    return f"{value!r}" if isinstance(value, float) else str(value)
