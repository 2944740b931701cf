"""What holds for every command: exit status, one sentence for what is wrong, one JSON document."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr
from importlib.metadata import entry_points
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from command_line import ONE_SENTENCE, SHAPE, blob, document, done, habena, refused, strict_json, write_image
from habena.app import headless, main
from habena.app.console import Progress
from habena.app.problems import Cancelled

SECONDS = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images that are good, and files that are not."""
    folder = tmp_path_factory.mktemp("files")
    run = np.zeros((*SHAPE, 30), np.int16)
    run[3:-3, 4:-4, 2:-2] = np.random.default_rng(0).integers(100, 200, run[3:-3, 4:-4, 2:-2].shape)
    write_image(folder / "run.nii.gz", run)
    write_image(folder / "map.nii.gz", blob((20, 10, 5), 15))
    write_image(folder / "unplaced.nii.gz", blob((20, 10, 5), 15), code=1)
    (folder / "text.nii").write_text("Name,Age\nnobody,40\n")
    (folder / "page.nii.gz").write_bytes(gzip.compress(b"<!DOCTYPE html><html><body>404</body></html>"))
    (folder / "cut.nii.gz").write_bytes((folder / "run.nii.gz").read_bytes()[:4000])
    (folder / "empty.nii").write_bytes(b"")
    (folder / "flat.nii").write_bytes(flat_image())
    for name in ("folder", "folder.png", "folder.nii"):
        (folder / name).mkdir()
    (folder / "motion.tsv").write_text("trans_x\trot_x\n" + "0.1\t0.2\n" * 30)
    (folder / "short.tsv").write_text("trans_x\n0.1\n")
    (folder / "words.tsv").write_text("name\nanna\n")
    return folder


