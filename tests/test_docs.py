"""What the documents say is true of the program: commands, keys, formats, atlases, links and examples."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import habena as api
import pytest
from habena.app.actions import ACTIONS
from habena.app.cli import COMMANDS, habena
from habena.app.finder import jumps
from habena.app.help import KEYS, MOUSE
from habena.app.io.atlases import atlas_ids, describe, regions_of
from habena.app.io.foreign import READERS
from habena.app.io.signatures import NIFTI_MAGIC, REFUSED

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
README = (ROOT / "README.md").read_text("utf-8")
LARGEST_PICTURE_BYTES, LARGEST_TOGETHER_BYTES = 250_000, 2_000_000

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def blocks(text: str, language: str) -> list[str]:
    """Code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """Words of every ``habena ...`` in the shell blocks."""
    lines = (line for block in blocks(text, "sh") for line in block.splitlines())
    words = (shlex.split(line, comments=True) for line in lines)
    return [found for found in words if found and found[0] == "habena"]


def links(text: str) -> list[str]:
    """Targets of links and images."""
    return re.findall(r"\]\(([^)\s]+)\)", text)


def table_rows(text: str) -> list[list[str]]:
    """Cells of every row of every table."""
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in text.splitlines() if line[:1] == "|"]


def keys_in_readme() -> set[str]:
    """Everything in code type in the table of keys."""
    section = README.split("## Keys and mouse")[1].split("\n## ")[0]
    return {key for row in table_rows(section) for key in re.findall(r"`([^`]+)`", row[0])}


@every_document
def test_every_relative_link_and_picture_exists(document: Path) -> None:
    local = [link.split("#")[0] for link in links(document.read_text("utf-8")) if "://" not in link]
    missing = [link for link in local if not (document.parent / link).exists()]
    assert not missing


@every_document
def test_every_command_in_a_document_is_one_that_the_program_takes(document: Path) -> None:
    for _, *words in commands(document.read_text("utf-8")):
        if words and words[0] in COMMANDS:
            command = habena.get_command(click.Context(habena), words[0])
            command.make_context(words[0], words[1:], parent=click.Context(habena))  # raises at a wrong option
        else:
            assert not any(word.startswith("-") for word in words), words  # opens the window on files


def test_a_wrong_option_in_a_document_would_be_found() -> None:
    with pytest.raises(click.UsageError):
        habena.get_command(click.Context(habena), "seed").make_context(
            "seed", ["run.nii", "--fhwm", "6"], parent=click.Context(habena)
        )


def test_readme_lists_every_command_and_no_other() -> None:
    listed = set(re.findall(r"^\| `habena ([a-z-]+)`", README, re.MULTILINE))
    assert listed == {name for name in COMMANDS if not habena.get_command(click.Context(habena), name).hidden}


def test_readme_names_every_function_of_the_python_package() -> None:
    section = README.split("## Python")[1].split("\n## ")[0]
    functions = {name for name in api.__all__ if name.islower()}
    assert functions <= set(re.findall(r"\w+", section))


def test_keys_of_readme_are_keys_of_the_program() -> None:
    known = {action.keys for action in ACTIONS} | {jump.key for jump in jumps()}
    known |= {key for keys, _ in KEYS for key in keys.split(", ")}
    strange = keys_in_readme() - known
    assert strange == set()


def test_gestures_of_readme_are_those_of_the_help() -> None:
    told = {gesture for gesture, _ in MOUSE}
    listed = {row[0] for row in table_rows(README) if any(word in row[0] for word in ("drag", "Wheel", "click"))}
    assert listed
    assert listed <= told


def test_every_key_of_a_left_region_stands_in_readme() -> None:
    assert {jump.key for jump in jumps() if "Shift" not in jump.key} <= keys_in_readme()


