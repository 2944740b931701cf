"""The bar above the lightbox."""

from __future__ import annotations

from dataclasses import asdict

from PySide6.QtCore import QObject

from ...widgets.lightbox_bar import LightboxBar, LightboxSettings
from ..session import Session
from ..state import Lightbox

FULLEST = 0.92  # of the head's length: its ends are nearly empty slices


class LightboxControl(QObject):
    """Binds a `LightboxBar` to a session; it shows only in its layout."""

    def __init__(self, session: Session, bar: LightboxBar) -> None:
        super().__init__(bar)
        self._session = session
        self._bar = bar
        bar.changed.connect(self._change)
        bar.settled.connect(session.store.settle)
        bar.fit_requested.connect(self._fit)

    def refresh(self) -> None:
        """Show the view."""
        state = self._session.state
        box = state.lightbox
        self._bar.setVisible(state.layout == "lightbox" and bool(state.overlays))
        self._bar.set_settings(LightboxSettings(box.axis, box.rows, box.columns, box.spacing_mm, box.first_mm))

    def _change(self, settings: LightboxSettings, what: str) -> None:
        self._session.update(what, f"lightbox {what}", lightbox=Lightbox(**asdict(settings)))

    def _fit(self) -> None:
        box = self._session.state.lightbox
        low, high = self._session.scenes.world_box(self._session.shown())
        self._session.update("spread the slices", None, lightbox=spread_over(box, low, high))


def spread_over(box: Lightbox, low_mm: tuple[float, ...], high_mm: tuple[float, ...]) -> Lightbox:
    """As many slices as before, evenly over nearly all of a box, at whole tenths of a millimetre."""
    along = ("sagittal", "coronal", "axial").index(box.axis)
    steps = max(1, box.rows * box.columns - 1)
    length = high_mm[along] - low_mm[along]
    spacing = max(0.1, int(10 * FULLEST * length / steps) / 10)
    first = round((low_mm[along] + high_mm[along]) / 2 - spacing * (box.rows * box.columns - 1) / 2, 1)
    return Lightbox(box.axis, box.rows, box.columns, spacing, first)
