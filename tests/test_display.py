"""How an image is shown at first."""

from __future__ import annotations

import numpy as np
from habena.app.answers import Answer, ArrayImage
from habena.app.display import first_overlay, wants_colour_bar
from habena.app.grid import Grid
from habena.app.layers import outline_of
from habena.app.recipes import FileMap, RegionMask
from habena.app.state import Overlay, Threshold
from habena.resources.colours import lut
from msgspec.structs import replace

GRID = Grid((12, 10, 8), np.eye(4))


def answer(values: np.ndarray, statistic: str = "") -> Answer:
    return Answer("map", ArrayImage(GRID, np.asfortranarray(values, np.float32)), statistic=statistic)


def scan() -> np.ndarray:
    return np.random.default_rng(0).gamma(4.0, 100.0, GRID.shape)


def second(name: str, values: np.ndarray, statistic: str = "") -> Overlay:
    return first_overlay(2, FileMap(name), answer(values, statistic), lowest=False)


def test_a_second_scan_is_grey_and_opaque_like_the_first() -> None:
    first = first_overlay(1, FileMap("/sub-01_T1w.nii"), answer(scan()), lowest=True)
    shown = second("/sub-01_task-rest_bold.nii", scan())
    assert shown.colours == first.colours
    assert shown.colours.name == "grey"
    assert (shown.opacity, shown.threshold) == (1.0, Threshold())


def test_what_is_no_scan_is_coloured_over_the_first() -> None:
    shares = scan() / scan().max()
    for coloured in (
        second("/label-GM_probseg.nii", shares),
        second("/sub-01_pet.nii", scan()),
        second("/f.nii", scan(), "F(2, 30)"),
        second("/contrast.nii", scan() - 400),
    ):
        assert coloured.colours.name != "grey"


def test_regions_in_turn_have_solid_colours_that_differ() -> None:
    mask = np.zeros(GRID.shape)
    mask[2:5, 3:6, 1:3] = 1
    layers = [first_overlay(key, RegionMask("aal2", (key,)), answer(mask), lowest=False) for key in range(2, 9)]
    colours = [lut(layer.colours.name) for layer in layers]
    assert all((table == table[0]).all() for table in colours)
    assert len({tuple(table[0]) for table in colours}) == 7
    apart = [np.abs(one[0].astype(int) - other[0]).sum() for one in colours for other in colours if one is not other]
    assert min(apart) > 60
    assert not any(wants_colour_bar(layer, answer(mask)) for layer in layers)


def test_a_mask_is_outlined_in_its_own_colour() -> None:
    mask = np.zeros(GRID.shape)
    mask[2:5, 3:6, 1:3] = 1
    shown = second("/mask.nii", mask)
    assert outline_of(shown) is None
    outlined = replace(shown, threshold=replace(shown.threshold, outline=True))
    assert outline_of(outlined) == tuple(lut(shown.colours.name)[0])
