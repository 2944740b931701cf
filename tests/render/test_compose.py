"""Composition: compiled kernels against plain NumPy and SciPy, orientation by asymmetric data."""

from __future__ import annotations

import numpy as np
import pytest
from habena.render import kernels
from habena.render.compose import Composer, Kernels, numba_kernels, numpy_kernels, sample
from habena.render.scene import LabelShading, Layer, Modulator, Panel, Rect, Shading, Source
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

GREY = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
RED = GREY * np.array([1, 0, 0], np.uint8)
BLUE = GREY * np.array([0, 0, 1], np.uint8)
BOTH = pytest.mark.parametrize("kernels", [numba_kernels(), numpy_kernels()], ids=["numba", "numpy"])


def source(data: np.ndarray, affine: np.ndarray | None = None, *, smooth: bool = True) -> Source:
    affine = np.eye(4) if affine is None else affine
    return Source(np.asfortranarray(data.astype(np.float32)), np.linalg.inv(affine), smooth)


def panel(axis: str = "axial", at: float = 0.0, size: tuple[int, int] = (40, 30), mm: float = 0.5) -> Panel:
    return Panel(axis, at, Rect(0, 0, *size), (4.0, 5.0), mm)  # type: ignore[arg-type]


@BOTH
@pytest.mark.parametrize("axis", ["sagittal", "coronal", "axial"])
@pytest.mark.parametrize("flipped", [False, True])
def test_samples_agree_with_scipy_through_an_oblique_affine(kernels: Kernels, axis: str, flipped: bool) -> None:
    rng = np.random.default_rng(1)
    data = rng.standard_normal((9, 11, 7))
    affine = np.array([[0.9, 0.2, 0.1, -1.0], [-0.1, 1.1, 0.2, -2.0], [0.05, -0.2, 1.3, -3.0], [0, 0, 0, 1.0]])
    where = panel(axis, 1.3)._replace(flipped=flipped)
    got = sample(where, source(data, affine), kernels)
    columns, rows = np.meshgrid(np.arange(40) + 0.5, np.arange(30) + 0.5)
    mm = np.array([where.mm_at(x, y) for x, y in zip(columns.ravel(), rows.ravel(), strict=True)])
    ijk = (mm - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T
    inner = ((ijk >= 0) & (ijk <= np.array(data.shape) - 1)).all(axis=1)
    outside = ((ijk < -0.5) | (ijk > np.array(data.shape) - 0.5)).any(axis=1)
    expected = map_coordinates(data, ijk.T, order=1)
    assert inner.sum() > 100
    np.testing.assert_allclose(got.ravel()[inner], expected[inner], atol=2e-5)
    assert np.isnan(got.ravel()[outside]).all()
    assert np.isfinite(got.ravel()[~outside]).all()


@settings(max_examples=120, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    seed=st.integers(0, 2**32 - 1),
    holes=st.floats(0, 0.6),
    smooth=st.booleans(),
    axis=st.sampled_from(["sagittal", "coronal", "axial"]),
    oblique=st.booleans(),
    turned=st.booleans(),
)
def test_compiled_samples_equal_the_plain_ones(
    shape: tuple[int, int, int], seed: int, holes: float, smooth: bool, axis: str, oblique: bool, turned: bool
) -> None:
    rng = np.random.default_rng(seed)
    data = rng.standard_normal(shape)
    data[rng.random(shape) < holes] = np.nan
    affine = np.eye(4)[:, [1, 2, 0, 3]] if turned else np.eye(4)
    if oblique:
        affine[:3, :3] += rng.uniform(-0.2, 0.2, (3, 3))
    affine[:3, 3] = rng.uniform(-2, 2, 3)
    where = panel(axis, float(rng.uniform(0, 3)), (23, 17), 0.37)
    image = source(data, affine, smooth=smooth)
    fast, plain = sample(where, image, numba_kernels()), sample(where, image, numpy_kernels())
    # At an exact tie (half of the weight, an edge of a voxel) rounding may decide either way.
    same = np.isclose(fast, plain, atol=1e-4, equal_nan=True)
    assert same.mean() > 0.99


@BOTH
def test_missing_voxels_are_empty_not_black(kernels: Kernels) -> None:
    data = np.ones((8, 8, 3))
    data[4:] = np.nan
    values = sample(panel(size=(16, 16)), source(data), kernels)
    # Columns run along x from 0 to 8 mm in half millimetres: full up to half-way between the last
    # value and the first hole, empty from there on, and never a fading value between.
    known = np.isfinite(values[8])
    assert known[:7].all()
    assert not known[8:].any()
    assert set(np.unique(values[np.isfinite(values)])) == {1.0}


@BOTH
def test_left_of_the_person_is_left_and_flips_for_radiologists(kernels: Kernels) -> None:
    # One bright voxel on the person's right, in front, above; stored with x running to the left.
    data = np.zeros((20, 20, 20))
    affine = np.diag([-1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] = [10, -10, -10]
    data[4, 16, 17] = 1.0  # world (6, 6, 7)
    image = source(data, affine, smooth=False)
    axial = Panel("axial", 7.0, Rect(0, 0, 20, 20), (0.5, 0.5), 1.0)
    row, column = np.argwhere(sample(axial, image, kernels) == 1)[0]
    assert column > 10
    assert row < 10  # in front is up
    row, flipped = np.argwhere(sample(axial._replace(flipped=True), image, kernels) == 1)[0]
    assert flipped == 19 - column + 1 or flipped < 10
    coronal = Panel("coronal", 6.0, Rect(0, 0, 20, 20), (0.5, 0.5), 1.0)
    row, column = np.argwhere(sample(coronal, image, kernels) == 1)[0]
    assert column > 10
    assert row < 10  # above is up
    sagittal = Panel("sagittal", 6.0, Rect(0, 0, 20, 20), (0.5, 0.5), 1.0)
    row, column = np.argwhere(sample(sagittal, image, kernels) == 1)[0]
    assert column > 10  # in front is right
    assert row < 10


def one_pixel(kernels: Kernels, value: float, shading: Shading, modulator: Modulator | None = None) -> list[int]:
    layer = Layer(source(np.full((3, 3, 3), value)), shading, modulator)
    where = Panel("axial", 1.0, Rect(0, 0, 1, 1), (1.0, 1.0), 1.0)
    return Composer(kernels).picture(0, where, (layer,), (10, 20, 30))[0, 0].tolist()


TWO_SIDED = Shading(RED, 0.0, 10.0, BLUE, 0.0, 5.0, threshold=2.0, negative_threshold=1.0)


@BOTH
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (10.0, [255, 0, 0, 255]),
        (99.0, [255, 0, 0, 255]),  # beyond the range: last colour, not gone
        (2.0, [51, 0, 0, 255]),
        (1.99, [10, 20, 30, 255]),  # hidden
        (-5.0, [0, 0, 255, 255]),
        (-1.0, [0, 0, 51, 255]),
        (-0.99, [10, 20, 30, 255]),
        (0.0, [10, 20, 30, 255]),
    ],
)
def test_two_sided_colours_and_thresholds(kernels: Kernels, value: float, expected: list[int]) -> None:
    assert one_pixel(kernels, value, TWO_SIDED) == expected


