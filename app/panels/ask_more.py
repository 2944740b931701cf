"""The same question under other choices: tables and curves of graphs, small multiples of maps of PET."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..study.asked_more import with_more
from ..study.wanted import Wanted
from .ask_layers import answer_folder, write_named

if TYPE_CHECKING:
    from ..study.answers import Answered
    from ..study.values import Study

Report = Callable[[float], None]
WRITTEN = 0.9  # share of the work that asking is


class More(NamedTuple):
    """An answer with tables of other choices, and their maps as a picture, PNG; empty for none."""

    answered: Answered
    picture: bytes


def more_of(found: Answered, study: Study, report: Report) -> More:
    """Ask graphs under other densities and confounds, maps of PET under other reference regions.

    Raises
    ------
    Problem
        As `asked_more.with_more`.
    """
    of_graphs = found.plan.ask.kind == "graph"
    wanted = Wanted(multiverse=of_graphs, sensitivity=not of_graphs)
    made = with_more(study, found, wanted, lambda done: report(WRITTEN * done))
    if of_graphs:
        return More(made, b"")
    from ..study.report_multiples import multiples  # noqa: PLC0415 - pictures

    folder = answer_folder(made.plan)
    maps: dict[str, Path] = {}
    for name, (values, grid) in made.maps.items():
        if name == "t" or name.startswith("t_"):
            maps[name] = write_named(folder, name, values, grid, made, study)
    return More(made, multiples(made, maps) or b"")
