"""Frames of a gzip-compressed file: unpacked once, front to back, as far as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Condition

import numpy as np

from ..problems import Problem
from .layout import Layout, Raw, Report, Voxel
from .memory import DoesNotFit, allocate
from .unpacker import Unpacker

CHUNK_BYTES = 2**21


class GzipSource:
    """Unpacks into one buffer of the stored type.

    Any thread may ask for a frame while another loads: whoever comes first unpacks the next chunk, the others
    wait only until their frame is there. The last frame counts as ready when the file's checksum fits.
    """

    def __init__(self, layout: Layout) -> None:
        self.n_frames = layout.n_frames
        self._layout = layout
        self._turn = Condition()
        self._busy = False
        self._reset()

    def _reset(self) -> None:
        self._buffer = np.empty(0, np.uint8)
        self._filled = 0
        self._verified = False
        self._unpacker: Unpacker | None = None
        self._failure: Problem | None = None

    @property
    def frames_ready(self) -> int:
        """Frames that are unpacked."""
        return self.n_frames if self._verified else min(self._filled // self._layout.frame_bytes, self.n_frames - 1)

    @property
    def nbytes(self) -> int:
        """Bytes unpacked so far (the rest of the buffer takes no memory yet)."""
        return self._filled

    @property
    def bytes_needed(self) -> int:
        """Bytes of all frames as stored."""
        return self.n_frames * self._layout.frame_bytes

    def raw(self, index: int) -> Raw:
        """Frame, (nx, ny, nz) as stored; waits until it is unpacked."""
        self._advance(index + 1, None)
        return self._frames()[..., index]

    def voxel(self, ijk: Voxel) -> Raw:
        """One voxel in all frames, (n_frames,) as stored; waits until everything is unpacked."""
        self._advance(self.n_frames, None)
        return self._frames()[ijk]

    def load(self, report: Report | None) -> None:
        """Unpack the rest and compare the checksum."""
        self._advance(self.n_frames, report)
        if report:
            report(1.0)

    def stream(self, report: Report | None) -> Iterator[Raw]:
        """All frames in order, by an unpacker of its own, one frame in memory."""
        layout = self._layout
        unpacker = Unpacker(layout)
        for index in range(self.n_frames):
            data = allocate(layout.path, layout.frame_bytes)
            for start in range(0, layout.frame_bytes, CHUNK_BYTES):
                chunk = data.data[start : start + CHUNK_BYTES]
                count = unpacker.fill(chunk)
                if count < len(chunk):
                    raise unpacker.stopped(index * layout.frame_bytes + start + count)
                if report:
                    report(unpacker.fraction)
            yield data.view(layout.dtype).reshape(layout.shape, order="F")
        unpacker.verify()

    def close(self) -> None:
        """Give back memory and file; a later access starts again. Frames handed out stay valid."""
        with self._turn:
            while self._busy:
                self._turn.wait()
            if self._unpacker:
                self._unpacker.close()
            self._reset()

    def _frames(self) -> Raw:
        """All frames of the buffer, also those not yet filled, (nx, ny, nz, n) read-only."""
        frames = self._buffer.view(self._layout.dtype).reshape((*self._layout.shape, -1), order="F")
        frames.flags.writeable = False
        return frames

    def _advance(self, frames: int, report: Report | None) -> None:
        """Unpack until as many frames are ready, in turns with other threads that want the same."""
        while self.frames_ready < frames:
            with self._turn:
                while self._busy and self.frames_ready < frames:
                    self._turn.wait()
                if self.frames_ready >= frames:
                    return
                if (known := self._failure) is not None:
                    raise Problem(known.where, known.what, known.todo) from known
                self._busy = True
            try:
                self._reserve(frames)
                fraction = self._step()
            except Problem:
                if self.frames_ready < frames:
                    raise
                return  # what is asked for lies before the damage, which is told of once more is asked for
            finally:
                with self._turn:
                    self._busy = False
                    self._turn.notify_all()
            if report:
                report(fraction)

    def _step(self) -> float:
        """Unpack one chunk, or compare the checksum when all is there; the share that is done."""
        try:
            if self._unpacker is None:
                self._unpacker = Unpacker(self._layout)
            if self._filled < self.bytes_needed:
                chunk = self._buffer.data[self._filled : self._filled + CHUNK_BYTES]
                count = self._unpacker.fill(chunk)
                self._filled += count
                if count < len(chunk):
                    raise self._unpacker.stopped(self._filled)
                return self._unpacker.fraction
            self._unpacker.verify()
            self._unpacker.close()
        except Problem as problem:
            self._failure = problem
            raise
        self._verified = True
        return 1.0

    def _reserve(self, frames: int) -> None:
        """Have room for so many frames: for all where that fits, else for the first alone."""
        layout = self._layout
        if len(self._buffer) >= frames * layout.frame_bytes:
            return
        try:
            buffer = allocate(layout.path, self.bytes_needed)
        except DoesNotFit:
            if frames > 1:
                raise
            buffer = allocate(layout.path, layout.frame_bytes)
        buffer[: self._filled] = self._buffer[: self._filled]
        self._buffer = buffer