@BOTH
def test_fading_falls_with_the_square(kernels: Kernels) -> None:
    faded = Shading(GREY * 0 + 255, 0.0, 10.0, threshold=4.0, fade=True)
    # half the threshold: a quarter of the opacity over (10, 20, 30)
    assert one_pixel(kernels, 2.0, faded) == [71, 79, 86, 255]
    assert one_pixel(kernels, 4.0, faded) == [255, 255, 255, 255]
    assert one_pixel(kernels, -1.0, faded) == [10, 20, 30, 255]


@BOTH
def test_modulation_by_another_image(kernels: Kernels) -> None:
    plain = Shading(GREY * 0 + 255, 0.0, 1.0)
    other = source(np.full((3, 3, 3), -3.0))
    assert one_pixel(kernels, 1.0, plain, Modulator(other, 1.0, 5.0)) == [133, 138, 143, 255]  # half way
    assert one_pixel(kernels, 1.0, plain, Modulator(other, -4.0, -2.0, clip=True)) == [255, 255, 255, 255]
    assert one_pixel(kernels, 1.0, plain, Modulator(other, 0.0, 2.0, clip=True)) == [10, 20, 30, 255]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    fade=st.booleans(),
    signed=st.booleans(),
    opacity=st.floats(0, 1),
    clear=st.booleans(),
)
def test_compiled_shading_equals_the_plain_one(
    seed: int, fade: bool, signed: bool, opacity: float, clear: bool
) -> None:
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((12, 10, 1)) * 3
    data[rng.random(data.shape) < 0.2] = np.nan
    shading = Shading(
        rng.integers(0, 256, (256, 3)).astype(np.uint8),
        0.2,
        float(rng.uniform(0.3, 5)),
        rng.integers(0, 256, (256, 3)).astype(np.uint8) if signed else None,
        0.1,
        2.0,
        float(rng.uniform(-1, 2)),
        0.7,
        fade,
        opacity,
    )
    layers = (Layer(source(data, smooth=False), shading),) * 2
    where = Panel("axial", 0.0, Rect(0, 0, 12, 10), (5.5, 4.5), 1.0)
    background = None if clear else (90, 80, 70)
    fast = Composer(numba_kernels()).picture(0, where, layers, background).astype(int)
    plain = Composer(numpy_kernels()).picture(0, where, layers, background).astype(int)
    # float32 against float64 arithmetic: one step of 255, and of a colour under an almost clear pixel
    solid = fast[..., 3] > 40
    assert np.abs(fast[..., 3] - plain[..., 3]).max() <= 2
    assert np.abs(fast - plain)[solid].max(initial=0) <= 4


