"""Colour tables are even in lightness, also for red-green blind eyes."""

from __future__ import annotations

import numpy as np
import pytest
from habena.resources import folder
from habena.resources.colours import lut, names, tables
from numpy.typing import NDArray

# Linear sRGB to XYZ (IEC 61966-2-1), D65
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
# Machado, Oliveira and Fernandes 2009, severity 1
MACHADO = {
    "usual": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
# Rounding to 8 bits moves L* by up to about 0.3; a step down by less is no dent that anybody sees
ROUNDING = 0.3


def cielab(colours: NDArray[np.uint8], eye: str = "usual") -> NDArray[np.float64]:
    """CIELAB 1976 under D65 of sRGB colours as an eye sees them."""
    encoded = colours / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ MACHADO[eye].T, 0, 1)
    ratio = seen @ XYZ.T / XYZ.sum(axis=1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=-1)


def lightness(name: str, eye: str) -> NDArray[np.float64]:
    return cielab(lut(name), eye)[:, 0]


def distances(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.norm(one[:, np.newaxis] - other, axis=-1)


def test_lightness_formula_agrees_with_known_colours():
    corners = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 0, 255]], dtype=np.uint8)
    np.testing.assert_allclose(cielab(corners)[:, 0], [0, 100, 53.24, 32.30], atol=0.02)


@pytest.mark.parametrize("name", names())
def test_tables_have_256_colours_and_cannot_be_changed(name: str):
    table = lut(name)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 1


@pytest.mark.parametrize("eye", MACHADO)
@pytest.mark.parametrize("name", names("sequential"))
def test_sequential_tables_grow_lighter_throughout(name: str, eye: str):
    light = lightness(name, eye)
    assert np.diff(light).min() > -ROUNDING
    assert np.diff(light[::8]).min() > 0
    assert light[-1] - light[0] > 45


@pytest.mark.parametrize("name", ["warm", "cool", "hot-metal"])
def test_own_sequential_tables_are_even_in_lightness(name: str):
    light = lightness(name, "usual")
    np.testing.assert_allclose(light, np.linspace(light[0], light[-1], 256), atol=0.5)


@pytest.mark.parametrize("eye", MACHADO)
@pytest.mark.parametrize("name", names("diverging"))
def test_diverging_tables_turn_once_in_the_middle(name: str, eye: str):
    light = lightness(name, eye)
    outwards = np.sign(light[[0, -1]].mean() - light[127:129].mean())
    left, right = -outwards * np.diff(light[:128:8]), outwards * np.diff(light[128::8])
    # berlin's middle is flat and near black
    assert min(left[:-1].min(), right[1:].min()) > 0
    assert min(left[-1], right[0]) > -2


@pytest.mark.parametrize(("name", "tolerance"), [("blue-red", 0.5), ("ice-fire", 0.5), ("vik", 9), ("berlin", 11)])
def test_diverging_tables_weigh_both_signs_alike(name: str, tolerance: float):
    light = lightness(name, "usual")
    np.testing.assert_allclose(light, light[::-1], atol=tolerance)


@pytest.mark.parametrize("eye", MACHADO)
def test_warm_and_cool_cannot_be_mistaken(eye: str):
    warm, cool = cielab(lut("warm"), eye), cielab(lut("cool"), eye)
    assert distances(warm, cool).min() > 40


def test_warm_and_cool_are_as_light_at_the_same_value():
    np.testing.assert_allclose(lightness("warm", "usual"), lightness("cool", "usual"), atol=0.5)


@pytest.mark.parametrize("eye", MACHADO)
@pytest.mark.parametrize("name", ["warm", "cool"])
def test_statistics_stand_out_from_grey_anatomy(name: str, eye: str):
    assert distances(cielab(lut(name), eye), cielab(lut("grey"), eye)).min() > 14


@pytest.mark.parametrize(("eye", "first", "apart"), [("usual", 24, 14), ("protan", 12, 9), ("deutan", 12, 9)])
def test_the_first_label_colours_are_unlike(eye: str, first: int, apart: float):
    lab = cielab(lut("labels")[:first], eye)
    assert distances(lab, lab)[~np.eye(first, dtype=bool)].min() > apart


def test_all_label_colours_differ_and_none_is_near_black_or_white():
    table = lut("labels")
    assert len({tuple(colour) for colour in table.tolist()}) == 256
    assert lightness("labels", "usual").min() > 30
    assert lightness("labels", "usual").max() < 93


def test_the_index_names_exactly_the_files():
    files = {path.stem for path in folder("colour_tables").glob("*.csv")}
    assert files == set(names()) == {table.name for table in tables()}
    assert all(table.source and table.licence for table in tables())


def test_partners_are_each_others():
    partners = {table.name: table.partner for table in tables() if table.partner}
    assert partners == {"warm": "cool", "cool": "warm"}


def test_an_unknown_table_is_a_key_error():
    with pytest.raises(KeyError, match="jet"):
        lut("jet")


@pytest.mark.parametrize(
    ("name", "ends"),
    [("viridis", ((68, 1, 84), (253, 231, 37))), ("grey", ((0, 0, 0), (255, 255, 255)))],
)
def test_published_ends(name: str, ends: tuple[tuple[int, int, int], tuple[int, int, int]]):
    np.testing.assert_array_equal(lut(name)[[0, -1]], ends)
