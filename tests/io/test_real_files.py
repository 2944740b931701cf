"""The real data beside the project: opened as nibabel has them, or refused with a reason."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io.identify import identify
from habena.app.io.info import file_info
from habena.app.io.volumes import open_volume
from habena.app.problems import Problem

AFFINE_LETTERS = "AIL AIR ALI ALS ARI ARS ASL ASR IAL IAR ILA ILP IPL IPR IRA IRP LAI LAS LIA LIP LPI LPS LSA LSP"
ORIENTATIONS = f"{AFFINE_LETTERS} {AFFINE_LETTERS.translate(str.maketrans('LRAPIS', 'RLPASI'))}".split()
RAPIDTIDE = "fmri/rapidtide_sub-RAPIDTIDETEST_task-rest_space-MNI_res-3_desc-brain_bold.nii.gz"
# file, warnings
OPENED = [
    ("atlas/AAL_space-MNI152NLin6_res-2x2x2.nii.gz", []),
    ("atlas/CIT168/CIT168.nii.gz", ["units-missing"]),
    ("atlas/CIT168_labels/CIT168_subcortex.nii.gz", []),
    ("atlas/Tian_Subcortex_S2_3T.nii.gz", []),
    ("compat/complex.nii.gz", []),
    ("compat/ct_perfusion.nii.gz", []),
    ("compat/example4d+orig.HEAD", []),
    ("compat/example4d+orig.BRIK.gz", []),
    ("compat/low_res.nii.gz", ["units-missing"]),
    ("compat/minimal.nii.gz", ["no-orientation", "units-missing"]),
    ("compat/ras.hdr", []),
    ("compat/ras.img", []),
    ("compat/shear.nii.gz", ["sform-qform"]),
    ("compat/wm.mgz", []),
    ("connectivity/fmri1.nii.gz", []),
    ("fmri/func_task-oneback_run-1.nii.gz", ["tr-sidecar"]),
    (RAPIDTIDE, ["space-unconfirmed"]),
    ("mrs/metab.nii.gz", ["spectroscopy", "units-missing"]),
    ("pet/BP.mni305.2mm.sm6.nii.gz", ["units-missing"]),
    ("pet/receptors/D2_RACLOPRIDE_c11.nii.gz", []),
    ("pet/receptors/MU_CARFENTANIL_c11.nii.gz", []),
    ("pet/tac.cereb.nii.gz", ["tr-missing"]),
    ("stat/narps-4735_50GV-hypo1_unthresh.nii.gz", []),
    ("stat/narps-4965_9U7M-hypo1_unthresh.nii.gz", ["units-missing"]),
    ("stat/zstat_ToM.nii.gz", ["space-unconfirmed"]),
]
REFUSED = [
    ("compat/mha.mha", "MetaImage"),
    ("compat/template.mif.gz", "mrconvert"),
    ("compat/mz3/3Mesh.mz3", "mz3"),
    ("compat/mz3/11ScalarMesh.mz3", "mz3"),
    ("compat/mz3/16DoubleOverlay_5124x2.mz3", "mz3"),
    ("compat/mz3/cortex_5124.mz3", "mz3"),
    ("compat/lh.Yeo2011.mgz", "per vertex"),
    ("compat/fs_LR.32k.LR.curvature.dscalar.nii", "CIFTI"),
    ("atlas/tpl-fsLR_atlas-4S_scale-156_den-91k_dseg.dlabel.nii", "CIFTI"),
    ("cifti/ODC_PDDL.rtf", "text document"),
    ("cifti/README", "text"),
    ("fmri/events.tsv", "table"),
    ("dicom/studyforrest_first3vols", "folder of DICOM"),
    ("dicom/mr_0004/axial_epi_fmri_interleaved_i_to_s-00001.dcm", "DICOM"),
    ("atlas/CIT168/CIT168.json", "JSON"),
]


@pytest.mark.parametrize(("name", "codes"), OPENED, ids=[Path(name).name[:30] for name, _ in OPENED])
def test_it_opens_in_its_place_with_its_values_and_warnings(shared_data, name, codes):
    path = shared_data(name)
    volume, image = open_volume(path), nib.load(path)
    assert [finding.code for finding in volume.info.findings] == codes
    np.testing.assert_allclose(volume.grid.affine, image.affine, atol=1e-3)
    assert file_info(path).frames == volume.n_frames
    index = volume.n_frames // 2
    values = np.asanyarray(image.dataobj[..., index] if len(image.shape) > 3 else image.dataobj)
    if volume.kind == "rgb":
        np.testing.assert_array_equal(volume.rgba(index)[..., 1], values["G"])
        return
    values = np.abs(values) if values.dtype.kind == "c" else values
    expected = np.where(np.isfinite(values), values, np.nan)
    np.testing.assert_allclose(volume.frame(index), expected, rtol=1e-6)


@pytest.mark.parametrize(("name", "words"), REFUSED)
def test_it_is_refused_with_the_reason(shared_data, name, words):
    path = shared_data(name)
    with pytest.raises(Problem, match=words) as refusal:
        open_volume(path)
    assert path.name in refusal.value.where
    assert refusal.value.todo


def test_every_file_is_known_or_refused(shared_data):
    folder = shared_data("README.md").parent
    for path in folder.rglob("*"):
        if path.is_file():
            with suppress(Problem):
                assert identify(path).format, path


def test_one_brain_in_48_orientations_is_one_picture(shared_data):
    """Resampled at the voxel centres of the first, all are the same numbers."""
    files = {name: shared_data(f"compat/nifti_space/{name}.nii.gz") for name in ORIENTATIONS}
    assert len(files) == 48
    first = open_volume(files["RAS"])
    centres = first.grid.mm_of(np.indices(first.grid.shape).reshape(3, -1).T)
    expected = first.frame().reshape(-1)
    for name, path in files.items():
        volume = open_volume(path)
        assert volume.grid.axcodes == name
        exact = volume.grid.ijk_of(centres)
        nearest = np.rint(exact).astype(int)
        assert np.abs(exact - nearest).max() < 1e-5
        assert (nearest >= 0).all()
        assert (nearest < volume.grid.shape).all()
        np.testing.assert_array_equal(volume.frame()[tuple(nearest.T)], expected)


def test_the_rest_run_has_its_times(shared_data):
    info = open_volume(shared_data(RAPIDTIDE)).info
    assert (info.tr_s, info.space.template) == (1.5, "MNI152")
    assert info.times.start_s[-1] == pytest.approx(259 * 1.5)


def test_the_series_of_a_voxel_is_nibabels(shared_data):
    path = shared_data(RAPIDTIDE)
    volume = open_volume(path)
    ijk = volume.grid.voxel_at((0, -52, 26))
    np.testing.assert_array_equal(volume.series(ijk), np.asanyarray(nib.load(path).dataobj)[ijk])
