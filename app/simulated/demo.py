"""The demo: three simulated studies as BIDS folders, and what was planted in them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

from ...stats.arrays import Report
from ..io.files import writing
from ..problems import Problem, silent
from ..settings import cache_folder
from .planted import TRUTH, write_planted
from .settings import Settings, Size

VERSION = 1  # of the simulation: another number makes another demo
ROOM_BYTES = {"small": 150_000_000, "full": 700_000_000}
PARTS = {"ampar-pet": 0.25, "ketamine-bold": 0.65, "naltrexone-mrs": 0.05, "planted": 0.05}  # shares of the time


class Demo(NamedTuple):
    """Folders of a demo."""

    ampar_pet: Path
    ketamine_bold: Path
    naltrexone_mrs: Path
    planted: Path

    @property
    def folder(self) -> Path:
        """The folder they are in."""
        return self.planted.parent

    @classmethod
    def within(cls, folder: Path) -> Demo:
        """The demo that a folder holds or is to hold."""
        return cls(*(folder / name for name in PARTS))


def make_demo(
    folder: Path | None = None,
    *,
    seed: int = 2026,
    effect: float = 1.0,
    size: Size = "small",
    report: Report = silent,
) -> Demo:
    """Simulate three studies on the MNI152 anatomy; at once where they were made before.

    The same numbers make the same files, byte by byte. A demo appears whole or not at all.

    Parameters
    ----------
    folder : Path or None
        New, empty, or with the same demo in it; None for the cache.
    seed : int
        Of all random numbers.
    effect : float
        Factor on everything that is planted; 0 plants nothing.
    size : str
        ``small`` or ``full``.
    report : callable, optional
        Called with the share that is done; what it raises stops the work.

    Raises
    ------
    Problem
        For a number that makes no sense, and a folder that holds something else, cannot be written to, or has no room.
    """
    settings = Settings(seed, effect, size)
    if folder is None:
        return _cached(settings, report)
    if not _is_whole(folder, settings):
        _refuse(folder, settings)
        _make(folder, settings, report)
    return Demo.within(folder)


def _cached(settings: Settings, report: Report) -> Demo:
    name = f"v{VERSION}-{settings.size}-seed{settings.seed}-effect{settings.effect:g}"
    folder = cache_folder() / "demo" / name
    if _is_whole(folder, settings):
        return Demo.within(folder)
    part = folder.with_name(f".{name}-{token_hex(4)}.part")
    try:
        _refuse(part, settings)
        _make(part, settings, report)
        if not _is_whole(folder, settings):  # nobody else was faster
            with writing(folder):
                shutil.rmtree(folder, ignore_errors=True)
                part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Demo.within(folder)


def _make(folder: Path, settings: Settings, report: Report) -> None:
    """Simulate in a hidden folder within, then move all parts to their places; the list of effects comes last."""
    part = folder / f".demo-{token_hex(4)}.part"
    try:
        with writing(folder):
            part.mkdir(parents=True)
        _simulate(Demo.within(part), settings, report)
        with writing(folder):
            for name in PARTS:
                (part / name).rename(folder / name)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _simulate(demo: Demo, settings: Settings, report: Report) -> None:
    from .anatomy import load_anatomy  # noqa: PLC0415 - reads the template
    from .bold import write_bold_study  # noqa: PLC0415 - compiled
    from .mrs import write_mrs_study  # noqa: PLC0415
    from .pet import write_pet_study  # noqa: PLC0415

    def share(start: float, length: float) -> Report:
        return lambda fraction: report(start + length * fraction)

    report(0.0)
    anatomy = load_anatomy()
    pet, bold, mrs, _ = PARTS.values()
    write_pet_study(demo.ampar_pet, anatomy, settings, share(0, pet))
    write_bold_study(demo.folder, settings, share(pet, bold))
    write_mrs_study(demo.folder, settings, share(pet + bold, mrs))
    report(pet + bold + mrs)
    write_planted(demo.planted, anatomy, settings, _identity(settings))


def _identity(settings: Settings) -> dict[str, object]:
    return {"version": VERSION, "seed": settings.seed, "effect": settings.effect, "size": settings.size}


def _is_whole(folder: Path, settings: Settings) -> bool:
    """Whether a folder holds all of this very demo."""
    demo = Demo.within(folder)
    try:
        truth = json.loads((demo.planted / TRUTH).read_bytes())
    except (OSError, ValueError):
        return False
    return truth.get("demo") == _identity(settings) and all(part.is_dir() for part in demo)


def _refuse(folder: Path, settings: Settings) -> None:
    """Say why a demo cannot be made in a folder, before anything is done."""
    with writing(folder):
        if folder.exists() and not folder.is_dir():
            raise FileExistsError(None, "file exists")
        if folder.exists() and any(folder.iterdir()):
            what = "is not empty, and what is in it is not this demo"
            raise Problem(folder, what, "name a new or an empty folder")
        there = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
        free = shutil.disk_usage(there).free
    if free < ROOM_BYTES[settings.size]:
        what = f"the disk has {free / 1e6:,.0f} MB left, and the demo needs {ROOM_BYTES[settings.size] / 1e6:,.0f} MB"
        raise Problem(folder, what, "make room there, or choose another folder")
