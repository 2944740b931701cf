"""Surfaces: the same vertices as nibabel reads, in the right place, and clear words for what cannot be drawn."""

from __future__ import annotations

import base64
import gzip
import struct
import zlib
from importlib.util import find_spec
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io.info import file_info
from habena.app.io.surface_names import hemisphere_of, kind_of, mesh_of, other_hemisphere, template_of
from habena.app.io.surface_space import SCANNER, TALAIRACH, UNKNOWN
from habena.app.io.surfaces import read_surface
from habena.app.problems import Problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nibabel.freesurfer.io import read_geometry, write_geometry
from nibabel.freesurfer.mghformat import MGHHeader
from nibabel.gifti import GiftiCoordSystem, GiftiDataArray, GiftiImage

FSAVERAGE5 = Path((find_spec("nilearn").submodule_search_locations or [""])[0]) / "datasets" / "data" / "fsaverage5"
# An irregular tetrahedron the size of a hemisphere, unlike its mirror image.
POINTS = np.array([[-60, -70, -20], [5, -90, 10], [-30, 65, 0], [-40, 10, 75]], dtype=np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], dtype=np.int32)
# A conformed volume: axes to the left, down and to the front.
CONFORMED = {"xras": [-1, 0, 0], "yras": [0, 0, -1], "zras": [0, 1, 0], "cras": [3.5, -12.25, 40]}


def freesurfer(path: Path, points=POINTS, faces=FACES, valid: str = "1", **geometry) -> Path:
    """FreeSurfer geometry with a volume geometry."""
    info = CONFORMED | geometry
    info = {key: np.array(value, float) for key, value in info.items()}
    head = {"head": np.array([2, 0, 20]), "valid": f"{valid}  # volume info valid", "filename": "../mri/orig.mgz"}
    write_geometry(str(path), points, faces, "by a test", head | {"volume": [256] * 3, "voxelsize": np.ones(3)} | info)
    return path


def gifti(path: Path, points=POINTS, faces=FACES, meta=None, system=None, **kw) -> Path:
    """GIFTI surface."""
    kw = {"encoding": "GIFTI_ENCODING_B64GZ"} | kw
    arrays = [
        GiftiDataArray(points, "NIFTI_INTENT_POINTSET", coordsys=system, meta=meta or {}, **kw),
        GiftiDataArray(faces, "NIFTI_INTENT_TRIANGLE", **kw),
    ]
    content = GiftiImage(darrays=arrays).to_bytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def volume_metadata(**geometry) -> dict[str, str]:
    info = CONFORMED | geometry
    columns = zip("XYZC", ("xras", "yras", "zras", "cras"), strict=True)
    return {f"VolGeom{name}_{row}": str(v) for name, key in columns for row, v in zip("RAS", info[key], strict=True)}


def codes(surface) -> set[str]:
    return {finding.code for finding in surface.findings}


@pytest.mark.parametrize(
    ("name", "kind", "side"),
    [("pial_left", "pial", "left"), ("white_right", "white", "right"), ("infl_left", "inflated", "left")],
)
def test_fsaverage5_is_what_nibabel_reads(name, kind, side):
    path = FSAVERAGE5 / f"{name}.gii.gz"
    surface = read_surface(path)
    points, faces = nib.load(path).darrays
    np.testing.assert_array_equal(surface.coordinates, points.data)
    np.testing.assert_array_equal(surface.faces, faces.data)
    assert (surface.kind, surface.hemisphere, surface.mesh) == (kind, side, "fsaverage5")
    assert surface.space == "MNI305 (fsaverage)"
    assert surface.findings == ()
    assert not surface.coordinates.flags.writeable
    assert not surface.faces.flags.writeable
    if surface.in_world:
        assert (surface.coordinates[:, 0].mean() < 0) == (side == "left")


