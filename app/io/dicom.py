"""DICOM folders made into NIfTI by dcm2niix, a program of its own that comes as a wheel."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import subprocess
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import BinaryIO

from ..problems import Finding, Problem
from .files import regular_file, writing
from .identify import stem
from .sidecar import number, read_sidecar, text
from .volumes import open_volume

Report = Callable[[float], None]

_FOLDERS_DEEP = 9
_FILES_TRIED, _FILES_TRIED_PER_FOLDER = 200, 4
_POLL_S = 0.1
_PATIENCE_S = 5.0
_WEEK_S = 7 * 86400.0
_PREFIX = "dicom-"
_PROGRESS = re.compile(r"Progress: ([\d.]+)")
_CONVERTED = re.compile(r"Convert (\d+) DICOM as (.+) \((\d+(?:x\d+)+)\)")
_REMARK = re.compile(r"(Warning|Error): (.*)")
_DUPLICATES = re.compile(r"(\d+) images have identical .*")
_NO_IMAGES = 2


@dataclass(frozen=True)
class Series:
    """One converted series.

    Attributes
    ----------
    path : Path
        Uncompressed NIfTI file.
    number : int or None
        Series number.
    description : str
        Series description or protocol.
    n_volumes : int
        Frames of the image.
    sidecar : Path or None
        BIDS JSON file without personal data.
    """

    path: Path
    number: int | None
    description: str
    n_volumes: int
    sidecar: Path | None


@dataclass(frozen=True)
class Conversion:
    """What became of a folder of DICOM files.

    Attributes
    ----------
    folder : Path
        Temporary folder that holds the series; removed by `discard`, or once nobody holds this value any more.
    series : tuple of Series
        In the order of their numbers.
    findings : tuple of Finding
        What the converter remarked, without paths and names.
    """

    folder: Path
    series: tuple[Series, ...]
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)  # work whose result nobody took

    def discard(self) -> None:
        """Remove the converted files."""
        shutil.rmtree(self.folder, ignore_errors=True)


def looks_like_dicom(folder: Path) -> bool:
    """Whether a folder or one below it holds DICOM files, judged by the first few files of each."""
    tried = (path for _, path in zip(range(_FILES_TRIED), _first_files(folder), strict=False))
    return any(path.name == "DICOMDIR" or _is_dicom(path) for path in tried)


def convert_dicom(path: str | Path, cache: Path | None = None, report: Report | None = None) -> Conversion:
    """Convert every series in a folder and the folders below it.

    Parameters
    ----------
    path : path
        Folder, or one file of a series, whose folder is then converted.
    cache : path, optional
        Where the temporary folder is made; the user's cache folder by default, never beside the data.
    report : callable, optional
        Called with a share several times a second; what it raises stops the work and leaves nothing behind.

    Raises
    ------
    Problem
        When the converter is missing, the folder holds no DICOM images, or none of them can be converted.
    """
    source = Path(path).absolute()
    if not source.is_dir():
        regular_file(source)
        source = source.parent
    program = _converter()
    with writing(cache or default_cache()):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_made(cache or default_cache())))
    try:
        code, said = _run(_command(program, source, folder), report)
        findings = (*_remarks(said, source, folder), *_incomplete(code))
        series = tuple(_series(folder))
        if not series:
            raise _nothing_converted(source, code, findings)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Conversion(folder, series, findings)


def default_cache() -> Path:
    """Folder for converted series in the user's cache."""
    from platformdirs import user_cache_path  # noqa: PLC0415 - needed for DICOM only

    return user_cache_path("habena", appauthor=False) / "dicom"


def discard_leftovers(cache: Path | None = None) -> None:
    """Remove conversions that a killed program left behind more than a week ago."""
    for folder in (cache or default_cache()).glob(f"{_PREFIX}*"):
        if folder.is_dir() and time.time() - folder.stat().st_mtime > _WEEK_S:
            shutil.rmtree(folder, ignore_errors=True)


def _first_files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for name in islice(sorted(names), _FILES_TRIED_PER_FOLDER):
            yield Path(place) / name


