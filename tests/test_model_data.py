"""What a model can be fitted to: 4D images, columns of files, tables of regions, data on surfaces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from habena.app import modelling
from habena.app.io.study_table import StudyTable
from habena.app.io.surface_cortex import fsaverage5
from habena.app.model_data import ModelData, read_covariate, read_data
from habena.app.model_places import RegionPlace, SurfacePlace, VolumePlace
from habena.app.model_results import ModelResult
from habena.app.models import Inference, Model
from habena.app.problems import Problem
from habena.stats.neighbours import mesh_neighbours
from habena.stats.tfce import tfce
from nibabel.gifti import GiftiDataArray, GiftiImage
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

AFFINE = np.array([[-4.0, 0, 0, 50], [0, 5, 0, -62], [0, 0, 6, -40], [0, 0, 0, 1]])
SHAPE, N = (4, 3, 5), 8
N_VERTICES = 10242
GROUP = list("aabbabab")
RNG = np.random.default_rng(4)
VOLUMES = RNG.normal(size=(N, *SHAPE)).astype(np.float32)
VERTICES = RNG.normal(size=(N, N_VERTICES)).astype(np.float32)
VERTICES[:, :40] = 0  # a medial wall
VERTICES[[k for k in range(N) if GROUP[k] == "b"], 5000:5100] += 4


def study(folder: Path, **columns: Any) -> StudyTable:
    return StudyTable(folder / "study.tsv", pd.DataFrame({"group": GROUP, **columns}))


def image(path: Path, values: Any, affine: Any = AFFINE) -> str:
    made = nib.Nifti1Image(values, affine)
    made.header.set_xyzt_units("mm", "sec")
    nib.save(made, path)
    return path.name


def gifti(path: Path, *frames: Any, side: str = "Left") -> str:
    arrays = [GiftiDataArray(np.asarray(frame, np.float32), intent="NIFTI_INTENT_TIME_SERIES") for frame in frames]
    made = GiftiImage(darrays=arrays, meta=nib.gifti.GiftiMetaData({"AnatomicalStructurePrimary": f"Cortex{side}"}))
    path.write_bytes(made.to_bytes())
    return path.name


def asked(data: object, **more: Any) -> Model:
    return Model(str(data), "study.tsv", "~ group", **more)


def fit(folder: Path, data: object, inference: Inference | None = None, **columns: Any) -> ModelResult:
    """A model from files to files in a folder of its own."""
    table = folder / "study.tsv"
    pd.DataFrame({"group": GROUP, **columns}).to_csv(table, sep="\t", index=False)
    question = Model(str(data), str(table), "~ group", ("g=group[T.b]",))
    return modelling.model(question, inference, str(folder / "out"))


def t_of(values: Any) -> Any:
    b = np.array([name == "b" for name in GROUP])
    return stats.ttest_ind(values[b].astype(float), values[~b].astype(float)).statistic


# ---- volumes ------------------------------------------------------------------------------------------------------


def test_rows_of_a_4d_file_are_its_volumes_x_fastest(tmp_path: Path) -> None:
    image(tmp_path / "all.nii.gz", np.moveaxis(VOLUMES, 0, -1))
    rows = [0, 2, 3, 7]
    data = read_data(asked(tmp_path / "all.nii.gz"), study(tmp_path), rows)
    assert data.values.dtype == np.float32
    assert_array_equal(data.values, VOLUMES[rows].transpose(0, 3, 2, 1).reshape(4, -1))
    assert isinstance(data.place, VolumePlace)
    assert data.place.unit == "voxel"
    assert data.place.size_mm3 == pytest.approx(120)
    assert_allclose(data.place.mm(np.array([1]))[0], (AFFINE @ (1, 0, 0, 1))[:3])
    assert data.place.where(1) == ((46.0, -62.0, -40.0), None)


def test_files_of_a_column_are_relative_to_the_table(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    names = [f"sub/{image(tmp_path / 'sub' / f'v{k}.nii.gz', VOLUMES[k])}" for k in range(N)]
    data = read_data(asked("column:scan"), study(tmp_path, scan=names), [1, 4, 6])
    assert_array_equal(data.values, VOLUMES[[1, 4, 6]].transpose(0, 3, 2, 1).reshape(3, -1))
    assert [path.name for path in data.inputs] == ["v1.nii.gz", "v4.nii.gz", "v6.nii.gz"]


def test_elements_that_are_constant_or_have_no_number_in_a_used_row_are_left_out(tmp_path: Path) -> None:
    values = VOLUMES.copy()
    values[:, 0, 0, 0] = 5
    values[1, 1, 0, 0], values[2, 2, 0, 0], values[3, 3, 0, 0] = np.nan, np.inf, 0
    values[:4, 0, 1, 0] = 7
    image(tmp_path / "all.nii.gz", np.moveaxis(values, 0, -1))
    data = read_data(asked(tmp_path / "all.nii.gz"), study(tmp_path), range(N))
    assert isinstance(data.place, VolumePlace)
    assert set(range(60)) - set(data.place.voxels.tolist()) == {0, 1, 2}
    assert [finding.code for finding in data.findings] == ["zero-in-some"]
    assert data.findings[0].value == 1
    some = read_data(asked(tmp_path / "all.nii.gz"), study(tmp_path), [0, 2, 3])
    assert isinstance(some.place, VolumePlace)
    assert set(range(60)) - set(some.place.voxels.tolist()) == {0, 2, 4}  # row 1 is not used: its NaN does not count


def test_what_is_simulated_says_so(tmp_path: Path) -> None:
    image(tmp_path / "all.nii.gz", np.moveaxis(VOLUMES, 0, -1))
    assert not read_data(asked(tmp_path / "all.nii.gz"), study(tmp_path), range(N)).simulated
    (tmp_path / "all.json").write_text(json.dumps({"Simulated": True}))
    assert read_data(asked(tmp_path / "all.nii.gz"), study(tmp_path), range(N)).simulated


def test_a_covariate_is_read_at_the_elements_of_the_data(tmp_path: Path) -> None:
    image(tmp_path / "all.nii.gz", np.moveaxis(VOLUMES, 0, -1))
    mask = np.zeros(SHAPE, np.uint8)
    mask[1, 1:, 2] = 1
    image(tmp_path / "mask.nii", mask)
    names = [image(tmp_path / f"c{k}.nii", 100 + VOLUMES[k]) for k in range(N)]
    table = study(tmp_path, cov=names)
    data = read_data(asked(tmp_path / "all.nii.gz", mask=str(tmp_path / "mask.nii")), table, range(N))
    found = read_covariate("cov", table, range(N), data)
    assert data.values.shape == (N, 2)
    assert_allclose(found.values, 100 + data.values, rtol=1e-6)
    assert tmp_path / "mask.nii" in data.inputs


def test_files_of_the_wrong_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    with pytest.raises(Problem):
        read_data(asked(tmp_path / "note.txt"), study(tmp_path), range(N))
    names = ["nothing", "cortex"]
    colours = np.array([[0, 0, 0, 0, 0], [9, 8, 7, 0, 1]])
    nib.freesurfer.write_annot(tmp_path / "lh.some.annot", np.arange(N_VERTICES) % 2, colours, names, fill_ctab=True)
    with pytest.raises(Problem, match="holds no volume of numbers; name NIfTI images, surface data"):
        read_data(asked("column:f"), study(tmp_path, f="lh.some.annot"), range(N))


# ---- tables of regions --------------------------------------------------------------------------------------------


def regions(folder: Path, **columns: Any) -> Path:
    frame = pd.DataFrame(VOLUMES[:, 0, 0, :3], columns=["Thalamus L", "Angular R", "Insula L"]).assign(**columns)
    frame.to_csv(folder / "regions.tsv", sep="\t", index=False, na_rep="n/a")
    return folder / "regions.tsv"


def test_columns_of_a_table_are_its_regions(tmp_path: Path) -> None:
    gap = [1.0, None, *range(6)]
    data = read_data(asked(regions(tmp_path, name="x", same=3, gap=gap)), study(tmp_path), range(N))
    assert isinstance(data.place, RegionPlace)
    assert data.place.names == ("Thalamus L", "Angular R", "Insula L")
    assert_array_equal(data.values, VOLUMES[:, 0, 0, :3])
    assert [finding.code for finding in data.findings] == ["columns-left-out"]
    assert "same, gap" in data.findings[0].message


def test_a_table_of_regions_gives_a_table_for_each_test(tmp_path: Path) -> None:
    found = fit(tmp_path, regions(tmp_path), Inference(30, correction="fwe"))
    assert found.elements == 3
    written = pd.read_csv(found.maps["g"], sep="\t")
    assert written["region"].tolist() == ["Thalamus L", "Angular R", "Insula L"]
    assert_allclose(written["t"], t_of(VOLUMES[:, 0, 0, :3]), rtol=1e-4)
    assert {"neglog10-p", "neglog10-p-permutation", "neglog10-p-fwe"} <= set(written)
    assert found.tests[0].element == written["region"][int(written["t"].abs().argmax())]
    record = json.loads((tmp_path / "out" / "g.json").read_text())
    assert record["parameters"]["columns"]["neglog10-p-fwe"].startswith("-log10 p, family-wise")
    assert [each["name"] for each in record["inputs"]] == ["study.tsv", "regions.tsv"]


def test_tables_of_regions_refuse_what_they_cannot_be(tmp_path: Path) -> None:
    source = regions(tmp_path)
    short = tmp_path / "short.tsv"
    short.write_text("\n".join(source.read_text().splitlines()[:-1]) + "\n")
    for data, more, said in (
        (short, {}, "has 7 rows, the table 8"),
        (source, {"mask": "mask.nii"}, "which --mask cannot choose from"),
        (source, {"region": "Thalamus L"}, "which --region cannot choose from"),
    ):
        with pytest.raises(Problem, match=said):
            read_data(asked(data, **more), study(tmp_path), range(N))
    with pytest.raises(Problem, match="clusters and TFCE need"):
        fit(tmp_path, source, Inference(30, correction="tfce"))
    (tmp_path / "words.tsv").write_text("a\n" + "x\n" * N)
    with pytest.raises(Problem, match="has no column of numbers"):
        read_data(asked(tmp_path / "words.tsv"), study(tmp_path), range(N))


# ---- surfaces -----------------------------------------------------------------------------------------------------


def surface(path: str) -> Any:
    return nib.load(path).darrays[0].data


def test_frames_of_surface_data_are_fitted_on_the_mesh(tmp_path: Path) -> None:
    gifti(tmp_path / "hemi-L_desc-simulated.func.gii", *VERTICES)
    inference = Inference(20, correction="tfce", tfce_e=1.0)
    found = fit(tmp_path, tmp_path / "hemi-L_desc-simulated.func.gii", inference)
    assert found.elements == N_VERTICES - 40
    t = surface(found.maps["g_t"])
    assert t.dtype == np.float32
    assert np.isnan(t[:40]).all()
    assert_allclose(t[40:], t_of(VERTICES[:, 40:]), rtol=1e-2, atol=1e-4)
    world = fsaverage5()[0].world
    assert world is not None
    neighbours = mesh_neighbours(world.faces, world.coordinates, np.arange(40, N_VERTICES))
    assert_allclose(surface(found.maps["g_tfce"])[40:], tfce(t[40:], neighbours, 2.0, 1.0), rtol=1e-4, atol=1e-3)
    p = surface(found.maps["g_neglog10-p-tfce-fwe"])
    assert np.nanmax(p) == pytest.approx(np.log10(21), rel=1e-5)
    strongest = found.tests[0]
    assert strongest.element is not None
    vertex = int(strongest.element.removeprefix("left vertex "))
    assert vertex == np.nanargmax(np.abs(t))
    assert_allclose(strongest.peak_mm, world.coordinates[vertex], atol=1e-3)
    image = nib.load(found.maps["g_t"])
    assert image.meta["AnatomicalStructurePrimary"] == "CortexLeft"
    record = json.loads((tmp_path / "out" / "g_tfce.json").read_text())
    assert record["Units"] == "TFCE"
    assert record["parameters"]["tfce"].startswith("H 2, E 1")


def test_clusters_on_a_surface_have_areas(tmp_path: Path) -> None:
    gifti(tmp_path / "hemi-L_desc-simulated.func.gii", *VERTICES)
    found = fit(tmp_path, tmp_path / "hemi-L_desc-simulated.func.gii", Inference(cluster_p=0.01))
    world = fsaverage5()[0].world
    assert world is not None
    areas = mesh_neighbours(world.faces, world.coordinates, np.arange(N_VERTICES)).size
    single = next(row for row in found.clusters if row.size == 1)
    vertex = int(np.linalg.norm(world.coordinates - single.peak_mm, axis=1).argmin())
    assert single.size_mm2 == pytest.approx(areas[vertex], rel=0.2)
    assert single.size_mm3 is None
    assert single.regions == ()


@pytest.mark.parametrize("ending", [".func.gii", ".mgh"])
def test_a_column_of_surface_files_gives_what_their_frames_give(tmp_path: Path, ending: str) -> None:
    def write(k: int) -> str:
        name = f"sub-{k}_hemi-L{ending}" if ending == ".func.gii" else f"lh.sub-{k}{ending}"
        if ending == ".func.gii":
            return gifti(tmp_path / name, VERTICES[k])
        nib.save(nib.MGHImage(VERTICES[k][:, None, None], np.eye(4)), tmp_path / name)
        return name

    found = fit(tmp_path, "column:file", file=[write(k) for k in range(N)])
    assert_allclose(surface(found.maps["g_t"])[40:], t_of(VERTICES[:, 40:]), rtol=1e-2, atol=1e-4)
    record = json.loads((tmp_path / "out" / "g_t.json").read_text())
    assert len(record["inputs"]) == N + 1


def test_a_mask_on_the_surface_limits_the_analysis(tmp_path: Path) -> None:
    gifti(tmp_path / "hemi-L_all.func.gii", *VERTICES)
    mask = np.zeros(N_VERTICES)
    mask[30:100] = 1
    gifti(tmp_path / "hemi-L_mask.func.gii", mask)
    more = {"mask": str(tmp_path / "hemi-L_mask.func.gii")}
    data = read_data(asked(tmp_path / "hemi-L_all.func.gii", **more), study(tmp_path), range(N))
    assert isinstance(data.place, SurfacePlace)
    assert_array_equal(data.place.vertices, np.arange(40, 100))
    assert_array_equal(data.values, VERTICES[:, 40:100])
    assert tmp_path / "hemi-L_mask.func.gii" in data.inputs


def read_surface_model(folder: Path, files: list[str], **more: Any) -> ModelData:
    return read_data(asked("column:file", **more), study(folder, file=files), range(N))


def test_surface_files_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    left = [gifti(tmp_path / f"sub-{k}_hemi-L.func.gii", VERTICES[k]) for k in range(N)]
    right = gifti(tmp_path / "sub-9_hemi-R.func.gii", VERTICES[0], side="Right")
    few = gifti(tmp_path / "sub-8_hemi-L.func.gii", VERTICES[0, :642])
    two = gifti(tmp_path / "sub-7_hemi-L.func.gii", *VERTICES[:2])
    for odd, said in ((right, "right"), (few, "has 642 vertices"), (two, "has 2 maps where one is expected")):
        with pytest.raises(Problem, match=said):
            read_surface_model(tmp_path, [*left[:-1], odd])
    with pytest.raises(Problem, match="lies on a surface"):
        read_surface_model(tmp_path, left, region="Thalamus L")
    with pytest.raises(Problem, match="has 642 vertices, the data 10242"):
        read_surface_model(tmp_path, left, mask=str(tmp_path / few))
    with pytest.raises(Problem, match="has 8 images, the table"):
        read_data(asked(tmp_path / gifti(tmp_path / "hemi-L_9.func.gii", *VERTICES)), less(tmp_path), range(N - 1))


def less(folder: Path) -> StudyTable:
    table = study(folder)
    return table._replace(frame=table.frame.iloc[:-1])


def test_data_of_an_unknown_mesh_ask_for_their_surface(tmp_path: Path) -> None:
    names = [gifti(tmp_path / f"sub-{k}_hemi-L.func.gii", VERTICES[k, :642]) for k in range(N)]
    with pytest.raises(Problem, match="--surface"):
        read_surface_model(tmp_path, names)


def test_data_on_an_inflated_surface_alone_have_no_clusters_and_say_so_when_asked(tmp_path: Path) -> None:
    world = fsaverage5()[0].inflated
    assert world is not None
    (tmp_path / "anat").mkdir()
    flat = tmp_path / "anat" / "lh.inflated"
    nib.freesurfer.write_geometry(flat, world.coordinates, world.faces)
    gifti(tmp_path / "hemi-L_all.func.gii", *VERTICES)
    table = tmp_path / "study.tsv"
    pd.DataFrame({"group": GROUP}).to_csv(table, sep="\t", index=False)
    question = Model(str(tmp_path / "hemi-L_all.func.gii"), str(table), "~ group", surface=str(flat))
    found = modelling.model(question)
    assert found.clusters == ()
    assert found.tests[0].peak_mm is None
    with pytest.raises(Problem, match="needs a surface that lies in the brain"):
        modelling.model(question, Inference(20, correction="tfce"))