@BOTH
def test_labels_take_their_own_colours_and_unknown_ones_stay_clear(kernels: Kernels) -> None:
    labels = np.array([0, 1, 2, 7]).reshape(4, 1, 1)
    table = np.array([[0, 0, 0, 0], [200, 0, 0, 255], [0, 200, 0, 128]], np.uint8)
    where = Panel("axial", 0.0, Rect(0, 0, 4, 1), (1.5, 0.0), 1.0)
    layer = Layer(source(labels, smooth=False), LabelShading(table))
    row = Composer(kernels).picture(0, where, (layer,), (100, 100, 100))[0].tolist()
    assert row == [[100, 100, 100, 255], [200, 0, 0, 255], [50, 150, 50, 255], [100, 100, 100, 255]]


@BOTH
def test_true_colour_images_are_shown_as_they_are(kernels: Kernels) -> None:
    colours = np.zeros((2, 1, 1, 4), np.uint8)
    colours[0, 0, 0] = [1, 2, 3, 255]
    colours[1, 0, 0] = [200, 100, 0, 0]
    where = Panel("axial", 0.0, Rect(0, 0, 2, 1), (0.5, 0.0), 1.0)
    layer = Layer(Source(colours, np.eye(4)), None)
    row = Composer(kernels).picture(0, where, (layer,), (9, 9, 9))[0].tolist()
    assert row == [[1, 2, 3, 255], [9, 9, 9, 255]]


def test_an_unchanged_plane_is_not_sampled_again() -> None:
    calls: list[int] = []
    plain = numpy_kernels()

    def counted(*arguments: object) -> None:
        calls.append(1)
        plain.sample_linear(*arguments)

    composer = Composer(plain._replace(sample_linear=counted))
    image = source(np.ones((4, 4, 4)))
    where = panel(size=(8, 8))
    for level in (1.0, 2.0, 3.0):
        composer.picture(0, where, (Layer(image, Shading(GREY, 0.0, level)),))
    assert len(calls) == 1
    composer.picture(0, where._replace(position_mm=1.0), (Layer(image, Shading(GREY, 0.0, 1.0)),))
    assert len(calls) == 2


def test_pictures_compile_nothing_new_after_warming_up() -> None:
    kernels.compile_kernels()
    before = {name: len(getattr(kernels, name).signatures) for name in Kernels._fields}
    data = np.asfortranarray(np.random.default_rng(0).standard_normal((5, 6, 7)).astype(np.float32))
    data.flags.writeable = False
    other = np.asfortranarray(np.ones((5, 6, 7), np.float32))
    colours = np.zeros((2, 2, 2, 4), np.uint8)
    table = np.zeros((3, 4), np.uint8)
    layers = (
        Layer(Source(data, np.eye(4)), TWO_SIDED, Modulator(Source(other, np.eye(4)), 0.0, 1.0)),
        Layer(Source(other, np.eye(4), smooth=False), Shading(GREY, 0.0, 1.0)),
        Layer(Source(other, np.eye(4), smooth=False), LabelShading(table)),
        Layer(Source(colours, np.eye(4)), None),
    )
    for background in (None, (0, 0, 0)):
        Composer(numba_kernels()).picture(0, panel(), layers, background)
    assert {name: len(getattr(kernels, name).signatures) for name in Kernels._fields} == before


def test_a_panel_shows_its_own_layers_alone() -> None:
    data = np.ones((4, 4, 4), np.float32)
    shading = Shading(np.tile(np.array([200, 10, 10], np.uint8), (256, 1)), 0.0, 1.0)
    other = Shading(np.tile(np.array([10, 10, 200], np.uint8), (256, 1)), 0.0, 1.0)
    layers = (Layer(source(data), shading), Layer(source(data), other))
    shown = panel(at=1.0, size=(3, 3))._replace(centre_mm=(1.5, 1.5))
    composer = Composer(numpy_kernels())
    assert composer.picture(0, shown, layers)[1, 1, :3].tolist() == [10, 10, 200]
    assert composer.picture(1, shown._replace(layers=(0,)), layers)[1, 1, :3].tolist() == [200, 10, 10]
    assert composer.picture(2, shown._replace(layers=()), layers)[1, 1, :3].tolist() == [0, 0, 0]
