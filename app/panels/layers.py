"""The layer list and the settings of the selected layer."""

from __future__ import annotations

from typing import Literal

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from ...resources import colours as tables
from ...widgets.layer_list import LayerList
from ...widgets.layer_panel import LayerPanel
from ...widgets.layer_row import LayerRow
from ...widgets.layer_settings import ColourChoice, LayerModulation, LayerSettings
from ...widgets.range_values import RangeValues
from ..actions import remove_layer, step_frame
from ..answers import Answer
from ..recipes import Drawing, RegionMask, SeedCorrelation
from ..session import Session
from ..state import Colours, Modulation, Overlay, Threshold, follows_crosshair
from ..times import frame_text, frame_title

BINS = 128
MAX_COUNTED = 300_000
FENCE = 3.0
FENCE_COUNTED = 30_000
FRAMES_PER_S = 5.0


class LayersControl(QObject):
    """Binds list and panel to a session. ``action_chosen`` carries a layer's key and a menu entry."""

    action_chosen = Signal(int, str)

    def __init__(self, session: Session, rows: LayerList, panel: LayerPanel) -> None:
        super().__init__(rows)
        self._session = session
        self._rows = rows
        self._panel = panel
        self._counted: tuple[object, int] | None = None
        self._kept: tuple[int, Answer] | None = None
        self._linked = False
        self._play = QTimer(self)
        self._play.setInterval(round(1000 / FRAMES_PER_S))
        self._play.timeout.connect(lambda: self.step(1))
        panel.set_choices(colour_choices())
        rows.set_actions(
            (
                ("keep", self.tr("Keep this map as it is")),
                ("save", self.tr("Save as NIfTI…")),
                ("info", self.tr("About this file")),
                ("space", self.tr("Say which space it is in…")),
                ("atlas", self.tr("Use as an atlas of regions")),
                ("duplicate", self.tr("Duplicate")),
            )
        )
        rows.selected.connect(lambda key: session.update("select", "select", selected=key))
        rows.visibility_changed.connect(self._set_visible)
        rows.reordered.connect(self._reorder)
        rows.renamed.connect(self._rename)
        rows.remove_requested.connect(self.remove)
        rows.action_chosen.connect(self.action_chosen)
        panel.changed.connect(self._change)
        panel.settled.connect(session.store.settle)
        panel.play_toggled.connect(self.play)
        panel.speed_changed.connect(lambda speed: self._play.setInterval(max(20, round(1000 / speed))))
        panel.link_toggled.connect(self._link)

    def refresh(self) -> None:
        """Show the view."""
        state = self._session.state
        answers = {shown.overlay.key: shown.answer for shown in self._session.shown()}
        rows = [self._row(overlay, answers.get(overlay.key)) for overlay in reversed(state.overlays)]
        self._rows.set_rows(rows, state.selected)
        self._panel.set_layers(
            (overlay.key, overlay.name) for overlay in state.overlays if overlay.key != state.selected
        )
        overlay = state.overlay(state.selected)
        answer = None if overlay is None else answers.get(overlay.key) or self._last_answer(overlay)
        self._kept = None if overlay is None or answer is None else (overlay.key, answer)
        if self.is_playing and (answer is None or answer.n_frames < 2):
            self.play(playing=False)
        if overlay is None or answer is None:
            self._panel.set_settings(None, "" if overlay is None else self._why_not(overlay))
            self._counted = None
            return
        self._panel.set_settings(settings_of(overlay, answer, self._keys_by_recipe()))
        self._count(answer, overlay.frame)

    def _last_answer(self, overlay: Overlay) -> Answer | None:
        """What a live map showed before the crosshair left the brain: its settings stay at hand meanwhile."""
        is_kept = self._kept is not None and self._kept[0] == overlay.key and follows_crosshair(overlay.recipe)
        return self._kept[1] if self._kept is not None and is_kept else None

    def _why_not(self, overlay: Overlay) -> str:
        """Why a layer has no settings to show."""
        failure = self._session.failure(overlay.recipe)
        return self.tr("Loading.") if failure is None else str(failure)

    def _row(self, overlay: Overlay, answer: Answer | None) -> LayerRow:
        failure = self._session.failure(overlay.recipe)
        detail = "" if answer is None else detail_of(overlay, answer)
        if failure is not None:
            detail = failure.what
        badge = "live" if follows_crosshair(overlay.recipe) else ""
        if answer is not None and answer.simulated:
            badge = "live, simulated" if badge else "simulated"
        if answer is None and failure is None:
            badge = "loading"
        without = frozenset() if isinstance(overlay.recipe, SeedCorrelation) else frozenset({"keep"})
        return LayerRow(overlay.key, overlay.name, detail, overlay.visible, None, badge, without)

    def _keys_by_recipe(self) -> dict[object, int]:
        return {overlay.recipe: overlay.key for overlay in self._session.state.overlays}

    def _count(self, answer: Answer, frame: int) -> None:
        """Histogram of the frame that is shown; only when it is another one."""
        values = _values(answer, frame)
        if values is None:
            return
        marker = (id(answer), frame)
        if self._counted == marker:
            return
        self._counted = marker
        edges, counts = histogram(values)
        self._panel.set_counts(edges, counts)

    # -- changes

    def _set_visible(self, key: int, visible: bool) -> None:
        overlay = self._session.state.overlay(key)
        if overlay is not None:
            what = f"show {overlay.name}" if visible else f"hide {overlay.name}"
            self._session.update_overlay(replace(overlay, visible=visible), what)

    def _reorder(self, keys: tuple[int, ...]) -> None:
        by_key = {overlay.key: overlay for overlay in self._session.state.overlays}
        self._session.update("reorder layers", None, overlays=tuple(by_key[key] for key in reversed(keys)))

    def _rename(self, key: int, name: str) -> None:
        overlay = self._session.state.overlay(key)
        if overlay is not None and name:
            self._session.update_overlay(replace(overlay, name=name), "rename")

    def remove(self, key: int) -> None:
        """Take a layer out of the view."""
        overlay = self._session.state.overlay(key)
        if overlay is not None:
            self._session.store.update(remove_layer(self._session.state, key), f"remove {overlay.name}")

    def _change(self, settings: LayerSettings, what: str) -> None:
        state = self._session.state
        overlay = state.overlay(state.selected)
        if overlay is None:
            return
        changed = overlay_of(overlay, settings, {o.key: o for o in state.overlays})
        if self._linked and settings.frame != overlay.frame:
            self._show_frame_everywhere(changed, what)
        else:
            self._session.update_overlay(changed, what, f"layer {overlay.key} {what}")

    def _show_frame_everywhere(self, changed: Overlay, what: str) -> None:
        """The same frame in every series of as many frames."""
        frames = self._frames(changed)
        overlays = tuple(
            changed
            if overlay.key == changed.key
            else replace(overlay, frame=changed.frame)
            if self._frames(overlay) == frames
            else overlay
            for overlay in self._session.state.overlays
        )
        self._session.update(what, "frames", overlays=overlays)

    def _frames(self, overlay: Overlay) -> int:
        answer = self._session.answer(overlay.recipe)
        return 1 if answer is None else answer.n_frames

    def _link(self, linked: bool) -> None:
        self._linked = linked

    def play(self, playing: bool) -> None:
        """Start or stop showing one frame after the other."""
        if playing:
            self._play.start()
        else:
            self._play.stop()
            self._session.store.settle()
        self._panel.set_playing(playing)

    @property
    def is_playing(self) -> bool:
        """Whether frames run."""
        return self._play.isActive()

    def step(self, steps: int) -> None:
        """Another frame of the selected layer."""
        state = self._session.state
        overlay = state.overlay(state.selected)
        if overlay is not None:
            stepped = step_frame(state, steps, self._frames(overlay))
            changed = stepped.overlay(overlay.key)
            if self._linked and changed is not None:
                self._show_frame_everywhere(changed, "frame")
            else:
                self._session.store.update(stepped, "frame", "frame")


