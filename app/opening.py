"""What to do with a path that the user opens: an image, a surface, a DICOM folder, a table, a view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec.structs import replace

from .answers import Answer
from .compute import open_cortex, open_file
from .problems import Finding, Problem
from .questions import CortexData
from .recipes import FileMap
from .saved import saved_view
from .state import ViewState
from .study.loaded import Loaded, is_study, load

Report = Callable[[float], None]

_MAX_FROM_FOLDER = 12


TableKind = Literal["matrix", "confounds", "study"]


class Opened(NamedTuple):
    """What a path turned out to be.

    Attributes
    ----------
    path : str
        What the user named.
    layers : tuple of (FileMap, Answer)
        Images and surface data, their first frame at hand.
    cortex : CortexData or None
        Other surfaces to show from now on.
    table : str or None
        What kind of table it is: ``matrix`` of connections, ``confounds`` of a run, or of a ``study``.
    view : ViewState or None
        A saved view.
    study : Loaded or None
        A folder of people, or that of the saved view.
    problems : tuple of Problem
        Files among several that could not be opened.
    findings : tuple of Finding
    discard : callable or None
        Removes what was written into the cache for this, once nobody shows it any more.
    """

    path: str
    layers: tuple[tuple[FileMap, Answer], ...] = ()
    cortex: CortexData | None = None
    table: TableKind | None = None
    view: ViewState | None = None
    study: Loaded | None = None
    problems: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = ()
    discard: Callable[[], None] | None = None


def open_path(path: str, report: Report, cortex: CortexData) -> Opened:
    """Open whatever a path is.

    Parameters
    ----------
    path : str
    report : callable
        Progress.
    cortex : CortexData
        Surfaces that the view shows now; data that do not fit them bring others if these are known.

    Raises
    ------
    Problem
        One sentence with the file, the reason and what to do.
    """
    from .io.identify import identify  # noqa: PLC0415 - formats only when needed

    if is_study(Path(path)):
        return Opened(path, study=load(path, report))
    found = identify(path)
    match found.kind:
        case "surface" if _has_geometry(path, found.format):
            from .io.surface_cortex import read_cortices  # noqa: PLC0415

            read_cortices(path)  # refused now, not when it is drawn
            return Opened(path, cortex=CortexData(path))
        case "scene" | "picture":
            return _with_study(Opened(path, view=saved_view(path)), report)
        case "table":
            return Opened(path, table=kind_of_table(path))
        case "dicom-folder" | "dicom":
            opened = _dicom(path, report)
        case "folder":
            opened = _folder(Path(path), report)
        case _:
            opened = Opened(path, layers=((FileMap(path), open_file(path)),))
    return with_surfaces(opened, cortex)


def _with_study(opened: Opened, report: Report) -> Opened:
    """A saved view with the study that it names, read before anything of it is shown."""
    if opened.view is None or opened.view.study is None:
        return opened
    try:
        return opened._replace(study=load(opened.view.study, report))
    except Problem as problem:
        return opened._replace(view=replace(opened.view, study=None), problems=(problem,))


def kind_of_table(path: str) -> TableKind:
    """Whether a table is a matrix of connections, the confounds of a run, or that of a study.

    A square and symmetric one is a matrix. One that has numbers alone, and is called confounds or motion or has columns
    that motion correction writes, is of a run.

    Raises
    ------
    Problem
        It is no table.
    """
    from ..stats.fmriprep import MOTION  # noqa: PLC0415
    from .io.matrices import read_matrix  # noqa: PLC0415
    from .io.study_table import read_table  # noqa: PLC0415 - pandas

    with suppress(Problem):
        read_matrix(path)
        return "matrix"
    name = Path(path).name.lower()
    if any(word in name for word in ("confound", "regressor", "motion")) or name.endswith((".par", ".1d", ".txt")):
        return "confounds"
    columns = [str(column) for column in read_table(path).frame.columns]
    return "confounds" if any(column in MOTION or column == "framewise_displacement" for column in columns) else "study"


def with_surfaces(opened: Opened, shown: CortexData) -> Opened:
    """The surfaces that data on the cortex were made for, where these are known; else a problem that says so."""
    problems: list[Problem] = []
    cortex = shown
    for _, answer in opened.layers:
        if not answer.cortex:
            continue
        misfits: list[Problem] = []
        for candidate in _candidates(cortex, answer):
            misfit = _misfit(answer, candidate)
            if misfit is None:
                cortex = candidate
                break
            misfits.append(misfit)
        else:
            problems.append(misfits[0])
    changed = cortex if cortex != shown else None
    return opened._replace(cortex=changed, problems=(*opened.problems, *problems))


def _candidates(shown: CortexData, answer: Answer) -> Iterator[CortexData]:
    """Surfaces that data could be of: those on display, fsaverage5, the person's own, and fsLR where installed."""
    from .io.surface_cortex import fs_lr_32k, surfaces_beside  # noqa: PLC0415
    from .io.surface_data import SurfaceData  # noqa: PLC0415
    from .io.surface_names import mesh_of  # noqa: PLC0415

    yield shown
    yield CortexData(None)
    for data in answer.cortex.values():
        if isinstance(data, SurfaceData):
            yield from (CortexData(str(surface)) for surface in surfaces_beside(data.source))
    if any(mesh_of(data.n_vertices) == "fsLR 32k" for data in answer.cortex.values()):
        with suppress(Problem):
            yield CortexData(str(fs_lr_32k()))


def _misfit(answer: Answer, candidate: CortexData) -> Problem | None:
    """Why data cannot be shown on surfaces; None when at least one side can."""
    from .io.surface_cortex import cortex_for  # noqa: PLC0415
    from .io.surface_data import SurfaceData  # noqa: PLC0415

    try:
        cortices = open_cortex(candidate.path)
    except Problem as problem:
        return problem
    misfit: Problem | None = None
    for data in answer.cortex.values():
        if not isinstance(data, SurfaceData):
            continue
        try:
            cortex_for(data, cortices)
        except Problem as problem:
            misfit = problem
        else:
            return None
    return misfit


def _has_geometry(path: str, form: str) -> bool:
    """Whether a surface file holds a surface: GIFTI files may hold values alone whatever their name says."""
    from .io.surface_gifti import holds_surface  # noqa: PLC0415

    return form != "GIFTI" or holds_surface(Path(path))


def _dicom(path: str, report: Report) -> Opened:
    from .io.dicom import convert_dicom  # noqa: PLC0415

    conversion = convert_dicom(path, report=report)
    series = [str(series.path) for series in conversion.series]
    try:
        opened = _several(path, series, tuple(conversion.findings), report)
    except BaseException:
        conversion.discard()
        raise
    return opened._replace(discard=conversion.discard)


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
    return _several(str(folder), images[:_MAX_FROM_FOLDER], findings, report)


def _several(path: str, names: list[str], findings: tuple[Finding, ...], report: Report) -> Opened:
    layers: list[tuple[FileMap, Answer]] = []
    problems: list[Problem] = []
    for number, name in enumerate(names):
        try:
            layers.append((FileMap(name), open_file(name)))
        except Problem as problem:
            problems.append(problem)
        report((number + 1) / len(names))
    return Opened(path, layers=tuple(layers), problems=tuple(problems), findings=findings)
