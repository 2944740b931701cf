"""What lies beside a scan: confounds and mask of a run, fits of spectra, the transform to a template."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..io.bids import BidsFile
from ..io.bids_names import BidsName
from ..templates import known_template

NATIVE = "native"
OWN_SPACES = frozenset({"native", "orig", "individual", "scanner", "t1w", "t2w", "bold", "boldref", "pet", "func"})
VERSIONS = ("space", "res", "den", "cohort", "desc", "from", "to", "mode", "label")  # all but which run it is
_CONFOUNDS = ((("confounds",), "timeseries"), (("confounds",), "regressors"), ((None, "confounds"), "confounds"))


class Beside:
    """Files of a study by what they belong to."""

    def __init__(self, files: Iterable[BidsFile]) -> None:
        self._tables: dict[tuple[str, frozenset[tuple[str, str]]], list[BidsFile]] = {}
        self._masks: dict[frozenset[tuple[str, str]], list[BidsFile]] = {}
        self._transforms: dict[str, list[BidsFile]] = {}
        for file in files:
            name = file.name
            if name.suffix == "mask" and name.is_image and name.get("desc") in {None, "brain"}:
                self._masks.setdefault(name.without("desc", "label"), []).append(file)
            elif name.suffix == "xfm" and name.extension in {".h5", ".txt", ".mat"}:
                self._transforms.setdefault(file.participant, []).append(file)
            elif name.extension == ".tsv":
                self._tables.setdefault((name.suffix, name.without(*VERSIONS)), []).append(file)

    def confounds(self, file: BidsFile) -> Path | None:
        """Table of confounds of a run, fMRIPrep's names new and old."""
        run = file.name.without(*VERSIONS, "echo", "part")
        for descriptions, suffix in _CONFOUNDS:
            for other in self._tables.get((suffix, run), []):
                if other.name.get("desc") in descriptions:
                    return other.path
        return None

    def mask(self, file: BidsFile) -> Path | None:
        """Brain mask of a run or scan on its own grid, of the same dataset first."""
        found = self._masks.get(file.name.without("desc", "label", "echo", "part"), [])
        own = [other for other in found if other.datatype == file.datatype and other.path != file.path]
        return _nearest(file, own)

    def fits(self, file: BidsFile) -> Path | None:
        """Table of what was fitted to spectra."""
        return _nearest(file, self._tables.get((file.name.suffix, file.name.without(*VERSIONS)), []))

    def fits_without(self, images: Iterable[BidsFile]) -> tuple[BidsFile, ...]:
        """Tables of fitted spectra whose spectra are not there."""
        there = {(file.name.suffix, file.name.without(*VERSIONS)) for file in images}
        spectra = (key for key in self._tables if key[0] in {"svs", "mrsi"} and key not in there)
        return tuple(self._tables[key][0] for key in spectra if self._tables[key][0].datatype == "mrs")

    def transform(self, file: BidsFile) -> Path | None:
        """Transform from a scan's own space to a template; of its session first."""
        own = {file.name.suffix.casefold(), (file.name.get("space") or NATIVE).casefold()}
        own |= set() if file.name.get("space") else {"scanner", "orig", "native"}
        found = [
            other
            for other in self._transforms.get(file.participant, [])
            if (other.name.get("from") or "").casefold() in own
            and known_template(other.name.get("to")) is not None
            and other.name.get("mode") in {None, "image"}
            and other.session in {None, file.session}
        ]
        found.sort(key=lambda other: (other.session is None, other.name.extension != ".h5", other.path.name))
        return found[0].path if found else None


def space_of(name: BidsName, template: str | None) -> str | None:
    """Space of an image: its name's, else its header's template, else the person's own."""
    said = name.get("space") or template
    return NATIVE if said is None or said.casefold() in OWN_SPACES else said


def _nearest(file: BidsFile, found: list[BidsFile]) -> Path | None:
    ordered = sorted(found, key=lambda other: (other.dataset != file.dataset, other.path.name))
    return ordered[0].path if ordered else None
