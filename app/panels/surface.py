"""The form of the 3D views."""

from __future__ import annotations

from dataclasses import replace as with_fields
from typing import cast

from msgspec.structs import replace
from PySide6.QtCore import QObject

from ...widgets.surface_panel import RegionMesh, SurfacePanel, SurfaceSettings
from ..actions import ACTIONS
from ..atlas import Atlas
from ..io.surface_cortex import Cortex
from ..questions import AtlasData, CortexData
from ..session import Session
from ..state import SurfaceKind

SEE_THROUGH = 0.45
KINDS = (("pial", "Pial"), ("inflated", "Inflated"), ("white", "White matter"), ("midthickness", "Midthickness"))


class SurfaceControl(QObject):
    """Binds a `SurfacePanel` to a session."""

    def __init__(self, session: Session, panel: SurfacePanel) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        panel.changed.connect(self._change)
        panel.settled.connect(session.store.settle)
        panel.camera_chosen.connect(self._look_from)
        panel.region_removed.connect(self._remove_region)

    def refresh(self) -> None:
        """Show the view."""
        surface = self._session.state.surface
        cortices = self._session.results.get(CortexData(surface.cortex))
        if isinstance(cortices, tuple):
            self._panel.set_kinds(kinds_of(cortices))
        self._panel.set_settings(SurfaceSettings(surface.kind, surface.hemispheres, surface.opacity, surface.slices))
        self._panel.set_regions(self._regions())

    def _regions(self) -> list[RegionMesh]:
        found: list[RegionMesh] = []
        for number, region in enumerate(self._session.state.surface.regions):
            atlas = self._session.results.get(AtlasData(region.atlas))
            if isinstance(atlas, Atlas):
                chosen = [atlas.region(index) for index in region.indices]
                title = ", ".join(one.title for one in chosen)
                found.append(RegionMesh(number, f"{title} ({atlas.info.title})", chosen[0].colour))
        return found

    def _change(self, settings: SurfaceSettings, what: str) -> None:
        before = self._session.state.surface
        if settings.slices and not before.slices and settings.opacity == 1.0:
            settings = with_fields(settings, opacity=SEE_THROUGH)  # else the cortex would hide them
        surface = replace(
            before,
            kind=cast("SurfaceKind", settings.kind),
            hemispheres=settings.hemispheres,
            opacity=settings.opacity,
            slices=settings.slices,
        )
        self._session.update(what, f"surface {what}", surface=surface)

    def _look_from(self, name: str) -> None:
        action = next(action for action in ACTIONS if action.id == f"camera-{name}")
        self._session.store.update(action.do(self._session.state), action.text)

    def _remove_region(self, number: int) -> None:
        surface = self._session.state.surface
        regions = tuple(region for n, region in enumerate(surface.regions) if n != number)
        self._session.update("remove region", None, surface=replace(surface, regions=regions))


def kinds_of(cortices: tuple[Cortex, ...]) -> list[tuple[str, str]]:
    """Surfaces on offer: those that every hemisphere has."""
    return [
        (kind, title)
        for kind, title in KINDS
        if all((c.inflated if kind == "inflated" else c.surface(kind)) is not None for c in cortices)
    ]
