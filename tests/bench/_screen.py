"""A virtual screen that other programs draw on, and when a brain with a coloured map can be seen on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

SIZE = (1600, 1200)
EVERY = 4  # pixels looked at, each way
LOOK_S = 0.004
LONGEST_S = 60.0
GREYS, GREY_PX = 40, 4  # a brain has that many greys, each on so many of the pixels looked at
COLOURED_PX, COLOURFUL = 150, 80


class Screen:
    """A running Xvfb.

    Parameters
    ----------
    name : str
        As in DISPLAY.
    memory : Path
        File in which the server keeps its pixels, in the format of xwd.
    """

    def __init__(self, name: str, memory: Path) -> None:
        self.name = name
        header = np.fromfile(memory, ">u4", 25)
        width, height, bits, line, colours = (int(header[k]) for k in (4, 5, 11, 12, 19))
        start = int(header[0]) + 12 * colours
        self._pixels = np.memmap(memory, np.uint8, "r", start, (height, line))[:, : width * bits // 8]

    def shows_brain_with_map(self) -> bool:
        """Whether many greys and many strong colours are on the screen."""
        height = len(self._pixels)
        pixels = self._pixels.reshape(height, -1, 4)[::EVERY, ::EVERY, :3]
        spread = pixels.max(axis=-1) - pixels.min(axis=-1)
        if np.count_nonzero(spread > COLOURFUL) < COLOURED_PX:
            return False
        greys = np.bincount(pixels[spread < 8][:, 0], minlength=256)
        return int(np.count_nonzero(greys >= GREY_PX)) >= GREYS

    def seconds_until_seen(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> float:
        """Start a program and end it as soon as its brain is on the screen.

        Raises
        ------
        RuntimeError
            The program ended, or a minute passed, before there was one.
        """
        while self.shows_brain_with_map():  # the one of the last program
            time.sleep(LOOK_S)
        began = time.perf_counter()
        program = subprocess.Popen(
            command, env={**environment, "DISPLAY": self.name}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while not self.shows_brain_with_map():
                if program.poll() is not None or time.perf_counter() - began > LONGEST_S:
                    message = f"{command[0]} never showed a brain"
                    raise RuntimeError(message)
                time.sleep(LOOK_S)
            return time.perf_counter() - began
        finally:
            program.kill()
            program.wait()


@contextmanager
def virtual_screen() -> Iterator[Screen | None]:
    """A screen of its own, or None where Xvfb is not installed."""
    server = shutil.which("Xvfb")
    if server is None:
        yield None
        return
    read, write = os.pipe()
    with TemporaryDirectory(prefix="habena-screen-") as folder:
        depth = f"{SIZE[0]}x{SIZE[1]}x24"
        command = [server, "-displayfd", str(write), "-screen", "0", depth, "-fbdir", folder, "-nolisten", "tcp"]
        running = subprocess.Popen(command, pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        try:
            with os.fdopen(read) as told:
                number = told.readline().strip()  # once it accepts programs
            yield Screen(f":{number}", Path(folder) / "Xvfb_screen0") if number else None
        finally:
            running.terminate()
            running.wait()
