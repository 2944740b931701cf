"""Frames in words: times where they are known, names where frames have names, else plain numbers."""

from __future__ import annotations

import numpy as np
import pytest
from habena.app.answers import Answer, ArrayImage
from habena.app.grid import Grid
from habena.app.io.times import FrameTimes
from habena.app.times import frame_text, frame_title, time_axis

GRID = Grid((2, 2, 2), np.eye(4))
TIMES = FrameTimes((0.0, 2.0, 4.0), (2.0, 2.0, 2.0), "header")


def three_frames(**changes: object) -> Answer:
    image = ArrayImage(GRID, np.zeros(GRID.shape, np.float32, order="F"), n_frames=3)
    return Answer("three", image, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "axis", "title", "text"),
    [
        (three_frames(times=TIMES), "Time (s)", "Frame 2 of 3", "2 s"),
        (three_frames(), "Volume", "Volume 2 of 3", "Volume 2 of 3"),
        (three_frames(frame_names=("a", "b", "c")), "Map", "Map 2 of 3: b", "Map 2 of 3: b"),
        (three_frames(frame_names=("a", "", "c")), "Map", "Map 2 of 3", "Map 2 of 3"),
    ],
)
def test_a_frame_is_called_by_what_is_known_of_it(answer: Answer, axis: str, title: str, text: str) -> None:
    assert time_axis(answer).title == axis
    assert frame_title(answer, 1) == title
    assert frame_text(answer, 1) == text


def test_a_frame_beyond_the_last_is_the_last() -> None:
    assert frame_title(three_frames(frame_names=("a", "b", "c")), 7) == "Map 3 of 3: c"
