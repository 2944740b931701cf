"""What commands print: one JSON document or text on stdout, everything else on stderr."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterable
from time import monotonic
from typing import Self

from .problems import Cancelled, Finding, Problem

WIDTH = 28
STEP_S = 0.1

# A KeyboardInterrupt that is raised while some library is called back (a weak reference's end, a compiler's hook) is
# printed or dropped there, and the work goes on: what is remembered here stops it at the next report.
_interrupted = threading.Event()


def heed_interrupts() -> None:
    """Ctrl-C ends the command, wherever it comes."""

    def interrupt(*_: object) -> None:
        _interrupted.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)


def was_interrupted() -> bool:
    """Whether Ctrl-C was pressed."""
    return _interrupted.is_set()


def print_json(document: object) -> None:
    """One JSON document; NaN and infinities are null."""
    from .io.write import plain_json  # noqa: PLC0415

    _write(plain_json(document).decode())


def print_text(text: str) -> None:
    """Text for people."""
    _write(text + "\n")


def _write(text: str) -> None:
    """Text on stdout, now: a full disk is told while there is somebody to tell."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise Problem("standard output", what, "send it elsewhere") from error


def print_warnings(findings: Iterable[Finding]) -> None:
    """One line each, on stderr; the same one once."""
    for finding in dict.fromkeys(findings):
        where = finding.where.replace("\\", "/").rpartition("/")[2]
        sys.stderr.write(f"habena: {where}: {finding.message}\n")


class Progress:
    """A progress bar on a terminal, silence elsewhere.

    Used as a context manager; what it gives is the ``report`` that long work calls.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._shown = False
        self._last = -STEP_S

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the line."""
        if self._shown:
            sys.stderr.write("\r" + " " * (len(self._title) + WIDTH + 9) + "\r")
            sys.stderr.flush()

    def __call__(self, fraction: float) -> None:
        """Show how much is done, 0 to 1."""
        if _interrupted.is_set():
            raise Cancelled
        now = monotonic()
        if now - self._last < STEP_S or not sys.stderr.isatty():
            return
        self._last, self._shown = now, True
        done = round(WIDTH * min(max(fraction, 0.0), 1.0))
        sys.stderr.write(f"\r{self._title} [{'#' * done}{' ' * (WIDTH - done)}] {fraction:4.0%}")
        sys.stderr.flush()