def colour_choices() -> tuple[ColourChoice, ...]:
    """Every colour table on offer."""
    return tuple(
        ColourChoice(table.name, table.title, table.kind, tables.lut(table.name), table.partner)
        for table in tables.tables()
    )


def kind_of(answer: Answer) -> Literal["scalar", "labels", "rgb"]:
    """Which settings apply to a layer."""
    if answer.is_labels:
        return "labels"
    return "rgb" if answer.image is not None and answer.image.kind == "rgb" else "scalar"


def settings_of(overlay: Overlay, answer: Answer, keys: dict[object, int]) -> LayerSettings:
    """A layer as the panel shows it."""
    colours, threshold = overlay.colours, overlay.threshold
    other = overlay.modulation
    modulation = None
    if other is not None and other.by in keys:
        modulation = LayerModulation(keys[other.by], other.how, other.low, other.high)
    negative = threshold.value if threshold.negative is None else threshold.negative
    return LayerSettings(
        kind_of(answer),
        answer.statistic or answer.unit,
        overlay.visible,
        overlay.opacity,
        colours.name,
        colours.inverted,
        colours.negative,
        RangeValues(
            colours.low,
            colours.high,
            threshold.value,
            colours.negative_low,
            colours.negative_high,
            negative,
            colours.negative is not None,
        ),
        threshold.below,
        threshold.outline,
        overlay.smooth,
        min(overlay.frame, answer.n_frames - 1),
        answer.n_frames,
        frame_text(answer, overlay.frame),
        modulation,
    )


