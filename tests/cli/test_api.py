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
from model_study import Study, cross_sectional


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


COMMANDS = (
    "render",
    "seed",
    "demo",
    "model",
    "group_seed",
    "degree",
    "clustering",
    "graph",
    "suvr",
    "kinetics",
)


def options_of(name: str) -> dict[str, click.Parameter]:
    """What a command takes, by the names of Python."""
    command = cli.habena.get_command(click.Context(cli.habena), name.replace("_", "-"))
    options = {str(option.name): option for option in command.params}
    options.pop("as_json", None)
    if name == "group_seed":
        del options["confounds"]  # the table of one run: refused, there is a column of them
    return options


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_a_parameter_of_its_function(name: str) -> None:
    assert set(options_of(name)) == set(inspect.signature(getattr(habena, name)).parameters)


@pytest.mark.parametrize("name", COMMANDS)
def test_defaults_of_a_command_are_those_of_its_function(name: str) -> None:
    parameters = inspect.signature(getattr(habena, name)).parameters
    for called, option in options_of(name).items():
        wanted = parameters[called]
        if isinstance(option, click.Option) and wanted.default is not wanted.empty:
            default = option.get_default(click.Context(cli.habena))
            default = default or None if isinstance(default, bool | int | float | str) else None
            if called == "size" and name == "render":
                default = tuple(int(part) for part in str(default).split("x"))
            if called == "connectivity":
                default = int(str(default))
            assert default == (wanted.default or None), called


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


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return cross_sectional(tmp_path_factory.mktemp("study"))


def test_a_model_says_what_the_command_says(study: Study, tmp_path: Path) -> None:
    found = habena.model(
        study.images,
        study.table,
        "~ group",
        contrasts="g=group[T.b]",
        voxelwise={"grey": "grey_file"},
        permutations=30,
        seed=4,
        correction="cluster-mass",
        cluster_threshold=0.05,
        connectivity=26,
        exclude="sub-03",
        out=tmp_path / "a",
    )
    flags = ("--contrast", "g=group[T.b]", "--voxelwise", "grey=grey_file", "--permutations", 30, "--seed", 4)
    more = ("--correction", "cluster-mass", "--cluster-threshold", 0.05, "--connectivity", 26, "--exclude", "sub-03")
    said = study.fit("~ group", *flags, *more, "-o", tmp_path / "b")
    document_ = json.loads(msgspec.json.encode(found.document(), enc_hook=list))
    assert {name: Path(path).name for name, path in found.maps.items()} == {
        name: Path(path).name for name, path in said["maps"].items()
    }
    for name in set(said) - {"maps"}:
        assert document_[name] == said[name], name
    for path in found.maps.values():
        assert Path(path).read_bytes() == (tmp_path / "b" / Path(path).name).read_bytes()


def test_a_group_seed_gives_the_maps_that_the_command_writes(run: Path, folder: Path, tmp_path: Path) -> None:
    (folder / "runs.tsv").write_text("id\trun\n")
    data = np.asarray(nib.load(run).dataobj)
    lines = ["id\trun\tage\tconfounds"]
    for k in range(4):
        name = write_image(folder / f"run{k}_space-MNI152NLin6Asym_bold.nii.gz", np.roll(data, k, axis=3)).name
        lines.append(f"s{k}\t{name}\t{20 + k * k}\tconfounds.tsv")
    (folder / "runs.tsv").write_text("\n".join(lines) + "\n")
    place = {"at": (22, -17, 2), "formula": "~ age", "contrast": "age"}
    found = habena.group_seed(folder / "runs.tsv", **place, confounds_column="confounds", columns="csf")
    flags = ("--at", "22,-17,2", "--formula", "~ age", "--contrast", "age")
    more = ("--confounds-column", "confounds", "--columns", "csf")
    written = document("group-seed", folder / "runs.tsv", *flags, *more, "-o", tmp_path / "maps")
    assert found.maps == {}
    for name, path in written["maps"].items():
        np.testing.assert_array_equal(found.values[name], np.asarray(nib.load(path).dataobj))