def test_every_atlas_is_listed_with_its_space_regions_licence_and_citation() -> None:
    text = (ROOT / "docs/atlases.md").read_text("utf-8")
    listed = {row[0].strip("`"): row[1:] for row in table_rows(text) if row[0].startswith("`")}
    expected = {
        atlas: [info.title, info.template, str(len(regions_of(atlas))), info.licence, info.citation]
        for atlas, info in ((atlas, describe(atlas)) for atlas in atlas_ids())
    }
    assert listed == expected


def test_notes_on_atlases_are_those_of_the_program() -> None:
    text = (ROOT / "docs/atlases.md").read_text("utf-8")
    assert [atlas for atlas in atlas_ids() if f"- `{atlas}`: {describe(atlas).note}\n" not in text] == []


def test_every_format_that_is_read_or_refused_by_name_is_listed() -> None:
    text = (ROOT / "docs/formats.md").read_text("utf-8")
    named = {name.strip() for row in table_rows(text) for name in row[0].split(", ")}
    read = {*READERS, *(name.removesuffix(" pair") for name in NIFTI_MAGIC.values())}
    assert read - named == set()
    assert [what for _, what, todo in REFUSED if f"| {what} | {todo} |" not in text] == []


def test_pictures_are_small_and_all_of_them_are_used() -> None:
    pictures = sorted((ROOT / "docs/images").rglob("*.png"))
    used = {(path.parent / link).resolve() for path in DOCUMENTS for link in links(path.read_text("utf-8"))}
    sizes = [picture.stat().st_size for picture in pictures]
    assert set(pictures) <= used
    assert max(sizes) <= LARGEST_PICTURE_BYTES
    assert sum(sizes) <= LARGEST_TOGETHER_BYTES


@pytest.mark.slow
def test_the_script_of_the_tutorial_prints_the_values_of_its_table(rest_run: Path, tmp_path: Path) -> None:
    text = (ROOT / "docs/tutorial.md").read_text("utf-8")
    (tmp_path / "rest_space-MNI_bold.nii.gz").symlink_to(rest_run)
    (python,) = blocks(text, "python")
    done = subprocess.run([sys.executable, "-c", python], cwd=tmp_path, capture_output=True, text=True, check=True)
    printed = [line.rsplit(maxsplit=1)[1] for line in done.stdout.splitlines()]
    assert printed == ["0.678", "0.480", "0.512", "0.139"]
    tables = [row[-1] for row in table_rows(text) if len(row) == 3 and row[0].endswith(("gyrus", "cortex"))]
    assert tables == printed


@pytest.mark.slow
def test_commands_of_the_tutorial_on_studies_print_what_it_quotes(tmp_path: Path) -> None:
    text = (ROOT / "docs/studies.md").read_text("utf-8")
    quotes = re.findall(r"^```sh\n([^`]*)```\n\n```\n([^`]*)```", text, re.MULTILINE)
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    program = [sys.executable, "-c", "from habena.app.cli import main; main()"]
    assert len(quotes) == 3
    for block, quoted in quotes:
        said = ""
        for words in commands(f"```sh\n{block}```\n"):
            command = [*program, *words[1:]]
            done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
            said += done.stdout + done.stderr
        lines = [line for line in quoted.splitlines() if line != "\N{HORIZONTAL ELLIPSIS}"]
        assert [line for line in lines if line not in said] == []


@pytest.mark.slow
def test_readme_s_commands_and_python_work_one_after_the_other(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    program = [sys.executable, "-c", "from habena.app.cli import main; main()"]
    headless = [words for _, *words in commands(README) if words and words[0] in COMMANDS]
    (python,) = blocks(README, "python")
    assert len(headless) > 5
    said = ""
    for words in [[*program, *each] for each in headless] + [[sys.executable, "-c", python]]:
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said = done.stdout
    made = {path.name for path in (tmp_path / "demo").iterdir()}
    assert {"first_view.png", "pcc.nii.gz", "pcc.json", "pcc.png", "cortex.png", "pcc.tsv"} <= made
    lines = said.splitlines()
    assert lines[0] == "2.0"
    assert [line.split()[0] for line in lines[-2:]] == ["L", "R"]
