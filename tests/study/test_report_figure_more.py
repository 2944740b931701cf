"""Figures beside the main one: reference regions and thresholds, glass brains, people predicted, voxels and spectra."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from fabricated_answer import CLUSTERS, GRID, ROWS, TEMPLATE, answered_of, plan_of, study_in, t_map
from habena.app.io.write import Record, write_map
from habena.app.study.answers import RegionRow
from habena.app.study.asking import Ask
from habena.app.study.report_brain import LARGEST_MM, SMALLEST_MM, brains, nodes_of
from habena.app.study.report_charts import forest
from habena.app.study.report_curves import scatter, spectrum
from habena.app.study.report_figure import more_figures
from habena.app.study.report_multiples import BAR_PX, ROW_PX, multiples
from habena.app.study.report_paint import HEAD_PX, LEGEND_PX, colour_of, drawn_box
from habena.app.study.report_voxel import voxels
from habena.app.study.spectra import box_of
from habena.app.study.spectra_mean import SHOWN_PPM, MeanSpectra, mean_spectra, spectra_of
from habena.app.study.values import Scan, Study
from habena.app.study.written_maps import map_info, map_name
from habena.render.scene import Panel, Rect
from msgspec.structs import replace as changed
from numpy.testing import assert_allclose
from PIL import Image
from PySide6.QtWidgets import QApplication

PPM = np.arange(SHOWN_PPM[0], SHOWN_PPM[1], 0.005)
FREQUENCY_MHZ, DWELL_S, POINTS = 123.25, 1 / 2000, 1024


@pytest.fixture(scope="module", autouse=True)
def application(qapp: QApplication) -> QApplication:
    """Pictures are drawn under the one application of all tests."""
    return qapp


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_in(tmp_path / "study")


def pixels(content: bytes | None) -> np.ndarray:
    with Image.open(io.BytesIO(content or b"")) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.int64)


def near(picture: np.ndarray, colour: tuple[int, int, int], tolerance: int = 40) -> np.ndarray:
    return np.abs(picture - colour).max(axis=-1) <= tolerance


# -- reference regions and thresholds


def test_small_multiples_have_a_row_per_reference_and_per_threshold_at_the_same_slices(
    study: Study, tmp_path: Path
) -> None:
    values = {"t": t_map(), "t_white matter": t_map(), "t_cerebellum": -t_map()}
    maps = {name: tmp_path / map_name(name, "change", TEMPLATE) for name in values}
    for name, path in maps.items():
        write_map(path, values[name], map_info(GRID, study), Record({}))
    details = {"sensitivity": {"references": ["white matter", "cerebellum"]}}
    answered = answered_of(study, maps={name: (each, GRID) for name, each in values.items()}, details=details)
    picture = pixels(multiples(answered, maps))
    assert picture.shape == (HEAD_PX + 5 * (ROW_PX + LEGEND_PX) + BAR_PX, 1200, 3)
    first, second = (picture[HEAD_PX + LEGEND_PX + k * (ROW_PX + LEGEND_PX) :][:ROW_PX] for k in (0, 1))
    is_warm = [(row[..., 0] > 150) & (row[..., 2] < 90) & (row[..., 1] < row[..., 0]) for row in (first, second)]
    is_cold = [(row[..., 2] > 150) & (row[..., 0] < 90) for row in (first, second)]
    assert is_warm[0].sum() > 20 > is_warm[1].sum()  # one scale, opposite signs
    assert is_cold[1].sum() > 20
    assert multiples(answered_of(study), maps) is None


# -- graphs


def test_each_metric_of_a_graph_has_its_own_axis() -> None:
    rows = [row._replace(metric=name) for name in ("degree", "clustering") for row in ROWS[:3]]
    rows[3:] = [row._replace(effect=row.effect / 100, ci=(row.ci[0] / 100, row.ci[1] / 100)) for row in rows[3:]]
    chart = forest(rows, "")
    assert chart is not None
    xs = [float(dot.attrib["cx"]) for dot in chart.iter("circle")]
    assert_allclose(xs[3:], xs[:3])
    texts = ["".join(text.itertext()) for text in chart.iter("text")]
    assert "degree" in texts
    assert "clustering" in texts


def test_spheres_grow_with_the_effect_and_their_colour_is_its_sign() -> None:
    rows = [ROWS[0]._replace(effect=effect) for effect in (4.0, -1.0, 0.0)]
    nodes = nodes_of(rows, np.zeros((3, 3), np.float32))
    assert_allclose(nodes.radii_mm, [LARGEST_MM, (LARGEST_MM + SMALLEST_MM) / 2, SMALLEST_MM])
    assert [tuple(each) for each in nodes.colours[:2].tolist()] == [colour_of("orange"), colour_of("blue")]


def test_glass_brains_show_a_region_where_it_is(study: Study) -> None:
    row = RegionRow("Thalamus", "R", "aal2", 3.0, (1.0, 5.0), 4.0, 0.001, 0.01, "degree", 12.0)
    others = (row._replace(region="whole graph", side=""), row._replace(metric="voxelwise degree"))
    plan = plan_of(study, ask=Ask(str(study.folder), "graph"))
    picture = pixels(brains(answered_of(study, plan=plan, regions=(row, *others), maps={})))
    left, top, right = (picture[HEAD_PX + LEGEND_PX :, 400 * k : 400 * (k + 1)] for k in range(3))
    orange = colour_of("orange")
    assert not near(left, orange, 60).any()  # hidden by the other half
    assert near(right, orange, 60).sum() > 20
    assert np.argwhere(near(top, orange, 60))[:, 1].mean() > 200  # the person's right is on the right
    assert brains(answered_of(study, plan=plan, regions=others, maps={})) is None


def test_maps_of_a_graph_are_cut_at_their_own_clusters(study: Study, tmp_path: Path) -> None:
    path = tmp_path / map_name("degree_t", "graph", TEMPLATE)
    write_map(path, t_map(), map_info(GRID, study), Record({}))
    plan = plan_of(study, ask=Ask(str(study.folder), "graph"))
    clusters = ({**CLUSTERS[0], "map": "clustering"},)
    answered = answered_of(study, plan=plan, regions=(), maps={"degree_t": (t_map(), GRID)}, clusters=clusters)
    (extra,) = more_figures(answered, {"degree_t": path}, study)
    assert extra.name == "voxelwise-degree"
    picture = pixels(extra.png)
    assert picture.shape[0] == HEAD_PX + LEGEND_PX + 3 * 400  # by its own peaks: the cluster is of another map
    other = replace(answered, clusters=({**CLUSTERS[0], "map": "degree"},))
    assert pixels(more_figures(other, {"degree_t": path}, study)[0].png).shape[0] == HEAD_PX + LEGEND_PX + 400


# -- predictions


def test_people_predicted_are_points_on_one_scale() -> None:
    frame = pd.DataFrame({"observed": [0.0, 10.0, np.nan], "predicted": [0.0, 10.0, 1.0]})
    chart = scatter(frame, "improvement")
    assert chart is not None
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in chart.iter("circle")]
    assert len(dots) == 2
    ideal = next(line for line in chart.iter("line") if "stroke-dasharray" in line.attrib)
    assert_allclose(dots, [[float(ideal.attrib[name]) for name in ends] for ends in (("x1", "y1"), ("x2", "y2"))])
    assert scatter(frame.iloc[2:], "improvement") is None


# -- spectra


def decays(phase: float = 0.0, width_hz: float = 6.0) -> np.ndarray:
    """Two Lorentzian lines, at 2.01 and 3.03 ppm, the second with four fifths of the first's area."""
    time_s = np.arange(POINTS) * DWELL_S
    turning = sum(
        area * np.exp(-2j * np.pi * (ppm - 4.65) * FREQUENCY_MHZ * time_s) for ppm, area in ((2.01, 1), (3.03, 0.8))
    )
    return turning * np.exp(-np.pi * width_hz * time_s + 1j * phase)


