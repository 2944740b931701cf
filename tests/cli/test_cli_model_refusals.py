"""What `habena model` refuses: one sentence on stderr, exit status 2, nothing written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import AFFINE, document, refused, write_image
from model_study import SHAPE, N, Study, codes, cross_sectional, read_map, repeated, write_table
from numpy.testing import assert_array_equal


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return cross_sectional(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return repeated(tmp_path_factory.mktemp("pairs"))


def said(study: Study, formula: str, *more: object, data: object = None, table: Path | None = None) -> str:
    before = sorted(study.folder.rglob("*"))
    message = refused(
        "model", study.images if data is None else data, "--table", table or study.table, "--formula", formula, *more
    )
    assert sorted(study.folder.rglob("*")) == before
    return message


PERMUTED = ("--permutations", 20)
REFUSED: dict[str, tuple[Any, ...]] = {
    # formula
    "has no column 'agee'; near: age": ("~ group + agee",),
    "is not a formula": ("~ __import__('os').system('touch stolen')",),
    "the table has no column 'lambda'": ("~ (lambda: 1)()",),
    "'participant_id' has another value in every row": ("~ participant_id + age",),
    "names no outcome of numbers": ("~ group", "table"),
    "has no column scores; choose from score": ("scores ~ group", "table"),
    "names no outcome of numbers; write": ("site ~ group", "table"),
    # contrasts
    "has 2 weights, the design 3 columns; give one weight for each of Intercept, group[T.b], age": (
        "~ group + age",
        "--contrast",
        "x=0 1",
    ),
    "no column 'group[T.c]'; near: group[T.b]": ("~ group", "--contrast", "x=group[T.c]"),
    "weighs nothing": ("~ group", "--contrast", "x=0 0"),
    "two are called x": ("~ group", "--contrast", "x=0 1", "--contrast", "x=1 0"),
    "two tests would both be written as": ("~ group", "--contrast", "a:b=0 1", "--contrast", "AxB=1 0", "-o", "OUT"),
    "--terms: and --contrast": ("~ group", "--terms", "--contrast", "x=0 1"),
    # columns and rows
    "has no column grp; choose from group": ("~ group", "--exchange", "grp"),
    "--within: needs to know whose scans belong together": ("~ group", "--within", "site"),
    "has no sub-99 to exclude": ("~ group", "--exclude", "sub-00,sub-99"),
    "'gm' is not NAME=COL": ("~ group", "--voxelwise", "gm"),
    "has no column gm": ("~ group", "--voxelwise", "gm=gm"),
    # inference
    "tfce needs permutations": ("~ group", "--correction", "tfce"),
    "fwe needs permutations": ("~ group", "--correction", "fwe"),
    "cluster-mass needs permutations": ("~ group", "--correction", "cluster-mass"),
    "--permutations: -1 makes no sense": ("~ group", "--permutations", -1),
    "--seed: -1 is no seed": ("~ group", "--seed", -1),
    "--cluster-threshold: 0.7 is no p": ("~ group", "--cluster-threshold", 0.7),
    "--tfce-h: 0 is no exponent": ("~ group", "--tfce-h", 0),
    "--tfce-e: nan is no exponent": ("~ group", "--tfce-e", "nan"),
    "'bonferroni' is not one of": ("~ group", "--correction", "bonferroni"),
    "'8' is not one of": ("~ group", "--connectivity", 8),
    "--scheduler: has nothing to spread": ("~ group", "--scheduler", "tcp://127.0.0.1:9"),
    "whole blocks are exchanged only when of one size: most have 5 rows, not z (4)": (
        "~ group",
        *PERMUTED,
        "--exchange",
        "site",
        "--exchange-mode",
        "whole",
    ),
    "variances by group need a factor of text": ("~ age", "--variance", "by-group"),
    # places
    "holds no voxel of Angular L; choose a region that the images cover": (
        "~ group",
        "--region",
        "Angular L",
        "--atlas",
        "aal2",
    ),
    "--surface: is for data on vertices": ("~ group", "--surface", "lh.pial"),
    "is no atlas that the program knows": ("~ group", "--atlas", "aal9"),
    "--mask: needs images as data": ("score ~ group", "table", "--mask", "mask.nii"),
    "--region: needs images as data": ("score ~ group", "table", "--region", "Thalamus L"),
    "--surface: needs images as data": ("score ~ group", "table", "--surface", "lh.pial"),
    "--voxelwise: needs images as data": ("score ~ group", "table", "--voxelwise", "grey=grey_file"),
    "clusters and TFCE need voxels or vertices": ("score ~ group", "table", *PERMUTED, "--correction", "tfce"),
}


@pytest.mark.parametrize("message", list(REFUSED))
def test_what_cannot_be_done_is_refused_in_one_sentence(study: Study, tmp_path: Path, message: str) -> None:
    formula, *more = REFUSED[message]
    data = more.pop(0) if more and more[0] == "table" else None
    more = [tmp_path / "maps" if word == "OUT" else word for word in more]
    assert message in said(study, formula, *more, data=data)
    assert not (tmp_path / "maps").exists()
    assert not Path("stolen").exists()


def test_a_missing_table_is_named_with_one_that_is_near(study: Study) -> None:
    message = said(study, "~ group", table=study.folder / "studdy.tsv")
    assert "studdy.tsv: does not exist; did you mean study.tsv?" in message


def test_missing_data_are_named(study: Study) -> None:
    assert "does not exist" in said(study, "~ group", data=study.folder / "absent.nii.gz")
    assert "has no column images; choose from image" in said(study, "~ group", data="column:images")


def test_an_unknown_region_is_refused_with_what_is_alike(study: Study) -> None:
    assert "Talamus" in said(study, "~ group", "--region", "Talamus L", "--atlas", "aal2")


def test_columns_that_depend_on_each_other_are_named(study: Study) -> None:
    frame = study.frame.assign(twice=2 * study.frame["age"])
    message = said(study, "~ group + age + twice", table=write_table(study.folder / "twice.tsv", frame))
    assert "'age', 'twice' depend on each other" in message
    assert "group" not in message.partition("depend")[0].partition("columns")[2]


def test_as_many_columns_as_rows_are_refused_and_one_row_more_is_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(5, 4)), columns=list("abcd")).assign(y=rng.normal(size=5))
    table = write_table(tmp_path / "t.tsv", frame)
    message = refused("model", "table", "--table", table, "--formula", "y ~ a + b + c + d")
    assert "5 rows cannot estimate 5 columns (Intercept, a, b, c, d)" in message
    assert document("model", "table", "--table", table, "--formula", "y ~ a + b + c")["residual_df"] == 1


def test_a_4d_file_must_have_a_volume_for_each_row(study: Study) -> None:
    table = write_table(study.folder / "short.tsv", study.frame.iloc[:-1])
    message = said(study, "~ group", table=table)
    assert f"has {N} images, the table short.tsv {N - 1} rows; give one image per row" in message


def spoilt(study: Study, name: str, row: int, value: object) -> Path:
    frame = study.frame.astype({"image": object})
    frame.loc[row, "image"] = value
    return write_table(study.folder / name, frame)


def test_files_that_do_not_fit_together_are_named(study: Study) -> None:
    moved = AFFINE.copy()
    moved[1, 3] += 3
    write_image(study.folder / "moved.nii.gz", study.data[0], moved)
    write_image(study.folder / "cut.nii.gz", study.data[0, :-1])
    write_image(study.folder / "two.nii.gz", np.stack([study.data[0]] * 2, -1))
    wanted = {
        "gone.nii.gz": "row 4 names gone.nii.gz, which is not there; correct the path",
        "moved.nii.gz": "moved.nii.gz: is of the size of",
        "cut.nii.gz": "cut.nii.gz: is on another grid (6 x 6 x 5) than",
        "two.nii.gz": "two.nii.gz: has 2 volumes where one is expected",
        "study.tsv": "study.tsv",
    }
    for name, message in wanted.items():
        assert message in said(study, "~ group", data="column:image", table=spoilt(study, "bad.tsv", 3, name)), name


def test_constant_data_are_refused(study: Study) -> None:
    flat = write_image(study.folder / "flat.nii.gz", np.ones((*SHAPE, N), np.float32))
    assert "no element varies over the scans" in said(study, "~ group", data=flat)
    table = write_table(study.folder / "flat.tsv", study.frame.assign(score=3))
    assert "constant" in said(study, "score ~ group", data="table", table=table)


def test_a_mask_that_holds_nothing_is_refused(study: Study) -> None:
    empty = write_image(study.folder / "empty.nii.gz", np.zeros(SHAPE, np.uint8))
    assert "empty.nii.gz: holds no voxel of the images" in said(study, "~ group", "--mask", empty)
    assert "does not exist" in said(study, "~ group", "--mask", study.folder / "absent.nii.gz")


def test_a_mask_on_another_grid_is_taken_at_the_voxels_of_the_images_and_that_is_said(
    study: Study, tmp_path: Path
) -> None:
    fine = AFFINE @ np.diag([0.5, 0.5, 0.5, 1])
    fine[:3, 3] = AFFINE[:3, 3]
    values = np.zeros([2 * size for size in SHAPE], np.uint8)
    values[4:9, :, 2:] = 1
    mask = write_image(tmp_path / "fine.nii.gz", values, fine)
    found = study.fit("~ group", "--mask", mask, "-o", tmp_path / "maps")
    assert "mask-resampled" in codes(found)
    expected = np.zeros(SHAPE, bool)
    expected[2:5, :, 1:] = True
    assert_array_equal(np.isfinite(read_map(found, "group-T.b_t")), expected & study.varies())


def test_the_output_must_be_a_folder_that_can_be_written(study: Study, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file: is a file; name a folder" in said(study, "~ group", "-o", tmp_path / "file")
    assert "does not exist" in said(study, "~ group", "-o", tmp_path / "no" / "folder")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_rights_is_refused(study: Study, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "permission denied" in said(study, "~ group", "-o", tmp_path / "locked")


def test_a_folder_without_rights_is_refused_before_any_work(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., bool] = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path and real(path, mode))
    message = said(study, "~ nothing_of_the_kind", "-o", tmp_path)
    assert "cannot be written: permission denied; choose a folder of yours" in message


def test_an_input_is_never_overwritten(study: Study) -> None:
    table = write_table(study.folder / "score.tsv", study.frame)
    before = table.read_bytes()
    message = said(study, "score ~ age", "--contrast", "score=age", "-o", study.folder, data="table", table=table)
    assert "is one of the inputs and would be overwritten" in message
    assert table.read_bytes() == before
    image = write_image(study.folder / "x_t.nii.gz", np.moveaxis(study.data, 0, -1))
    before = image.read_bytes()
    more = ("--contrast", "x=group[T.b]", "-o", study.folder / ".")
    outcome = refused("model", image, "--table", study.table, "--formula", "~ group", *more)
    assert "is one of the inputs" in outcome
    assert image.read_bytes() == before


WITHIN = ("--subject", "subject", "--within", "session")


def test_repeated_measures_refuse_what_they_cannot_answer(pairs: Study) -> None:
    frame = pairs.frame
    double = write_table(pairs.folder / "double.tsv", frame.assign(session=["pre", "pre", *frame["session"][2:]]))
    message = said(pairs, "~ session", *WITHIN, table=double)
    assert "has two scans at session 'pre'; leave one row for each" in message
    assert "has nothing to test between or within subjects" in said(pairs, "~ 1", *WITHIN)
    assert "whole subjects are exchanged" in said(pairs, "~ session", *WITHIN, "--exchange", "group")
    by_group = ("--variance", "by-group")
    assert "variances by group need a factor" in said(pairs, "~ session", *WITHIN, *by_group)
    twice = ("--contrast", "x=group[T.b]", "--contrast", "x=session[post - pre]")
    assert "two are called x" in said(pairs, "~ group * session", *WITHIN, *twice)
    mixed = ("--contrast", "x=0 1 1 0")
    assert "mixes means and differences" in said(pairs, "~ group * session", *WITHIN, *mixed)
    assert "needs 4 weights" in said(pairs, "~ group * session", *WITHIN, "--contrast", "x=1 0")
    own = ("--voxelwise", "age=grey_file")
    assert "--voxelwise: age is in the formula too" in said(pairs, "~ age + group * session", *WITHIN, *own)
    changing = write_table(pairs.folder / "changing.tsv", frame.assign(group=list("ab" * 9)))
    assert "changes between the scans of" in said(pairs, "~ group * session", *WITHIN, table=changing)
    nobody = write_table(pairs.folder / "nobody.tsv", frame.assign(subject=[f"s{k}" for k in range(18)]))
    assert "has a complete scan at every session" in said(pairs, "~ session", *WITHIN, table=nobody)


def test_a_covariate_of_images_must_lie_on_the_grid_and_be_complete(study: Study) -> None:
    write_image(study.folder / "small.nii.gz", study.grey[0, 1:])
    other = study.frame.assign(grey_file="small.nii.gz")
    message = said(study, "~ group", "--voxelwise", "gm=grey_file", table=write_table(study.folder / "o.tsv", other))
    assert "column grey_file: the images are not on the grid or surface of the data" in message
    holes = study.grey[0].copy()
    holes[2, 2, 2] = np.nan
    write_image(study.folder / "holes.nii.gz", holes)
    gaps = study.frame.assign(grey_file=["holes.nii.gz", *study.frame["grey_file"][1:]])
    message = said(study, "~ group", "--voxelwise", "gm=grey_file", table=write_table(study.folder / "g.tsv", gaps))
    assert "1 of 208 analysed elements have no number in some image; give a mask" in message
