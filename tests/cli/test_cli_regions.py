"""`habena regions`, and the names that `--region` takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command_line import SHAPE, document, done, mm_of_voxels, refused, write_image
from habena.app.grid import Grid
from habena.app.io.atlases import load_atlas

COLUMNS = ["atlas", "name", "side", "index", "abbreviation", "centre_mm", "volume_mm3", "template", "licence"]
STATISTICS = [
    *("map", "atlas", "name", "side", "index", "voxels", "volume_mm3", "missing"),
    *("mean", "sd", "median", "min", "max", "peak_mm"),
]


def rows_of(tsv: str) -> list[dict[str, str]]:
    header, *lines = tsv.splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]


def test_every_region_of_every_atlas_is_listed_with_place_size_template_and_licence() -> None:
    found = document("regions")
    assert found["warnings"] == []
    regions = found["regions"]
    assert {"aal2", "cit168", "melbourne-s2", "schaefer200", "harvard-oxford"} <= {row["atlas"] for row in regions}
    assert all(list(row) == COLUMNS for row in regions)
    assert all(row["volume_mm3"] > 0 and row["template"] and row["licence"] for row in regions)


@pytest.mark.parametrize("atlas", ["cit168", "aal2", "melbourne-s2", "schaefer200", "harvard-oxford"])
def test_left_is_where_x_is_negative_in_every_listing(atlas: str) -> None:
    regions = document("regions", "--atlas", atlas)["regions"]
    assert {row["atlas"] for row in regions} == {atlas}
    sides = {row["side"] for row in regions}
    assert {"L", "R"} <= sides
    assert all(row["centre_mm"][0] < 0 for row in regions if row["side"] == "L")
    assert all(row["centre_mm"][0] > 0 for row in regions if row["side"] == "R")


def test_an_atlas_may_be_named_as_people_write_it() -> None:
    assert document("regions", "--atlas", "AAL 2") == document("regions", "--atlas", "aal2")


def test_the_table_in_text_tsv_and_json_is_one_table(tmp_path: Path) -> None:
    outcome = done("regions", "--atlas", "cit168", "-o", tmp_path / "regions.tsv")
    assert outcome == (0, "", "")
    rows = rows_of((tmp_path / "regions.tsv").read_text())
    listed = document("regions", "--atlas", "cit168")["regions"]
    assert list(rows[0]) == COLUMNS
    assert [(row["name"], row["side"], int(row["index"])) for row in rows] == [
        (row["name"], row["side"], row["index"]) for row in listed
    ]
    assert [float(part) for part in rows[0]["centre_mm"].split(",")] == pytest.approx(listed[0]["centre_mm"], rel=1e-4)
    text = done("regions", "--atlas", "cit168").out.splitlines()
    assert text[0].split() == COLUMNS
    assert len(text) == len(listed) + 1
    assert any(line.startswith("cit168  Habenula") for line in text)


@pytest.fixture(scope="module")
def gradient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map of x in mm, with a hole where z is high."""
    mm = mm_of_voxels()
    x = np.where(mm[..., 2] > 40, np.nan, mm[..., 0]).astype(np.float32)
    return write_image(tmp_path_factory.mktemp("maps") / "sub-01_space-MNI152NLin6Asym_desc-x_map.nii.gz", x)


def test_statistics_are_those_of_the_voxels_of_each_region(gradient: Path) -> None:
    mm = mm_of_voxels()
    atlas = load_atlas("harvard-oxford")
    affine = np.array([[-4.0, 0, 0, 50], [0, 5, 0, -62], [0, 0, 6, -40], [0, 0, 0, 1]])
    labels = atlas.labels_on(Grid(SHAPE, affine))
    rows = document("regions", gradient, "--atlas", "harvard-oxford")["statistics"]
    assert len(rows) == len(np.unique(labels[labels > 0]))
    checked = 0
    for row in rows:
        assert list(row) == STATISTICS
        assert (row["map"], row["atlas"]) == (gradient.name, "harvard-oxford")
        number = next(n for n, r in enumerate(atlas.regions, 1) if (r.name, r.side) == (row["name"], row["side"]))
        inside = labels == number
        there = inside & (mm[..., 2] <= 40)
        assert row["voxels"] == there.sum()
        assert row["missing"] == pytest.approx(1 - there.sum() / inside.sum())
        if there.sum() > 1:
            x = mm[..., 0][there]
            expected = (x.mean(), x.std(ddof=1), np.median(x), x.min(), x.max())
            found = [row[name] for name in ("mean", "sd", "median", "min", "max")]
            assert found == pytest.approx(expected, rel=1e-4, abs=1e-4)
            assert abs(row["peak_mm"][0]) == pytest.approx(np.abs(x).max())
            checked += 1
    assert checked > 50


def test_statistics_of_several_maps_follow_each_other_in_the_order_asked(gradient: Path, tmp_path: Path) -> None:
    other = write_image(tmp_path / "a_space-MNI152NLin6Asym_map.nii.gz", np.ones(SHAPE, np.float32))
    done("regions", gradient, other, "--atlas", "cit168", "-o", tmp_path / "out.tsv")
    rows = rows_of((tmp_path / "out.tsv").read_text())
    names = [row["map"] for row in rows]
    assert list(dict.fromkeys(names)) == [gradient.name, other.name]
    assert {row["mean"] for row in rows if row["map"] == other.name} == {"1"}


