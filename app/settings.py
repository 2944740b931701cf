"""What the program remembers between runs, and where it keeps temporary files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal

import msgspec
from platformdirs import user_cache_path, user_config_path

NAME = "habena"
MAX_RECENT = 12
DEFAULT_ATLASES = ("aal2", "cit168", "melbourne-s2")


class Settings(msgspec.Struct, frozen=True):
    """Choices of the user.

    Attributes
    ----------
    radiological : bool
        The person's right is on the left of axial and coronal pictures.
    theme : str
        dark, light or system.
    remember_files : bool or None
        Whether names of opened files may be kept; None: not asked yet. File names can identify
        patients, so nothing is kept unasked.
    recent : tuple of str
        Paths, the latest first.
    atlases : tuple of str
        Atlases whose names are shown at the crosshair.
    geometry, layout : str
        Window size and place of the panels, as Qt saves them, in base 64.
    """

    radiological: bool = False
    theme: Literal["dark", "light", "system"] = "system"
    remember_files: bool | None = None
    recent: tuple[str, ...] = ()
    atlases: tuple[str, ...] = DEFAULT_ATLASES
    geometry: str = ""
    layout: str = ""

    def opened(self, path: str) -> Settings:
        """With a path on top of the recent ones, if these may be kept."""
        if not self.remember_files:
            return self
        others = tuple(kept for kept in self.recent if kept != path)
        return msgspec.structs.replace(self, recent=(path, *others)[:MAX_RECENT])


# Made on import, which one thread does: two that prepare the same type at once crash in msgspec.
_DECODER = msgspec.json.Decoder(Settings)


def settings_file() -> Path:
    """Where the settings are."""
    return user_config_path(NAME, appauthor=False) / "settings.json"


def load_settings() -> Settings:
    """The saved settings; the defaults where there are none or they cannot be read."""
    try:
        return _DECODER.decode(settings_file().read_bytes())
    except (OSError, msgspec.DecodeError):
        return Settings()


def save_settings(settings: Settings) -> None:
    """Write the settings in one move. A read-only home is no reason to stop: then they last for this run."""
    path = settings_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(settings), indent=2))
        Path(temporary).replace(path)
    except OSError:
        return


def cache_folder() -> Path:
    """Folder for files that can be made again; made when missing."""
    folder = user_cache_path(NAME, appauthor=False)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