def overlay_of(overlay: Overlay, settings: LayerSettings, by_key: dict[int, Overlay]) -> Overlay:
    """The layer that the panel's settings describe."""
    values = settings.values
    colours = Colours(
        settings.colours,
        values.low,
        values.high,
        settings.negative,
        values.negative_low,
        values.negative_high,
        settings.inverted,
    )
    threshold = Threshold(
        values.threshold,
        values.negative_threshold if values.two_sided else None,
        settings.below,
        settings.outline,
    )
    modulation = None
    if settings.modulation is not None and settings.modulation.layer in by_key:
        other = settings.modulation
        modulation = Modulation(by_key[other.layer].recipe, other.how, other.low, other.high)
    return replace(
        overlay,
        visible=settings.visible,
        opacity=settings.opacity,
        colours=overlay.colours if settings.kind != "scalar" else colours,
        threshold=threshold if settings.kind == "scalar" else replace(overlay.threshold, outline=settings.outline),
        smooth=settings.smooth,
        frame=settings.frame,
        modulation=modulation,
    )


def detail_of(overlay: Overlay, answer: Answer) -> str:
    """What a layer is, in a few words."""
    if isinstance(overlay.recipe, Drawing):
        return "drawn mask"
    if isinstance(overlay.recipe, RegionMask):
        return "region"
    if isinstance(overlay.recipe, SeedCorrelation):
        return {"r": "correlation r", "z": "Fisher z", "p": "−log10 p"}[overlay.recipe.measure]
    words = [answer.statistic or answer.unit]
    if answer.image is not None:
        words.append(" × ".join(str(n) for n in answer.image.grid.shape))
    elif answer.cortex:
        words.append("surface data")
    if answer.n_frames > 1:
        title = frame_title(answer, overlay.frame)
        words.append(title[0].lower() + title[1:])
    return ", ".join(word for word in words if word)


def _values(answer: Answer, frame: int) -> NDArray[np.float32] | None:
    """Values whose histogram is shown; None while they are not at hand."""
    frame = min(frame, answer.n_frames - 1)
    if answer.image is not None:
        if answer.image.kind == "rgb" or answer.is_labels or not answer.image.ready(frame):
            return None
        return answer.image.frame(frame)
    return np.concatenate([data.frame(frame) for data in answer.cortex.values()]) if answer.cortex else None


def _fences(finite: NDArray[np.float32]) -> tuple[float, float]:
    """Least and greatest value, none farther from the median than three times all but half a percent."""
    low, high = float(finite.min()), float(finite.max())
    lower, middle, upper = (
        float(v) for v in np.percentile(finite[:: 1 + finite.size // FENCE_COUNTED], [0.5, 50, 99.5])
    )
    low = max(low, middle - FENCE * (middle - lower)) if lower < middle else low
    high = min(high, middle + FENCE * (upper - middle)) if upper > middle else high
    return low, high


def histogram(values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts of finite values; exact zeros are left out where they are the background, more than a quarter of all.

    The few values far from all others count in the outermost bins: the rest keeps its room.
    """
    flat = values.ravel(order="K")
    flat = flat[:: max(1, flat.size // MAX_COUNTED)]
    finite = flat[np.isfinite(flat)]
    if np.count_nonzero(finite) < 0.75 * finite.size:
        finite = finite[finite != 0]
    if finite.size == 0:
        return np.linspace(0, 1, BINS + 1), np.zeros(BINS)
    low, high = _fences(finite)
    high = high if high > low else low + 1
    # np.histogram looks every value up between uneven edges; these are even
    bins = np.clip((finite - low) * (BINS / (high - low)), 0, BINS - 1).astype(np.int64)
    return np.linspace(low, high, BINS + 1), np.bincount(bins, minlength=BINS).astype(np.float64)
