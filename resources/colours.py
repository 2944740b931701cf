"""Colour tables of 256 colours, with what each is for and where it comes from."""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from . import folder

Kind = Literal["sequential", "diverging", "categorical", "solid"]


class ColourTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known about a colour table.

    Attributes
    ----------
    name, title : str
        For the command line and for people.
    kind : str
        ``sequential`` (lightness rises throughout), ``diverging`` (lightness turns in the middle),
        ``categorical`` (neighbouring colours are unlike) or ``solid`` (one colour).
    use : str
        What it was chosen for, or empty.
    partner : str
        The table that shows the other sign on the same lightness scale, or empty.
    source, licence : str
        Where it comes from.
    """

    name: str
    title: str
    kind: Kind
    use: str
    source: str
    licence: str
    partner: str = ""


# Made on import, which one thread does: two that prepare the same type at once crash in msgspec.
_DECODER = msgspec.json.Decoder(tuple[ColourTable, ...])


@cache
def tables() -> tuple[ColourTable, ...]:
    """All colour tables, in the order in which to offer them."""
    return _DECODER.decode((folder("colour_tables") / "index.json").read_bytes())


def names(kind: Kind | None = None) -> tuple[str, ...]:
    """Names of the tables of one kind, or of all."""
    return tuple(table.name for table in tables() if kind in (None, table.kind))


@cache
def lut(name: str) -> NDArray[np.uint8]:
    """The 256 colours of a table.

    Returns
    -------
    (256, 3) uint8, read-only
        sRGB; low values first.

    Raises
    ------
    KeyError
        When there is no table of that name.
    """
    if name not in names():
        raise KeyError(name)
    colours = np.loadtxt(folder("colour_tables") / f"{name}.csv", dtype=np.uint8, delimiter=",")
    colours.flags.writeable = False
    return colours
