"""Values and places of images, against nibabel, format by format and type by type."""

from __future__ import annotations

import gzip
import shutil
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io import memory
from habena.app.io.memory import DoesNotFit
from habena.app.io.volumes import open_volume
from habena.app.problems import Cancelled, Problem
from nifti_files import NIBABEL_DATA, OBLIQUE, image_file, numbers

SHAPE = (5, 6, 7)
REAL_TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
FORMATS = {
    "anatomical.nii": "NIfTI-1",
    "functional.nii": "NIfTI-1",
    "standard.nii.gz": "NIfTI-1",
    "example4d.nii.gz": "NIfTI-1",
    "example_nifti2.nii.gz": "NIfTI-2",
    "test.mgz": "MGH",
    "tinypet.v": "ECAT 7",
    "example4d+orig.HEAD": "AFNI",
    "example4d+orig.BRIK.gz": "AFNI",
    "scaled+tlrc.HEAD": "AFNI",
    "scaled+tlrc.BRIK": "AFNI",
    "phantom_EPI_asc_CLEAR_2_1.PAR": "PAR/REC",
    "phantom_EPI_asc_CLEAR_2_1.REC": "PAR/REC",
    "phantom_varscale.PAR": "PAR/REC",
    "tiny.mnc": "MINC 1",
    "minc1_4d.mnc": "MINC 1",
    "minc1_1_scale.mnc": "MINC 1",
    "minc1-no-att.mnc": "MINC 1",
    "small.mnc": "MINC 2",
    "minc2_4d.mnc": "MINC 2",
    "minc2-4d-d.mnc": "MINC 2",
    "minc2_1_scale.mnc": "MINC 2",
}