def flat_image() -> bytes:
    """An image whose affine takes all voxels to one plane."""
    image = nib.Nifti1Image(np.ones((4, 5, 6), np.float32), None)
    image.set_sform(np.diag([2.0, 2, 0, 1]), 1)
    return image.to_bytes()


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of files as the current one."""
    monkeypatch.chdir(folder)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


COMMANDS = {
    "info": "info FILE",
    "render": "render FILE -o out.png",
    "overlay": "render map.nii.gz --overlay FILE -o out.png",
    "seed": "seed FILE --at 2,-2,2 -o out.nii.gz",
    "seed mask": "seed run.nii.gz --mask FILE -o out.nii.gz",
    "brain mask": "seed run.nii.gz --at 2,-2,2 --brain FILE -o out.nii.gz",
    "regions": "regions FILE",
}
BAD_FILES = {
    "absent.nii": "does not exist",
    "text.nii": "is text",
    "page.nii.gz": "HTML",
    "cut.nii.gz": "copy or download it again",
    "empty.nii": "is empty (zero bytes)",
    "folder": "is a folder",
    "flat.nii": "is singular",
}


@pytest.mark.parametrize("bad", BAD_FILES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_bad_file_is_refused_in_one_sentence_that_names_it(command: str, bad: str, here: Path) -> None:
    before = content(here)
    said = refused(*COMMANDS[command].replace("FILE", bad).split())
    assert said.startswith(f"habena: {bad}: ")
    assert BAD_FILES[bad] in said
    assert content(here) == before


USAGE = {
    "info": "Missing argument",
    "info map.nii.gz --bogus": "No such option",
    "--bogus": "No such option",
    "doctor more": "unexpected extra argument",
    "render map.nii.gz": "no output is named; add -o FILE",
    "render map.nii.gz -o": "requires an argument",
    "render map.nii.gz -o out.bmp": "is not the name of a picture; let it end in .png, .tif, .tiff, .svg, .pdf, .html",
    "render map.nii.gz -o folder": "is not the name of a picture",
    "render map.nii.gz -o folder.png": "is a folder; name a file in it",
    "render map.nii.gz -o absent/out.png": "the folder absent does not exist; make the folder first",
    "render map.nii.gz -o out.svg --with-view": "carries no view",
    "render map.nii.gz -o out.png --size 0x10": "out of range; give 16 to 16384",
    "render map.nii.gz -o out.png --size 10": "is not WxH",
    "render map.nii.gz -o out.png --size 10x-10": "is not WxH",
    "render map.nii.gz -o out.png --dpi 1": "out of range; give 10 to 2400",
    "render map.nii.gz -o out.png --dpi nan": "out of range",
    "render map.nii.gz -o out.png --at 1,2": "'1,2' is not X,Y,Z",
    "render map.nii.gz -o out.png --at 1,2,inf": "is not X,Y,Z",
    "render map.nii.gz -o out.png --layout diagonal": "'diagonal' is not one of 'ortho'",
    "render --overlay map.nii.gz,cmap=rainbow -o out.png": "no colour map of that name; choose from grey, warm",
    "render --overlay map.nii.gz,range=2:1 -o out.png": "range=2:1",
    "render --overlay map.nii.gz,range=1 -o out.png": "write range=LO:HI",
    "render --overlay map.nii.gz,range=nan:1 -o out.png": "makes no sense",
    "render --overlay map.nii.gz,threshold=high -o out.png": "write threshold=NUMBER",
    "render --overlay map.nii.gz,opacity=1.5 -o out.png": "write opacity=0 to 1",
    "render --overlay map.nii.gz,fade=yes -o out.png": "which takes no value",
    "render --overlay map.nii.gz,fade,fade -o out.png": "given twice",
    "render --overlay map.nii.gz,colour=red -o out.png": "there is no option 'colour=red'",
    "seed run.nii.gz -o out.nii": "no seed is given; give one of --at",
    "seed run.nii.gz --at 2,-2,2": "no output is named",
    "seed run.nii.gz --at 2,-2,2 --mask map.nii.gz -o out.nii": "more than one seed is given",
    "seed run.nii.gz --at 2,-2,2 -o out.mgz": "is no name for a map; let it end in .nii.gz or .nii",
    "seed run.nii.gz --at 2,-2,2 -o folder.nii": "is a folder; name a file in it",
    "seed run.nii.gz --at 2,-2,2 -o absent/out.nii": "the folder absent does not exist",
    "seed run.nii.gz --at 2,-2,2 --radius -1 -o out.nii": "radius: -1 makes no sense",
    "seed run.nii.gz --at 2,-2,2 --fwhm nan -o out.nii": "fwhm: nan makes no sense",
    "seed run.nii.gz --at 2,-2,2 --drop -1 -o out.nii": "drop: -1 makes no sense",
    "seed run.nii.gz --at 2,-2,2 --detrend two -o out.nii": "'two' is not a valid integer",
    "seed run.nii.gz --mask map.nii.gz --radius 5 -o out.nii": "a sphere needs a centre",
    "seed run.nii.gz --at 2,-2,2 --atlas aal2 -o out.nii": "an atlas is named but no region",
    "seed run.nii.gz --at 2,-2,2 --band 0.1,0.01 -o out.nii": "is not a band",
    "seed run.nii.gz --at 2,-2,2 --band 0.1 -o out.nii": "'0.1' is not LO,HI",
    "seed run.nii.gz --at 2,-2,2 --columns trans_x -o out.nii": "columns are named but no table",
    "seed run.nii.gz --at 2,-2,2 --confounds motion.tsv -o out.nii": "none of its columns is asked for",
    "seed run.nii.gz --at 2,-2,2 --confounds motion.tsv --columns csf -o out.nii": "has no column csf; choose from",
    "seed run.nii.gz --at 2,-2,2 --confounds short.tsv --columns trans_x -o out.nii": "has 1 rows for the run's 30",
    "seed run.nii.gz --at 2,-2,2 --confounds words.tsv --columns name -o out.nii": "has no column of numbers",
    "seed run.nii.gz --at 2,-2,2 --confounds absent.tsv --columns trans_x -o out.nii": "no such file",
    "seed run.nii.gz --at 2,-2,2 --censor 0.5 -o out.nii": "no confounds are given",
    "seed run.nii.gz --at 400,0,0 -o out.nii": "outside its brain mask",
    "seed map.nii.gz --at 2,-2,2 -o out.nii": "has 1 volume",
    "seed run.nii.gz --at 2,-2,2 --drop 28 -o out.nii": "too few for a correlation",
    "seed run.nii.gz --at 2,-2,2 --save-prepared out.nii -o out.nii.gz": "would overwrite the map or its sidecar",
    "regions --atlas nowhere": "choose one of",
    "regions -o folder": "is a folder; name a file in it",
    "regions -o absent/out.tsv": "the folder absent does not exist",
    "regions unplaced.nii.gz": "does not say which space it is in",
    "demo --effect 11": "out of range; give 0 to 10",
    "demo --effect nan": "out of range",
    "demo --seed -1": "is below 0",
    "demo --size large": "'large' is not one of",
    "demo --out text.nii": "file exists",
    "demo --out text.nii/demo": "cannot be written",
}


@pytest.mark.parametrize("usage", USAGE)
def test_a_call_that_makes_no_sense_is_refused_in_one_sentence_and_nothing_is_written(usage: str, here: Path) -> None:
    before = content(here)
    assert USAGE[usage] in refused(*usage.split())
    assert content(here) == before


@pytest.mark.parametrize(
    "usage",
    [
        "render map.nii.gz -o picture.png",
        "render --overlay picture.png -o picture.png",
        "seed run.nii.gz --at 2,-2,2 -o run.nii.gz",
        "seed run.nii.gz --mask map.nii.gz -o map.nii.gz",
        "seed run.nii.gz --at 2,-2,2 --brain map.nii.gz -o out.nii --save-prepared map.nii.gz",
        "seed run.nii.gz --at 2,-2,2 --confounds motion.tsv --columns trans_x -o motion.nii.gz",
        "regions map.nii.gz -o map.nii.gz",
    ],
)
def test_no_result_overwrites_an_input(usage: str, folder: Path, tmp_path: Path, monkeypatch) -> None:
    """Not even under another name, nor with a map's sidecar."""
    monkeypatch.chdir(tmp_path)
    for name in ("map.nii.gz", "run.nii.gz"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "picture.png").hardlink_to(tmp_path / "map.nii.gz")
    (tmp_path / "motion.tsv").write_text("trans_x\n" + "1\n2\n" * 15)
    (tmp_path / "motion.json").hardlink_to(tmp_path / "motion.tsv")
    before = content(tmp_path)
    assert "is one of the inputs and would be overwritten" in refused(*usage.split())
    assert content(tmp_path) == before