def _is_dicom(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:  # a file that cannot be read says nothing about its folder
        return False


def _converter() -> str:
    if find_spec("dcm2niix") is None:
        raise Problem("dcm2niix", "is not installed, and DICOM files need it", "run: pip install dcm2niix")
    import dcm2niix  # noqa: PLC0415 - needed for DICOM only

    return dcm2niix.bin


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _command(program: str, source: Path, folder: Path) -> list[str]:
    """Defaults of this machine ignored, no personal data in names, headers or sidecars, no compression."""
    private = ["-ba", "y", "-c", "", "-f", "%s_%p"]
    return [
        *(program, "-g", "i", "--progress", "y", "-d", str(_FOLDERS_DEEP), "-b", "y", *private, "-z", "n"),
        *("-o", str(folder), str(source)),
    ]


def _run(command: list[str], report: Report | None) -> tuple[int, list[str]]:
    """Exit status and messages of the converter, reporting and stoppable meanwhile."""
    process, output = _start(command)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = Thread(target=_pump, args=(output, lines), name="dcm2niix output", daemon=True)
    reader.start()
    said: list[str] = []
    share = 0.0
    try:
        while (line := _next(lines)) is not None:
            progress = _PROGRESS.fullmatch(line)
            if progress:
                share = max(share, min(1.0, float(progress[1])))
            elif line:
                said.append(line)
            if report:
                report(share)
        return process.wait(), said
    finally:
        _stop(process)
        reader.join()
        output.close()


def _start(command: list[str]) -> tuple[subprocess.Popen[bytes], BinaryIO]:
    """Start the converter with its messages line by line: into a plain pipe it writes them all at the end."""
    try:
        from pty import openpty  # noqa: PLC0415 - not on Windows
    except ImportError:
        process = subprocess.Popen(  # noqa: S603 - a fixed program and a list of arguments, no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if process.stdout is None:
            raise RuntimeError("a pipe was asked for") from None
        return process, process.stdout  # pyright: ignore[reportReturnType] - typeshed says IO[bytes]
    ours, theirs = openpty()
    try:
        process = subprocess.Popen(  # noqa: S603 - as above
            command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return process, open(ours, "rb")  # noqa: PTH123 - a descriptor, closed by the caller


def _pump(output: BinaryIO, lines: queue.SimpleQueue[str | None]) -> None:
    """Pass lines on, then None."""
    with contextlib.suppress(OSError):  # how a pseudo-terminal ends
        for line in output:
            lines.put(line.decode("utf-8", "replace").strip())
    lines.put(None)


def _next(lines: queue.SimpleQueue[str | None]) -> str | None:
    """Next line, empty when none came for a moment, None at the end."""
    try:
        return lines.get(timeout=_POLL_S)
    except queue.Empty:
        return ""


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _remarks(said: list[str], *folders: Path) -> Iterator[Finding]:
    """Warnings and errors, each with the series that is named after it."""
    waiting: list[re.Match[str]] = []
    for line in said:
        converted = _CONVERTED.fullmatch(line)
        duplicates = _DUPLICATES.fullmatch(line)
        remarked = _REMARK.fullmatch(line)
        if converted:
            yield from (_finding(Path(converted[2]).name, remark, folders) for remark in waiting)
            waiting.clear()
        elif duplicates:
            message = f"{duplicates[1]} files are copies of others and were left out."
            yield Finding("dicom-duplicates", "DICOM", float(duplicates[1]), message)
        elif remarked:
            waiting.append(remarked)
    yield from (_finding("DICOM", remark, folders) for remark in waiting)


def _finding(where: str, remark: re.Match[str], folders: tuple[Path, ...]) -> Finding:
    said = _without_paths(remark[2], folders).rstrip(".")
    if "order is not spatial" in said:
        message = "Instance numbers do not follow the position of the slices, which was followed instead"
        return Finding("dicom-slice-order", where, None, f"{message} (dcm2niix: {said}).")
    code = "dicom-error" if remark[1] == "Error" else "dicom-remark"
    return Finding(code, where, None, f"dcm2niix: {said}.")


def _incomplete(code: int) -> Iterator[Finding]:
    if code:
        message = f"Not every series could be converted, or not whole (dcm2niix ended with status {code})."
        yield Finding("dicom-incomplete", "DICOM", float(code), message)


def _without_paths(remark: str, folders: tuple[Path, ...]) -> str:
    """A message without what follows a folder's path: names of files and folders may be those of patients."""
    for folder in folders:
        remark = re.sub(re.escape(str(folder)) + ".*", "one of the files", remark)
    return remark


def _series(folder: Path) -> Iterator[Series]:
    found = [_one_series(path) for path in sorted(folder.glob("*.nii"))]
    yield from sorted(found, key=lambda one: (one.number is None, one.number, one.path.name))


def _one_series(path: Path) -> Series:
    said = read_sidecar(path)
    series_number = number(said, "SeriesNumber")
    sidecar = path.with_name(stem(path) + ".json")
    return Series(
        path=path,
        number=None if series_number is None else int(series_number),
        description=text(said, "SeriesDescription") or text(said, "ProtocolName") or stem(path),
        n_volumes=open_volume(path).n_frames,
        sidecar=sidecar if sidecar.is_file() else None,
    )


def _nothing_converted(source: Path, code: int, findings: tuple[Finding, ...]) -> Problem:
    if code == _NO_IMAGES:
        what = f"holds no DICOM images (searched {_FOLDERS_DEEP} folders deep)"
        return Problem(source, what, "name the folder that the scanner's export made")
    remarks = [finding for finding in findings if finding.code != "dicom-incomplete"]
    errors = [finding for finding in remarks if finding.code == "dicom-error"] or remarks[-1:]
    reasons = "; ".join(finding.message.rstrip(".") for finding in errors) or f"dcm2niix ended with status {code}"
    what = f"none of its series could be converted ({reasons})"
    return Problem(source, what, "check that the export is complete")