def test_freesurfer_geometry_is_moved_by_the_centre_of_its_volume(tmp_path):
    path = freesurfer(tmp_path / "lh.pial")
    surface = read_surface(path)
    stored, faces = read_geometry(path)
    np.testing.assert_allclose(surface.coordinates, stored + np.array([3.5, -12.25, 40]), atol=1e-4)
    np.testing.assert_array_equal(surface.faces, faces)
    assert (surface.space, surface.hemisphere, surface.kind) == ("scanner", "left", "pial")
    (finding,) = surface.findings
    assert finding.code == "surface-c-ras"
    assert finding.value == pytest.approx(np.linalg.norm([3.5, -12.25, 40]))


def rotated_geometry() -> dict[str, np.ndarray]:
    """Directions of a scan that was tilted about two axes."""
    a, b = 0.3, -0.2
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return dict(zip(("xras", "yras", "zras"), (x @ z).T, strict=True))


def test_tilted_volume_turns_the_surface_as_freesurfers_matrices_do(tmp_path):
    geometry = rotated_geometry()
    header = MGHHeader()
    header.set_data_shape((256, 256, 256))
    header["Mdc"] = np.array([geometry["xras"], geometry["yras"], geometry["zras"]])
    header["Pxyz_c"] = CONFORMED["cras"]
    to_scanner = header.get_vox2ras() @ np.linalg.inv(header.get_vox2ras_tkr())
    expected = nib.affines.apply_affine(to_scanner, POINTS.astype(float))
    for path in (
        freesurfer(tmp_path / "rh.white", **geometry),
        gifti(tmp_path / "rh.white.gii", meta=volume_metadata(**geometry)),
    ):
        surface = read_surface(path)
        np.testing.assert_allclose(surface.coordinates, expected, atol=1e-3)
        assert "turned" in surface.findings[0].message


@pytest.mark.parametrize("name", ["lh.inflated", "lh.sphere", "lh.sphere.reg"])
def test_shapes_to_look_at_are_not_moved(tmp_path, name):
    surface = read_surface(freesurfer(tmp_path / name))
    np.testing.assert_array_equal(surface.coordinates, POINTS)
    assert not surface.in_world
    assert surface.findings == ()


@pytest.mark.parametrize("valid", ["0", "-1"])
def test_without_valid_volume_geometry_a_finding_says_so(tmp_path, valid):
    surface = read_surface(freesurfer(tmp_path / "lh.pial", valid=valid))
    np.testing.assert_array_equal(surface.coordinates, POINTS)
    assert codes(surface) == {"surface-space-unknown"}
    assert surface.space is None


def test_freesurfer_geometry_without_any_tail(tmp_path):
    path = tmp_path / "lh.pial"
    write_geometry(str(path), POINTS, FACES)
    surface = read_surface(path)
    np.testing.assert_array_equal(surface.coordinates, POINTS)
    assert codes(surface) == {"surface-space-unknown"}


def test_freesurfer_flag_for_scanner_coordinates_is_believed(tmp_path):
    path = freesurfer(tmp_path / "lh.pial")
    content = path.read_bytes()
    flagged = content.replace(struct.pack(">3i", 2, 0, 20), struct.pack(">3i", 2, 1, 20))
    assert flagged != content
    path.write_bytes(flagged)
    surface = read_surface(path)
    np.testing.assert_array_equal(surface.coordinates, POINTS)
    assert (surface.space, surface.findings) == ("scanner", ())


def test_freesurfers_gifti_is_moved_by_its_volume_metadata(tmp_path):
    system = GiftiCoordSystem(UNKNOWN, TALAIRACH, np.diag([1.1, 0.9, 1.2, 1]))
    surface = read_surface(gifti(tmp_path / "lh.pial.gii", meta=volume_metadata(), system=system))
    np.testing.assert_allclose(surface.coordinates, POINTS + np.float32([3.5, -12.25, 40]), atol=1e-4)
    assert codes(surface) == {"surface-c-ras"}


def test_gifti_in_scanner_space_is_not_moved_again(tmp_path):
    system = GiftiCoordSystem(SCANNER, SCANNER, np.eye(4))
    surface = read_surface(gifti(tmp_path / "lh.pial.gii", meta=volume_metadata(), system=system))
    np.testing.assert_array_equal(surface.coordinates, POINTS)
    assert (surface.space, surface.findings) == ("scanner", ())


