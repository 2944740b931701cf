"""Gzip files unpacked front to back by Intel's igzip (the isal package), also when they are damaged."""

from __future__ import annotations

from io import FileIO
from pathlib import Path
from typing import Literal, cast

from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor, IsalError

GZIP = b"\x1f\x8b"
READ_BYTES = 2**18
PIECE_BYTES = 2**16  # what an error can take back of the bytes before it
DEFLATE_LIMIT = 1032  # deflate cannot pack more bytes into one
_DAMAGED = cast("type[Exception]", IsalError)


class GzipStream:
    """An opened gzip file of one or more members.

    Attributes
    ----------
    stopped : {None, "end", "cut", "damaged", "checksum"}
        Why no more bytes come: the end, with every checksum right; the file ends before it; it makes no sense;
        its checksum is wrong. Zeros or anything else after a sound member are no part of it, as for gzip.
    """

    def __init__(self, path: Path) -> None:
        self.stopped: Literal["end", "cut", "damaged", "checksum"] | None = None
        self._file = FileIO(path)
        self._inflate = _decompressor()
        self._waiting = b""

    def fileno(self) -> int:
        """Descriptor of the file."""
        return self._file.fileno()

    def tell_packed(self) -> int:
        """Compressed bytes read so far."""
        return self._file.tell()

    def readinto(self, into: memoryview) -> int:
        """Fill a buffer as far as bytes come; fewer than asked only where the stream has stopped."""
        done = 0
        while done < len(into) and not self.stopped:
            piece = self._next(min(PIECE_BYTES, len(into) - done))
            into[done : done + len(piece)] = piece
            done += len(piece)
        return done

    def skip(self, count: int) -> int:
        """Pass over bytes; how many there were."""
        scratch = memoryview(bytearray(min(count, PIECE_BYTES)))
        done = 0
        while done < count and not self.stopped:
            done += self.readinto(scratch[: count - done])
        return done

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __del__(self) -> None:
        """A stream that is dropped half-read keeps no file open."""
        if hasattr(self, "_file"):
            self.close()

    def _next(self, count: int) -> bytes:
        """At most so many bytes; none when the stream stops or changes to its next member."""
        if self._inflate.eof:
            self._next_member()
            return b""
        if self._inflate.needs_input and not self._waiting:
            self._waiting = self._file.read(READ_BYTES)
            if not self._waiting:
                self.stopped = "cut"
                return b""
        packed, self._waiting = self._waiting, b""
        try:
            return self._inflate.decompress(packed, count)
        except _DAMAGED as error:
            self.stopped = "checksum" if "checksum" in str(error) else "damaged"
            return b""

    def _next_member(self) -> None:
        rest = self._inflate.unused_data.lstrip(b"\0")
        while len(rest) < len(GZIP) and (more := self._file.read(READ_BYTES)):
            rest = (rest + more).lstrip(b"\0")
        if not rest.startswith(GZIP):
            self.stopped = "end"
            return
        self._inflate = _decompressor()
        self._waiting = rest


def _decompressor() -> IgzipDecompressor:
    return IgzipDecompressor(flag=DECOMP_GZIP)
