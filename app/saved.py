"""Views in files: scenes as JSON, pictures that carry their view, file names relative to where they are kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from .io.files import replacing
from .io.identify import identify
from .models import COLUMN, TABLE, Model
from .problems import Problem
from .recipes import (
    AtlasLabels,
    FileMap,
    GroupModel,
    GroupRun,
    MatrixFile,
    NativeMap,
    Preparation,
    RegionMask,
    RegionMatrix,
    label_file,
    label_file_id,
)
from .state import SurfaceView, ViewState, Vouched, from_json, to_json
from .study.rows import StudyRows
from .study.values import Choices

StructT = TypeVar("StructT", bound=msgspec.Struct)
VIEW_KEY = "habena-view"
MAX_SCENE_BYTES = 20_000_000


def save_view(path: str, state: ViewState, hidden: Callable[[ViewState], ViewState] = lambda state: state) -> None:
    """Write a view as JSON, with file names relative to it; the file appears whole or not at all.

    ``hidden`` takes out what may not be seen, last.
    """
    with replacing(Path(path)) as file:
        file.write(to_json(hidden(relative(state, Path(path).absolute().parent))))


def read_view(path: str) -> ViewState:
    """The view in a scene file.

    Raises
    ------
    Problem
        When it is no view or cannot be read.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MAX_SCENE_BYTES:
            raise Problem(path, "is too large to be a view", "open the scene file that Habena saved")
        text = file.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise Problem(path, f"cannot be read ({reason})", "check its name and your permission") from error
    return absolute(_revealed(text, path), file.absolute().parent)


def saved_view(path: str) -> ViewState | None:
    """The view in a scene file, or in a picture that carries one; None for other files.

    Raises
    ------
    Problem
        A picture without a view, or a scene that cannot be read.
    """
    kind = identify(path).kind
    if kind == "scene":
        return read_view(path)
    return _view_in_picture(path) if kind == "picture" else None


def _view_in_picture(path: str) -> ViewState:
    from PIL import Image, PngImagePlugin  # noqa: PLC0415 - only for pictures

    PngImagePlugin.MAX_TEXT_CHUNK = MAX_SCENE_BYTES  # Pillow's own limit is less than a drawing may need
    todo = "name the image that it was made from, or a view that Habena saved"
    try:
        with Image.open(path) as picture:
            text = picture.info.get(VIEW_KEY, "")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Problem(path, "cannot be read as a picture that carries a view", todo) from error
    if not text:
        raise Problem(path, "is a picture without a Habena view in it", todo)
    return absolute(_revealed(str(text).encode(), path), Path(path).absolute().parent)


def _revealed(text: bytes, path: str) -> ViewState:
    """The view that was written; what was hidden in it because its study was blinded is read by its user alone."""
    state = from_json(text, path)
    if b"blinded:" not in text:
        return state
    from .study.blinding import reveal  # noqa: PLC0415 - rare
    from .study.blinding_kept import kept_by_id  # noqa: PLC0415

    return reveal(state, kept_by_id)


def relative(state: ViewState, folder: Path) -> ViewState:
    """File names as seen from a folder, so that both can move together."""

    def seen_from(path: str) -> str:
        there = Path(path).absolute()
        if there.drive != folder.drive:
            return there.as_posix()
        return Path(os.path.relpath(there, folder)).as_posix()

    return with_paths(state, seen_from)


def absolute(state: ViewState, folder: Path) -> ViewState:
    """The reverse of `relative`."""
    return with_paths(state, lambda path: os.path.normpath(folder / path))


def files_of(state: ViewState) -> tuple[str, ...]:
    """Every file that a view names, each once."""
    named: dict[str, None] = {}

    def note(path: str) -> str:
        named[path] = None
        return path

    with_paths(state, note)
    return tuple(named)


def with_paths(state: ViewState, moved: Callable[[str], str]) -> ViewState:
    """A view with every file name changed by a function.

    An atlas that the program does not know by its id is a label file of the user's, named by its path.
    """
    return _renamed(state, moved)


def without_folders(value: StructT) -> StructT:
    """A question with the names of its files alone: what is handed on tells nothing of the machine."""
    return _renamed(value, lambda path: Path(path).name)


def _renamed(value: Any, moved: Callable[[str], str]) -> Any:
    if isinstance(value, msgspec.Struct):
        own = _names_in(value, moved)
        rest = {name: _renamed(getattr(value, name), moved) for name in value.__struct_fields__ if name not in own}
        return type(value)(**rest, **own)
    return tuple(_renamed(part, moved) for part in value) if isinstance(value, tuple) else value


def _names_in(value: msgspec.Struct, moved: Callable[[str], str]) -> dict[str, Any]:
    """The fields of a value that name files, changed."""
    own: dict[str, Any] = {}
    match value:
        case FileMap() | MatrixFile() | NativeMap():  # nothing but files
            own = {name: moved(getattr(value, name)) for name in value.__struct_fields__}
        case RegionMask(atlas=atlas) | AtlasLabels(atlas=atlas) | Vouched(atlas=atlas) | RegionMatrix(atlas=atlas):
            own = {"atlas": _atlas(atlas, moved)}
        case Preparation(confounds=confounds, brain=brain):
            own = {"confounds": confounds and moved(confounds), "brain": brain and moved(brain)}
        case GroupRun(path=path, confounds=confounds):
            own = {"path": moved(path), "confounds": confounds and moved(confounds)}
        case Model():
            own = _in_model(value, moved)
        case StudyRows() | Choices():
            own = _in_study(value, moved)
        case GroupModel(voxelwise=paths):
            own = {"voxelwise": tuple(map(moved, paths))}
        case SurfaceView(cortex=cortex):
            own = {"cortex": cortex and moved(cortex)}
        case ViewState(atlases=atlases, study=study):
            own = {"atlases": tuple(_atlas(atlas, moved) for atlas in atlases), "study": study and moved(study)}
        case _:
            pass
    return own


def _in_model(model: Model, moved: Callable[[str], str]) -> dict[str, Any]:
    in_table = model.data in {TABLE, ""} or model.data.startswith(COLUMN)
    optional = {name: getattr(model, name) for name in ("mask", "surface")}
    return {
        "data": model.data if in_table else moved(model.data),
        "table": model.table and moved(model.table),
        "atlas": model.atlas and _atlas(model.atlas, moved),
        **{name: path and moved(path) for name, path in optional.items()},
    }


def _in_study(value: StudyRows | Choices, moved: Callable[[str], str]) -> dict[str, Any]:
    if isinstance(value, StudyRows):
        return {"study": moved(value.study)}
    optional = {name: getattr(value, name) for name in ("grid", "mask")}
    return {
        "atlas": _atlas(value.atlas, moved),
        "reference": _reference(value.reference, moved),
        **{name: path and moved(path) for name, path in optional.items()},
    }


def _reference(reference: str | None, moved: Callable[[str], str]) -> str | None:
    """A reference region is a name or a mask file."""
    from .pet_reference import IMAGE_ENDINGS  # noqa: PLC0415 - keeps opening quick

    named_file = reference is not None and ("/" in reference or reference.lower().endswith(IMAGE_ENDINGS))
    return moved(reference) if reference is not None and named_file else reference


def _atlas(atlas: str, moved: Callable[[str], str]) -> str:
    from .io.atlases import atlas_ids  # noqa: PLC0415 - keeps opening quick

    if atlas in atlas_ids():
        return atlas
    image, table = label_file(atlas)
    return label_file_id(moved(image), table and moved(table))
