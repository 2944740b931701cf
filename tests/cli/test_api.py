"""`import habena`: the commands as functions."""

from __future__ import annotations

import doctest
import inspect
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click
import habena
import msgspec
import nibabel as nib
import numpy as np
import pytest
from command_line import SHAPE, blob, document, done, write_image
from habena.app import cli, main
from habena.app import demo as demo_module
from habena.app.sample import anatomy_file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and a map."""
    folder = tmp_path_factory.mktemp("api")
    rng = np.random.default_rng(5)
    run = np.zeros((*SHAPE, 40), np.float32)
    run[3:-3, 4:-4, 2:-2] = rng.normal(100, 9, run[3:-3, 4:-4, 2:-2].shape)
    write_image(folder / "sub-01_space-MNI152NLin6Asym_bold.nii.gz", run)
    write_image(folder / "sub-01_space-MNI152NLin6Asym_zmap.nii.gz", blob((20, -17, 10), 15, 5))
    rows = "".join(f"{x:.6f}\t{y:.6f}\n" for x, y in rng.standard_normal((40, 2)))
    (folder / "confounds.tsv").write_text("csf\tmotion\n" + rows)
    return folder


@pytest.fixture
def run(folder: Path) -> Path:
    return folder / "sub-01_space-MNI152NLin6Asym_bold.nii.gz"


@pytest.fixture
def zmap(folder: Path) -> Path:
    return folder / "sub-01_space-MNI152NLin6Asym_zmap.nii.gz"


def test_everything_public_says_what_it_is() -> None:
    for name in habena.__all__:
        assert inspect.getdoc(getattr(habena, name)), name


def test_importing_habena_is_quick_and_needs_no_display() -> None:
    code = "import sys, habena; print(*sorted({'numpy', 'PySide6', 'vtk', 'nibabel', 'numba'} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""


def test_render_stays_a_function_when_the_folder_of_that_name_is_loaded() -> None:
    code = "import habena, habena.render.scene; from habena.app import headless; print(callable(habena.render))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "True"


@pytest.mark.parametrize("name", ["render", "seed", "demo"])
def test_every_option_of_a_command_is_a_parameter_of_its_function(name: str) -> None:
    command = cli.habena.get_command(click.Context(cli.habena), name)
    options = {str(parameter.name) for parameter in command.params if isinstance(parameter, click.Parameter)}
    assert options - {"as_json"} == set(inspect.signature(getattr(habena, name)).parameters)


@pytest.mark.parametrize("name", ["render", "seed", "demo"])
def test_defaults_of_a_command_are_those_of_its_function(name: str) -> None:
    parameters = inspect.signature(getattr(habena, name)).parameters
    for option in cli.habena.get_command(click.Context(cli.habena), name).params:
        wanted = parameters.get(str(option.name))
        if isinstance(option, click.Option) and wanted is not None and wanted.default is not wanted.empty:
            default = option.get_default(click.Context(cli.habena))
            default = default or None if isinstance(default, bool | int | float | str) else None
            if option.name == "size" and name == "render":
                default = tuple(int(part) for part in str(default).split("x"))
            assert default == (wanted.default or None), option.name


def test_info_tells_what_the_command_tells(run: Path, zmap: Path) -> None:
    entries = habena.info(run, str(zmap))
    assert json.loads(msgspec.json.encode(entries)) == document("info", run, zmap)["files"]
    assert entries[0].shape == (*SHAPE, 40)


def test_seed_gives_the_map_that_the_command_writes(run: Path, folder: Path, tmp_path: Path) -> None:
    table = folder / "confounds.tsv"
    found = habena.seed(
        run, at=(22, -17, 2), radius=7, drop=2, fwhm=6, detrend=1, band=(0.01, 0.2), confounds=table, columns=["csf"]
    )
    flags = ("--at", "22,-17,2", "--radius", 7, "--drop", 2, "--fwhm", 6, "--detrend", 1, "--band", "0.01,0.2")
    written = document("seed", run, *flags, "--confounds", table, "--columns", "csf", "-o", tmp_path / "r.nii")
    image = nib.load(tmp_path / "r.nii")
    np.testing.assert_array_equal(found.values, np.asarray(image.dataobj))
    np.testing.assert_array_equal(found.affine, image.affine)
    assert found.values.dtype == np.float32
    assert {name: written[name] for name in found.notes} == json.loads(json.dumps(found.notes))
    assert [finding.code for finding in found.findings] == [finding["code"] for finding in written["warnings"]]


def test_seed_writes_only_what_it_is_told_to(run: Path, tmp_path: Path) -> None:
    before = sorted(run.parent.iterdir())
    found = habena.seed(run, at=(22, -17, 2))
    assert sorted(run.parent.iterdir()) == before
    habena.seed(run, at=(22, -17, 2), out=tmp_path / "r.nii.gz", save_prepared=tmp_path / "p.nii.gz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.json", "p.nii.gz", "r.json", "r.nii.gz"]
    np.testing.assert_array_equal(np.asarray(nib.load(tmp_path / "r.nii.gz").dataobj), found.values)


def test_one_column_may_be_a_plain_word(run: Path, folder: Path) -> None:
    table = folder / "confounds.tsv"
    word = habena.seed(run, at=(22, -17, 2), confounds=table, columns="csf,motion")
    listed = habena.seed(run, at=(22, -17, 2), confounds=table, columns=("csf", "motion"))
    assert word.notes["confound_columns"] == listed.notes["confound_columns"] == ["csf", "motion"]


def test_fisher_gives_z(run: Path) -> None:
    r, z = (habena.seed(run, at=(22, -17, 2), fisher=fisher).values for fisher in (False, True))
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(z, np.clip(np.arctanh(np.clip(r, -1, 1)), -4, 4), rtol=1e-5, atol=1e-6)


def test_render_draws_what_the_command_draws(zmap: Path, tmp_path: Path) -> None:
    overlay = f"{zmap},threshold=3"
    findings = habena.render(None, tmp_path / "a.png", overlays=[overlay], at=(1, 2, 3), size=(200, 160), dpi=72)
    done("render", "--overlay", overlay, "--at", "1,2,3", "--size", "200x160", "--dpi", 72, "-o", tmp_path / "b.png")
    assert findings == ()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_findings_about_the_files_come_back(zmap: Path, tmp_path: Path) -> None:
    findings = habena.render(zmap, tmp_path / "a.png", at=(0, 0, 999), size=(100, 100))
    assert [type(finding) for finding in findings] == [habena.Finding]
    assert findings[0].code == "outside"


def test_regions_are_those_of_the_command() -> None:
    listed = habena.regions("cit168")
    assert json.loads(msgspec.json.encode(listed)) == document("regions", "--atlas", "cit168")["regions"]


def test_region_statistics_are_those_of_the_command(zmap: Path, tmp_path: Path) -> None:
    table = habena.region_statistics(zmap, atlas="harvard-oxford")
    table.write(str(tmp_path / "a.tsv"))
    done("regions", zmap, "--atlas", "harvard-oxford", "-o", tmp_path / "b.tsv")
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()
    assert len(table.rows) > 50


def test_demo_and_show_hand_on_what_they_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo_module, "write_demo", lambda *given: given)
    monkeypatch.setattr(main, "show", lambda paths: paths)
    assert habena.demo(str(tmp_path), seed=3, effect=0.5, size="full") == (tmp_path, 3, 0.5, "full")
    assert habena.show(tmp_path / "a.nii", "b.nii") == [str(tmp_path / "a.nii"), "b.nii"]


class Places(NamedTuple):
    """A good run, and where a picture could go."""

    run: Path
    out: Path


REFUSED: dict[str, Callable[[Places], object]] = {
    "does not exist": lambda of: habena.info(of.run.with_name("absent.nii")),
    "no seed is given": lambda of: habena.seed(of.run),
    "more than one seed": lambda of: habena.seed(of.run, at=(0, 0, 0), region="Angular L"),
    "are not all numbers": lambda of: habena.seed(of.run, at=(0, 0, float("nan"))),
    "none named 'diagonal'": lambda of: habena.render(of.run, of.out, layout="diagonal"),
    "10 x 10 is out of range": lambda of: habena.render(of.run, of.out, size=(10, 10)),
    "0 is out of range": lambda of: habena.render(of.run, of.out, dpi=0),
    "not the name of a picture": lambda of: habena.render(of.run, of.out.with_suffix(".jpg")),
    "no atlas that the program knows": lambda of: habena.regions(of.run.name),
    "there is none named 'large'": lambda of: habena.demo(of.out.parent, size="large"),
    "11 is out of range": lambda of: habena.demo(of.out.parent, effect=11),
}


@pytest.mark.parametrize("said", REFUSED)
def test_bad_input_is_a_problem_with_what_to_do(said: str, run: Path, tmp_path: Path) -> None:
    with pytest.raises(habena.Problem) as caught:
        REFUSED[said](Places(run, tmp_path / "a.png"))
    problem = caught.value
    assert said in problem.what
    assert str(problem) == f"{problem.where}: {problem.what}; {problem.todo}"
    assert list(tmp_path.iterdir()) == []


def test_the_examples_of_the_documentation_are_true(
    rest_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(rest_run, "bold.nii.gz")
    shutil.copy(anatomy_file(), "t1.nii.gz")
    shutil.copy(anatomy_file().with_name("image_10426.nii.gz"), "zmap.nii.gz")
    tried = doctest.testmod(habena)
    assert tried.attempted > 5
    assert tried.failed == 0
    assert Path("figure.png").stat().st_size > 10_000
