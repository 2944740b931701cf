"""CIFTI: every value at the vertex or voxel where nibabel's axes put it, mapped and not copied."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io.cifti import Cifti, read_cifti
from habena.app.io.info import file_info
from habena.app.problems import Cancelled, Problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, LabelAxis, ParcelsAxis, ScalarAxis, SeriesAxis

SHAPE = (4, 5, 6)
AFFINE = np.array([[-2, 0, 0, 9], [0, 2.5, 0, -11], [0, 0, 3, 4], [0, 0, 0, 1]], float)
N_VERTICES = {"CIFTI_STRUCTURE_CORTEX_LEFT": 20, "CIFTI_STRUCTURE_CORTEX_RIGHT": 22}


def dense_axis() -> BrainModelAxis:
    """Some vertices of both cortices, a thalamus and a brain stem of a few voxels."""
    left = BrainModelAxis.from_surface([1, 2, 5, 19], 20, "CortexLeft")
    right = BrainModelAxis.from_surface([0, 3, 21], 22, "CortexRight")
    thalamus = np.zeros(SHAPE, bool)
    thalamus[1, 2, 3:5] = True
    stem = np.zeros(SHAPE, bool)
    stem[3, 4, 0] = stem[0, 0, 5] = True
    return (
        left
        + right
        + BrainModelAxis.from_mask(thalamus, "thalamus_left", AFFINE)
        + BrainModelAxis.from_mask(stem, "brain_stem", AFFINE)
    )


def parcel_axis() -> ParcelsAxis:
    """Three parcels: across both cortices, in voxels, and in both."""
    left, right = N_VERTICES
    voxels = [np.empty((0, 3), int), np.array([[1, 2, 3], [1, 2, 4]]), np.array([[0, 0, 5]])]
    vertices = [{left: np.array([4, 7]), right: np.array([0])}, {}, {right: np.array([21, 5, 9])}]
    return ParcelsAxis(["both sides", "thalamus", "mixed"], voxels, vertices, AFFINE, SHAPE, N_VERTICES)


def save(path: Path, maps, places, dtype=np.float32, seed: int = 1) -> Path:
    values = np.random.default_rng(seed).normal(100, 50, (len(maps), len(places))).astype(dtype)
    image = Cifti2Image(values, header=(maps, places))
    image.update_headers()
    nib.save(image, path)
    return path


def assert_as_nibabel(path: Path, cifti: Cifti) -> None:
    """Compare every vertex and voxel of every frame with nibabel's own interpretation of the file."""
    image = nib.load(path)
    values, axis = image.get_fdata(), image.header.get_axis(1)
    assert cifti.n_frames == len(values)
    for frame, row in enumerate(values):
        for data in cifti.cortices:
            name = f"CIFTI_STRUCTURE_CORTEX_{data.hemisphere.upper()}"
            expected = np.full(axis.nvertices[name], np.nan, np.float32)
            for vertices, values_there in surface_parts(axis, row, name):
                expected[vertices] = values_there
            np.testing.assert_array_equal(data.frame(frame), expected)
        if axis.volume_shape is None:
            assert cifti.volume is None
            continue
        expected = np.full(axis.volume_shape, np.nan, np.float32)
        for voxels, values_there in volume_parts(axis, row):
            expected[tuple(np.transpose(voxels))] = values_there
        np.testing.assert_array_equal(cifti.volume.frame(frame), expected)
        np.testing.assert_allclose(cifti.volume.grid.affine, axis.affine)


def surface_parts(axis, row, name):
    if isinstance(axis, BrainModelAxis):
        return [(part.vertex, row[place]) for found, place, part in axis.iter_structures() if found == name]
    return [(vertices[name], row[i]) for i, vertices in enumerate(axis.vertices) if name in vertices]


