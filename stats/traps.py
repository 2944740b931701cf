"""What misleads in these analyses, as findings: which trap, where, how large, and what to do.

One function for each trap that numbers can show, in the modules ``trap_*``; all return a tuple, empty where nothing is
caught, so that results are strung together. The program shows them as they are, in the window, on the command line and
in reports.
"""

from __future__ import annotations

from typing import NamedTuple


class Trap(NamedTuple):
    """One trap that was met.

    Attributes
    ----------
    code : str
        Stable, hyphenated name.
    where : str
        Region, map, term or contrast concerned.
    value : float or None
        How large it is; the message says of what.
    message : str
        One or two sentences for a person.
    """

    code: str
    where: str
    value: float | None
    message: str


Traps = tuple[Trap, ...]
