"""Is there an OpenGL library? Without one VTK does not raise, it crashes; so this is asked before."""

from __future__ import annotations

import ctypes
import os
import sys

from .problems import Problem

DEBIAN_PACKAGES = "libegl1 libgl1 libgl1-mesa-dri libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0"
DEBIAN_X11_PACKAGES = "libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"


def require_opengl() -> None:
    """Refuse to go on where VTK would crash.

    Raises
    ------
    Problem
        With the command that installs what is missing.
    """
    if not sys.platform.startswith("linux"):
        return
    for library in ("libEGL.so.1", "libGL.so.1"):
        try:
            ctypes.CDLL(library)
        except OSError as error:
            todo = f"install it (Debian, Ubuntu: apt-get install {DEBIAN_PACKAGES})"
            raise Problem("OpenGL", f"the library {library} is missing, and nothing can be drawn", todo) from error


def has_display() -> bool:
    """Whether there is a screen to open a window on."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
