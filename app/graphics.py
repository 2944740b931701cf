"""Are there a screen and the libraries that Qt and VTK load? Without them both end the process; so this asks before."""

from __future__ import annotations

import ctypes
import os
import sys

from .problems import Problem

DEBIAN_PACKAGES = "libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0"
DEBIAN_X11_PACKAGES = "libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
LIBRARIES = (
    "libEGL.so.1",
    "libGL.so.1",
    "libxkbcommon.so.0",
    "libdbus-1.so.3",
    "libfontconfig.so.1",
    "libglib-2.0.so.0",
)
X11_LIBRARIES = (
    "libxkbcommon-x11.so.0",
    "libxcb-cursor.so.0",
    "libxcb-icccm.so.4",
    "libxcb-keysyms.so.1",
    "libxcb-shape.so.0",
)


def require_graphics(*, window: bool = False) -> None:
    """Refuse to go on where Qt cannot be imported or VTK would crash; before either is imported.

    Parameters
    ----------
    window : bool
        On an X11 screen too.

    Raises
    ------
    Problem
        With the command that installs what is missing.
    """
    if not sys.platform.startswith("linux"):
        return
    x11 = window and not os.environ.get("WAYLAND_DISPLAY")
    missing = [library for library in (*LIBRARIES, *(X11_LIBRARIES if x11 else ())) if not _loads(library)]
    if missing:
        packages = f"{DEBIAN_PACKAGES} {DEBIAN_X11_PACKAGES}" if x11 else DEBIAN_PACKAGES
        todo = f"install what is missing (Debian, Ubuntu: apt-get install {packages})"
        raise Problem("graphics", f"nothing can be drawn without {', '.join(missing)}", todo)


def has_display() -> bool:
    """Whether there is a screen to open a window on, and it answers."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("WAYLAND_DISPLAY")) or (bool(os.environ.get("DISPLAY")) and _x11_answers())


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _x11_answers() -> bool:
    if not _loads("libxcb.so.1"):
        return True  # the libraries are what is missing, and `require_graphics` says so
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    refused = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not refused
