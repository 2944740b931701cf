"""Values on surfaces: the same as nibabel reads, with labels, names, times and clear refusals."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io.info import file_info
from habena.app.io.surface_data import SurfaceData, read_surface_data
from habena.app.io.surface_table import ValueTable, spread
from habena.app.problems import Problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nibabel.freesurfer.io import read_annot, read_morph_data, write_annot, write_morph_data
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiLabel, GiftiLabelTable
from test_surfaces import FSAVERAGE5

VALUES = np.array([0.5, -1.25, 3e4, 0, 7], np.float32)
SAMPLES = Path(nib.__file__).parent / "gifti" / "tests" / "data"


def gifti(path: Path, arrays, labels=(), meta=None) -> Path:
    table = GiftiLabelTable()
    for key, name, rgba in labels:
        label = GiftiLabel(key, *rgba)
        label.label = name
        table.labels.append(label)
    path.write_bytes(GiftiImage(darrays=arrays, labeltable=table, meta=meta).to_bytes())
    return path


def shape(values, **kw) -> GiftiDataArray:
    return GiftiDataArray(np.asarray(values), kw.pop("intent", "NIFTI_INTENT_SHAPE"), **kw)


def test_curvature_is_what_nibabel_reads(tmp_path):
    path = tmp_path / "rh.thickness"
    write_morph_data(str(path), VALUES, 4)
    data = read_surface_data(path)
    np.testing.assert_array_equal(data.frame(), read_morph_data(path))
    assert (data.hemisphere, data.n_frames, data.n_vertices) == ("right", 1, 5)
    assert data.table.names == ("rh.thickness",)
    assert data.labels() == ()
    assert not data.frame().flags.writeable


def test_annotation_is_what_nibabel_reads(tmp_path):
    path = tmp_path / "lh.aparc.annot"
    labels = np.array([2, 0, 1, -1, 2])
    colours = np.array([[25, 5, 25, 0], [220, 20, 10, 0], [20, 30, 140, 0]])
    write_annot(str(path), labels, colours, ["unknown", "insula", "cuneus"], fill_ctab=True)
    data = read_surface_data(path)
    read, _, names = read_annot(path)
    np.testing.assert_array_equal(np.nan_to_num(data.frame(), nan=-1), read)
    assert [label.name for label in data.labels()] == [name.decode() for name in names]
    assert data.labels()[1].rgba == pytest.approx((220 / 255, 20 / 255, 10 / 255, 1))
    assert data.hemisphere == "left"


def annotation(entries, at_vertex, version: int = -2) -> bytes:
    """Annotation with a colour table of (index, name, rgb) entries, new or old layout."""

    def text(value: str) -> bytes:
        return struct.pack(">i", len(value) + 1) + value.encode() + b"\0"

    pairs = b"".join(struct.pack(">2i", vertex, value) for vertex, value in enumerate(at_vertex))
    body = struct.pack(">i", len(at_vertex)) + pairs + struct.pack(">i", 1)
    if version == -2:
        body += struct.pack(">2i", -2, 100) + text("table") + struct.pack(">i", len(entries))
        return body + b"".join(struct.pack(">i", i) + text(n) + struct.pack(">4i", *c, 0) for i, n, c in entries)
    body += struct.pack(">i", len(entries)) + text("table")
    return body + b"".join(text(n) + struct.pack(">4i", *c, 0) for _, n, c in entries)


@pytest.mark.parametrize("version", [-2, 2])
def test_gaps_in_an_annotations_table_shift_no_name(tmp_path, version):
    path = tmp_path / "lh.x.annot"
    entries = [(3, "first", (1, 0, 0)), (40, "second", (0, 1, 0))]
    path.write_bytes(annotation(entries, [256, 1, 77, 0, 256], version))
    data = read_surface_data(path)
    names = [label.name for label in data.labels()]
    shown = [None if np.isnan(value) else names[int(value)] for value in data.frame()]
    assert shown == ["second", "first", None, None, "second"]


def test_annotation_without_names_is_refused(tmp_path):
    path = tmp_path / "lh.x.annot"
    path.write_bytes(struct.pack(">6i", 2, 0, 5, 1, 6, 0))
    with pytest.raises(Problem, match="no colour table"):
        read_surface_data(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 120), new=st.binary(min_size=1, max_size=4), cut=st.integers(0, 130))
def test_changed_annotations_give_data_or_a_problem(tmp_path, at, new, cut):
    path = tmp_path / "lh.x.annot"
    content = annotation([(0, "one", (1, 0, 0)), (1, "two", (0, 1, 0))], [256, 1, 77, 0, 256])
    path.write_bytes((content[:at] + new + content[at + len(new) :])[: cut + 1])
    _data_or_problem(path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60), name=st.sampled_from(["lh.curv", "lh.x.mgh", "lh.x.func.gii", "lh.x.annot"]))
def test_any_bytes_give_data_or_a_problem(tmp_path, content, name):
    path = tmp_path / name
    start = {"lh.curv": b"\xff\xff\xff", "lh.x.mgh": b"\0\0\0\1", "lh.x.func.gii": b"<GIFTI>"}.get(name, b"")
    path.write_bytes(start + content)
    _data_or_problem(path)


def _data_or_problem(path: Path) -> None:
    try:
        data = read_surface_data(path)
    except Problem:
        return
    assert data.frame().shape == (data.n_vertices,)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xff\xff" + struct.pack(">3i", 5, 4, 1) + b"\0" * 19,
        b"\xff\xff\xff" + struct.pack(">3i", 5, 4, 2) + b"\0" * 40,
        b"\xff\xff\xff" + struct.pack(">3i", -5, 4, 1) + b"\0" * 40,
        b"\xff\xff\xff" + struct.pack(">3i", 2**31 - 1, 4, 1) + b"\0" * 40,
        b"\xff\xff\xff\0",
    ],
)
def test_broken_curvature_is_refused(tmp_path, content):
    path = tmp_path / "lh.curv"
    path.write_bytes(content)
    with pytest.raises(Problem):
        read_surface_data(path)


@pytest.mark.parametrize("name", ["lh.x.mgh", "lh.x.mgz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
def test_mgh_is_what_nibabel_wrote(tmp_path, name, dtype):
    values = np.arange(14).reshape(7, 1, 1, 2).astype(dtype)
    path = tmp_path / name
    nib.save(nib.MGHImage(values, np.eye(4)), path)
    data = read_surface_data(path)
    assert (data.n_vertices, data.n_frames, data.hemisphere) == (7, 2, "left")
    for frame in range(2):
        np.testing.assert_array_equal(data.frame(frame), values[:, 0, 0, frame])
    np.testing.assert_array_equal(data.series(3), values[3, 0, 0])


def test_cut_mgh_and_volumes_are_refused(tmp_path):
    path = tmp_path / "lh.x.mgh"
    nib.save(nib.MGHImage(np.zeros((70, 1, 1), np.float32), np.eye(4)), path)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(Problem, match="cut short"):
        read_surface_data(path)
    nib.save(nib.MGHImage(np.zeros((7, 2, 2), np.float32), np.eye(4)), path)
    with pytest.raises(Problem):
        read_surface_data(path)


def test_real_mgz_labels(shared_data):
    path = shared_data("compat/lh.Yeo2011.mgz")
    data = read_surface_data(path)
    np.testing.assert_array_equal(data.frame(), nib.load(path).get_fdata().ravel())
    assert data.mesh.startswith("fsaverage")


def test_gifti_frames_names_and_sides(tmp_path):
    arrays = [
        shape(VALUES, meta={"Name": "/home/someone/lh.thick", "AnatomicalStructurePrimary": "CortexRight"}),
        shape(np.stack([VALUES, -VALUES], 1)),
    ]
    data = read_surface_data(gifti(tmp_path / "lh.x.func.gii", arrays))
    assert data.table.names == ("lh.thick", "", "")
    assert data.hemisphere == "right"
    np.testing.assert_array_equal(data.frame(2), -VALUES)
    np.testing.assert_array_equal(data.series(4), [7, 7, -7])


def test_infinite_values_are_empty(tmp_path):
    values = np.array([1, np.inf, -np.inf, np.nan], np.float32)
    data = read_surface_data(gifti(tmp_path / "x.func.gii", [shape(values)]))
    np.testing.assert_array_equal(data.frame(), [1, np.nan, np.nan, np.nan])
    table = ValueTable(np.array([[1e300, 2]]), ("", ""))
    np.testing.assert_array_equal(table.series(0), [np.nan, 2])


def test_gifti_labels(tmp_path):
    labels = [(0, "???", (0, 0, 0, 0)), (3, "insula", (1, 0.5, 0.25, 1))]
    arrays = [shape(np.array([3, 0, 3], np.int32), intent="NIFTI_INTENT_LABEL")]
    data = read_surface_data(gifti(tmp_path / "x_hemi-L.label.gii", arrays, labels))
    assert data.labels(0)[1] == (3, "insula", (1, 0.5, 0.25, 1))
    np.testing.assert_array_equal(data.frame(), [3, 0, 3])
    assert data.hemisphere == "left"


@pytest.mark.parametrize("name", ["task.func.gii", "label.gii", "rh.aparc.annot.gii", "rh.shape.curv.gii"])
def test_nibabels_samples(name):
    data = read_surface_data(SAMPLES / name)
    image = nib.load(SAMPLES / name)
    for frame, array in enumerate(image.darrays):
        np.testing.assert_array_equal(data.frame(frame), array.data.ravel())
    assert [label.name for label in data.labels()] == [label.label for label in image.labeltable.labels]


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ([shape(VALUES), shape(VALUES[:3])], "different or no length"),
        ([shape(np.arange(5, dtype=np.int32), intent="NIFTI_INTENT_NODE_INDEX"), shape(VALUES)], "some vertices only"),
        ([shape(np.zeros((5, 3), np.float32), intent="NIFTI_INTENT_RGB_VECTOR")], "colours"),
        ([shape(np.zeros((5, 3), np.float32), intent="NIFTI_INTENT_POINTSET")], "no values"),
    ],
)
def test_gifti_that_holds_no_values_per_vertex_is_refused(tmp_path, arrays, says):
    with pytest.raises(Problem) as problem:
        read_surface_data(gifti(tmp_path / "x.func.gii", arrays))
    assert says in problem.value.what


def test_times_come_from_the_sidecar_and_never_from_nowhere(tmp_path):
    path = gifti(tmp_path / "sub-01_hemi-L_bold.func.gii", [shape(VALUES)] * 3)
    assert read_surface_data(path).times is None
    (tmp_path / "sub-01_hemi-L_bold.json").write_text(json.dumps({"RepetitionTime": 2.5}))
    assert read_surface_data(path).times.start_s == (0, 2.5, 5)
    (tmp_path / "sub-01_hemi-L_bold.json").write_text("{")
    data = read_surface_data(path)
    assert data.times is None
    assert [finding.code for finding in data.findings] == ["sidecar"]


def test_keys_beyond_single_precision_are_said(tmp_path):
    arrays = [shape(np.array([0, 2**24 + 1], np.int32), intent="NIFTI_INTENT_LABEL")]
    data = read_surface_data(gifti(tmp_path / "x.label.gii", arrays, [(2**24 + 1, "far", (1, 1, 1, 1))]))
    assert [finding.code for finding in data.findings] == ["label-keys"]


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "x.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.float32), np.eye(4)), path)
    with pytest.raises(Problem, match="NIfTI-1, not one of values on a surface"):
        read_surface_data(path)
    (tmp_path / "y.func.gii.gz").write_bytes(gzip.compress(b"<GIFTI/>"))
    with pytest.raises(Problem):
        read_surface_data(tmp_path / "y.func.gii.gz")


def test_rows_are_spread_over_their_vertices():
    table = ValueTable(np.array([[10, 20], [30, 40]], np.int16), ("a", "b"), slope=0.5, intercept=1)
    data = SurfaceData(table, np.array([1, -1, 0, 1], np.int32), "left", Path("x"))
    np.testing.assert_array_equal(data.frame(1), np.float32([21, np.nan, 11, 21]))
    np.testing.assert_array_equal(data.series(0), [16, 21])
    np.testing.assert_array_equal(data.series(1), [np.nan, np.nan])


def test_spread_keeps_fortran_order():
    rows = np.asfortranarray(np.array([[[0, 1], [-1, 2]], [[2, 2], [1, 0]]], np.int32))
    placed = spread(np.float32([5, 6, 7]), rows)
    np.testing.assert_array_equal(placed, [[[5, 6], [np.nan, 7]], [[7, 7], [6, 5]]])
    assert placed.flags.f_contiguous
    assert not placed.flags.writeable


def test_info_tells_what_the_data_are():
    info = file_info(FSAVERAGE5 / "curv_right.gii.gz")
    assert info.format == "GIFTI (values on 10242 vertices of the right hemisphere, as fsaverage5 has)"
    assert (info.shape, info.dtype, info.frames) == ((10242,), "float32", 1)
    labels = file_info(SAMPLES / "label.gii")
    assert labels.format == "GIFTI (labels on 71723 vertices)"
    assert file_info(SAMPLES / "task.func.gii").frames == 10
