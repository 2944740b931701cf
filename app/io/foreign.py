"""Headers of the formats that nibabel reads: ANALYZE, MGH, AFNI, PAR/REC, ECAT 7, MINC.

Only their headers, except for MINC: the voxels of all others are read by the same code as NIfTI's,
with the same checks.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from threading import Lock

from ..problems import Finding, Problem
from .identify import Identity
from .layout import Header, Layout, Raw, Reader

_nibabel_speaks = Lock()


def foreign_header(found: Identity) -> Header:
    """Header of an identified image that is not NIfTI.

    Raises
    ------
    Problem
        When it cannot be made sense of.
    """
    with _listening(found) as notes:
        header = _reader(found.format)(found)
    voxels = header.voxels
    if not isinstance(voxels, Layout):
        voxels = partial(_read_frame, found, voxels)
    return replace(header, voxels=voxels, findings=(*found.findings, *header.findings, *notes))


def _read_frame(found: Identity, read: Reader, frame: int) -> Raw:
    with _listening(found):
        return read(frame)


@contextmanager
def _listening(found: Identity) -> Generator[list[Finding]]:
    """Catch what nibabel raises, warns, and logs to the standard error stream."""
    from .nib import logger  # noqa: PLC0415 - slow to import

    notes: list[Finding] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            notes.append(Finding("reader-note", str(found.path), None, _sentence(record.getMessage())))

    with _nibabel_speaks, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        listeners: list[logging.Handler] = [Listener()]
        handlers, logger.handlers, logger.propagate = logger.handlers, listeners, False
        try:
            yield notes
        except Problem:
            raise
        except Exception as error:  # parsers given arbitrary bytes may raise anything; the reason is passed on
            reason = " ".join(str(error).split()) or type(error).__name__
            what = f"is not a readable {found.format} file ({reason[:200]})"
            raise Problem(found.path, what, "copy or download it again, or convert it to NIfTI") from error
        finally:
            logger.handlers, logger.propagate = handlers, True
    notes += [Finding("reader-note", str(found.path), None, _sentence(str(each.message))) for each in said]


def _sentence(text: str) -> str:
    words = " ".join(text.split())
    return words[:1].upper() + words[1:].rstrip(".") + "."


def _reader(name: str) -> Callable[[Identity], Header]:
    """Reader of a format, imported with the library behind it when it is needed."""
    module, function = READERS[name]
    return getattr(import_module(f".{module}", __package__), function)


READERS = {
    "ANALYZE": ("analyze", "analyze_header"),
    "MGH": ("mgh", "mgh_header"),
    "AFNI": ("afni", "afni_header"),
    "PAR/REC": ("parrec", "par_rec_header"),
    "ECAT 7": ("ecat", "ecat_header"),
    "MINC 1": ("minc", "minc_header"),
    "MINC 2": ("minc", "minc_header"),
}