def test_fmriprep_zeroes_the_centre_once_it_is_applied(tmp_path):
    surface = read_surface(gifti(tmp_path / "sub-01_hemi-L_pial.surf.gii", meta=volume_metadata(cras=[0, 0, 0])))
    np.testing.assert_array_equal(surface.coordinates, POINTS)
    assert (surface.space, surface.findings) == ("scanner", ())


def test_transform_from_unknown_to_scanner_is_applied(tmp_path):
    matrix = np.array([[0, -1, 0, 4], [1, 0, 0, -3], [0, 0, 1, 2], [0, 0, 0, 1]], float)
    surface = read_surface(gifti(tmp_path / "x.surf.gii", system=GiftiCoordSystem(UNKNOWN, SCANNER, matrix)))
    np.testing.assert_allclose(surface.coordinates, nib.affines.apply_affine(matrix, POINTS), atol=1e-4)
    assert codes(surface) == {"surface-transform"}
    assert surface.space == "scanner"


def test_transform_to_talairach_is_named_and_not_applied(tmp_path):
    system = GiftiCoordSystem(UNKNOWN, TALAIRACH, np.diag([1.1, 0.9, 1.2, 1]))
    surface = read_surface(gifti(tmp_path / "x.surf.gii", system=system))
    np.testing.assert_array_equal(surface.coordinates, POINTS)
    assert codes(surface) == {"surface-transform-unused", "surface-space-unknown"}


@pytest.mark.parametrize("encoding", ["GIFTI_ENCODING_ASCII", "GIFTI_ENCODING_B64BIN", "GIFTI_ENCODING_B64GZ"])
@pytest.mark.parametrize("order", ["RowMajorOrder", "ColumnMajorOrder"])
@pytest.mark.parametrize("name", ["x.surf.gii", "x.surf.gii.gz"])
def test_encodings_give_the_same_surface(tmp_path, encoding, order, name):
    surface = read_surface(gifti(tmp_path / name, encoding=encoding, ordering=order))
    np.testing.assert_allclose(surface.coordinates, POINTS, rtol=1e-6)
    np.testing.assert_array_equal(surface.faces, FACES)


def test_gifti_is_known_by_its_content_when_the_name_does_not_say(tmp_path):
    path = gifti(tmp_path / "lh.pial.gii").rename(tmp_path / "lh.pial")
    np.testing.assert_array_equal(read_surface(path).coordinates, POINTS)


def test_file_and_name_that_disagree_on_the_side(tmp_path):
    surface = read_surface(gifti(tmp_path / "lh.pial.gii", meta={"AnatomicalStructurePrimary": "CortexRight"}))
    assert surface.hemisphere == "right"
    assert "hemisphere-disagrees" in codes(surface)


def test_collapsed_triangles_and_odd_sizes_are_said(tmp_path):
    faces = np.vstack([FACES, [[1, 1, 2]]]).astype(np.int32)
    surface = read_surface(gifti(tmp_path / "x.surf.gii", POINTS / 1000, faces))
    found = {finding.code: finding.value for finding in surface.findings}
    assert found["degenerate-triangles"] == 1
    assert found["surface-size"] == pytest.approx(0.155)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"faces": FACES + 1}, "names vertex 4, of vertices 0 to 3"),
        ({"faces": FACES - 1}, "names vertex -1"),
        ({"points": np.where(POINTS == 75, np.nan, POINTS).astype("f4")}, "1 of its 4 vertices"),
        ({"points": np.where(POINTS == 75, np.float32(1e30), POINTS)}, "1 of its 4 vertices"),
        ({"points": np.zeros((4, 3), "f4")}, "one line or point"),
        ({"points": POINTS[:, :2]}, "shape (4, 2)"),
        ({"points": POINTS[:2], "faces": FACES[:1]}, "2 vertices"),
        ({"faces": FACES.astype("f4")}, "float32"),
        ({"faces": FACES.ravel()}, "shape (12,)"),
    ],
)
def test_surfaces_that_cannot_be_drawn_are_refused(tmp_path, change, says):
    path = gifti(tmp_path / "x.surf.gii", **change)
    with pytest.raises(Problem) as problem:
        read_surface(path)
    assert says in problem.value.what
    assert problem.value.where == str(path)
    assert problem.value.todo


