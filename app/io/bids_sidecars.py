"""Sidecars of a BIDS folder: what a file inherits from those higher up (BIDS 1.10, inheritance principle)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..problems import Finding, Problem
from .bids_names import BidsName, parse_name
from .files import reading, regular_file
from .sidecar import LARGEST_BYTES, NONE, Sidecar, read_sidecar


def read_json(path: Path) -> Sidecar:
    """A JSON file that holds an object.

    Raises
    ------
    Problem
        When it does not, or is too large.
    """
    if regular_file(path).size > LARGEST_BYTES:
        raise Problem(path, "is too large for a sidecar", f"remove it, or make it smaller than {LARGEST_BYTES} bytes")
    with reading(path):
        raw = path.read_bytes()
    try:
        content = json.loads(raw.decode("utf-8-sig"), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise Problem(path, "is not valid JSON", "correct it; until then it is not used") from error
    if not isinstance(content, dict):
        raise Problem(path, "holds no JSON object", "correct it; until then it is not used")
    return MappingProxyType(content)


class Sidecars:
    """Sidecars of one study, each read once.

    Attributes
    ----------
    findings : tuple of Finding
        Sidecars that cannot be read.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._inside = root.resolve()
        self._folders: dict[Path, tuple[tuple[Path, BidsName], ...]] = {}
        self._read: dict[Path, Sidecar] = {}
        self._findings: list[Finding] = []

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Sidecars that cannot be read."""
        return tuple(self._findings)

    def of(self, path: Path) -> Sidecar:
        """Fields of a file: those nearest to it count."""
        fields: dict[str, Any] = {}
        for sidecar in self.files_of(path):
            fields.update(self.read(sidecar))
        return MappingProxyType(fields)

    def files_of(self, path: Path) -> tuple[Path, ...]:
        """Sidecars that apply to a file, the most general first: those of its own dataset.

        The standard allows one per folder; of several the one that names more entities counts more.
        """
        name = parse_name(path.name)
        if name is None or not path.is_relative_to(self._root):
            return ()
        folders = list(path.parents)
        folders = folders[: folders.index(dataset_of(path) or self._root) + 1]
        return tuple(sidecar for folder in reversed(folders) for sidecar in self._applying(folder, name))

    def read(self, path: Path) -> Sidecar:
        """Content of one sidecar; empty, and said once, when it cannot be read."""
        if path not in self._read:
            try:
                self._read[path] = read_json(path)
            except Problem as problem:
                self._read[path] = NONE
                self._findings.append(Finding("sidecar", str(path), None, f"The file {problem.what}; {problem.todo}."))
        return self._read[path]

    def _applying(self, folder: Path, name: BidsName) -> tuple[Path, ...]:
        """Sidecars of a folder that apply to a file, the more general ones first."""
        if folder not in self._folders:
            self._folders[folder] = self._listed(folder)
        found = (
            (len(other.entities), path)
            for path, other in self._folders[folder]
            if other.suffix == name.suffix and set(other.entities) <= set(name.entities)
        )
        return tuple(path for _, path in sorted(found))

    def _listed(self, folder: Path) -> tuple[tuple[Path, BidsName], ...]:
        try:
            names = [entry.name for entry in os.scandir(folder) if entry.name.endswith(".json")]
        except OSError:  # said where the folder is listed
            return ()
        named = ((folder / name, _general_name(name)) for name in names)
        return tuple(
            (path, name)
            for path, name in named
            if name is not None and (not path.is_symlink() or path.resolve().is_relative_to(self._inside))
        )


def _general_name(name: str) -> BidsName | None:
    """Name of a sidecar; ``pet.json`` and ``bold.json`` have a suffix alone."""
    return parse_name(name) or (BidsName((), name[:-5], ".json") if name[:-5].isalnum() else None)


def dataset_of(path: Path) -> Path | None:
    """Folder of the BIDS dataset that a file lies in: that of its person's folder; None for none."""
    name = parse_name(path.name)
    if name is None or name.get("sub") is None:
        return None
    person = next((folder for folder in path.parents if folder.name == f"sub-{name.get('sub')}"), None)
    return None if person is None else person.parent


def inherited(path: Path) -> Sidecar:
    """Fields of one image, with what it inherits from the sidecars of its dataset.

    Raises
    ------
    Problem
        When one of them cannot be read.
    """
    root = dataset_of(path)
    if root is None:
        return read_sidecar(path)
    fields: dict[str, Any] = {}
    for sidecar in Sidecars(root).files_of(path):
        fields.update(read_json(sidecar))
    return MappingProxyType(fields)


def columns_in_words(sidecar: Mapping[str, Any]) -> dict[str, str]:
    """What a table's sidecar says of its columns: description, units, levels."""
    words: dict[str, str] = {}
    for column, told in sidecar.items():
        if not isinstance(told, dict):
            continue
        text = told.get("Description") or told.get("LongName") or ""
        units, levels = told.get("Units"), told.get("Levels")
        parts = [str(text).strip().rstrip(".")] if text else []
        parts += [f"unit: {units}"] if isinstance(units, str) and units else []
        parts += [", ".join(f"{key}: {value}" for key, value in levels.items())] if isinstance(levels, dict) else []
        if parts:
            words[str(column)] = "; ".join(parts)
    return words


def coded(sidecar: Mapping[str, Any]) -> frozenset[str]:
    """Columns whose values are codes with a meaning (``Levels``): 1 is then an arm, not a number."""
    return frozenset(str(column) for column, told in sidecar.items() if isinstance(told, dict) and "Levels" in told)
