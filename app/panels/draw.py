"""Drawing a mask with the mouse."""

from __future__ import annotations

from dataclasses import replace as with_fields

import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from ...render.scene import AXIS_INDEX, Panel
from ...widgets.draw_panel import DrawPanel, DrawSettings
from ..answers import Answer, MaskImage
from ..compute import on_grid
from ..display import look_at
from ..recipes import Drawing, FileMap, Point, Recipe, RegionMask, Stroke, ThresholdFill
from ..scenes import Shown
from ..session import Notice, Session
from ..spaces import reference
from ..state import Overlay, Threshold
from .regions import mask_colours

NAME = "Drawn mask"


class DrawControl(QObject):
    """Binds a `DrawPanel` and the mouse on slices to drawn masks of a session.

    Signals
    -------
    tool_in_hand : bool
        Whether the left mouse button draws.
    save_wanted : int
        Key of the drawn layer to save.
    """

    tool_in_hand = Signal(bool)
    save_wanted = Signal(int)

    def __init__(self, session: Session, panel: DrawPanel) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._settings = DrawSettings()
        self._prefilled: Recipe | None = None
        self._looked_at: int | None = None  # the layer that was selected before the mask was
        panel.changed.connect(self._change)
        panel.tool_changed.connect(lambda tool: self.tool_in_hand.emit(tool != "navigate"))
        panel.start_requested.connect(self.start)
        panel.save_requested.connect(self._save)
        panel.statistics_requested.connect(self._tell_size)

    def refresh(self) -> None:
        """Say how large the mask is; prefill the bounds of a fill."""
        overlay = self.drawing()
        drawn = next((s for s in self._session.shown() if overlay is not None and s.overlay.key == overlay.key), None)
        mask = None if drawn is None else drawn.answer.image
        is_mask = isinstance(mask, MaskImage)
        self._panel.set_report(self._size_text(mask) if is_mask else "", has_mask=is_mask)
        source = self._source()
        if source is not None and source.overlay.recipe != self._prefilled:
            self._prefill(source)

    def _size_text(self, mask: MaskImage) -> str:
        volume = mask.n_inside * mask.grid.voxel_volume_mm3
        return self.tr("{voxels} voxels, {volume} mm³").format(voxels=mask.n_inside, volume=f"{volume:.4g}")

    def _prefill(self, source: Shown) -> None:
        """Bounds of a fill: from the threshold of a map, else the upper half of an anatomy's range."""
        self._prefilled = source.overlay.recipe
        image = source.answer.image
        if image is None or image.kind == "rgb":
            return
        finite = look_at(image.frame(0)).finite
        if finite.size == 0:
            return
        threshold = source.overlay.threshold.value
        low = threshold if threshold is not None else float(np.percentile(finite, 50))
        self._settings = with_fields(self._settings, fill_low=low, fill_high=float(finite.max()))
        self._panel.set_settings(self._settings)

    def _change(self, settings: DrawSettings, what: str) -> None:
        del what
        self._settings = settings

    def put_away(self) -> None:
        """Give the mouse back to the crosshair."""
        self._settings = with_fields(self._settings, tool="navigate")
        self._panel.set_settings(self._settings)
        self.tool_in_hand.emit(False)

    # -- what is drawn on

    def drawing(self) -> Overlay | None:
        """The drawn layer: the selected one, else the topmost."""
        state = self._session.state
        chosen = state.overlay(state.selected)
        if chosen is not None and isinstance(chosen.recipe, Drawing):
            return chosen
        return next((o for o in reversed(state.overlays) if isinstance(o.recipe, Drawing)), None)

    def _source(self) -> Shown | None:
        """The image whose values a fill looks at: the layer that was selected last, masks apart; else the underlay."""
        shown = self._session.shown()
        selected = self._session.state.overlay(self._session.state.selected)
        if selected is not None and not isinstance(selected.recipe, Drawing):
            self._looked_at = selected.key
        chosen = next((s for s in shown if s.overlay.key == self._looked_at), None)
        return chosen if chosen is not None and chosen.answer.image is not None else reference(shown)

    def start(self, how: str) -> None:
        """A new mask: empty, from the selected layer's threshold, or from its region."""
        source = self._source()
        if source is None or source.answer.image is None:
            self._session.noticed.emit(Notice("warning", self.tr("Open an image to draw on first.")))
            return
        start: Recipe | None = None
        edits: tuple[Stroke | ThresholdFill, ...] = ()
        if how == "region":
            if not isinstance(source.overlay.recipe, RegionMask):
                text = self.tr("Select a region layer first: find a region and press Ctrl+Enter.")
                self._session.noticed.emit(Notice("warning", text))
                return
            start = source.overlay.recipe
        elif how == "threshold":
            edits = self._whole_threshold(source)
            if not edits:
                text = self.tr("Select a layer with a threshold, and put the crosshair into a cluster.")
                self._session.noticed.emit(Notice("warning", text))
                return
        self._add(Drawing(self._grid_of(source), edits, start))

    def _grid_of(self, source: Shown) -> Recipe:
        """The image whose grid the mask takes: a file, so that it is the same next time."""
        recipe = source.overlay.recipe
        if isinstance(recipe, FileMap):
            return recipe
        base = reference(self._session.shown())
        return recipe if base is None else base.overlay.recipe

    def _whole_threshold(self, source: Shown) -> tuple[ThresholdFill, ...]:
        """The cluster at the crosshair above the layer's threshold, however far it reaches."""
        threshold = source.overlay.threshold.value
        if threshold is None:
            return ()
        at = self._session.state.crosshair_mm
        return (ThresholdFill(at, source.overlay.recipe, source.overlay.frame, threshold, 1e30, 1e4),)

    def _add(self, recipe: Drawing) -> Overlay:
        state = self._session.state
        key = state.next_key()
        overlay = Overlay(key, recipe, NAME, mask_colours(key), Threshold(0.5), opacity=0.6, smooth=False)
        self._session.update("start a mask", None, overlays=(*state.overlays, overlay), selected=key)
        return overlay

    # -- strokes

    def use(self, phase: str, panel: Panel, at: Point) -> None:
        """The mouse on a slice with a tool in hand: press, drag or release."""
        if phase == "release":
            self._session.store.settle()
            return
        overlay = self.drawing()
        if overlay is None:
            source = self._source()
            if source is None:
                return
            overlay = self._add(Drawing(self._grid_of(source)))
        recipe = overlay.recipe
        if not isinstance(recipe, Drawing):
            return
        if phase == "press":
            edits = (*recipe.edits, self._edit(panel, at, overlay))
        elif recipe.edits and isinstance(recipe.edits[-1], Stroke):
            last = recipe.edits[-1]
            edits = (*recipe.edits[:-1], replace(last, path_mm=(*last.path_mm, at)))
        else:
            return
        changed = replace(overlay, recipe=replace(recipe, edits=edits))
        merge = f"stroke {overlay.key} {len(edits)}"
        self._session.update_overlay(changed, self.tr("draw"), merge)

    def _edit(self, panel: Panel, at: Point, overlay: Overlay) -> Stroke | ThresholdFill:
        settings = self._settings
        source = self._source()
        if settings.tool == "fill" and source is not None and source.overlay.key != overlay.key:
            return ThresholdFill(
                at,
                source.overlay.recipe,
                source.overlay.frame,
                settings.fill_low,
                settings.fill_high,
                settings.fill_radius_mm,
            )
        flat = AXIS_INDEX[panel.axis] if settings.flat else None
        return Stroke((at,), settings.radius_mm, flat, settings.tool == "erase")

    def _save(self) -> None:
        overlay = self.drawing()
        if overlay is not None:
            self.save_wanted.emit(overlay.key)

    def _tell_size(self) -> None:
        """Size of the mask, and what every visible map is within it."""
        overlay = self.drawing()
        answer = None if overlay is None else self._session.answer(overlay.recipe)
        if overlay is None or answer is None or not isinstance(answer.image, MaskImage):
            return
        size = self._size_text(answer.image)
        maps = tuple(layer for layer in reversed(self._session.shown()) if layer.overlay.visible)
        self._session.start(
            ("statistics", overlay.key),
            self.tr("Statistics of the mask"),
            lambda _: statistics_within(answer, maps),
            lambda lines: self._tell_statistics([size, *lines]),
        )

    def _tell_statistics(self, lines: list[str]) -> None:
        """With a button, so that it stays until it has been read."""
        copy = (self.tr("Copy"), lambda: QGuiApplication.clipboard().setText("\n".join(lines)))
        self._session.noticed.emit(Notice("info", "; ".join(lines), (copy,)))


def statistics_within(mask: Answer, maps: tuple[Shown, ...]) -> list[str]:
    """A line for each map of values on its own grid, of the voxels whose centre lies in the mask."""
    lines: list[str] = []
    for layer in maps:
        answer, frame = layer.answer, min(layer.overlay.frame, layer.answer.n_frames - 1)
        image = answer.image
        if image is None or image.kind == "rgb" or answer.is_labels or isinstance(image, MaskImage):
            continue
        if not image.ready(frame):
            continue
        values = image.frame(frame)[on_grid(mask, 0, image.grid, "nearest") > 0]
        finite = values[np.isfinite(values)].astype(np.float64)
        if finite.size == 0:
            lines.append(f"{layer.overlay.name}: no voxel with a value")
            continue
        unit = answer.statistic.partition("(")[0] or answer.unit
        sd = f"{finite.std(ddof=1):.4g}" if finite.size > 1 else "n/a"
        lines.append(
            f"{layer.overlay.name}: mean {finite.mean():.4g}, SD {sd} {unit}".rstrip() + f", {finite.size} voxels"
        )
    return lines
