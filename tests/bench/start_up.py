"""From the command to a brain with a map on the screen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

from . import _views
from ._programs import HABENA, environment
from ._report import Row
from ._screen import Screen, virtual_screen
from ._timing import interleaved

TITLE = "Start to a brain with its map on the screen, T1 of 1 mm and map of 2 mm, files in memory"
ROUNDS = 5
SHARE_OF_FSLEYES = 0.3


def rows() -> Iterator[Row]:
    """Beside FSLeyes and mrview, all on the same virtual screen, timed by what is on it."""
    with virtual_screen() as screen:
        if screen is None:
            yield Row("habena (no virtual screen: Xvfb is not installed)", None, "FSLeyes", None, "limit", None, 0.0)
            return
        commands = {name: command for name, command in _commands().items() if shutil.which(command[0])}
        calls = {name: _call(screen, command) for name, command in commands.items()}
        seconds, foreign = interleaved(calls, ROUNDS)
    for peer, goal in (("FSLeyes", SHARE_OF_FSLEYES), ("mrview", None)):
        yield Row("habena", seconds["habena"], peer, seconds.get(peer), "limit", goal, foreign)


def _commands() -> dict[str, list[str]]:
    anatomy, statistic = str(_views.anatomy()), str(_views.statistic_map())
    warm = ["-overlay.colourmap", "1", "-overlay.threshold_min", "3"]
    return {
        "habena": [str(HABENA), anatomy, statistic],
        "mrview": ["mrview", anatomy, "-mode", "2", "-size", "1200,900", "-overlay.load", statistic, *warm],
        "FSLeyes": ["fsleyes", anatomy, statistic, "-cm", "red-yellow", "-dr", "3", "8"],
    }


def _call(screen: Screen, command: list[str]) -> Callable[[], float]:
    return lambda: screen.seconds_until_seen(command, {**environment(), "QT_QPA_PLATFORM": "xcb"})
