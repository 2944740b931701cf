"""Views in files: scenes as JSON, pictures that carry their view, file names relative to where they are kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from .io.files import replacing
from .io.identify import identify
from .problems import Problem
from .recipes import FileMap, Preparation
from .state import ViewState, from_json, to_json

VIEW_KEY = "habena-view"
MAX_SCENE_BYTES = 20_000_000


def save_view(path: str, state: ViewState) -> None:
    """Write a view as JSON, with file names relative to it; the file appears whole or not at all."""
    with replacing(Path(path)) as file:
        file.write(to_json(relative(state, Path(path).absolute().parent)))


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
    return absolute(from_json(text, path), file.absolute().parent)


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
    from PIL import Image  # noqa: PLC0415 - only for pictures

    try:
        with Image.open(path) as picture:
            text = picture.info.get(VIEW_KEY, "")
    except (OSError, ValueError) as error:
        raise Problem(path, "cannot be read as a picture", "name an image, or a scene that Habena saved") from error
    if not text:
        raise Problem(path, "is a picture without a Habena view in it", "name the image that it was made from")
    return absolute(from_json(str(text).encode(), path), Path(path).absolute().parent)


def relative(state: ViewState, folder: Path) -> ViewState:
    """File names as seen from a folder, so that both can move together."""
    return with_paths(state, lambda path: Path(os.path.relpath(Path(path).absolute(), folder)).as_posix())


def absolute(state: ViewState, folder: Path) -> ViewState:
    """The reverse of `relative`."""
    return with_paths(state, lambda path: os.path.normpath(folder / path))


def with_paths(state: ViewState, moved: Callable[[str], str]) -> ViewState:
    """A view with every file name changed by a function."""

    def optional(path: str | None) -> str | None:
        return None if path is None else moved(path)

    def walk(value: Any) -> Any:
        match value:
            case FileMap(path=path):
                return FileMap(moved(path))
            case Preparation(confounds=confounds, brain=brain):
                return replace(value, confounds=optional(confounds), brain=optional(brain))
            case msgspec.Struct():
                return type(value)(**{name: walk(getattr(value, name)) for name in value.__struct_fields__})
            case tuple():
                return tuple(walk(item) for item in value)
            case _:
                return value

    view: ViewState = walk(state)
    return replace(view, surface=replace(view.surface, cortex=optional(view.surface.cortex)))
