"""Voxels of a gzip-compressed image, front to back."""

from __future__ import annotations

import os

from ..problems import Problem
from .files import COPY_AGAIN, reading, still_there, unchanged
from .gzip_stream import DEFLATE_LIMIT, GzipStream
from .layout import Layout
from .sources import cut_short

SCRATCH_BYTES = 2**20
WRONG_CHECKSUM = "is damaged: its checksum does not fit its content"
AFTER_THE_VOXELS_BYTES = 2**24
MORE_AFTER_THE_VOXELS_BYTES = 2**16  # as MGH has them; a length that is this near is taken as the right one


def refuse_bomb(layout: Layout) -> None:
    """Compare what a header promises with what its compressed file can hold at most.

    Raises
    ------
    Problem
        When it cannot.
    """
    if layout.end > layout.stamp.size * DEFLATE_LIMIT:
        what = (
            f"cannot hold the {layout.end:,} bytes that its header promises: it has {layout.stamp.size:,}, compressed"
        )
        raise Problem(layout.path, what, COPY_AGAIN)


def check_length(layout: Layout) -> None:
    """Compare the length at the end of a gzip file with what its header promises; where they differ, unpack it.

    Raises
    ------
    Problem
        When the file is cut short or damaged.
    """
    with reading(layout.path), layout.path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        stated = int.from_bytes(file.read(4), "little")
    if (stated - layout.end) % 2**32 <= MORE_AFTER_THE_VOXELS_BYTES:
        return
    scratch = memoryview(bytearray(SCRATCH_BYTES))
    unpacker = Unpacker(layout)
    voxels = layout.frame_bytes * layout.n_frames
    for start in range(0, voxels, SCRATCH_BYTES):
        wanted = min(SCRATCH_BYTES, voxels - start)
        count = unpacker.fill(scratch[:wanted])
        if count < wanted:
            raise unpacker.stopped(start + count)
    unpacker.verify()


class Unpacker:
    """An opened gzip file, positioned at the first voxel; it closes when it is dropped."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._first = int(layout.offsets[0, 0])
        still_there(layout.path)
        with reading(layout.path):
            self._stream = GzipStream(layout.path)
            unchanged(layout.path, self._stream.fileno(), layout.stamp)
            skipped = self._stream.skip(self._first)
        if skipped < self._first:
            raise self.stopped(0)

    @property
    def fraction(self) -> float:
        """Share of the compressed bytes that were read."""
        return min(1.0, self._stream.tell_packed() / self._layout.stamp.size)

    def fill(self, into: memoryview) -> int:
        """Unpack into a buffer; fewer bytes than it holds only where the stream has stopped for good."""
        with reading(self._layout.path):
            return self._stream.readinto(into)

    def stopped(self, done: int) -> Problem:
        """Why no more bytes come, and how many volumes there are, `done` voxel bytes into the image."""
        layout = self._layout
        if self._stream.stopped == "checksum":
            return Problem(layout.path, WRONG_CHECKSUM, COPY_AGAIN)
        if self._stream.stopped != "damaged":
            return cut_short(layout, self._first + done)
        frames = done // layout.frame_bytes
        where = f"after {frames} of {layout.n_frames} volumes" if layout.n_frames > 1 else "within the image"
        return Problem(layout.path, f"is damaged {where}: its compressed data make no sense", COPY_AGAIN)

    def verify(self) -> None:
        """Read on to the end of the stream, where its checksum is compared.

        Bytes after the voxels are allowed; beyond 16 MB of them the checksum is left alone.

        Raises
        ------
        Problem
            When the checksum is wrong or the end is missing.
        """
        with reading(self._layout.path):
            self._stream.skip(AFTER_THE_VOXELS_BYTES)
        path = self._layout.path
        if self._stream.stopped == "cut":
            raise Problem(path, "ends before its checksum, so it is cut short", COPY_AGAIN)
        if self._stream.stopped == "damaged":
            raise Problem(path, "is damaged after its last voxel", COPY_AGAIN)
        if self._stream.stopped == "checksum":
            raise Problem(path, WRONG_CHECKSUM, COPY_AGAIN)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
