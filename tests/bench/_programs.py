"""Whole programs, ours and others', started as a user would start them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from habena.app.state import ViewState, to_json

from ._views import folder

HABENA = Path(sys.executable).with_name("habena")


@cache
def environment() -> Mapping[str, str]:
    """That of a user who has run the program before: kernels compiled, settings at their defaults."""
    homes = {name: str(folder() / name) for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    made = {**os.environ, **homes}
    subprocess.run([sys.executable, "-m", "habena.app.warm"], env=made, check=True)
    return made


def run(command: Sequence[str | Path], **changes: str) -> None:
    """Run a program to its end, silently."""
    subprocess.run(command, env={**environment(), **changes}, check=True, capture_output=True)


def works(command: Sequence[str | Path], **changes: str) -> bool:
    """Whether a program is installed and does what it is asked to."""
    if shutil.which(str(command[0])) is None:
        return False
    try:
        run(command, **changes)
    except subprocess.CalledProcessError:
        return False
    return True


def drive(task: str, view: ViewState, canvas: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    """What `_drive` says of a view in a window of its own."""
    path = folder() / "view.json"
    path.write_bytes(to_json(view))
    command = [sys.executable, "-m", f"{__package__}._drive", task, str(path), f"{canvas[0]}x{canvas[1]}"]
    offscreen = {**environment(), "QT_QPA_PLATFORM": "offscreen"}
    ended = subprocess.run(command, env=offscreen, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(ended.stdout)
