"""What to do with a path that the user opens: an image, a surface, a DICOM folder, a table, a view."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from .answers import Answer
from .compute import open_file
from .problems import Finding, Problem
from .recipes import FileMap
from .saved import saved_view
from .state import ViewState

Report = Callable[[float], None]

_MAX_FROM_FOLDER = 12


class Opened(NamedTuple):
    """What a path turned out to be.

    Attributes
    ----------
    layers : tuple of (FileMap, Answer)
        Images and surface data, their first frame at hand.
    cortex : str or None
        A surface to show instead of fsaverage5.
    table : str or None
        A table of confounds for a run.
    view : ViewState or None
        A saved view.
    problems : tuple of Problem
        Files among several that could not be opened.
    findings : tuple of Finding
    """

    layers: tuple[tuple[FileMap, Answer], ...] = ()
    cortex: str | None = None
    table: str | None = None
    view: ViewState | None = None
    problems: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = ()


def open_path(path: str, report: Report) -> Opened:
    """Open whatever a path is.

    Raises
    ------
    Problem
        One sentence with the file, the reason and what to do.
    """
    from .io.identify import identify  # noqa: PLC0415 - formats only when needed

    found = identify(path)
    match found.kind:
        case "surface" if _has_geometry(path, found.format):
            from .io.surface_cortex import read_cortices  # noqa: PLC0415

            read_cortices(path)  # refused now, not when it is drawn
            return Opened(cortex=path)
        case "scene" | "picture":
            return Opened(view=saved_view(path))
        case "table":
            return Opened(table=path)
        case "dicom-folder" | "dicom":
            return _dicom(path, report)
        case "folder":
            return _folder(Path(path), report)
        case _:
            return Opened(layers=((FileMap(path), open_file(path)),))


def _has_geometry(path: str, form: str) -> bool:
    """Whether a surface file holds a surface: GIFTI files may hold values alone whatever their name says."""
    from .io.surface_gifti import holds_surface  # noqa: PLC0415

    return form != "GIFTI" or holds_surface(Path(path))


def _dicom(path: str, report: Report) -> Opened:
    from .io.dicom import convert_dicom  # noqa: PLC0415

    conversion = convert_dicom(path, report=report)
    return _several([str(series.path) for series in conversion.series], tuple(conversion.findings), report)


def _folder(folder: Path, report: Report) -> Opened:
    """Every image that lies directly in a folder, in the order of names; else DICOM files in folders below."""
    from .io.dicom import looks_like_dicom  # noqa: PLC0415
    from .io.identify import identify  # noqa: PLC0415

    images: list[str] = []
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            try:
                kind = identify(file).kind
            except Problem:
                continue  # a folder may hold anything; only what is named itself must be an image
            if kind in {"volume", "cifti"}:
                images.append(str(file))
    if not images and looks_like_dicom(folder):
        return _dicom(str(folder), report)
    if not images:
        raise Problem(folder, "holds no image that Habena can show", "open the file itself, or a folder with images")
    findings: tuple[Finding, ...] = ()
    if len(images) > _MAX_FROM_FOLDER:
        message = f"{folder.name} holds {len(images)} images; the first {_MAX_FROM_FOLDER} are opened."
        findings = (Finding("folder-many", str(folder), len(images), message),)
    return _several(images[:_MAX_FROM_FOLDER], findings, report)


def _several(paths: Iterable[str], findings: tuple[Finding, ...], report: Report) -> Opened:
    layers: list[tuple[FileMap, Answer]] = []
    problems: list[Problem] = []
    names = list(paths)
    for number, path in enumerate(names):
        try:
            layers.append((FileMap(path), open_file(path)))
        except Problem as problem:
            problems.append(problem)
        report((number + 1) / len(names))
    return Opened(layers=tuple(layers), problems=tuple(problems), findings=findings)