def test_a_folder_without_permission_is_refused_before_any_work(here: Path, tmp_path: Path, monkeypatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    if os.access(closed, os.W_OK):
        pytest.skip("this user may write everywhere")
    monkeypatch.setattr(headless, "answer_to", pytest.fail)
    for usage in ("render map.nii.gz", "seed run.nii.gz --at 2,-2,2"):
        out = closed / ("out.png" if usage.startswith("render") else "out.nii")
        assert "permission denied" in refused(*usage.split(), "-o", out)


def test_a_command_name_wins_over_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    opened: list[list[str]] = []
    monkeypatch.setattr(main, "show", lambda paths: opened.append(paths) or 0)
    Path("info").write_bytes(b"")
    assert "Missing argument" in refused("info")
    assert not opened
    done("./info")
    done()
    done("a.nii", "b.nii")
    assert opened == [["./info"], [], ["a.nii", "b.nii"]]


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, Cancelled])
def test_a_cancelled_command_ends_with_130_and_says_nothing(stopped, here: Path, monkeypatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise stopped

    monkeypatch.setattr(headless, "render", stop)
    assert habena("render", "map.nii.gz", "-o", "out.png") == (130, "", "")


def test_too_little_memory_is_refused_in_one_sentence(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(headless, "render", fill)
    assert "there is too little" in refused("render", "map.nii.gz", "-o", "out.png")


def test_help_and_version_are_answers(here: Path) -> None:
    assert "Correlate a seed's series" in done("seed", "--help").out
    assert "Commands:" in done("--help").out
    assert done("--version").out.startswith("habena ")


def test_not_a_number_is_null_in_json(tmp_path: Path) -> None:
    values = np.full(SHAPE, np.nan, np.float32)
    values[:3] = 1.5
    write_image(tmp_path / "half.nii.gz", values)
    rows = document("regions", tmp_path / "half.nii.gz", "--atlas", "aal2")["statistics"]
    empty = [row for row in rows if row["missing"] == 1]
    assert empty
    assert all(row["mean"] is None and row["peak_mm"] is None for row in empty)


def test_progress_is_drawn_on_a_terminal_only_and_taken_away() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, drawn in ((Terminal(), True), (io.StringIO(), False)):
        with redirect_stderr(stream), Progress("Reading") as report:
            report(0.5)
        text = stream.getvalue()
        assert ("Reading [" in text and " 50%]"[:4] in text) == drawn
        assert text.endswith("\r") == drawn


@pytest.mark.parametrize("words", [("info",), ("render", "-o", "a.png", "--with-view"), ("seed", "-o", "a.nii")])
def test_a_name_that_is_no_text_is_refused(words: tuple[str, ...], here: Path) -> None:
    name = b"scan\xff.nii.gz".decode(errors="surrogateescape")
    assert "scan?.nii.gz: is not UTF-8; rename the file" in refused(*words, name)


# -- as a program of its own


def program(*words: object, **how: object) -> list[str]:
    (script,) = entry_points(group="console_scripts", name="habena")
    module, _, function = script.value.partition(":")
    return [
        sys.executable,
        "-c",
        f"import sys; from {module} import {function} as f; f(sys.argv[1:])",
        *map(str, words),
    ]


def bare_environment(tmp_path: Path) -> dict[str, str]:
    """No display and nothing that says how Qt should do without one."""
    unset = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    homes = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CONFIG", "CACHE", "DATA")}
    return {name: value for name, value in os.environ.items() if name not in unset} | homes


def test_the_program_draws_without_a_display_and_prints_one_document(folder: Path, tmp_path: Path) -> None:
    words = program("render", folder / "unplaced.nii.gz", "-o", tmp_path / "a.png", "--size", "200x150", "--json")
    ended = subprocess.run(
        words, capture_output=True, text=True, timeout=SECONDS, env=bare_environment(tmp_path), check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert strict_json(ended.stdout) == {"file": str(tmp_path / "a.png"), "size": [200, 150], "warnings": []}
    assert ended.stderr == ""
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_the_program_refuses_with_2_and_one_sentence(folder: Path, tmp_path: Path) -> None:
    words = program("info", folder / "text.nii")
    ended = subprocess.run(
        words, capture_output=True, text=True, timeout=SECONDS, env=bare_environment(tmp_path), check=False
    )
    assert ended.returncode == 2
    assert ONE_SENTENCE.fullmatch(ended.stderr)
    assert ended.stdout == ""


def test_warnings_of_libraries_are_not_for_users(tmp_path: Path) -> None:
    """Here nilearn's, which finds no brain in a run that is noise everywhere."""
    noise = np.random.default_rng(0).integers(100, 200, (*SHAPE, 30)).astype(np.int16)
    write_image(tmp_path / "run.nii.gz", noise)
    ended = subprocess.run(
        program("seed", tmp_path / "run.nii.gz", "--at", "2,-2,2", "-o", tmp_path / "out.nii"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 2
    assert ONE_SENTENCE.fullmatch(ended.stderr), ended.stderr


def test_a_machine_without_utf8_gets_utf8_all_the_same(folder: Path) -> None:
    ended = subprocess.run(
        program("info", folder / "map.nii.gz"),
        capture_output=True,
        timeout=SECONDS,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        check=False,
    )
    assert ended.returncode == 0
    assert "mm³" in ended.stdout.decode("utf-8")


@pytest.mark.parametrize("words", [("regions", "--atlas", "cit168"), ("--help",)])
def test_a_reader_that_goes_away_is_no_error(words: tuple[str, ...], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        program(*words), stdout=writing, stderr=subprocess.PIPE, text=True, timeout=SECONDS, check=False
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_output_onto_a_full_disk_is_refused(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            program("info", folder / "map.nii.gz"),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert ended.returncode == 2
    assert ONE_SENTENCE.fullmatch(ended.stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send")
def test_control_c_ends_the_program_with_130_and_leaves_no_half_file(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    words = program("demo", "--out", out, "--size", "full")
    with subprocess.Popen(words, stderr=subprocess.PIPE, env=bare_environment(tmp_path)) as running:
        for _ in range(20 * SECONDS):
            if out.exists():
                break
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(0.05)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=SECONDS)
    assert running.returncode == 130
    assert said.strip() == b""
    assert list(out.iterdir()) == []
