"""Named sets of confounds in the tables that fMRIPrep writes.

A strategy is a function from the column names of ``*_desc-confounds_timeseries.tsv`` to those it takes. What the
names alone do not settle is refused, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from types import MappingProxyType

from .errors import CannotCompute

MOTION = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")
TISSUE = ("white_matter", "csf")
GLOBAL = ("global_signal",)
COMPONENTS = 5

Strategy = Callable[[tuple[str, ...]], tuple[str, ...]]


def confounds_of(strategies: str, columns: Iterable[str]) -> tuple[str, ...]:
    """The columns that one or more strategies take, each once.

    Parameters
    ----------
    strategies : str
        Names of `STRATEGIES` joined by ``+``, such as ``motion24+wm-csf+global``.
    columns : iterable of str
        The table's column names.

    Raises
    ------
    CannotCompute
        For an unknown name, or when the table lacks a column that a strategy needs.
    """
    given = tuple(columns)
    taken: list[str] = []
    for name in strategies.split("+"):
        strategy = STRATEGIES.get(name.strip())
        if strategy is None:
            raise CannotCompute(
                f"there is no confound strategy {name.strip()!r}", f"choose from {', '.join(STRATEGIES)}"
            )
        taken += strategy(given)
    return tuple(dict.fromkeys(taken))


def _present(wanted: Iterable[str], columns: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(wanted)
    missing = [name for name in names if name not in columns]
    if missing:
        raise CannotCompute(
            f"the confound table has no column {', '.join(missing)}", "choose another strategy, or name columns"
        )
    return names


def _fixed(*names: str) -> Strategy:
    return lambda columns: _present(names, columns)


def _expanded(*names: str) -> Strategy:
    """Each column, its backward difference, and the squares of both."""
    return _fixed(*(f"{name}{d}{p}" for p, d, name in product(("", "_power2"), ("", "_derivative1"), names)))


def _numbered(prefix: str, what: str) -> Strategy:
    """All columns made of a prefix and a number, in the order of the numbers."""

    def strategy(columns: tuple[str, ...]) -> tuple[str, ...]:
        found = [(int(match[1]), name) for name in columns if (match := re.fullmatch(rf"{prefix}_?(\d+)", name))]
        if not found:
            raise CannotCompute(f"the confound table has no {what} ({prefix}...)", "choose another strategy")
        return tuple(name for _, name in sorted(found))

    return strategy


def _acompcor(columns: tuple[str, ...]) -> tuple[str, ...]:
    """First five components of white matter and of CSF, and the cosines of the high-pass they were found after."""
    if not any(name.startswith(("w_comp_cor", "c_comp_cor")) for name in columns):
        raise CannotCompute(
            "this table's aCompCor columns (a_comp_cor) do not say which tissue they are from",
            "look up their masks in the JSON beside the table and name the columns",
        )
    white = _numbered("w_comp_cor", "components of white matter")(columns)[:COMPONENTS]
    csf = _numbered("c_comp_cor", "components of CSF")(columns)[:COMPONENTS]
    return white + csf + _numbered("cosine", "cosines of the high-pass that aCompCor needs")(columns)


def _refused(what: str, todo: str) -> Strategy:
    def strategy(_: tuple[str, ...]) -> tuple[str, ...]:
        raise CannotCompute(what, todo)

    return strategy


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        "motion6": _fixed(*MOTION),
        "motion24": _expanded(
            *MOTION
        ),  # Friston et al. 1996, with backward differences as in Satterthwaite et al. 2013
        "wm-csf": _fixed(*TISSUE),
        "wm-csf8": _expanded(*TISSUE),
        "global": _fixed(*GLOBAL),
        "global4": _expanded(*GLOBAL),
        "acompcor5": _acompcor,
        "cosine": _numbered("cosine", "cosines"),
        "non-steady": _numbered("non_steady_state_outlier", "non-steady volumes"),
        "aroma-aggressive": _numbered("aroma_motion", "ICA-AROMA components"),
        "aroma-nonaggressive": _refused(
            "non-aggressive ICA-AROMA is no regression of confounds: it needs the signal components too",
            "load the desc-smoothAROMAnonaggr run, or use aroma-aggressive",
        ),
    }
)