def volume_parts(axis, row):
    if isinstance(axis, BrainModelAxis):
        return [(axis.voxel[axis.volume_mask], row[axis.volume_mask])]
    return [(voxels, row[i]) for i, voxels in enumerate(axis.voxels) if len(voxels)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_dense_scalars(tmp_path, dtype):
    path = save(tmp_path / "x.dscalar.nii", ScalarAxis(["first", "second"]), dense_axis(), dtype)
    cifti = read_cifti(path)
    assert_as_nibabel(path, cifti)
    assert (cifti.kind, cifti.table.names, cifti.dtype) == ("dscalar", ("first", "second"), np.dtype(dtype).name)
    assert [data.n_vertices for data in cifti.cortices] == [20, 22]
    names = [structure.name for structure in cifti.structures]
    assert names == ["left cortex", "right cortex", "left thalamus", "brain stem"]
    assert [structure.n_voxels for structure in cifti.structures] == [0, 0, 2, 2]
    assert [structure.n_vertices for structure in cifti.structures] == [4, 3, 0, 0]


def test_volume_behaves_as_an_image(tmp_path):
    path = save(tmp_path / "x.dtseries.nii", SeriesAxis(0, 0.8, 7), dense_axis())
    volume = read_cifti(path).volume
    assert (volume.grid.shape, volume.n_frames, volume.kind) == (SHAPE, 7, "scalar")
    assert volume.grid.axcodes == "LAS"
    assert volume.ready(6)
    assert volume.frames_ready == 7
    frame = volume.frame(3)
    assert frame.flags.f_contiguous
    assert not frame.flags.writeable
    np.testing.assert_array_equal(volume.series((1, 2, 4)), [volume.frame(k)[1, 2, 4] for k in range(7)])
    assert np.isnan(volume.series((0, 0, 0))).all()
    assert volume.structure_at((1, 2, 4)) == "left thalamus"
    assert volume.structure_at((0, 0, 0)) is None
    assert volume.info.tr_s == pytest.approx(0.8)
    for wrong in ((4, 0, 0), (-1, 0, 0)):
        with pytest.raises(IndexError):
            volume.series(wrong)
    with pytest.raises(IndexError):
        volume.frame(7)


def test_series_have_times_in_seconds(tmp_path):
    path = save(tmp_path / "x.dtseries.nii", SeriesAxis(2, 0.8, 3), dense_axis())
    cifti = read_cifti(path)
    assert cifti.times.start_s == pytest.approx((2, 2.8, 3.6))
    assert cifti.cortices[0].timing == cifti.timing
    (tmp_path / "x.json").write_text(json.dumps({"RepetitionTime": 2.0}))
    assert "tr-sidecar" in {finding.code for finding in read_cifti(path).findings}


def test_series_in_hertz_have_none(tmp_path):
    path = save(tmp_path / "x.dtseries.nii", SeriesAxis(0, 1, 3, "HERTZ"), dense_axis())
    assert read_cifti(path).times is None


def test_labels_of_each_map(tmp_path):
    tables = [{0: ("???", (0, 0, 0, 0)), 5: ("insula", (1, 0.5, 0, 1))}, {9: ("habenula", (0, 1, 0, 1))}]
    path = save(tmp_path / "x.dlabel.nii", LabelAxis(["one", "two"], tables), dense_axis())
    cifti = read_cifti(path)
    assert_as_nibabel(path, cifti)
    assert cifti.kind == "dlabel"
    assert cifti.cortices[0].labels(0)[1] == (5, "insula", (1, 0.5, 0, 1))
    assert cifti.volume.labels(1) == ((9, "habenula", (0, 1, 0, 1)),)


@pytest.mark.parametrize(("kind", "maps"), [("ptseries", SeriesAxis(0, 2, 3)), ("pscalar", ScalarAxis(["a", "b"]))])
def test_parcels_are_spread_over_their_vertices_and_voxels(tmp_path, kind, maps):
    path = save(tmp_path / f"x.{kind}.nii", maps, parcel_axis())
    cifti = read_cifti(path)
    assert_as_nibabel(path, cifti)
    assert cifti.kind == kind
    assert cifti.structures[2] == ("mixed", 3, 1)
    assert cifti.volume.structure_at((0, 0, 5)) == "mixed"
    assert len(cifti.table.values) == 3


def test_values_are_mapped_and_scaled(tmp_path):
    path = save(tmp_path / "x.dscalar.nii", ScalarAxis(["a"]), dense_axis(), np.int16)
    plain = read_cifti(path)
    content = bytearray(path.read_bytes())
    content[176:192] = np.array([0.5, -3], "<f8").tobytes()
    path.write_bytes(content)
    scaled = read_cifti(path)
    assert isinstance(scaled.table.values, np.memmap)
    np.testing.assert_array_equal(scaled.cortices[0].frame(), plain.cortices[0].frame() * 0.5 - 3)
    np.testing.assert_array_equal(scaled.table.frame(0), nib.load(path).get_fdata()[0].astype(np.float32))


def test_metres_become_millimetres(tmp_path):
    path = save(tmp_path / "x.dscalar.nii", ScalarAxis(["a"]), dense_axis())
    content = path.read_bytes()
    assert content.count(b'MeterExponent="-3"') == 1
    path.write_bytes(content.replace(b'MeterExponent="-3"', b'MeterExponent="-2"'))
    affine = read_cifti(path).volume.grid.affine
    np.testing.assert_allclose(affine[:3], 10 * AFFINE[:3])


def test_loading_reports_and_can_be_cancelled(tmp_path):
    cifti = read_cifti(save(tmp_path / "x.dscalar.nii", ScalarAxis(["a"]), dense_axis()))
    shares: list[float] = []
    cifti.load(shares.append)
    assert shares[-1] == 1

    def stop(share: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        cifti.load(stop)


def test_file_cut_while_open_is_a_problem_and_no_crash(tmp_path):
    path = save(tmp_path / "x.dscalar.nii", ScalarAxis(["a"]), dense_axis())
    cifti = read_cifti(path)
    path.write_bytes(path.read_bytes()[:600])
    for read in (cifti.cortices[0].frame, cifti.volume.frame, lambda: cifti.cortices[0].series(1)):
        with pytest.raises(Problem, match="cut short while it was open"):
            read()


def test_file_removed_while_open_goes_on(tmp_path):
    path = save(tmp_path / "x.dscalar.nii", ScalarAxis(["a"]), dense_axis())
    cifti = read_cifti(path)
    before = cifti.cortices[0].frame()
    path.unlink()
    np.testing.assert_array_equal(cifti.cortices[0].frame(), before)


def test_header_without_values_says_so(tmp_path):
    path = save(tmp_path / "x.dscalar.nii", ScalarAxis(["a"]), dense_axis())
    content = path.read_bytes()
    path.write_bytes(content[:-44])
    with pytest.raises(Problem, match="only its header, no values: 0 of 44 bytes"):
        read_cifti(path)
    path.write_bytes(content[:-1])
    with pytest.raises(Problem, match="cut short: 43 of 44 bytes"):
        read_cifti(path)


def test_compressed_files_are_refused_with_the_command(tmp_path):
    path = save(tmp_path / "x.dscalar.nii", ScalarAxis(["a"]), dense_axis())
    packed = tmp_path / "x.dscalar.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(Problem, match=r"gunzip x\.dscalar\.nii\.gz"):
        read_cifti(packed)


def test_connectivity_matrices_are_refused(tmp_path):
    path = save(tmp_path / "x.dconn.nii", dense_axis(), dense_axis())
    with pytest.raises(Problem, match="connectivity matrix"):
        read_cifti(path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"<VertexIndices>1 2 5 19<", b"<VertexIndices>1 2 5 20<", "outside its surface"),
        (b"<VertexIndices>1 2 5 19<", b"<VertexIndices>1 2 5   <", "3 of 4 places"),
        (b">0 0 5", b">0 0 7", "outside its surface or volume"),
        (b'IndexOffset="7"', b'IndexOffset="9"', "rows"),
        (b"</MapName>", b"</MapNome>", "XML header is damaged"),
        (b"<CIFTI ", b"<CUFTI ", "CIFTI-2"),
        (b"CIFTI_INDEX_TYPE_SCALARS", b"CIFTI_INDEX_TYPE_WHATEVE", "not shown"),
    ],
)
def test_headers_that_contradict_themselves_are_refused(tmp_path, old, new, says):
    path = save(tmp_path / "x.dscalar.nii", ScalarAxis(["a"]), dense_axis())
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    with pytest.raises(Problem) as problem:
        read_cifti(path)
    assert says in problem.value.what
    assert problem.value.todo


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 4000), new=st.binary(min_size=1, max_size=8), cut=st.none() | st.integers(0, 4000))
def test_changed_bytes_give_values_or_a_problem(tmp_path, at, new, cut):
    path = tmp_path / "x.dscalar.nii"
    content = save(path, ScalarAxis(["a"]), dense_axis()).read_bytes()
    path.write_bytes((content[:at] + new + content[at + len(new) :])[:cut])
    try:
        cifti = read_cifti(path)
    except Problem:
        return
    for data in cifti.cortices:
        assert data.frame().shape == (data.n_vertices,)
    if cifti.volume:
        assert cifti.volume.frame().shape == cifti.volume.grid.shape