def write_mrs(path: Path, values: np.ndarray, affine: np.ndarray | None = None) -> Path:
    """NIfTI-MRS of decays, (POINTS, n)."""
    image = nib.Nifti2Image(values.astype(np.complex64)[None, None, None], np.eye(4) if affine is None else affine)
    image.header.set_zooms((*image.header.get_zooms()[:3], DWELL_S, *([1.0] * (values.ndim - 1))))
    image.header.set_xyzt_units("mm", "sec")
    header = {"SpectrometerFrequency": [FREQUENCY_MHZ], "ResonantNucleus": ["1H"]}
    image.header.extensions.append(nib.nifti1.Nifti1Extension(44, json.dumps(header).encode()))
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    return path


@pytest.mark.parametrize("phase", [0.0, 0.7, -2.5])
def test_lines_stand_at_their_shift_with_the_ratio_of_their_areas_whatever_the_phase(
    phase: float, tmp_path: Path
) -> None:
    found = spectra_of(write_mrs(tmp_path / "a.nii.gz", decays(phase)[:, None]), PPM)
    assert found is not None
    (spectrum_,) = found
    assert PPM[spectrum_.argmax()] == pytest.approx(2.01, abs=0.005)
    assert spectrum_.max() == pytest.approx(1.0, abs=0.01)
    creatine = np.abs(PPM - 3.03).argmin()
    assert spectrum_[creatine] == pytest.approx(0.8, abs=0.01)
    # a Lorentzian line of 6 Hz has half its height 3 Hz away
    half = np.interp(2.01 + 3 / FREQUENCY_MHZ, PPM, spectrum_)
    assert half == pytest.approx(0.5, abs=0.03)


def test_files_that_are_no_spectra_are_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "t1.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.float32), np.eye(4)), path)
    assert spectra_of(path, PPM) is None


