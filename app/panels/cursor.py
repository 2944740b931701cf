"""Coordinates, values and region names under the crosshair."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject

from ...widgets.cursor_panel import CursorPanel, RegionLine, ValueLine
from ..answers import Answer, MaskImage
from ..atlas import Atlas
from ..questions import AtlasData, CortexData
from ..recipes import Point
from ..scenes import Shown
from ..session import Session
from ..spaces import mixed, naming, reference

MOST_SHARES = 4
NEAR_CORTEX_MM = 6.0


class CursorControl(QObject):
    """Binds a `CursorPanel` to a session."""

    def __init__(self, session: Session, panel: CursorPanel) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        panel.moved.connect(lambda x, y, z: session.move_crosshair((x, y, z), merge="type coordinates"))
        panel.settled.connect(session.store.settle)

    def refresh(self) -> None:
        """Show the place of the crosshair."""
        session = self._session
        state, shown = session.state, session.shown()
        at = state.crosshair_mm
        self._panel.set_position(at)
        chosen = next((s for s in shown if s.overlay.key == state.selected), reference(shown))
        image = None if chosen is None else chosen.answer.image
        voxel = None if image is None else image.grid.voxel_at(at)
        self._panel.set_voxel(voxel, "" if chosen is None or image is None else chosen.overlay.name)
        self._panel.set_values([self.value_line(layer, at) for layer in reversed(shown)])
        lines, note = self.regions(shown, at)
        images = [layer.answer.image for layer in shown if layer.answer.image is not None]
        if images and all(image.grid.voxel_at(at) is None for image in images):
            note = " ".join(filter(None, (self.tr("The crosshair is outside every image."), note)))
        self._panel.set_regions(lines, note)

    def value_line(self, layer: Shown, at: Point) -> ValueLine:
        """Value of one layer at a place."""
        value = value_at(layer.answer, layer.overlay.frame, at)
        if value is None:
            value = self._cortex_value(layer, at)
        unit = layer.answer.statistic or layer.answer.unit
        if layer.answer.is_labels and isinstance(value, float):
            labels = layer.answer.labels(layer.overlay.frame)
            return ValueLine(layer.overlay.name, next((x.name for x in labels if x.value == round(value)), None))
        return ValueLine(layer.overlay.name, value, unit)

    def _cortex_value(self, layer: Shown, at: Point) -> float | None:
        """Value of surface data at the vertex next to a place, when that is near the cortex."""
        if not layer.answer.cortex:
            return None
        cortices = self._session.results.get(CortexData(self._session.state.surface.cortex))
        best: tuple[float, float] | None = None
        for cortex in cortices if isinstance(cortices, tuple) else ():
            data = layer.answer.cortex.get(cortex.hemisphere or "left")
            if data is None or cortex.world is None or data.n_vertices != cortex.n_vertices:
                continue
            distance = np.linalg.norm(cortex.world.coordinates - np.array(at, np.float32), axis=1)
            vertex = int(distance.argmin())
            if distance[vertex] < NEAR_CORTEX_MM and (best is None or distance[vertex] < best[0]):
                frame = min(layer.overlay.frame, data.n_frames - 1)
                best = (float(distance[vertex]), float(data.frame(frame)[vertex]))
        return None if best is None else best[1]

    def regions(self, shown: tuple[Shown, ...], at: Point) -> tuple[list[RegionLine], str]:
        """Regions of every chosen atlas at a place, and a note on what is missing."""
        lines: list[RegionLine] = []
        notes: dict[str, None] = {}
        for atlas_id in self._session.state.atlases:
            atlas = self._session.results.get(AtlasData(atlas_id))
            if not isinstance(atlas, Atlas):
                continue
            allowed = naming(shown, self._session.state, atlas.info)
            if not allowed.allowed:
                notes[allowed.note] = None
                continue
            for share in atlas.at(at)[:MOST_SHARES]:
                partial = share.share if atlas.parts else None
                lines.append(RegionLine(_short(atlas), share.region.title, partial, ""))
            if not atlas.at(at):
                lines.append(RegionLine(_short(atlas), "–", None, ""))
        warning = mixed(shown)
        if warning:
            notes[warning] = None
        return lines, " ".join(_sentence(note) for note in notes if note)

    def hover_text(self, at: Point | None) -> str:
        """A line for the status bar about the place under the mouse."""
        if at is None:
            return ""
        parts = [", ".join(f"{value:.1f}" for value in at) + " mm"]
        for layer in reversed(self._session.shown()):
            if layer.overlay.visible:
                line = self.value_line(layer, at)
                if line.value is not None:
                    shown = line.value if isinstance(line.value, str) else f"{line.value:.4g} {line.unit}".rstrip()
                    parts.append(f"{line.name}: {shown}")
        return "   ".join(parts).replace("-", "\N{MINUS SIGN}") if len(parts) == 1 else "   ".join(parts)


def _short(atlas: Atlas) -> str:
    return atlas.info.short or atlas.info.title


def value_at(answer: Answer, frame: int, at: Point) -> float | str | None:
    """A layer's value at the nearest voxel; None outside or while it is not at hand."""
    image = answer.image
    frame = min(frame, answer.n_frames - 1)
    if image is None or not image.ready(frame):
        return None
    voxel = image.grid.voxel_at(at)
    if voxel is None:
        return None
    if image.kind == "rgb":
        return "RGB " + " ".join(str(int(channel)) for channel in image.rgba(frame)[voxel][:3])
    if isinstance(image, MaskImage):
        return float(image.series(voxel)[0])
    return float(image.frame(frame)[voxel])


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else text + "."
