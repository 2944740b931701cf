"""Bytes of frames, fetched when they are asked for.

Files are read, never mapped: a file that is cut short under a memory map kills the process (SIGBUS),
a read of it comes back short and can be answered in a sentence. A read costs one copy out of the page cache.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Protocol

import numpy as np

from ..problems import Problem
from .files import COPY_AGAIN, reading, still_there, unchanged
from .layout import Layout, Raw, Reader, Report, Voxel
from .memory import allocate


class Source(Protocol):
    """Frames of a file as they are stored."""

    n_frames: int

    @property
    def frames_ready(self) -> int:
        """Frames, from the first, that can be had without waiting."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes held in memory."""
        ...

    @property
    def bytes_needed(self) -> int:
        """Bytes held in memory once everything is loaded."""
        ...

    def raw(self, index: int) -> Raw:
        """Frame, (nx, ny, nz) as stored."""
        ...

    def voxel(self, ijk: Voxel) -> Raw:
        """One voxel in all frames, (n_frames,) as stored."""
        ...

    def load(self, report: Report | None) -> None:
        """Make all frames ready."""
        ...

    def stream(self, report: Report | None) -> Iterator[Raw]:
        """All frames in order, without keeping them."""
        ...

    def close(self) -> None:
        """Give back memory and files."""
        ...


def cut_short(layout: Layout, bytes_there: int) -> Problem:
    """Problem of a file that ends early, saying how much is there."""
    frames = max(0, bytes_there - int(layout.offsets.min())) // layout.frame_bytes
    if layout.n_frames > 1:
        what = f"ends after {frames} of {layout.n_frames} volumes"
    else:
        what = f"ends within the image ({bytes_there:,} of {layout.end:,} bytes are there)"
    return Problem(layout.path, what, COPY_AGAIN)


class _Unbuffered(ABC):
    """Frames that are read whenever they are asked for: the file is the memory."""

    n_frames: int

    @property
    def frames_ready(self) -> int:
        """All: the file is the memory."""
        return self.n_frames

    @property
    def nbytes(self) -> int:
        """Nothing is kept."""
        return 0

    @property
    def bytes_needed(self) -> int:
        """Nothing will be kept."""
        return 0

    @abstractmethod
    def raw(self, index: int) -> Raw:
        """Frame, (nx, ny, nz) as stored."""

    def load(self, report: Report | None) -> None:
        """Nothing to do."""
        if report:
            report(1.0)

    def stream(self, report: Report | None) -> Iterator[Raw]:
        """All frames in order."""
        for index in range(self.n_frames):
            yield self.raw(index)
            if report:
                report((index + 1) / self.n_frames)

    def close(self) -> None:  # noqa: B027 - not to be overridden
        """Nothing to give back."""


class FileSource(_Unbuffered):
    """Uncompressed file: every access opens it, checks that it is unchanged, and reads just what is asked for."""

    def __init__(self, layout: Layout) -> None:
        self.n_frames = layout.n_frames
        self._layout = layout

    def raw(self, index: int) -> Raw:
        """Frame, (nx, ny, nz) as stored."""
        layout = self._layout
        data = allocate(layout.path, layout.frame_bytes)
        with self._opened() as file:
            for piece, offset in enumerate(layout.offsets[index]):
                start = piece * layout.piece_bytes
                self._read(file, int(offset), data.data[start : start + layout.piece_bytes])
        frame = data.view(layout.dtype).reshape(layout.shape, order="F")
        return frame[tuple(slice(None, None, -1 if flip else 1) for flip in layout.flips)]

    def voxel(self, ijk: Voxel) -> Raw:
        """One voxel in all frames, (n_frames,) as stored."""
        layout = self._layout
        size = layout.dtype.itemsize
        stored = [
            n - 1 - index if flip else index for index, n, flip in zip(ijk, layout.shape, layout.flips, strict=True)
        ]
        within = int(np.ravel_multi_index(tuple(stored), layout.shape, order="F")) * size
        piece, start = divmod(within, layout.piece_bytes)
        data = np.empty(self.n_frames * size, np.uint8)
        with self._opened() as file:
            for frame, offset in enumerate(layout.offsets[:, piece]):
                self._read(file, int(offset) + start, data.data[frame * size : (frame + 1) * size])
        return data.view(layout.dtype)

    def _opened(self) -> FileIO:
        path = self._layout.path
        still_there(path)
        with reading(path):
            file = FileIO(path)
        try:
            unchanged(path, file.fileno(), self._layout.stamp)
        except BaseException:
            file.close()
            raise
        return file

    def _read(self, file: FileIO, offset: int, into: memoryview) -> None:
        with reading(self._layout.path):
            file.seek(offset)
            done = 0
            while done < len(into):
                count = file.readinto(into[done:])
                if not count:
                    raise cut_short(self._layout, offset + done)
                done += count


class ReaderSource(_Unbuffered):
    """Frames that a library reads one at a time (MINC), already scaled."""

    def __init__(self, path: Path, read: Reader, n_frames: int) -> None:
        self.n_frames = n_frames
        self._path = path
        self._read = read

    def raw(self, index: int) -> Raw:
        """Frame, (nx, ny, nz)."""
        with reading(self._path):
            return self._read(index)

    def voxel(self, ijk: Voxel) -> Raw:
        """One voxel in all frames, (n_frames,)."""
        return np.array([self.raw(index)[ijk] for index in range(self.n_frames)])