@pytest.mark.parametrize(
    "name",
    [
        "cifti/Conte69.MyelinAndCorrThickness.32k_fs_LR.dscalar.nii",
        "cifti/Conte69.MyelinAndCorrThickness.32k_fs_LR.dtseries.nii",
        "cifti/Conte69.MyelinAndCorrThickness.32k_fs_LR.ptseries.nii",
        "cifti/Conte69.parcellations_VGD11b.32k_fs_LR.dlabel.nii",
        "cifti/ones.dscalar.nii",
        "compat/fs_LR.32k.LR.curvature.dscalar.nii",
    ],
)
def test_real_files(shared_data, name):
    path = shared_data(name)
    cifti = read_cifti(path)
    assert_as_nibabel(path, cifti)
    assert [data.mesh for data in cifti.cortices] == ["fsLR 32k", "fsLR 32k"]


def test_real_label_file_has_a_table_for_every_map(shared_data):
    cifti = read_cifti(shared_data("cifti/Conte69.parcellations_VGD11b.32k_fs_LR.dlabel.nii"))
    labels = {label.key: label.name for label in cifti.cortices[0].labels(0)}
    assert labels[2] == "BA2_FRB08"
    assert len(cifti.table.labels) == 3


def test_real_standard_grayordinates_lie_in_their_template(shared_data):
    cifti = read_cifti(shared_data("cifti/ones.dscalar.nii"))
    assert cifti.volume.space == "MNI152NLin6Asym"
    assert cifti.volume.structure_at(cifti.volume.grid.voxel_at((-12, -20, 8))) == "left thalamus"
    assert cifti.volume.structure_at(cifti.volume.grid.voxel_at((12, -20, 8))) == "right thalamus"


def test_real_file_that_lost_its_values_is_refused(shared_data):
    path = shared_data("atlas/tpl-fsLR_atlas-4S_scale-156_den-91k_dseg.dlabel.nii")
    with pytest.raises(Problem, match="only its header"):
        read_cifti(path)


def test_info_tells_what_is_in_it(tmp_path):
    info = file_info(save(tmp_path / "x.dtseries.nii", SeriesAxis(0, 0.8, 7), dense_axis()))
    assert info.format == (
        "CIFTI-2 dtseries (4 structures on left cortex of 20 vertices, right cortex of 22 vertices and 4 voxels)"
    )
    assert (info.shape, info.dtype, info.frames) == ((11, 7), "float32", 7)
    assert info.tr_s == pytest.approx(0.8)
    assert (info.affine, info.space) == (None, None)
