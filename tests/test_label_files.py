"""Label images of the user's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io.atlases import load_atlas
from habena.app.io.label_files import load_label_file
from habena.app.problems import Problem
from numpy.typing import NDArray

AFFINE = np.array([[-2.0, 0, 0, 30], [0, 1.5, 0, -40], [0, 0, 3, -7], [0, 0, 0, 1]])


def save(path: Path, values: NDArray[np.generic], affine: NDArray[np.float64] = AFFINE) -> Path:
    image = nib.Nifti1Image(values, affine)
    image.header.set_sform(affine, 2)
    image.header.set_qform(affine, 2)
    image.header.set_xyzt_units("mm")
    image.to_filename(path)
    return path


def labels(dtype: type[np.generic] = np.int16) -> NDArray[np.generic]:
    values = np.zeros((7, 6, 5), dtype=dtype)
    values[1, 2, 3], values[4:6, 1, 1], values[0, 0, 4] = 3, 40, 1000
    return values


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("name", ["mine.nii", "mine.nii.gz"])
def test_labels_with_a_table(tmp_path: Path, name: str, dtype: type[np.generic]):
    path = save(tmp_path / name, labels(dtype))
    table = tmp_path / "names.csv"
    table.write_text("\ufeff3,Left-Nucleus\n40,Right-Nucleus\n1000,Stem\n")
    atlas = load_label_file(path, table, template="MNI152NLin6Asym")
    assert [(r.index, r.name, r.side, r.abbreviation) for r in atlas.regions] == [
        (3, "Nucleus", "L", "Left-Nucleus"),
        (40, "Nucleus", "R", "Right-Nucleus"),
        (1000, "Stem", "", "Stem"),
    ]
    assert atlas.findings == ()
    assert atlas.info.template == "MNI152NLin6Asym"
    assert atlas.at(nib.affines.apply_affine(AFFINE, [1, 2, 3]))[0].region.index == 3
    np.testing.assert_allclose(atlas.centre_mm(atlas.regions[2]), nib.affines.apply_affine(AFFINE, [0, 0, 4]))
    assert atlas.volume_mm3(atlas.regions[1]) == pytest.approx(2 * 2 * 1.5 * 3)


def test_a_table_beside_the_image_is_found_and_said(tmp_path: Path):
    path = save(tmp_path / "mine.nii.gz", labels())
    (tmp_path / "mine.tsv").write_text("index\tname\n3\tOne\n40\tTwo\n1000\tThree\n")
    atlas = load_label_file(path)
    assert [region.name for region in atlas.regions] == ["One", "Two", "Three"]
    assert [(one.code, one.value) for one in atlas.findings] == [("label-table", "mine.tsv")]


def test_labels_without_a_table_are_named_by_number(tmp_path: Path):
    atlas = load_label_file(save(tmp_path / "mine.nii", labels()))
    assert [(r.index, r.title) for r in atlas.regions] == [(3, "Label 3"), (40, "Label 40"), (1000, "Label 1000")]
    assert [(one.code, one.value) for one in atlas.findings] == [("labels-nameless", 3)]


def test_names_that_are_missing_and_too_many_are_counted(tmp_path: Path):
    (tmp_path / "names.csv").write_text("3,One\n7,Nowhere\n8,Nowhere else\n0,Background\n")
    atlas = load_label_file(save(tmp_path / "mine.nii", labels()), tmp_path / "names.csv")
    assert [region.name for region in atlas.regions] == ["One", "Label 40", "Label 1000"]
    assert {one.code: one.value for one in atlas.findings} == {"labels-unnamed": 2, "labels-absent": 2}


def test_empty_voxels_are_no_label(tmp_path: Path):
    values = labels(np.float32)
    values[6, 5, :] = np.nan
    atlas = load_label_file(save(tmp_path / "mine.nii", values))
    np.testing.assert_array_equal(atlas.labels > 0, labels() > 0)


def test_large_labels(tmp_path: Path):
    values = labels(np.int32)
    values[values == 1000] = 15_000_001
    atlas = load_label_file(save(tmp_path / "mine.nii", values))
    assert [region.index for region in atlas.regions] == [3, 40, 15_000_001]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (labels(np.float32) / 7, "holds [0-9.]+, and labels are whole numbers"),
        (labels() - 5, "holds values from -5 to 995, which are no labels"),
        (np.zeros((4, 4, 4), np.uint8), "holds no label above 0"),
        (labels(np.float64) * 2**20, "which are no labels"),
        (np.arange(70 * 70 * 20, dtype=np.int32).reshape(70, 70, 20), "holds 97,999 different values"),
        (np.full((3, 3, 3, 2), 300, np.int16), "holds values from 300 to 300 in 2 volumes"),
        (np.full((3, 3, 3, 2), -1, np.int16), "holds values from -1 to -1 in 2 volumes"),
    ],
)
def test_images_that_hold_no_labels(tmp_path: Path, values: NDArray[np.generic], message: str):
    path = save(tmp_path / "mine.nii", values)
    with pytest.raises(Problem, match=message) as caught:
        load_label_file(path)
    assert caught.value.where == str(path)


def test_colours_are_no_labels(tmp_path: Path):
    rgb = np.zeros((3, 3, 3), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(Problem, match="colour or complex image"):
        load_label_file(save(tmp_path / "mine.nii", rgb))


def test_a_file_that_is_no_image(tmp_path: Path):
    path = tmp_path / "mine.nii.gz"
    path.write_text("<html>not found</html>")
    with pytest.raises(Problem, match=r"mine\.nii\.gz"):
        load_label_file(path)


@pytest.mark.parametrize(("dtype", "full"), [(np.float32, 1.0), (np.uint8, 100)])
def test_volumes_of_shares(tmp_path: Path, dtype: type[np.generic], full: float):
    shares = np.zeros((4, 3, 5, 2))
    shares[1, 1, 1, 0], shares[2, 2, 3, 1], shares[1, 1, 1, 1] = 1.0, 0.3, 0.6
    path = save(tmp_path / "mine.nii.gz", (shares * full).round(6).astype(dtype))
    (tmp_path / "names.txt").write_text("One_L\nTwo_L\n")
    atlas = load_label_file(path, tmp_path / "names.txt")
    assert atlas.info.probabilistic
    assert [(region.index, region.title) for region in atlas.regions] == [(0, "One L"), (1, "Two L")]
    found = atlas.at(nib.affines.apply_affine(AFFINE, [1, 1, 1]))
    assert [(share.region.index, pytest.approx(share.share)) for share in found] == [(0, 1.0), (1, 0.6)]
    assert atlas.labels[2, 2, 3] == 2


def test_fsl_s_table_of_a_probabilistic_atlas_fits_its_volumes_and_its_summary(tmp_path: Path):
    table = tmp_path / "prob.xml"
    table.write_text(
        "<atlas><header><type>Probabalistic</type></header><data>"
        '<label index="0">Pole</label><label index="1">Insula</label></data></atlas>'
    )
    shares = np.zeros((3, 3, 3, 2), dtype=np.uint8)
    shares[0, 0, 0, 0], shares[2, 2, 2, 1] = 60, 70
    four = load_label_file(save(tmp_path / "prob.nii", shares), table)
    summary = np.zeros((3, 3, 3), dtype=np.uint8)
    summary[0, 0, 0], summary[2, 2, 2] = 1, 2
    three = load_label_file(save(tmp_path / "maxprob.nii", summary), table)
    for atlas in (four, three):
        assert atlas.at(nib.affines.apply_affine(AFFINE, [0, 0, 0]))[0].region.name == "Pole"
        assert atlas.at(nib.affines.apply_affine(AFFINE, [2, 2, 2]))[0].region.name == "Insula"


def test_a_table_that_does_not_fit_the_volumes(tmp_path: Path):
    (tmp_path / "names.txt").write_text("One\nTwo\nThree\n")
    path = save(tmp_path / "mine.nii", np.ones((3, 3, 3, 2), np.float32))
    with pytest.raises(Problem, match="has 2 volumes, its table 3 names"):
        load_label_file(path, tmp_path / "names.txt")


@pytest.mark.parametrize(
    ("atlas_id", "image", "table"),
    [
        ("cit168", "CIT168_labels/CIT168_subcortex.nii.gz", "CIT168_labels/CIT168_subcortex_lookup.csv"),
        ("melbourne-s2", "Tian_Subcortex_S2_3T.nii.gz", "Tian_Subcortex_S2_3T_label.txt"),
        ("schaefer200", "Schaefer200_space-MNI152NLin6_res-2x2x2.nii.gz", None),
        ("schaefer400", "Schaefer400_space-MNI152NLin6_res-2x2x2.nii.gz", None),
    ],
)
def test_shipped_atlases_hold_what_their_sources_hold(
    shared_data: Callable[[str], Path], atlas_id: str, image: str, table: str | None
):
    shipped = load_atlas(atlas_id)
    source = load_label_file(shared_data(f"atlas/{image}"), shared_data(f"atlas/{table}") if table else None)
    assert [region.index for region in shipped.regions] == [region.index for region in source.regions]
    if table:
        assert [(r.abbreviation, r.side) for r in shipped.regions] == [(r.abbreviation, r.side) for r in source.regions]
    voxels = np.argwhere(source.labels)
    found = shipped.labels_at(source.grid.mm_of(voxels))
    np.testing.assert_array_equal(found, source.labels[tuple(voxels.T)])
    assert np.count_nonzero(shipped.labels) == len(voxels)