@pytest.fixture
def crossover(tmp_path: Path) -> tuple[Study, pd.DataFrame]:
    """A person with two sessions of three spectra, of which the last of the second is not used, and a file too few."""
    folder = tmp_path / "study"
    study = study_in(folder)
    scans, rows = [], []
    tilt = np.deg2rad(30.0)
    turned = np.array([[1, 0, 0], [0, math.cos(tilt), -math.sin(tilt)], [0, math.sin(tilt), math.cos(tilt)]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turned @ np.diag([20.0, 30.0, 20.0]), (0.0, 36.0, 12.0)
    for session, condition, count in (("ses-1", "placebo", 3), ("ses-2", "naltrexone", 3), ("ses-3", "placebo", 2)):
        kept = np.stack([decays(), decays(1.0), decays() * (2 if session == "ses-1" else 0)], axis=-1)
        path = write_mrs(folder / f"anna_{session}_svs.nii.gz", kept[:, :count], affine)
        fits = folder / f"anna_{session}_svs.tsv"
        fits.write_text("time_min\tglx_tnaa\n-5\t1\n5\t1\n10\t1\n")
        scans.append(Scan("anna", session, "mrs", path, TEMPLATE, fits=fits))
        used = (True, True, session == "ses-1")
        rows += [("anna", session, time, condition, use) for time, use in zip((-5.0, 5.0, 10.0), used, strict=True)]
    table = pd.DataFrame(rows, columns=["participant_id", "session_id", "time_min", "condition", "used"])
    return replace(study, scans=tuple(scans)), table


def test_only_spectra_that_are_used_make_the_mean_of_their_condition(crossover: tuple[Study, pd.DataFrame]) -> None:
    found = mean_spectra(*crossover)
    assert found.counts == {"naltrexone": 2, "placebo": 3}
    assert found.left_out == 1  # two spectra for three rows: nobody knows which
    assert_allclose(found.means["naltrexone"], found.means["placebo"], atol=2e-3)  # scaled, and the empty one unused
    chart = spectrum(found)
    assert chart is not None
    lines = [[point.split(",") for point in line.attrib["points"].split()] for line in chart.iter("polyline")]
    assert len(lines) == 2
    assert float(lines[0][0][0]) > float(lines[0][-1][0])  # 0.5 ppm is at the right end
    assert spectrum(MeanSpectra(found.ppm, {}, {}, 0)) is None


def test_the_cut_through_an_upright_box_is_its_rectangle_and_through_a_turned_one_a_polygon_of_its_area() -> None:
    panel = Panel("axial", 12.0, Rect(0, 0, 200, 100), (0.0, 0.0), 0.5)
    affine = np.diag([20.0, 30.0, 10.0, 1.0])
    affine[:3, 3] = (4.0, 6.0, 10.0)
    outline = np.array(drawn_box(panel, box_of(affine).corners_mm))
    assert len(outline) == 4
    assert_allclose(outline.min(axis=0), panel.px_of((-6.0, 21.0, 12.0)))
    assert_allclose(outline.max(axis=0), panel.px_of((14.0, -9.0, 12.0)))
    assert drawn_box(panel._replace(position_mm=15.5), box_of(affine).corners_mm) == []
    tilt = np.deg2rad(30.0)
    c, s = math.cos(tilt), math.sin(tilt)
    affine[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.diag([20.0, 30.0, 100.0])
    x, y = np.array(drawn_box(panel, box_of(affine).corners_mm)).T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert area * 0.5**2 == pytest.approx(20.0 * 30.0 / c)  # the long axis cut obliquely


def test_the_voxel_is_drawn_where_it_lies_on_the_anatomy(crossover: tuple[Study, pd.DataFrame]) -> None:
    study, table = crossover
    drawn = voxels(study, table, "Voxel, simulated")
    assert drawn is not None
    assert "3 of 3 sessions (20 x 30 x 20 mm)" in drawn.caption
    assert "0, 36, 12 mm" in drawn.caption
    picture = pixels(drawn.png)[HEAD_PX + LEGEND_PX :]
    yellow = (picture[..., 0] > 180) & (picture[..., 2] < 130) & (picture[..., 0] - picture[..., 2] > 90)
    assert all(yellow[:, part].sum() > 60 for part in (slice(0, 420), slice(420, 780), slice(780, 1200)))
    native = replace(study, scans=tuple(changed(scan, space="native") for scan in study.scans))
    assert voxels(native, table, "") is None


def test_a_crossover_has_its_voxel_and_spectra_beside_it(crossover: tuple[Study, pd.DataFrame]) -> None:
    study, table = crossover
    plan = plan_of(study, ask=Ask(str(study.folder), "crossover"))
    found = more_figures(answered_of(study, plan=plan, maps={}, tables={"spectra": table}), {}, study)
    assert [extra.name for extra in found] == ["voxel", "spectra"]
    assert "Sessions without a usable file of spectra: 1." in found[1].caption
    assert all(extra.png.startswith(b"\x89PNG") for extra in found)
    assert more_figures(answered_of(study), {}, study) == ()
