"""First bytes of a file, unpacked where it is compressed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from ..problems import Problem
from .files import COPY_AGAIN, reading
from .gzip_stream import GZIP, GzipStream

HEAD_BYTES = 4096
STEP_BYTES = 256
SHORTEST_HEADER = 284


def read_head(path: Path) -> tuple[bytes, bool]:
    """First bytes of a file, unpacked when it is a gzip stream, and whether it is one.

    Raises
    ------
    Problem
        When it cannot be read, or its gzip stream stops before any header could end.
    """
    with reading(path):
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not head.startswith(GZIP):
            return head, False
        unpacked, count = memoryview(bytearray(HEAD_BYTES)), 0
        with closing(GzipStream(path)) as stream:
            while count < HEAD_BYTES and not stream.stopped:  # in small steps, of which damage takes back one
                count += stream.readinto(unpacked[count : count + STEP_BYTES])
    if count < SHORTEST_HEADER and stream.stopped not in {None, "end"}:
        what = f"is {'cut short' if stream.stopped == 'cut' else 'damaged'} within its header"
        raise Problem(path, f"{what} ({count} bytes can be unpacked)", COPY_AGAIN)
    return bytes(unpacked[:count]), True
