"""Which atlases name the place of the crosshair, with their licences."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QObject, Signal

from ...widgets.controls import Choice
from ...widgets.pick_list import PickList
from ..atlas import AtlasInfo
from ..io.atlases import atlas_ids, describe
from ..recipes import label_file
from ..session import Session
from .regions import RegionTableControl

FIRST_CHOICE = "aal2"


class AtlasesControl(QObject):
    """Binds a `PickList` of atlases to a session. ``chosen`` carries the ids that the user has ticked."""

    chosen = Signal(object)

    def __init__(self, session: Session, ticks: PickList) -> None:
        super().__init__(ticks)
        self._session = session
        self._list = ticks
        self._by_title: dict[str, AtlasInfo] = {}
        ticks.changed.connect(self._change)

    def refresh(self) -> None:
        """Offer the atlases that there are, and tick those of the view."""
        offered = atlases(self._session)
        by_title = dict(zip(shorts(offered), offered, strict=True))
        if by_title != self._by_title:
            self._by_title = by_title
            self._list.set_names(by_title, tips={title: terms_of(info) for title, info in by_title.items()})
        wanted = tuple(title for title, info in by_title.items() if info.id in self._session.state.atlases)
        if wanted != self._list.ticked():
            self._list.set_ticked(wanted)

    def _change(self, titles: tuple[str, ...]) -> None:
        atlases = tuple(self._by_title[title].id for title in titles)
        self._session.update("choose atlases", None, atlases=atlases)
        self.chosen.emit(atlases)


class AtlasChoice(QObject):
    """Binds the choice above the region table."""

    def __init__(self, session: Session, chosen: Choice, table: RegionTableControl) -> None:
        super().__init__(chosen)
        self._session = session
        self._chosen = chosen
        self._table = table
        self._offered: tuple[AtlasInfo, ...] = ()
        chosen.chosen.connect(self._choose)

    def refresh(self) -> None:
        """Offer the atlases that there are; the one that was chosen stays, as long as there is one."""
        offered = atlases(self._session)
        if offered == self._offered:
            return
        self._offered = offered
        ids = [info.id for info in offered]
        if self._table.atlas_id not in ids:
            self._table.atlas_id = FIRST_CHOICE if FIRST_CHOICE in ids else ids[0]
        self._chosen.set_items((info.id, info.title) for info in offered)
        self._chosen.set_value(self._table.atlas_id)

    def _choose(self, atlas: object) -> None:
        self._table.atlas_id = str(atlas)
        self._table.refresh()


def atlases(session: Session) -> tuple[AtlasInfo, ...]:
    """Atlases to choose from: those that the program knows, then the user's own."""
    return (*map(describe, atlas_ids()), *(own.info for own in session.own_atlases.values()))


def shorts(infos: tuple[AtlasInfo, ...]) -> tuple[str, ...]:
    """Short names, with the folder where two files of the user's are named alike."""
    names = [info.short or info.title for info in infos]
    return tuple(
        name if names.count(name) == 1 else f"{name} ({PurePath(label_file(info.id)[0]).parent.name})"
        for info, name in zip(infos, names, strict=True)
    )


def terms_of(info: AtlasInfo) -> str:
    """Template, licence and citation, for a tool tip."""
    lines = [
        info.title,
        f"Space: {info.template or 'not stated'}",
        f"Licence: {info.licence or 'not stated'}",
        info.citation,
        info.note,
    ]
    return "\n".join(line for line in lines if line)
