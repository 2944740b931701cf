"""What is shipped is complete, small, attributed and readable."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from habena import resources
from habena.resources.colours import tables

ROOT = resources.folder("")


def shipped() -> list[Path]:
    return [path for path in ROOT.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}]


def test_every_shipped_file_is_of_a_kind_that_the_notice_covers():
    notice = (ROOT / "NOTICE.md").read_text(encoding="utf-8")
    for path in shipped():
        match path.parent.name:
            case "atlases" if path.suffix != ".json":
                stem = path.name.partition(".")[0]
                assert f"`atlases/{stem}.*`" in notice, path.name
            case "colour_tables" if path.suffix == ".csv":
                own = next(t for t in tables() if t.name == path.stem).licence == "BSD-3-Clause"
                assert own or f"{path.name}`" in notice, path.name
            case "licences" | "fonts" | "atlases" | "colour_tables":
                assert path.suffix in {".txt", ".ttf", ".json"}
            case "evidence" | "report":
                assert path.suffix in {".toml", ".txt", ".css", ".html"}
                assert f"`{path.parent.name}/*`" in notice
            case _:
                assert path.name in {"NOTICE.md", "jumps.json", "synonyms.json"}


def test_licence_texts_named_in_the_notice_are_there():
    notice = (ROOT / "NOTICE.md").read_text(encoding="utf-8")
    texts = list(resources.folder("licences").glob("*.txt"))
    assert len(texts) >= 5
    for path in texts:
        assert f"licences/{path.name}" in notice
        assert len(path.read_text(encoding="utf-8")) > 300


def test_atlases_and_colours_stay_small():
    size = sum(path.stat().st_size for path in shipped() if path.parent.name != "fonts")
    assert size < 1_500_000


def test_no_atlas_of_the_package_is_copied():
    volumes = {path.name for path in resources.folder("atlases").glob("*.nii.gz")}
    assert volumes == {"cit168.nii.gz", "melbourne-s2.nii.gz", "schaefer200.nii.gz", "schaefer400.nii.gz"}


def test_fonts_are_truetype_with_the_letters_that_are_drawn():
    fonts = resources.fonts()
    assert [path.name for path in fonts] == ["DejaVuSans-Bold.ttf", "DejaVuSans.ttf"]
    for path in fonts:
        assert struct.unpack(">I", path.read_bytes()[:4]) == (0x00010000,)
    assert (resources.folder("fonts") / "LICENSE_DEJAVU.txt").is_file()


def test_a_package_is_found_without_importing_it():
    assert resources.package_folder("msgspec") is not None
    assert resources.package_folder("no_such_package_anywhere") is None


@pytest.mark.parametrize("name", ["jumps.json", "synonyms.json", "NOTICE.md"])
def test_files_beside_the_folders_are_found(name: str):
    assert resources.file(name).is_file()