@pytest.mark.parametrize("measure", ["degree", "clustering"])
def test_graphs_of_voxels_are_those_of_the_command(run: Path, folder: Path, tmp_path: Path, measure: str) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[8:14, 8:14, 6:9] = 1
    brain = write_image(folder / "small.nii.gz", mask)
    found = getattr(habena, measure)(run, r=0.1, binary=False, edges="absolute", brain=brain, detrend=1)
    flags = ("--r", 0.1, "--weighted", "--edges", "absolute", "--brain", brain, "--detrend", 1)
    written = document(measure, run, *flags, "-o", tmp_path / "map.nii")
    np.testing.assert_array_equal(found.values, np.asarray(nib.load(tmp_path / "map.nii").dataobj))
    assert found.notes["edges"] == written["edges"] > 0
    np.testing.assert_array_equal(found.affine, nib.load(tmp_path / "map.nii").affine)


def test_a_graph_is_that_of_the_command(tmp_path: Path) -> None:
    r = np.corrcoef(np.random.default_rng(1).normal(size=(9, 30)))
    np.savetxt(tmp_path / "m.tsv", r, delimiter="\t")
    found = habena.graph(tmp_path / "m.tsv", density=(0.2, 0.4), metrics="degree", auc=True, out=tmp_path / "a.tsv")
    flags = ("--density", "0.2,0.4", "--metrics", "degree", "--auc", "-o", tmp_path / "b.tsv")
    assert json.loads(msgspec.json.encode(found.document())) == document("graph", tmp_path / "m.tsv", *flags)
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()
    assert len(habena.graph(tmp_path / "m.tsv", density=0.3).graphs) == 1


def dynamic(folder: Path) -> tuple[Path, Path]:
    """A PET scan of 12 frames of 5 minutes and a mask of its reference; simulated."""
    mid = np.arange(12) * 5 + 2.5
    curve = mid * np.exp(-mid / 40)
    data = (curve * (1 + np.arange(np.prod(SHAPE)).reshape(*SHAPE, 1) % 7 / 7)).astype(np.float32)
    pet = write_image(folder / "sub-1_desc-simulated_pet.nii.gz", data, tr_s=300)
    times = {"FrameTimesStart": list(range(0, 3600, 300)), "FrameDuration": [300] * 12, "TimeZero": "10:00:00"}
    start = {"InjectionStart": 0, "ScanStart": 0, "ImageDecayCorrected": True, "ImageDecayCorrectionTime": 0}
    pet.with_name("sub-1_desc-simulated_pet.json").write_text(json.dumps(times | start))
    mask = np.zeros(SHAPE, np.uint8)
    mask[0] = 1
    return pet, write_image(folder / "reference.nii.gz", mask)


def test_uptake_ratios_and_kinetics_are_those_of_the_commands(tmp_path: Path) -> None:
    pet, reference = dynamic(tmp_path)
    ratio = habena.suvr(pet, reference, (30, 60), out=tmp_path / "a.nii")
    done("suvr", pet, "--reference", reference, "--window", "30,60", "-o", tmp_path / "b.nii")
    assert (tmp_path / "a.nii").read_bytes() == (tmp_path / "b.nii").read_bytes()
    np.testing.assert_array_equal(ratio.maps["SUVR"], np.asarray(nib.load(tmp_path / "b.nii").dataobj))
    binding = habena.kinetics(pet, "srtm", str(reference), basis=(0.01, 0.3, 20))
    flags = ("--model", "srtm", "--reference", reference, "--basis", "0.01,0.3,20")
    written = document("kinetics", pet, *flags, "-o", tmp_path / "maps")
    for name, path in written["maps"].items():
        np.testing.assert_array_equal(binding.maps[name], np.asarray(nib.load(path).dataobj))


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
    "is no option of srtm": lambda of: habena.kinetics(of.run, "srtm", "cerebellum", tstar=30),
    "both --r and --density": lambda of: habena.degree(of.run, r=0.1, density=0.1),
    "fwe needs permutations": lambda of: habena.model(of.run, of.run, "~ 1", correction="fwe"),
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