def nibabel_values(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Values (nx, ny, nz, frames) and affine by nibabel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # some of nibabel's readers leave their file open
        image = nib.ecat.load(path) if path.suffix == ".v" else nib.load(path)
        values, affine = np.asanyarray(image.dataobj).copy(), image.affine
        del image
    if path.suffix == ".mnc" and values.ndim == 4:
        values = np.moveaxis(values, 0, -1)  # MINC stores time first, and the affine is of the rest
    values = np.abs(values) if values.dtype.kind == "c" else values.astype(float)
    size = (*values.shape, 1, 1, 1)[:3]
    values = values.reshape((*size, -1), order="F")
    return np.where(np.isfinite(values), values, np.nan), affine


def compare(path: Path) -> None:
    volume = open_volume(path)
    expected, affine = nibabel_values(path)
    np.testing.assert_allclose(volume.grid.affine, affine, atol=1e-4)
    assert volume.grid.shape == expected.shape[:3]
    assert volume.n_frames == expected.shape[3]
    for index in range(volume.n_frames):
        np.testing.assert_allclose(volume.frame(index), expected[..., index], rtol=2e-7)
    ijk = (0, volume.grid.shape[1] - 1, volume.grid.shape[2] // 2)
    np.testing.assert_allclose(volume.series(ijk), expected[ijk], rtol=2e-7)


@pytest.mark.parametrize(("name", "format_name"), FORMATS.items())
def test_every_format_gives_nibabels_values(name, format_name):
    path = NIBABEL_DATA / name
    assert open_volume(path).info.format == format_name
    compare(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", REAL_TYPES)
def test_every_type_and_byte_order(tmp_path, kind, order, name):
    header = nib.Nifti1Header(endianness=order)
    image = nib.Nifti1Image(numbers((*SHAPE, 3), kind), OBLIQUE, header, dtype=np.dtype(kind))
    nib.save(image, tmp_path / name)
    assert open_volume(tmp_path / name).info.dtype == np.dtype(kind).name
    compare(tmp_path / name)


@pytest.mark.parametrize("kind", ["i2", "f4", "f8", "c8"])
def test_scaling(tmp_path, kind):
    compare(image_file(tmp_path / "a.nii", numbers((*SHAPE, 2), kind), scl_slope=0.013, scl_inter=-700.5))


@pytest.mark.parametrize("kind", ["c8", "c16"])
def test_complex_values_are_shown_as_magnitude(tmp_path, kind):
    data = numbers((*SHAPE, 2), kind)
    path = image_file(tmp_path / "a.nii.gz", data)
    assert open_volume(path).kind == "complex"
    np.testing.assert_allclose(open_volume(path).frame(1), np.abs(data[..., 1]), rtol=1e-6)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("scaled", [False, True])
def test_nan_and_infinity_are_empty(tmp_path, kind, scaled):
    data = numbers(SHAPE, kind)
    data[0, 0, 0], data[1, 0, 0], data[2, 0, 0] = np.nan, np.inf, -np.inf
    path = image_file(tmp_path / "a.nii", data, **({"scl_slope": 2.0, "scl_inter": 1.0} if scaled else {}))
    frame = open_volume(path).frame()
    assert np.isnan(frame[:3, 0, 0]).all()
    assert np.isnan(frame).sum() == 3
    assert frame[3, 0, 0] == pytest.approx(data[3, 0, 0] * (2 if scaled else 1) + (1 if scaled else 0))
    assert np.isnan(open_volume(path).series((1, 0, 0))).all()


def test_a_value_beyond_single_precision_is_empty(tmp_path):
    data = numbers(SHAPE, "f8")
    data[1, 2, 3] = 1e300
    volume = open_volume(image_file(tmp_path / "a.nii", data))
    assert np.isnan(volume.frame()[1, 2, 3])
    assert np.isnan(volume.series((1, 2, 3)))


@pytest.mark.parametrize("channels", ["RGB", "RGBA"])
def test_colours(tmp_path, channels):
    colours = np.zeros(SHAPE, [(name, "u1") for name in channels])
    for index, name in enumerate(channels):
        colours[name] = numbers(SHAPE, "u1", seed=index)
    path = tmp_path / "a.nii.gz"
    nib.save(nib.Nifti1Image(colours, OBLIQUE), path)
    volume = open_volume(path)
    assert (volume.kind, volume.info.dtype) == ("rgb", {3: "rgb24", 4: "rgba32"}[len(channels)])
    rgba = volume.rgba()
    for index, name in enumerate(channels):
        np.testing.assert_array_equal(rgba[..., index], colours[name])
    if len(channels) == 3:
        assert (rgba[..., 3] == 255).all()
    assert not rgba.flags.writeable
    for ask in (volume.frame, lambda: volume.series((0, 0, 0))):
        with pytest.raises(Problem, match="colours"):
            ask()


def test_values_are_no_colours(tmp_path):
    with pytest.raises(Problem, match="values"):
        open_volume(image_file(tmp_path / "a.nii", numbers(SHAPE))).rgba()


def test_dimensions_past_the_fourth_are_strung_together_and_said(tmp_path):
    data = numbers((4, 5, 6, 2, 3))
    volume = open_volume(image_file(tmp_path / "a.nii", data))
    assert volume.n_frames == 6
    np.testing.assert_array_equal(volume.frame(5), data[..., 1, 2])
    np.testing.assert_array_equal(volume.frame(2), data[..., 0, 1])
    np.testing.assert_array_equal(volume.series((1, 2, 3)), data[1, 2, 3].ravel(order="F"))
    assert "flattened" in [finding.code for finding in volume.info.findings]


@pytest.mark.parametrize("shape", [(7,), (7, 5), (7, 5, 1), (7, 5, 1, 3), (1, 1, 1, 9)])
def test_images_of_fewer_dimensions(tmp_path, shape):
    compare(image_file(tmp_path / "a.nii", numbers(shape)))


def test_a_frame_is_what_every_reader_may_rely_on(tmp_path):
    for name in ("a.nii", "a.nii.gz"):
        for kind in ("i2", "f4", ">f4"):
            frame = open_volume(image_file(tmp_path / name, numbers(SHAPE, kind))).frame()
            assert frame.dtype == np.float32
            assert frame.flags.f_contiguous
            assert not frame.flags.writeable


def test_pairs_open_by_either_file(tmp_path):
    data = numbers(SHAPE)
    nib.save(nib.Nifti1Pair(data, OBLIQUE), tmp_path / "a.img")
    nib.save(nib.Nifti1Pair(data, OBLIQUE), tmp_path / "b.img.gz")
    for name in ("a.img", "a.hdr", "b.img.gz", "b.hdr.gz"):
        volume = open_volume(tmp_path / name)
        assert volume.info.format == "NIfTI-1"
        np.testing.assert_array_equal(volume.frame(), data)


@pytest.mark.parametrize("image_class", [nib.AnalyzeImage, nib.Spm99AnalyzeImage, nib.Spm2AnalyzeImage])
def test_analyze_has_no_orientation_unless_spm_wrote_one(tmp_path, image_class):
    affine = np.diag([-2.0, 2.5, 3.0, 1.0])
    nib.save(image_class(numbers((*SHAPE, 2)), affine), tmp_path / "a.img")
    volume = open_volume(tmp_path / "a.hdr")
    mat = (tmp_path / "a.mat").exists()
    assert volume.info.format == "ANALYZE"
    assert volume.info.space.source == ("format" if mat else "fallback")
    assert ("no-orientation" in [finding.code for finding in volume.info.findings]) is not mat
    compare(tmp_path / "a.hdr")


@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "f4"])
def test_mgh(tmp_path, kind):
    image = nib.MGHImage(numbers((*SHAPE, 3), kind), OBLIQUE.astype(np.float32))
    image.header["tr"] = 1500
    for name in ("a.mgh", "a.mgz"):
        nib.save(image, tmp_path / name)
        volume = open_volume(tmp_path / name)
        assert (volume.info.tr_s, volume.info.space.source) == (1.5, "format")
        compare(tmp_path / name)


def test_an_mgh_file_without_a_place_is_flagged(tmp_path):
    nib.save(nib.MGHImage(numbers(SHAPE), OBLIQUE.astype(np.float32)), tmp_path / "a.mgh")
    content = bytearray((tmp_path / "a.mgh").read_bytes())
    content[28:30] = b"\0\0"
    (tmp_path / "a.mgh").write_bytes(content)
    volume = open_volume(tmp_path / "a.mgh")
    assert volume.info.space.source == "fallback"
    assert volume.grid.axcodes == "LIA"


def test_ecat_brings_its_own_frame_times_and_unit():
    info = open_volume(NIBABEL_DATA / "tinypet.v").info
    assert info.unit == "Bq/cc"
    assert info.times.start_s == pytest.approx((1500.016,))
    assert info.times.duration_s == (300,)


def test_afni_says_its_space_repetition_time_and_names():
    assert open_volume(NIBABEL_DATA / "scaled+tlrc.HEAD").info.space.template == "Talairach"
    info = open_volume(NIBABEL_DATA / "example4d+orig.HEAD").info
    assert (info.space.template, info.tr_s, info.frame_names) == (None, 3.0, ("#0", "#1", "#2"))


def test_afni_headers_in_milliseconds_and_with_statistics(tmp_path):
    for name in ("example4d+orig.BRIK.gz", "scaled+tlrc.BRIK"):
        shutil.copy(NIBABEL_DATA / name, tmp_path)
    head = (NIBABEL_DATA / "example4d+orig.HEAD").read_text()
    (tmp_path / "example4d+orig.HEAD").write_text(head.replace("77002", "77001"))
    assert open_volume(tmp_path / "example4d+orig.HEAD").info.tr_s == pytest.approx(0.003)
    head = (NIBABEL_DATA / "scaled+tlrc.HEAD").read_text()
    statistic = "\ntype = float-attribute\nname = BRICK_STATAUX\ncount = 4\n 0 3 1 18\n"
    (tmp_path / "scaled+tlrc.HEAD").write_text(head.rstrip() + "\n" + statistic)
    assert open_volume(tmp_path / "scaled+tlrc.HEAD").info.statistic == "t(18)"


def test_a_truncated_philips_recording_keeps_its_whole_volumes_and_says_so():
    volume = open_volume(NIBABEL_DATA / "phantom_truncated.PAR")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = np.asanyarray(nib.load(NIBABEL_DATA / "phantom_truncated.PAR", permit_truncated=True).dataobj).copy()
    assert volume.n_frames == whole.shape[3] == 3
    np.testing.assert_allclose(volume.frame(2), whole[..., 2], rtol=1e-6)
    assert "reader-note" in [finding.code for finding in volume.info.findings]


def test_slices_of_a_rec_file_in_any_order(tmp_path):
    """Swap two slices in the REC file and their rows in the PAR file: the image stays the same."""
    name = "phantom_varscale"
    lines = (NIBABEL_DATA / f"{name}.PAR").read_bytes().split(b"\r\n")
    rows = [number for number, line in enumerate(lines) if line[:1] in {b" ", b"1", b"2"} and len(line) > 200]
    size = 64 * 64 * 2
    stored = (NIBABEL_DATA / f"{name}.REC").read_bytes()
    slices = [stored[start : start + size] for start in range(0, len(stored), size)]
    assert len(rows) == len(slices)
    slices[3], slices[5] = slices[5], slices[3]
    lines[rows[3]], lines[rows[5]] = lines[rows[5]], lines[rows[3]]
    (tmp_path / "a.PAR").write_bytes(b"\r\n".join(lines))
    (tmp_path / "a.REC").write_bytes(b"".join(slices))
    before, after = open_volume(NIBABEL_DATA / f"{name}.PAR"), open_volume(tmp_path / "a.PAR")
    for index in range(before.n_frames):
        np.testing.assert_array_equal(before.frame(index), after.frame(index))
    np.testing.assert_array_equal(before.series((20, 30, 5)), after.series((20, 30, 5)))


def test_a_sidecar_gives_unit_space_and_times(tmp_path):
    path = image_file(tmp_path / "a_pet.nii.gz", numbers((*SHAPE, 2)))
    (tmp_path / "a_pet.json").write_text(
        '{"Units": "Bq/mL", "SpatialReference": "MNI152NLin6Asym", "ImageDecayCorrected": true, '
        '"FrameTimesStart": [0, 60], "FrameDuration": [60, 120]}'
    )
    info = open_volume(path).info
    assert (info.unit, info.space.template, info.times.mid_s) == ("Bq/mL", "MNI152NLin6Asym", (30, 120))
    assert info.sidecar["ImageDecayCorrected"] is True


def test_a_broken_sidecar_is_said_and_the_image_opens(tmp_path):
    path = image_file(tmp_path / "a_pet.nii.gz", numbers((*SHAPE, 2)))
    (tmp_path / "a_pet.json").write_text('{"FrameTimesStart": [0, 60')
    info = open_volume(path).info
    assert info.times is None
    assert [finding.code for finding in info.findings] == ["sidecar", "frame-times-missing"]
    assert info.findings[0].where.endswith("a_pet.json")


def test_names_that_contradict_the_content_are_read_by_content_and_said(tmp_path):
    data = numbers(SHAPE)
    plain = image_file(tmp_path / "a.nii", data)
    packed = tmp_path / "b.nii"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    unpacked = shutil.copy(plain, tmp_path / "c.nii.gz")
    for path in (packed, unpacked):
        volume = open_volume(path)
        np.testing.assert_array_equal(volume.frame(), data)
        assert "name-content" in [finding.code for finding in volume.info.findings]


def test_uncompressed_files_are_read_in_place(tmp_path):
    volume = open_volume(image_file(tmp_path / "a.nii", numbers((*SHAPE, 4))))
    assert (volume.frames_ready, volume.bytes_needed, volume.nbytes) == (4, 0, 0)
    volume.load()
    assert volume.nbytes == 0


def test_indices_outside_are_errors_of_the_caller(tmp_path):
    volume = open_volume(image_file(tmp_path / "a.nii", numbers((*SHAPE, 2))))
    for wrong in (-1, 2):
        with pytest.raises(IndexError):
            volume.frame(wrong)
    with pytest.raises(IndexError):
        volume.series((0, 0, -1))


def test_closing_gives_memory_back_and_frames_stay_valid(tmp_path):
    data = numbers((*SHAPE, 4), "f4")
    volume = open_volume(image_file(tmp_path / "a.nii.gz", data))
    volume.load()
    frame = volume.frame(2)
    assert volume.nbytes >= volume.bytes_needed == data.nbytes
    volume.close()
    assert volume.nbytes == 0
    np.testing.assert_array_equal(frame, data[..., 2])
    np.testing.assert_array_equal(volume.frame(3), data[..., 3])


def test_a_run_that_does_not_fit_shows_its_first_frame_and_goes_to_disk(tmp_path, monkeypatch):
    data = numbers((40, 40, 40, 6))
    volume = open_volume(image_file(tmp_path / "a.nii.gz", data))
    monkeypatch.setattr(memory, "TOO_SMALL_TO_ASK", 0)
    monkeypatch.setattr(memory, "available_bytes", lambda: data[..., :4].nbytes)
    np.testing.assert_array_equal(volume.frame(), data[..., 0])
    with pytest.raises(DoesNotFit) as refusal:
        volume.load()
    assert refusal.value.needed_bytes == data.nbytes
    assert refusal.value.available_bytes == data[..., :4].nbytes
    folder = tmp_path / "spilled"
    folder.mkdir()
    shares: list[float] = []
    volume.spill(folder, shares.append)
    assert shares == sorted(shares)
    assert 0 < shares[-1] <= 1
    assert volume.frames_ready == 6
    np.testing.assert_array_equal(volume.frame(5), data[..., 5])
    np.testing.assert_array_equal(volume.series((1, 2, 3)), data[1, 2, 3])
    assert [file.stat().st_size for file in folder.iterdir()] == [data.nbytes]
    volume.close()
    assert list(folder.iterdir()) == []


def test_a_cancelled_spill_leaves_nothing_behind(tmp_path):
    volume = open_volume(image_file(tmp_path / "a.nii.gz", numbers((*SHAPE, 4))))
    folder = tmp_path / "spilled"
    folder.mkdir()

    def cancel(share: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        volume.spill(folder, cancel)
    assert list(folder.iterdir()) == []
    assert volume.frames_ready == 0


def test_a_full_disk_is_said_before_anything_is_written(tmp_path, monkeypatch):
    volume = open_volume(image_file(tmp_path / "a.nii.gz", numbers((*SHAPE, 4))))
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(Problem, match=r"10 bytes free and 1\.7 kB are needed"):
        volume.spill(tmp_path)


def test_nothing_is_printed_by_the_library_behind(tmp_path, capfd):
    for name in FORMATS:
        open_volume(NIBABEL_DATA / name).frame()
    image_file(tmp_path / "a.nii", numbers(SHAPE), pixdim=(1, 0, 0, 0, 0, 0, 0, 0))
    open_volume(tmp_path / "a.nii")
    assert capfd.readouterr() == ("", "")
