"""The window under a mouse that drags the crosshair over the slices."""

from __future__ import annotations

from collections.abc import Iterator

from . import _views
from ._programs import drive
from ._report import Row
from ._timing import quietest

TITLE = "Window, crosshair dragged over three slices of 900 × 700 pixels, T1 of 1 mm"
CANVAS = (900, 700)
PICTURE_S = {"seed": 40e-3, "map": 30e-3}
PICTURES_PER_S = 30
HELD_S = 50e-3
TRIES = 2


def rows() -> Iterator[Row]:
    """Beside the limits: one move to its picture, pictures in a flood of moves, and how long the loop was held."""
    what = {
        "map": "map of 2 mm",
        "seed": f"seed map following ({_views.run()[1]}, 3 mm × {_views.N_VOLUMES})",
    }
    for kind, view in (("map", _views.map_view()), ("seed", _views.seed_view())):
        told, foreign = quietest(lambda view=view: drive("drag", view, CANVAS), TRIES)
        for task, ours_s, limit_s, goal in (
            ("move to painted picture", told["median_s"], PICTURE_S[kind], 1.0),
            ("slowest tenth of them", told["p90_s"], PICTURE_S[kind], None),
            ("one picture in a flood of 250 moves/s", 1 / told["pictures_per_s"], 1 / PICTURES_PER_S, 1.0),
            ("age of a picture in the flood", told["age_s"], PICTURE_S[kind], None),
            ("event loop held at most, processor time", told["held_cpu_s"], HELD_S, 1.0),
            ("event loop held at most, by the clock", told["held_s"], HELD_S, None),
        ):
            yield Row(f"{what[kind]}: {task}", ours_s, f"{1e3 * limit_s:.0f} ms", limit_s, "limit", goal, foreign)
