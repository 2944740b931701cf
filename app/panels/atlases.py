"""Which atlases name the place of the crosshair, with their licences."""

from __future__ import annotations

from PySide6.QtCore import QObject

from ...widgets.pick_list import PickList
from ..io.atlases import atlas_ids, describe
from ..session import Session


class AtlasesControl(QObject):
    """Binds a `PickList` of atlases to a session."""

    def __init__(self, session: Session, chosen: PickList) -> None:
        super().__init__(chosen)
        self._session = session
        self._list = chosen
        self._titles = {describe(atlas).short: atlas for atlas in atlas_ids()}
        chosen.set_names(self._titles, tips={title: terms_of(atlas) for title, atlas in self._titles.items()})
        chosen.changed.connect(self._change)

    def refresh(self) -> None:
        """Tick the atlases of the view."""
        wanted = tuple(title for title, atlas in self._titles.items() if atlas in self._session.state.atlases)
        if wanted != self._list.ticked():
            self._list.set_ticked(wanted)

    def _change(self, titles: tuple[str, ...]) -> None:
        atlases = tuple(self._titles[title] for title in titles)
        self._session.update("choose atlases", None, atlases=atlases)


def terms_of(atlas_id: str) -> str:
    """Template, licence and citation, for a tool tip."""
    info = describe(atlas_id)
    lines = [
        info.title,
        f"Space: {info.template or 'not stated'}",
        f"Licence: {info.licence or 'not stated'}",
        info.citation,
        info.note,
    ]
    return "\n".join(line for line in lines if line)
