"""Files to a picture, as whole processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import _views
from ._programs import HABENA, run, works
from ._report import Row
from ._screen import virtual_screen
from ._timing import interleaved

TITLE = "T1 of 1 mm and map of 2 mm to a PNG of 1200 × 900, whole process"
ROUNDS = 5
OF_MRVIEW = 1.0
NILEARN = (
    "import sys; from nilearn.plotting import plot_stat_map; anatomy, statistic, out = sys.argv[1:]; "
    "plot_stat_map(statistic, bg_img=anatomy, output_file=out, threshold=3)"
)


def rows() -> Iterator[Row]:
    """Beside mrview, FSLeyes and nilearn."""
    with virtual_screen() as screen:
        display = {"MPLBACKEND": "agg"}
        if screen is not None:
            display |= {"DISPLAY": screen.name, "QT_QPA_PLATFORM": "xcb"}
        commands = {name: command for name, command in _commands().items() if works(command, **display)}
        calls = {name: lambda command=command: run(command, **display) for name, command in commands.items()}
        seconds, foreign = interleaved(calls, ROUNDS)
    for peer, goal in (("mrview", OF_MRVIEW), ("FSLeyes", None), ("nilearn", None)):
        yield Row("habena render", seconds["habena"], peer, seconds.get(peer), "limit", goal, foreign)


def _commands() -> dict[str, Sequence[str | Path]]:
    anatomy, statistic, out = str(_views.anatomy()), str(_views.statistic_map()), str(_views.folder())
    picture = f"{out}/out.png"
    return {
        "habena": [HABENA, "render", anatomy, "--overlay", f"{statistic},threshold=3", "-o", picture],
        "mrview": [
            *("mrview", anatomy, "-mode", "2", "-size", "1200,900", "-overlay.load", statistic),
            *("-overlay.colourmap", "1", "-overlay.threshold_min", "3"),
            *("-capture.folder", out, "-capture.prefix", "mrview", "-capture.grab", "-exit"),
        ],
        "FSLeyes": ["fsleyes", "render", "-of", picture, "-sz", "1200", "900", anatomy, statistic, "-dr", "3", "8"],
        "nilearn": [sys.executable, "-c", NILEARN, anatomy, statistic, picture],
    }
