"""Data that comes with the program, and the few lines that find it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def folder(name: str) -> Path:
    """A folder of shipped data: ``atlases``, ``colour_tables``, ``fonts`` or ``licences``."""
    return Path(__file__).parent / name


def file(name: str) -> Path:
    """A shipped file beside the folders, such as ``jumps.json``."""
    return Path(__file__).parent / name


def package_folder(package: str) -> Path | None:
    """Folder of an installed package, found without importing it; None when it is not installed."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def fonts() -> tuple[Path, ...]:
    """The font files to register where the machine has none."""
    return tuple(sorted(folder("fonts").glob("*.ttf")))
