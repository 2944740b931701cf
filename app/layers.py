"""From overlays and answers to what `render` draws. Unchanged layers come back as the same objects."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..render.scene import Colour, ColourBar, LabelShading, Layer, Modulator, Shading, Source
from ..resources import colours as tables
from .answers import Answer, Label
from .display import wants_colour_bar
from .state import Colours, Modulation, Overlay, Threshold

OUTLINE = (255, 255, 255)


class _Made(NamedTuple):
    """A layer and everything it was made from."""

    overlay: Overlay
    answer: Answer
    other: Answer | None
    layer: Layer


class Layers:
    """Makes drawing layers and remembers them, so that a picture knows what did not change."""

    def __init__(self) -> None:
        self._made: dict[int, _Made] = {}
        self._frames: dict[int, tuple[Answer, int, NDArray[np.float32] | NDArray[np.uint8]]] = {}

    def layer(self, overlay: Overlay, answer: Answer, other: Answer | None) -> Layer | None:
        """The drawing of one overlay, or None while its frame is not at hand or it has no place in the volume.

        Parameters
        ----------
        overlay : Overlay
        answer : Answer
            To the overlay's recipe.
        other : Answer or None
            To the recipe that modulates it.
        """
        made = self._made.get(overlay.key)
        if made is not None and (made.overlay, made.answer, made.other) == (overlay, answer, other):
            return made.layer
        source = self._source(overlay, answer)
        if source is None:  # a frame that is not at hand yet: the one before stays
            return made.layer if made is not None and made.answer is answer else None
        modulator = None
        if overlay.modulation is not None and other is not None:
            modulator = self._modulator(overlay, overlay.modulation, other)
        layer = Layer(
            source,
            shading_of(overlay, answer),
            modulator,
            outline_of(overlay),
            overlay.opacity,
        )
        self._made[overlay.key] = _Made(overlay, answer, other, layer)
        return layer

    def forget(self, keys: set[int]) -> None:
        """Drop what belongs to layers that are no more."""
        for gone in self._made.keys() - keys:
            del self._made[gone]
        self._frames = {slot: kept for slot, kept in self._frames.items() if abs(slot) in keys}

    def _source(self, overlay: Overlay, answer: Answer) -> Source | None:
        data = self._data(overlay.key, answer, overlay.frame)
        if data is None or answer.image is None:
            return None
        return Source(data, answer.image.grid.inverse, overlay.smooth and not answer.is_labels)

    def _modulator(self, overlay: Overlay, modulation: Modulation, other: Answer) -> Modulator | None:
        data = self._data(-overlay.key, other, min(overlay.frame, other.n_frames - 1))
        if data is None or other.image is None:
            return None
        source = Source(data, other.image.grid.inverse, overlay.smooth)
        return Modulator(source, modulation.low, modulation.high, modulation.how == "clip")

    def _data(self, slot: int, answer: Answer, frame: int) -> NDArray[np.float32] | NDArray[np.uint8] | None:
        """A frame's array, the same object as long as answer and frame are the same."""
        image = answer.image
        frame = min(frame, answer.n_frames - 1)
        kept = self._frames.get(slot)
        if kept is not None and kept[0] is answer and kept[1] == frame:
            return kept[2]
        if image is None or not image.ready(frame):
            return None
        data = image.rgba(frame) if image.kind == "rgb" else image.frame(frame)
        self._frames[slot] = (answer, frame, data)
        return data


@lru_cache(maxsize=64)
def _table(name: str, inverted: bool) -> NDArray[np.uint8]:
    table = tables.lut(name)
    return np.ascontiguousarray(table[::-1]) if inverted else table


@lru_cache(maxsize=16)
def _halves(name: str, inverted: bool) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A diverging table as one for positive and one for negative values, each from the middle outwards."""
    table = _table(name, inverted).astype(np.float64)
    places = np.linspace(0, len(table) / 2 - 1, 256)
    halves = (table[len(table) // 2 :], table[: len(table) // 2][::-1])
    upper, lower = (
        np.column_stack([np.interp(places, np.arange(len(half)), half[:, channel]) for channel in range(3)])
        for half in halves
    )
    return np.round(upper).astype(np.uint8), np.round(lower).astype(np.uint8)


def tables_of(colours: Colours) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Colours of positive and of negative values, (256, 3) each; None where these have none of their own.

    The same diverging table on both sides is split at its middle.
    """
    if colours.negative is None:
        return _table(colours.name, colours.inverted), None
    if colours.negative == colours.name and colours.name in tables.names("diverging"):
        return _halves(colours.name, colours.inverted)
    return _table(colours.name, colours.inverted), _table(colours.negative, colours.inverted)


def shading_of(overlay: Overlay, answer: Answer) -> Shading | LabelShading | None:
    """Colours of an overlay; None for true-colour images."""
    if answer.image is not None and answer.image.kind == "rgb":
        return None
    if answer.is_labels:
        return LabelShading(label_table(answer.labels(overlay.frame)), overlay.opacity)
    return _shading(overlay.colours, overlay.threshold, overlay.opacity)


def _shading(colours: Colours, threshold: Threshold, opacity: float) -> Shading:
    positive = -np.inf if threshold.value is None else threshold.value
    negative = positive if threshold.negative is None else threshold.negative
    upper, lower = tables_of(colours)
    return Shading(
        upper,
        colours.low,
        colours.high,
        lower,
        colours.negative_low,
        colours.negative_high,
        positive,
        negative,
        threshold.below == "fade",
        opacity,
    )


@lru_cache(maxsize=32)
def label_table(labels: tuple[Label, ...]) -> NDArray[np.uint8]:
    """(largest value + 1, 4) RGBA; values that no label has are clear."""
    values = [label.value for label in labels if 0 <= label.value < 1 << 20]
    table = np.zeros((max(values, default=0) + 1, 4), np.uint8)
    for label in labels:
        if 0 <= label.value < len(table):
            table[label.value] = label.colour
    return table


def outline_of(overlay: Overlay) -> Colour | None:
    """Colour of the line round a layer: that of the layer where it has only one."""
    if not overlay.threshold.outline:
        return None
    if overlay.colours.name not in tables.names("solid"):
        return OUTLINE
    red, green, blue = (int(channel) for channel in tables.lut(overlay.colours.name)[0])
    return red, green, blue


def colour_bar(overlay: Overlay, answer: Answer) -> ColourBar | None:
    """The key to an overlay's colours, where it needs one."""
    if not wants_colour_bar(overlay, answer):
        return None
    name = labelled(overlay.name, answer)
    return ColourBar(name, answer.statistic or answer.unit, _shading(overlay.colours, overlay.threshold, 1.0))


def labelled(name: str, answer: Answer) -> str:
    """A name that says when its data are simulated."""
    return f"{name} [simulated]" if answer.simulated and "simulated" not in name.lower() else name
