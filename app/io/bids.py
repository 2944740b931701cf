"""Folders of BIDS: which files there are, by the names of the standard (BIDS 1.10), raw and derivatives.

Written here rather than taken from a library, on measurement with a study of 246 scans, then spoilt (one sidecar that
is no JSON, links out of the folder, a file in another person's folder). pybids 0.22 brings 26 packages with a database
and refuses the whole study at the first broken sidecar; bids2table 2.3 brings Arrow (177 MB); both it and ancpbids 0.4
follow links out of the study, and none of the three says that a name contradicts its folder. What would be left for a
library to do, listing names, takes 0.1 s here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..problems import Finding, Problem
from .bids_names import BidsName, parse_name
from .files import reading

DESCRIPTION = "dataset_description.json"
DERIVATIVES = "derivatives"
DATATYPES = frozenset({"pet", "func", "anat", "mrs", "perf"})
MOST_FILES = 200_000


class BidsFile(NamedTuple):
    """A file with a BIDS name.

    Attributes
    ----------
    path : Path
    name : BidsName
    dataset : Path
        The folder of the dataset that it belongs to: the study's, or one in its ``derivatives``.
    datatype : str
        Folder that it lies in: ``pet``, ``func``, ``anat``, ``mrs``; empty for files of a person or session.
    """

    path: Path
    name: BidsName
    dataset: Path
    datatype: str

    @property
    def participant(self) -> str:
        """Such as ``sub-01``."""
        return f"sub-{self.name.get('sub')}"

    @property
    def session(self) -> str | None:
        """Such as ``ses-pre``."""
        session = self.name.get("ses")
        return None if session is None else f"ses-{session}"


class Listing(NamedTuple):
    """What lies in a folder of BIDS.

    Attributes
    ----------
    folder : Path
    datasets : tuple of Path
        The folder and the datasets in its ``derivatives``, raw data first.
    people : tuple of str
        Names of the folders of people.
    sessions : frozenset of (str, str)
        Folders of sessions: person and session.
    tables : tuple of Path
        Tables and descriptions at the top of each dataset and in its ``phenotype``.
    files : tuple of BidsFile
        Of people, in order of their names.
    findings : tuple of Finding
    """

    folder: Path
    datasets: tuple[Path, ...]
    people: tuple[str, ...]
    sessions: frozenset[tuple[str, str]]
    tables: tuple[Path, ...]
    files: tuple[BidsFile, ...]
    findings: tuple[Finding, ...]


def list_folder(folder: Path) -> Listing:
    """List a BIDS folder and its derivatives; nothing is opened.

    Links that lead out of the folder are named and not followed, so are links that lead nowhere, and files whose
    name contradicts the folder they lie in.

    Raises
    ------
    Problem
        When the folder cannot be read.
    """
    with reading(folder):
        walk = _Walk(folder, folder.resolve(strict=True))
        os.scandir(folder).close()
    datasets = [folder, *_derivatives(folder, walk)]
    people: dict[str, None] = {}
    tables: list[Path] = []
    for dataset in datasets:
        for path, is_folder in walk.entries(dataset):
            if path.suffix in {".tsv", ".json"}:
                tables.append(path)
            elif path.name == "phenotype" and is_folder:
                tables += [table for table, _ in walk.entries(path) if table.suffix in {".tsv", ".json"}]
            elif path.name.startswith("sub-") and is_folder:
                people[path.name] = None
                walk.person(dataset, path)
    return Listing(
        folder,
        tuple(datasets),
        tuple(people),
        frozenset(walk.sessions),
        tuple(tables),
        tuple(walk.files),
        tuple(dict.fromkeys(walk.findings)),
    )


def _derivatives(folder: Path, walk: _Walk) -> list[Path]:
    """Datasets in ``derivatives``: its folders, or itself where people lie in it without one."""
    place = folder / DERIVATIVES
    if (place, True) not in set(walk.entries(folder)):
        return []
    found = [path for path, is_folder in walk.entries(place) if is_folder]
    return [place] if any(path.name.startswith("sub-") for path in found) else found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads round in a circle: `_stays` names it
        return False


class _Place(NamedTuple):
    """Where a file lies: what its name should say."""

    dataset: Path
    datatype: str
    person: str
    session: str | None


class _Walk:
    """One walk through a study, with what it met."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = root
        self.files: list[BidsFile] = []
        self.sessions: set[tuple[str, str]] = set()
        self.findings: list[Finding] = []

    def entries(self, folder: Path) -> Iterator[tuple[Path, bool]]:
        """What lies in a folder, in order of names, and whether it is a folder; no hidden files, no links out."""
        try:
            with os.scandir(folder) as found:
                entries = [(entry.name, entry.is_symlink(), _is_folder(entry)) for entry in found]
        except OSError as error:
            self._say("folder-unreadable", folder, f"The folder cannot be read ({(error.strerror or '?').lower()}).")
            return
        for name, is_link, is_folder in sorted(entries):
            if not name.startswith(".") and (not is_link or self._stays(folder / name)):
                yield folder / name, is_folder

    def person(self, dataset: Path, person: Path) -> None:
        """Files of a person, by session and kind of data."""
        for path, is_folder in self.entries(person):
            if path.name.startswith("ses-") and is_folder:
                self.sessions.add((person.name, path.name))
                for inner, _ in self.entries(path):
                    self._entry(_Place(dataset, "", person.name, path.name), inner)
            else:
                self._entry(_Place(dataset, "", person.name, None), path)

    def _entry(self, place: _Place, path: Path) -> None:
        if path.name in DATATYPES:
            for file, _ in self.entries(path):
                self._file(place._replace(datatype=path.name), file)
        elif "." in path.name:
            self._file(place, path)

    def _file(self, place: _Place, path: Path) -> None:
        name = parse_name(path.name)
        if name is None:
            return
        if len(self.files) >= MOST_FILES:
            raise Problem(self._folder, f"holds more than {MOST_FILES:,} files", "open a part of it")
        file = BidsFile(path, name, place.dataset, place.datatype)
        if file.participant != place.person or (place.session is not None and file.session != place.session):
            where = f"{place.person}/{place.session}" if place.session else place.person
            self._say("name-place", path, f"The file lies in {where}, but its name says otherwise; it is left out.")
            return
        self.files.append(file)

    def _stays(self, path: Path) -> bool:
        """Whether a link leads to something within the study."""
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):
            self._say("link-broken", path, "The link leads nowhere (its content may not have been fetched).")
            return False
        if target.is_relative_to(self._root):
            return True
        self._say("link-outside", path, "The link leads out of the study's folder; it is not followed.")
        return False

    def _say(self, code: str, path: Path, message: str) -> None:
        self.findings.append(Finding(code, str(path), None, message))
