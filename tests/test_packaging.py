"""The project installs as it says: two commands, one list of packages, pinned versions, all data in the wheel."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from habena.app.cli import main
from habena.app.graphics import DEBIAN_PACKAGES, DEBIAN_X11_PACKAGES
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("app", "widgets", "render", "stats", "resources")
TEXTS = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".json", ".cfg", ".tsv", ""}


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pinned() -> dict[str, str]:
    """Version of each package in constraints.txt, by its canonical name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def test_the_two_commands_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    assert {"run", "test", "lint", "bench", "clean"} <= targets
    assert set(re.findall(r"\bmake ([a-z]+)\b(?=`|$)", readme, flags=re.MULTILINE)) <= targets


def test_every_folder_with_code_is_in_the_package_list(pyproject: dict[str, Any]):
    listed = pyproject["tool"]["setuptools"]["package-dir"]
    on_disk = {path.parent.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    assert set(listed.values()) == on_disk
    assert set(pyproject["tool"]["setuptools"]["packages"]) == set(listed)


def test_every_package_is_named_after_its_folder(pyproject: dict[str, Any]):
    listed = dict(pyproject["tool"]["setuptools"]["package-dir"])
    assert listed.pop("habena") == "app/api"
    assert {name: "habena." + folder.replace("/", ".") for name, folder in listed.items()} == {n: n for n in listed}


def test_data_files_lie_only_where_they_are_packaged(pyproject: dict[str, Any]):
    assert pyproject["tool"]["setuptools"]["package-data"] == {"habena.resources": ["**/*"]}
    made_here = {".pyc", ".nbi", ".nbc"}
    data = [
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in {".py", *made_here}
    ]
    assert len(data) > 40
    assert [path for path in data if not path.startswith("resources/")] == []
    hidden = [path for path in data if any(part.startswith(".") for part in PurePosixPath(path).parts)]
    assert hidden == [], "the pattern **/* leaves them out"


def test_licence_texts_go_into_the_wheel(pyproject: dict[str, Any]):
    patterns = pyproject["project"]["license-files"]
    packed = {path for pattern in patterns for path in ROOT.glob(pattern)}
    resources = [path for path in (ROOT / "resources").rglob("*") if path.is_file()]
    texts = [path for path in resources if "LICENSE" in path.name or path.parent.name == "licences"]
    assert {ROOT / "LICENSE", ROOT / "resources" / "NOTICE.md", *texts} == packed
    assert pyproject["project"]["license"] == "BSD-3-Clause"


def test_every_dependency_is_pinned_to_a_version_that_it_allows(pyproject: dict[str, Any], pinned: dict[str, str]):
    project = pyproject["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    for line in [*project["dependencies"], *extras]:
        requirement = Requirement(line)
        if canonicalize_name(requirement.name) != "habena":
            assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), line


def test_every_dependency_says_what_it_is_for():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(r"^dependencies = \[\n(.*?)^\]", text, flags=re.MULTILINE | re.DOTALL)
    assert block
    lines = block[1].splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        assert "#" in line or before.lstrip().startswith("#"), line


def test_set_up_and_doctor_name_the_same_libraries():
    script = (ROOT / ".ci" / "setup").read_text(encoding="utf-8")
    table = re.search(r'^libraries="\n(.*?)"$', script, flags=re.MULTILINE | re.DOTALL)
    assert table
    installed = {line.split()[0] for line in table[1].splitlines()}
    named = {*DEBIAN_PACKAGES.split(), *DEBIAN_X11_PACKAGES.split()}
    assert named - installed <= {"libgl1-mesa-dri"}, "which libgl1 brings along"
    assert installed <= named


def test_the_change_log_has_the_version(pyproject: dict[str, Any]):
    log = ROOT / "CHANGELOG.md"
    if not log.exists():
        pytest.skip("no CHANGELOG.md yet")
    assert pyproject["project"]["version"] in log.read_text(encoding="utf-8")


def test_no_file_knows_the_machine_that_it_was_written_on():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    place = re.compile(r"/(?:root|work|Users)/\w|/home/(?!someone\b)|https?://(?:10|127|192\.168)\.|index-url")
    found = [
        f"{name}: {line.strip()}"
        for name in listed.stdout.splitlines()
        if PurePosixPath(name).suffix in TEXTS and (ROOT / name).is_file() and name != "tests/test_packaging.py"
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
        if place.search(line)
    ]
    assert found == []


def test_the_command_starts_the_command_line(pyproject: dict[str, Any]):
    (command,) = entry_points(group="console_scripts", name="habena")
    assert command.load() is main
    assert version("habena") == pyproject["project"]["version"]
