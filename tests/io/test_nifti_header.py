"""NIfTI headers, read here and by nibabel."""

from __future__ import annotations

import io

import nibabel as nib
import numpy as np
import pytest
from habena.app.io.identify import identify
from habena.app.io.nifti import DATA_TYPES, NIFTI_1, NIFTI_2, nifti_header
from habena.app.io.volumes import open_volume
from hypothesis import given
from hypothesis import strategies as st
from nifti_files import OBLIQUE, image_file, numbers

HEADERS = {"NIfTI-1": nib.Nifti1Header, "NIfTI-2": nib.Nifti2Header}
small = st.floats(-100, 100, width=32).filter(lambda value: abs(value) > 1e-3)


@pytest.mark.parametrize(("ours", "theirs"), [(NIFTI_1, nib.Nifti1Header), (NIFTI_2, nib.Nifti2Header)])
def test_every_field_lies_where_nibabel_has_it(ours, theirs):
    stored = theirs.template_dtype
    assert ours.itemsize == stored.itemsize
    first = {"intent_p": "intent_p1", "quatern": "quatern_b", "qoffset": "qoffset_x", "srow": "srow_x"}
    for name in ours.names:
        field, offset = stored.fields[first.get(name, name)][:2]
        assert ours.fields[name][1] == offset, name
        assert ours.fields[name][0].base == field.base, name


def test_every_data_type_is_nibabels():
    for code, data_type in DATA_TYPES.items():
        assert np.dtype(data_type.stored) == nib.nifti1.data_type_codes.dtype[code]


@given(
    form=st.tuples(st.sampled_from(sorted(HEADERS)), st.sampled_from("<>")),
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=7),
    code=st.sampled_from(sorted(code for code in DATA_TYPES if DATA_TYPES[code].kind != "rgb")),
    scale=st.tuples(small, small),
    forms=st.tuples(st.integers(0, 5), st.integers(0, 5)),
)
def test_a_header_says_what_nibabel_says(tmp_path_factory, form, shape, code, scale, forms):
    version, order = form
    theirs = HEADERS[version](endianness=order)
    theirs.set_data_shape(shape)
    theirs["datatype"] = code
    theirs["bitpix"] = np.dtype(DATA_TYPES[code].stored).itemsize * 8
    theirs["pixdim"][1:4] = (2.0, 2.5, 3.0)
    theirs.set_qform(OBLIQUE, forms[0], strip_shears=True)
    theirs.set_sform(OBLIQUE, forms[1])
    theirs["scl_slope"], theirs["scl_inter"] = scale
    theirs["vox_offset"] = 1024
    theirs["magic"] = b"n+1" if version == "NIfTI-1" else b"n+2\0\r\n\x1a\n"
    path = tmp_path_factory.mktemp("header") / "a.nii"
    path.write_bytes(theirs.binaryblock.ljust(1024, b"\0"))
    ours = nifti_header(identify(path))
    assert ours.format == version
    assert ours.shape == theirs.get_data_shape()
    assert ours.n_frames == int(np.prod(shape[3:]))
    assert ours.voxels.dtype == theirs.get_data_dtype()
    assert ours.voxels.offsets[0, 0] == 1024
    assert (ours.scaling.slope.item(), ours.scaling.intercept.item()) == pytest.approx(theirs.get_slope_inter())
    for mine, name in ((ours.placement.qform, "qform"), (ours.placement.sform, "sform")):
        expected, set_to = getattr(theirs, f"get_{name}")(coded=True)
        assert getattr(ours.placement, f"{name}_code") == set_to
        assert (mine is None) == (expected is None)
        if expected is not None:
            np.testing.assert_allclose(mine, expected, atol=1e-4)


@pytest.mark.parametrize(("slope", "inter"), [(0.0, 5.0), (np.nan, 5.0), (np.inf, np.nan)])
def test_a_slope_that_means_none_leaves_the_values(tmp_path, slope, inter):
    data = numbers((3, 4, 5))
    path = image_file(tmp_path / "a.nii", data, scl_slope=slope, scl_inter=inter)
    np.testing.assert_array_equal(open_volume(path).frame(), data)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"intent_code": 3, "intent_p": (18, 0, 0)}, "t(18)"),
        ({"intent_code": 4, "intent_p": (2, 30, 0)}, "F(2, 30)"),
        ({"intent_code": 5}, "z"),
        ({"intent_code": 2, "intent_p": (20, 0, 0)}, "r(20)"),
        ({"intent_code": 22}, "p"),
        ({"intent_code": 1002}, ""),
        ({"descrip": b"SPM{T_[18.0]} - contrast 1: main"}, "t(18)"),
        ({"descrip": b"spm - F contrast SPM{F_[2.0,30.5]}"}, "F(2, 30.5)"),
        ({}, ""),
    ],
)
def test_the_statistic_is_named_with_its_degrees_of_freedom(tmp_path, fields, expected):
    path = image_file(tmp_path / "a.nii", numbers((3, 4, 5)), **fields)
    assert open_volume(path).info.statistic == expected


def test_bits_per_voxel_that_do_not_fit_are_flagged(tmp_path):
    path = image_file(tmp_path / "a.nii", numbers((3, 4, 5)), bitpix=8)
    assert [finding.code for finding in open_volume(path).info.findings] == ["bitpix"]


def test_spectroscopy_is_no_time_series(tmp_path):
    data = numbers((1, 1, 1, 64), np.complex64)
    info = open_volume(image_file(tmp_path / "a.nii", data, intent_name=b"mrs_v0_5")).info
    assert [finding.code for finding in info.findings] == ["spectroscopy"]
    assert (info.tr_s, info.times) == (None, None)


def test_a_header_extension_is_skipped(tmp_path):
    image = nib.Nifti1Image(numbers((3, 4, 5)), OBLIQUE)
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"a comment" * 100))
    for name in ("a.nii", "a.nii.gz"):
        nib.save(image, tmp_path / name)
        np.testing.assert_array_equal(open_volume(tmp_path / name).frame(), image.get_fdata())


def test_a_big_endian_stream_is_the_same_image(tmp_path):
    image = nib.Nifti1Image(numbers((3, 4, 5)), OBLIQUE, nib.Nifti1Header(endianness=">"))
    image.header.set_data_dtype(">i2")
    stream = io.BytesIO()
    image.to_file_map({"header": nib.FileHolder(fileobj=stream), "image": nib.FileHolder(fileobj=stream)})
    (tmp_path / "a.nii").write_bytes(stream.getvalue())
    volume = open_volume(tmp_path / "a.nii")
    assert stream.getvalue()[:4] == b"\0\0\x01\x5c"
    np.testing.assert_array_equal(volume.frame(), image.get_fdata())
    np.testing.assert_allclose(volume.grid.affine, OBLIQUE, atol=1e-5)
