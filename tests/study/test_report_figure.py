"""Figures and charts of a report: what is drawn, where, and in which colours."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from fabricated_answer import CLUSTERS, GRID, ROWS, TEMPLATE, answered_of, plan_of, study_in, t_map
from habena.app.io.write import Record, write_map
from habena.app.study.answers import RegionRow
from habena.app.study.asking import Ask
from habena.app.study.report_charts import MOST_ROWS, course, design, forest, significant, standalone, told_rows
from habena.app.study.report_figure import circles_of, figure
from habena.app.study.report_paint import HEAD_PX, ROW_PX, Circle, colour_of, drawn_circle
from habena.app.study.report_view import peaks
from habena.app.study.values import Study
from habena.app.study.written_maps import map_info, map_name, unit_of
from habena.render.scene import Panel, Rect
from numpy.testing import assert_allclose
from PIL import Image
from PySide6.QtWidgets import QApplication


@pytest.fixture(scope="module", autouse=True)
def application(qapp: QApplication) -> QApplication:
    """Pictures are drawn under the one application of all tests."""
    return qapp


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_in(tmp_path / "study")


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.int64)


def near(picture: np.ndarray, colour: tuple[int, int, int], tolerance: int = 40) -> np.ndarray:
    return np.abs(picture - colour).max(axis=-1) <= tolerance


def written(values: np.ndarray, name: str, study: Study, folder: Path) -> Path:
    path = folder / map_name(name, "change", TEMPLATE)
    write_map(path, values, map_info(GRID, study), Record({}))
    return path


def test_the_map_is_cut_at_the_peak_of_the_largest_cluster(study: Study, tmp_path: Path) -> None:
    answered = answered_of(study)
    values = np.zeros(GRID.shape, np.float32)
    values[GRID.voxel_at((14.0, -21.0, 10.0))] = 9.0
    answered = replace(answered, maps={"t": (values, GRID)})
    content = figure(answered, {"t": written(values, "t", study, tmp_path)})
    picture = pixels(content or b"")
    assert picture.shape[1] == 1200
    assert picture.shape[0] > HEAD_PX + ROW_PX
    red, green, blue = np.moveaxis(picture[HEAD_PX:-60], -1, 0)
    warm = (red > 150) & (blue < 90) & (red > green)
    assert warm.any(axis=0)[: 1200 // 3].any()  # sagittal, coronal and axial each show it
    assert warm.any(axis=0)[1200 // 3 : 2 * 1200 // 3].any()
    assert warm.any(axis=0)[2 * 1200 // 3 :].any()
    # neurological: the right side of the person is right of the middle of the axial slice
    axial = near(picture[HEAD_PX:-60, 830:], (0, 0, 0), 10)
    brain = np.flatnonzero(~axial.all(axis=0))
    spot = np.flatnonzero(warm[:, 830:].any(axis=0))
    assert spot.mean() > (brain[0] + brain[-1]) / 2


def test_without_clusters_the_slices_go_through_the_farthest_values_apart_from_each_other() -> None:
    values = np.zeros(GRID.shape, np.float32)
    for ijk, value in (((3, 4, 5), -9.0), ((3, 4, 6), 8.0), ((20, 20, 15), 7.0), ((3, 20, 5), 6.0), ((20, 4, 5), 5.0)):
        values[ijk] = value
    values[0] = np.nan
    found = peaks(values, GRID, ())
    assert_allclose(found, GRID.mm_of([(3, 4, 5), (20, 20, 15), (3, 20, 5)]), atol=0.06)
    assert peaks(values, GRID, CLUSTERS) == ((14.0, -21.0, 10.0),)


def test_an_overlap_has_three_colours_and_white_circles_round_what_is_both(study: Study, tmp_path: Path) -> None:
    values = np.zeros(GRID.shape, np.float32)
    i, j, k = GRID.voxel_at((20.0, -35.0, 10.0))
    values[i - 2 : i + 3, j - 2 : j + 3, k - 2 : k + 3] = 3
    values[i - 7 : i - 4, j - 2 : j + 3, k - 2 : k + 3] = 1
    values[i - 2 : i + 3, j + 5 : j + 8, k - 2 : k + 3] = 2
    path = written(values, "overlap_low_plus", study, tmp_path)
    answered = answered_of(study, maps={"overlap_low_plus": (values, GRID)}, clusters=())
    picture = pixels(figure(answered, {"overlap_low_plus": path}) or b"")[HEAD_PX + 30 :]
    counts = {name: int(near(picture, colour_of(name), 45).sum()) for name in ("green", "blue", "orange")}
    assert min(counts.values()) > 200
    (circle,) = circles_of(values == 3, GRID)
    white = near(picture, (255, 255, 255), 3)
    assert white.sum() > 3 * 2 * math.pi * 20 * 0.5  # three rings
    assert_allclose(circle.centre_mm, GRID.mm_of((i, j, k)))


def test_circles_cut_by_a_slice_are_smaller_and_vanish_beyond_it() -> None:
    circle = Circle((10.0, 20.0, 30.0), 5.0)
    panel = Panel("axial", 30.0, Rect(0, 0, 200, 100), (0.0, 0.0), 0.5)
    assert drawn_circle(panel, circle) == ((120.0, 10.0), 10.0)
    shifted = drawn_circle(panel._replace(position_mm=33.0), circle)
    assert shifted is not None
    assert shifted[1] == pytest.approx(8.0)
    assert drawn_circle(panel._replace(position_mm=35.0), circle) is None
    flipped = drawn_circle(panel._replace(flipped=True), circle)
    assert flipped is not None
    assert flipped[0][0] == 80.0


def test_parts_that_touch_at_a_corner_share_one_circle_and_the_largest_comes_first() -> None:
    mask = np.zeros(GRID.shape, bool)
    mask[2, 2, 2] = mask[3, 3, 3] = True
    mask[10:14, 10:12, 10] = True
    found = circles_of(mask, GRID)
    assert len(found) == 2
    assert GRID.voxel_at(found[0].centre_mm) in set(map(tuple, np.argwhere(mask[:, :, :])[2:].tolist()))
    inside = np.linalg.norm(GRID.mm_of(np.argwhere(mask)[2:]) - found[0].centre_mm, axis=1)
    assert inside.max() < found[0].radius_mm
    assert circles_of(mask & False, GRID) == ()


def frame() -> pd.DataFrame:
    time = np.repeat([-5.0, 5.0, 25.0], 2)
    mean = np.array([1.0, 1.1, 1.2, 1.5, 1.1, np.nan])
    return pd.DataFrame(
        {"condition": ["placebo", "naltrexone"] * 3, "time_min": time, "mean": mean, "lo": mean - 0.1, "hi": mean + 0.1}
    )


def test_answers_without_maps_get_a_time_course_or_intervals(study: Study) -> None:
    plan = plan_of(study, title="Crossover, simulated")
    plan = replace(plan, ask=Ask(str(study.folder), "crossover"))
    with_course = figure(answered_of(study, plan=plan, maps={}, tables={"time_course": frame()}), {})
    with_rows = figure(answered_of(study, plan=plan, maps={}), {})
    for content in (with_course, with_rows):
        picture = pixels(content or b"")
        assert near(picture, (255, 255, 255), 5).mean() > 0.7
        assert near(picture, (0xB5, 0x48, 0x0A)).sum() > 50  # one line in each colour
        assert near(picture, (0x1F, 0x6F, 0xB2)).sum() > 50
    assert figure(answered_of(study, plan=plan, maps={}, regions=()), {}) is None


def drawn(node: Any, tag: str) -> list[dict[str, str]]:
    return [dict(each.attrib) for each in node.iter(tag)]


def test_the_forest_places_effects_and_intervals_on_one_scale() -> None:
    chart = forest(ROWS, "SUVR")
    dots, lines = drawn(chart, "circle"), drawn(chart, "line")
    assert len(dots) == 3  # the row without numbers is not drawn
    zero = float(lines[0]["x1"])
    xs = [float(dot["cx"]) for dot in dots]
    assert [x > zero for x in xs] == [row.effect > 0 for row in ROWS[:3]]
    per_unit = (xs[2] - xs[0]) / (ROWS[2].effect - ROWS[0].effect)
    assert xs[1] - zero == pytest.approx(0.25 * per_unit, abs=0.05)
    bar = lines[1]
    assert float(bar["x2"]) - float(bar["x1"]) == pytest.approx(0.8 * per_unit, abs=0.05)
    assert [dot["class"] for dot in dots] == ["down open", "up open", "up"]
    assert forest((ROWS[3],), "SUVR") is None


def test_a_point_is_filled_by_the_corrected_p_where_there_is_one() -> None:
    row = ROWS[0]
    assert not significant(row)
    assert significant(row._replace(p_fwe=None))
    assert not significant(row._replace(p_fwe=None, p=math.nan))


def test_of_very_many_rows_those_with_the_smallest_p_are_drawn_in_their_order() -> None:
    rows = [RegionRow(f"r{k}", "", "a", 1.0, (0.5, 1.5), 2.0, p, None) for k, p in enumerate(np.linspace(1, 0.01, 90))]
    rows[7] = rows[7]._replace(effect=math.nan)
    kept = told_rows(rows)
    assert [row.region for row in kept] == [f"r{k}" for k in range(50, 90)]
    assert len(kept) == MOST_ROWS


def test_the_time_course_leaves_out_what_is_missing() -> None:
    chart = course(frame(), "Glx/tNAA")
    assert len(drawn(chart, "circle")) == 5
    lines = [line["points"].split() for line in drawn(chart, "polyline")]
    assert [len(points) for points in lines] == [2, 3]
    heights = [float(point.split(",")[1]) for point in lines[1]]
    assert heights[1] < heights[2] < heights[0]  # 1.2, 1.1, 1.0: upwards is larger
    assert course(frame().iloc[:0], "Glx/tNAA") is None


def test_the_design_is_a_cell_for_every_row_and_column() -> None:
    matrix = np.array([[1.0, 0, 20], [1, 1, 30], [1, 1, 40]])
    cells = drawn(design(matrix, ("Intercept", "group", "age")), "rect")
    assert len(cells) == 9
    shades = [int(cell["fill"][1:3], 16) for cell in cells]
    assert shades == [230, 40, 40, 230, 230, 135, 230, 230, 230]


def test_a_chart_of_its_own_is_svg_that_others_can_read() -> None:
    root = ET.fromstring(standalone(forest(ROWS, "a < b & c"), "Title <1>"))  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "a < b & c" in "".join(root.itertext())


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("t", "t"),
        ("effect", "SUVR per point"),
        ("neglog10-p-fwe", "-log10 p"),
        ("p_fwe", "-log10 p"),
        ("overlap_low_plus", ""),
        ("t_groups", "t"),
        ("effect_groups", "SUVR"),
        ("effect_change", "SUVR per point"),
    ],
)
def test_maps_know_their_unit(name: str, unit: str) -> None:
    assert unit_of(name, "SUVR per point") == unit


def test_maps_are_named_with_letters_and_digits_only() -> None:
    assert map_name("overlap_low_plus", "overlap", None) == "desc-overlap_stat-overlapLowPlus_statmap.nii.gz"
    assert map_name("neglog10-p-tfce-fwe", "change", "MNI152NLin2009aSym") == (
        "space-MNI152NLin2009aSym_desc-change_stat-neglog10PTfceFwe_statmap.nii.gz"
    )


def test_the_map_of_an_answer_looks_as_its_values_are(study: Study, tmp_path: Path) -> None:
    path = written(t_map(), "t", study, tmp_path)
    content = figure(answered_of(study, clusters=()), {"t": path}) or b""
    assert pixels(content).shape[0] > HEAD_PX + 3 * ROW_PX  # three peaks