def test_values_are_no_surface(tmp_path):
    path = tmp_path / "x.func.gii"
    path.write_bytes(GiftiImage(darrays=[GiftiDataArray(np.zeros(4, "f4"), "NIFTI_INTENT_SHAPE")]).to_bytes())
    with pytest.raises(Problem, match="no vertex coordinates"):
        read_surface(path)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.6, 0.99])
def test_cut_gifti_is_refused(tmp_path, share):
    path = gifti(tmp_path / "x.surf.gii")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(Problem):
        read_surface(path)


@pytest.mark.parametrize("kept", [2, 3, 12, 20, 70, 117])
def test_cut_freesurfer_geometry_is_refused(tmp_path, kept):
    path = freesurfer(tmp_path / "lh.pial")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(Problem):
        read_surface(path)


def test_freesurfer_counts_beyond_the_file_are_not_allocated(tmp_path):
    path = tmp_path / "lh.pial"
    path.write_bytes(b"\xff\xff\xfecreated by a test\n\n" + struct.pack(">2i", 2**31 - 1, 2**31 - 1) + b"\0" * 100)
    with pytest.raises(Problem, match=r"cut short: 1\d\d of 51539607"):
        read_surface(path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("lh.pial", b"", "empty"),
        ("lh.pial", b"not a surface at all\n" * 20, "text"),
        ("x.surf.gii", b"not a surface at all\n" * 20, "text"),
        ("x.surf.gii", b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        ("x.surf.gii.gz", gzip.compress(b"<GIFTI>" + np.random.default_rng(0).bytes(9000))[:-200], "too early"),
        ("x.surf.gii", b'<?xml version="1.0"?><GIFTI Version="1.0" NumberOfDataArrays="0"></GIFTI>', "no data arrays"),
        ("lh.curv", b"\xff\xff\xff" + struct.pack(">3i", 4, 4, 1) + b"\0" * 16, "not a surface"),
    ],
)
def test_other_files_are_refused_with_a_reason(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Problem) as problem:
        read_surface(path)
    assert says in str(problem.value)


def test_missing_surface_names_its_neighbours(tmp_path):
    freesurfer(tmp_path / "lh.pial")
    with pytest.raises(Problem, match=r"lh\.pial"):
        read_surface(tmp_path / "lh.pail")


def gifti_text(data: bytes, rows: int) -> bytes:
    """GIFTI with one packed array of `rows` x 3."""
    return (
        b'<?xml version="1.0"?><GIFTI Version="1.0" NumberOfDataArrays="1"><DataArray Intent="NIFTI_INTENT_POINTSET" '
        b'DataType="NIFTI_TYPE_FLOAT32" ArrayIndexingOrder="RowMajorOrder" Dimensionality="2" '
        b'Dim0="%d" Dim1="3" Encoding="GZipBase64Binary" Endian="LittleEndian"><Data>%s</Data></DataArray></GIFTI>'
    ) % (rows, base64.b64encode(data))


def test_packed_data_that_outgrow_their_array_are_refused(tmp_path):
    path = tmp_path / "x.surf.gii.gz"
    bomb = zlib.compress(b"\0" * 2**20 * 64 + np.random.default_rng(0).bytes(2**20), 1)
    path.write_bytes(gzip.compress(gifti_text(bomb, 100)))
    with pytest.raises(Problem, match="unpacks to more"):
        read_surface(path)


def test_absurd_dimensions_are_refused_before_anything_is_unpacked(tmp_path):
    path = tmp_path / "x.surf.gii"
    path.write_bytes(gifti_text(np.random.default_rng(0).bytes(2**20), 10**12))
    with pytest.raises(Problem, match="memory"):
        read_surface(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 400), new=st.binary(min_size=1, max_size=8))