def test_a_missing_number_is_written_as_in_bids(tmp_path: Path) -> None:
    empty = write_image(tmp_path / "space-MNI152NLin6Asym_map.nii.gz", np.full(SHAPE, np.nan, np.float32))
    done("regions", empty, "--atlas", "cit168", "-o", tmp_path / "out.tsv")
    assert {(row["mean"], row["peak_mm"]) for row in rows_of((tmp_path / "out.tsv").read_text())} == {("n/a", "n/a")}


def test_a_map_in_another_variant_of_the_template_is_told(gradient: Path) -> None:
    assert document("regions", gradient, "--atlas", "harvard-oxford")["warnings"] == []
    (finding,) = document("regions", gradient, "--atlas", "cit168")["warnings"]
    assert "MNI152NLin2009cAsym" in finding["message"]


def test_names_are_refused_where_the_space_is_another(tmp_path: Path) -> None:
    values = np.ones(SHAPE, np.float32)
    unknown = write_image(tmp_path / "space-T1w_map.nii.gz", values, code=1)
    assert "name its space" in refused("regions", unknown)
    talairach = write_image(tmp_path / "talairach_map.nii.gz", values, code=3)
    refused("regions", talairach, "--atlas", "aal2")


# -- names of --region


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise that fills the box, empty at its border."""
    rng = np.random.default_rng(3)
    data = np.zeros((*SHAPE, 30), np.float32)
    data[2:-2, 2:-2, 1:-1] = rng.normal(100, 9, data[2:-2, 2:-2, 1:-1].shape)
    return write_image(tmp_path_factory.mktemp("run") / "sub-01_space-MNI152NLin6Asym_bold.nii.gz", data)


@pytest.mark.parametrize(
    ("name", "atlas", "titles"),
    [
        ("Angular L", "aal2", ["Angular L"]),
        ("angular r", "AAL2", ["Angular R"]),
        ("left angular gyrus", "aal2", ["Angular L"]),
        ("Angular_R", "aal2", ["Angular R"]),
        ("Angular both", "aal2", ["Angular L", "Angular R"]),
        ("caudate nucleus R", "cit168", ["Caudate nucleus R"]),
        ("Thalamus left", "harvard-oxford", ["Thalamus L"]),
    ],
)
def test_a_region_is_found_by_its_name(name: str, atlas: str | None, titles: list[str], run: Path, tmp_path) -> None:
    words = ("--region", name, *([] if atlas is None else ["--atlas", atlas]))
    assert document("seed", run, *words, "-o", tmp_path / "r.nii")["seed_regions"] == titles


@pytest.mark.parametrize(
    ("name", "atlas", "said"),
    [
        ("Angular", "aal2", "two sides; ask for 'Angular L', 'Angular R' or 'Angular both'"),
        ("habenula", None, "two sides; ask for 'Habenula L', 'Habenula R' or 'Habenula both'"),
        ("Angular gyrus L", None, "Angular Gyrus L (harvard-oxford), Angular gyrus L (neuromorphometrics)"),
        ("Thalamus L", None, "name the atlas with --atlas"),
        ("Anguler L", "aal2", "Angular"),
        ("brain stem both", "harvard-oxford", "has no two sides"),
    ],
)
def test_a_name_that_leaves_a_choice_is_refused_with_the_choices(name: str, atlas, said: str, run: Path, tmp_path):
    words = ("--region", name, *([] if atlas is None else ["--atlas", atlas]))
    assert said in refused("seed", run, *words, "-o", tmp_path / "r.nii")


def test_every_listed_name_is_taken(run: Path) -> None:
    """Of atlases whose names are unique; those of others name their labels."""
    from habena.app.finder import resolve_region  # noqa: PLC0415

    for atlas in ("aal2", "cit168", "melbourne-s2", "harvard-oxford", "schaefer200"):
        for row in document("regions", "--atlas", atlas)["regions"]:
            title = f"{row['name']} {row['side']}".strip()
            (found,) = resolve_region(title, atlas)
            assert (found.index, found.side) == (row["index"], row["side"])


def test_a_region_of_an_image_in_unknown_space_is_refused_with_the_way_out(run: Path, tmp_path: Path) -> None:
    native = write_image(tmp_path / "sub-01_bold.nii.gz", np.ones((*SHAPE, 30), np.float32), code=1)
    said = refused("seed", native, "--region", "Angular L", "--atlas", "aal2", "-o", tmp_path / "r.nii")
    assert "--at X,Y,Z or --mask FILE" in said


def test_a_region_that_falls_between_the_voxels_is_refused_with_the_way_out(run: Path, tmp_path: Path) -> None:
    said = refused("seed", run, "--region", "Habenula L", "-o", tmp_path / "r.nii")
    assert "none of its voxel centres lies in Habenula L of cit168; give --at X,Y,Z" in said


def test_a_region_in_another_variant_of_the_template_is_told(run: Path, tmp_path: Path) -> None:
    found = document("seed", run, "--region", "Caudate nucleus L", "--atlas", "cit168", "-o", tmp_path / "r.nii")
    assert found["atlas_template"] == "MNI152NLin2009cAsym"
    assert any("MNI152NLin2009cAsym" in finding["message"] for finding in found["warnings"])
