"""Lines round what exceeds a threshold, in the order of the layers; sharp over coarse slices."""

from __future__ import annotations

import numpy as np
import pytest
from habena.render.compose import Composer, numpy_kernels
from habena.render.marks import Line
from habena.render.outlines import scene_marks
from habena.render.scene import LabelShading, Layer, Panel, Rect, Shading, SliceScene, Source
from habena.render.slice_canvas import SliceCanvas

GREY = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
WHITE = (255, 255, 255)
PANEL = Panel("axial", 0.0, Rect(10, 20, 101, 81), (20.0, 16.0), 0.4, flipped=True)


def block(x: slice, y: slice) -> Source:
    data = np.zeros((40, 32, 3), np.float32, order="F")
    data[x, y] = 1.0
    inverse = np.eye(4)
    inverse[2, 3] = 1.0
    return Source(data, inverse, smooth=False)


OUTLINED = block(slice(5, 25), slice(6, 20))
NUMBERS = Layer(OUTLINED, Shading(GREY, 0.0, 1.0, threshold=0.5), outline=WHITE)
LABELS = Layer(OUTLINED, LabelShading(np.array([[0, 0, 0, 0], [9, 9, 9, 255]], np.uint8)), outline=WHITE)
RIGHT_HALF = Layer(block(slice(15, 40), slice(0, 32)), Shading(GREY, 0.0, 1.0, threshold=0.5))


def scene(*layers: Layer, coarse: int = 1) -> SliceScene:
    return SliceScene(
        (120, 110), (PANEL,), layers, letters=False, positions=False, scale_bar=False, coarse=coarse, crosshair_mm=None
    )


def lines_mm(*layers: Layer, coarse: int = 1) -> np.ndarray:
    """World x and y of all points of all lines, (n, 2)."""
    marks = scene_marks(scene(*layers, coarse=coarse), Composer(numpy_kernels()))
    points = np.concatenate([mark.points for mark in marks if isinstance(mark, Line)])
    return np.array([PANEL.mm_at(float(x), float(y))[:2] for x, y in points])


@pytest.mark.parametrize("layer", [NUMBERS, LABELS], ids=["numbers", "labels"])
def test_an_outline_is_hidden_by_an_opaque_layer_above_and_not_by_one_below(layer: Layer) -> None:
    free = lines_mm(layer)
    assert (free.min(axis=0), free.max(axis=0)) == (
        pytest.approx([4.5, 5.5], abs=0.5),
        pytest.approx([24.5, 19.5], abs=0.5),
    )
    below = lines_mm(layer, RIGHT_HALF)
    assert below[:, 0].max() == pytest.approx(14.5, abs=0.6)
    assert below[:, 0].min() == pytest.approx(4.5, abs=0.5)
    assert lines_mm(RIGHT_HALF, layer)[:, 0].max() == pytest.approx(24.5, abs=0.5)


def test_an_outline_stays_under_a_translucent_layer() -> None:
    glass = Layer(RIGHT_HALF.source, Shading(GREY, 0.0, 1.0, threshold=0.5, opacity=0.5), opacity=0.5)
    assert lines_mm(NUMBERS, glass)[:, 0].max() == pytest.approx(24.5, abs=0.5)


@pytest.mark.parametrize("layer", [NUMBERS, LABELS], ids=["numbers", "labels"])
def test_outlines_over_coarse_slices_lie_where_they_lie_over_sharp_ones(layer: Layer) -> None:
    sharp, coarse = lines_mm(layer), lines_mm(layer, coarse=2)
    np.testing.assert_allclose(coarse.min(axis=0), sharp.min(axis=0), atol=0.81)
    np.testing.assert_allclose(coarse.max(axis=0), sharp.max(axis=0), atol=0.81)


def test_coarse_slices_show_the_same_under_letters_as_sharp_as_ever() -> None:
    canvas = SliceCanvas(numpy_kernels())
    lettered = SliceScene((120, 110), (PANEL,), (NUMBERS,), coarse=2)
    coarse = canvas.picture(lettered).astype(int)[..., :3]
    sharp = canvas.picture(SliceScene((120, 110), (PANEL,), (NUMBERS,))).astype(int)[..., :3]
    again = canvas.picture(lettered).astype(int)[..., :3]
    canvas.close()
    np.testing.assert_array_equal(coarse, again)
    changed = np.abs(coarse - sharp).max(axis=-1) > 40
    assert 0 < changed.mean() < 0.05  # along edges alone
    letter = (slice(52, 70), slice(10, 26))  # R at the left edge, outside the block
    assert sharp[letter].max() > 200
    np.testing.assert_array_equal(coarse[letter], sharp[letter])