def test_changed_bytes_of_a_freesurfer_file_give_a_surface_or_a_problem(tmp_path, at, new):
    path = freesurfer(tmp_path / "lh.pial")
    content = path.read_bytes()
    path.write_bytes(content[:at] + new + content[at + len(new) :])
    _surface_or_problem(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 3000), new=st.binary(min_size=1, max_size=8))
def test_changed_bytes_of_a_gifti_file_give_a_surface_or_a_problem(tmp_path, at, new):
    path = gifti(tmp_path / "x.surf.gii", meta=volume_metadata(), system=GiftiCoordSystem(0, 1, np.eye(4)))
    content = path.read_bytes()
    path.write_bytes(content[:at] + new + content[at + len(new) :])
    _surface_or_problem(path)


def _surface_or_problem(path: Path) -> None:
    try:
        surface = read_surface(path)
    except Problem:
        return
    assert np.isfinite(surface.coordinates).all()
    assert surface.faces.max() < surface.n_vertices


@pytest.mark.parametrize(
    ("name", "side", "kind"),
    [
        ("lh.pial", "left", "pial"),
        ("rh.inflated", "right", "inflated"),
        ("lh.pial.T1", "left", "pial"),
        ("sub-01_hemi-R_pial.surf.gii", "right", "pial"),
        ("sub-L1_hemi-R_midthickness.surf.gii", "right", "midthickness"),
        ("tpl-fsLR_den-32k_hemi-L_sphere.surf.gii", "left", "sphere"),
        ("100307.R.very_inflated.32k_fs_LR.surf.gii", "right", "very_inflated"),
        ("S1200.L.midthickness_MSMAll.32k_fs_LR.surf.gii", "left", "midthickness"),
        ("fs_LR.32k.R.white.surf.gii", "right", "white"),
        ("pial_left.gii.gz", "left", "pial"),
        ("pial_inflated.right.gii.gz", "right", "inflated"),
        ("conte69_32k_lh.gii", "left", ""),
        ("brain.surf.gii", "", ""),
        ("sub-L_pialish.surf.gii", "", ""),
    ],
)
def test_names_tell_hemisphere_and_kind(name, side, kind):
    assert (hemisphere_of(name), kind_of(name)) == (side, kind)
    other = other_hemisphere(name)
    if side:
        assert hemisphere_of(other) != side
        assert other_hemisphere(other) == name
    else:
        assert other is None


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("subjects/fsaverage/surf/lh.pial", "MNI305 (fsaverage)"),
        ("tpl-fsaverage_hemi-L_den-10k_pial.surf.gii", "MNI305 (fsaverage)"),
        ("100307/MNINonLinear/fsaverage_LR32k/100307.L.pial.32k_fs_LR.surf.gii", None),
        ("tpl-fsLR_den-32k_hemi-L_midthickness.surf.gii", "fsLR"),
        ("sub-01_hemi-L_space-fsLR_den-32k_midthickness.surf.gii", None),
        ("fsaverage-study/bert/surf/lh.pial", None),
    ],
)
def test_templates_are_told_from_persons(text, template):
    assert template_of(text) == template


def test_meshes_are_known_by_their_size():
    assert mesh_of(10242) == "fsaverage5"
    assert mesh_of(32492) == "fsLR 32k"
    assert mesh_of(12345) is None


def test_info_tells_what_a_surface_is(tmp_path):
    info = file_info(FSAVERAGE5 / "white_right.gii.gz")
    assert info.format == "GIFTI (right white surface of 10242 vertices and 20480 triangles, as fsaverage5 has)"
    assert (info.shape, info.dtype, info.frames, info.space) == ((10242, 3), "float32", 1, "MNI305 (fsaverage)")
    assert (info.affine, info.zooms_mm, info.tr_s, info.warnings) == (None, None, None, ())
    native = file_info(freesurfer(tmp_path / "lh.pial"))
    assert native.space is None
    assert [finding.code for finding in native.warnings] == ["surface-c-ras"]
