"""Scans of a BIDS folder: which images there are, what lies beside each, and what their headers say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..io.bids import BidsFile
from ..io.bids_sidecars import Sidecars
from ..io.heading import whole_image
from ..io.sidecar import NONE, Sidecar, text
from ..io.volume_info import VolumeInfo
from ..problems import Finding, Problem, silent
from .findings import finding
from .reading_beside import NATIVE, Beside, space_of
from .values import Scan, ScanKind

THREADS = 4  # headers wait for the disk more than for the processor

Report = Callable[[float], None]

_KINDS: dict[str, dict[str, ScanKind]] = {
    "pet": {"pet": "pet", "suvr": "suvr", "mimap": "map", "statmap": "map"},
    "func": {"bold": "bold", "alff": "map", "reho": "map", "statmap": "map"},
    "perf": {"cbf": "map"},
    "mrs": {"svs": "mrs", "mrsi": "mrs"},
    "anat": dict.fromkeys(("T1w", "T2w", "FLAIR", "T2star", "PDw", "T1map", "MP2RAGE", "UNIT1"), "anat"),
}
_RATIOS = frozenset({"suvr", "unitless", "ratio", "1", "dimensionless", "arbitrary"})
_ORDER: tuple[ScanKind, ...] = ("pet", "suvr", "bold", "mrs", "map", "anat")


@dataclass(frozen=True, eq=False)
class Imaged:
    """A scan with its header and sidecar.

    Attributes
    ----------
    scan : Scan
    info : VolumeInfo or None
        None for spectra of which only fits are left.
    sidecar : mapping
        With what it inherits.
    """

    scan: Scan
    info: VolumeInfo | None
    sidecar: Sidecar


def read_scans(
    files: Sequence[BidsFile], sidecars: Sidecars, report: Report = silent
) -> tuple[tuple[Imaged, ...], tuple[Finding, ...]]:
    """Scans among the files of a study; images that cannot be read are named and left out."""
    beside = Beside(files)
    images, findings = _one_of_each([file for file in files if kind_of(file) is not None and file.name.is_image])
    headers = headers_of([file.path for file in images], report)
    found: list[Imaged] = []
    for file, info in zip(images, headers, strict=True):
        if isinstance(info, Finding):
            findings.append(Finding(info.code, info.where, file.participant, f"{_who(file)}: {info.message}"))
        else:
            found.append(_imaged(file, info, sidecars.of(file.path), beside))
    for file in beside.fits_without(images):
        message = f"{_who(file)} has fitted spectra without the spectra; the fits are used."
        findings.append(finding("spectra-missing", file.path, file.participant, message))
        found.append(Imaged(Scan(file.participant, file.session, "mrs", file.path, fits=file.path), None, NONE))
    found.sort(key=lambda each: _ORDER.index(each.scan.kind))
    return tuple(found), tuple(findings)


def headers_of(paths: Sequence[Path], report: Report = silent) -> list[VolumeInfo | Finding]:
    """What headers say; a finding where one cannot be read, or a file is cut short."""
    found: list[VolumeInfo | Finding] = []
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            for number, header in enumerate(pool.map(_header, paths), start=1):
                found.append(header)
                report(number / len(paths))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found


def affine_rows(info: VolumeInfo) -> tuple[tuple[float, ...], ...]:
    """First three rows of an affine, as a scan keeps them."""
    return tuple(tuple(float(value) for value in row) for row in info.space.grid.affine[:3])


def kind_of(file: BidsFile) -> ScanKind | None:
    """What a file is a scan of, by its folder and name; None when it is none that questions use."""
    kind = _KINDS.get(file.datatype, {}).get(file.name.suffix)
    if kind is None or (file.name.get("part") or "mag") not in {"mag", "real"} or file.name.get("echo"):
        return None
    said = f"{file.name.get('meas') or ''} {file.name.get('param') or ''} {file.name.get('desc') or ''}".casefold()
    return "suvr" if kind in {"pet", "map"} and "suvr" in said else kind


def _header(path: Path) -> VolumeInfo | Finding:
    try:
        return whole_image(path)
    except Problem as problem:
        return Finding("image-unreadable", str(path), None, f"the image {problem.what}; {problem.todo}.")


def _imaged(file: BidsFile, info: VolumeInfo, sidecar: Sidecar, beside: Beside) -> Imaged:
    kind = kind_of(file) or "map"
    if kind == "pet" and (text(sidecar, "Units") or "").casefold() in _RATIOS:
        kind = "suvr"
    space = space_of(file.name, info.space.template)
    scan = Scan(
        file.participant,
        file.session,
        kind,
        file.path,
        space,
        tuple(pair for pair in file.name.entities if pair[0] not in {"sub", "ses", "space"}),
        confounds=beside.confounds(file) if kind == "bold" else None,
        mask=beside.mask(file) if kind != "mrs" else None,
        transform=beside.transform(file) if space == NATIVE else None,
        fits=beside.fits(file) if kind == "mrs" else None,
        shape=info.shape,
        affine=affine_rows(info),
    )
    return Imaged(scan, info, sidecar)


def _one_of_each(files: Sequence[BidsFile]) -> tuple[list[BidsFile], list[Finding]]:
    """One file where an image lies there twice, compressed and not, or raw and among derivatives under one name."""
    found: dict[str, BidsFile] = {}
    findings: list[Finding] = []
    for file in files:
        name = str(file.name._replace(extension=""))
        first = found.setdefault(name, file)
        if first is not file:
            message = f"{_who(file)} has {file.path.name} twice, as {first.path.name}; the first is used."
            findings.append(finding("image-doubled", file.path, file.participant, message))
    return list(found.values()), findings


def _who(file: BidsFile) -> str:
    return file.participant if file.session is None else f"{file.participant} {file.session}"
