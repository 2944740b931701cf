"""One slice as a picture: every layer sampled on the plane, shaded, blended.

The same composition serves the window, figures, tests and the command line.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .scene import Colour, LabelShading, Layer, Modulator, Panel, Picture, Shading, Source

Values = NDArray[np.float32]
Matrix = NDArray[np.float64]
_NO_ALPHA: Values = np.empty((0, 0), np.float32)
_NO_COLOURS: NDArray[np.uint8] = np.zeros((256, 3), np.uint8)
OPAQUE = 0.98
_LEAST_ROWS = 32  # worth handing to another thread
_BANDS_PER_THREAD = 4


class Kernels(NamedTuple):
    """The row-band functions that do the work: Numba's, or NumPy's while those are being compiled."""

    sample_linear: Callable[..., None]
    sample_nearest: Callable[..., None]
    blend_rgba: Callable[..., None]
    shade: Callable[..., None]
    shade_labels: Callable[..., None]


@cache
def numba_kernels() -> Kernels:
    """Compiled kernels (imports Numba; the first call may compile)."""
    from . import kernels as k  # noqa: PLC0415 - Numba takes a fifth of a second to import

    return Kernels(k.sample_linear, k.sample_nearest, k.blend_rgba, k.shade, k.shade_labels)


@cache
def numpy_kernels() -> Kernels:
    """The same in plain NumPy: for the moments until Numba is ready, and the reference in tests."""
    from . import reference as r  # noqa: PLC0415 - the pair to the above

    return Kernels(r.sample_linear, r.sample_nearest, r.blend_rgba, r.shade, r.shade_labels)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A view that cannot be written to: Numba compiles a kernel anew for each mixture of writable and read-only."""
    view = array.view()
    view.flags.writeable = False
    return view


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(1, (os.cpu_count() or 1) - 1), thread_name_prefix="compose")


def _in_bands(kernel: Callable[[int, int], None], rows: int) -> None:
    """Run a kernel over all rows, on this thread and the pool's, and wait.

    Each takes the next band until none is left: where another program or a seed map has the other processor, this
    thread does nearly all of it instead of waiting for a half that has hardly begun.
    """
    bands = min(_BANDS_PER_THREAD * (os.cpu_count() or 1), rows // _LEAST_ROWS)
    if bands <= 1:
        kernel(0, rows)
        return
    numbers = count()

    def take() -> None:
        while (band := next(numbers)) < bands:
            kernel(rows * band // bands, rows * (band + 1) // bands)

    others = [_pool().submit(take) for _ in range(min(bands, os.cpu_count() or 1) - 1)]
    take()
    for other in others:
        if not other.cancel():
            other.result()


def pixel_to_voxel(panel: Panel, source: Source) -> Matrix:
    """(3, 4): picture column, row to fractional voxel indices."""
    return read_only(np.ascontiguousarray((source.inverse @ panel.pixel_to_mm)[:3]))


def sample(panel: Panel, source: Source, kernels: Kernels) -> Values:
    """Values of a scalar image on the panel's pixels, (height, width), NaN where there is nothing."""
    out = np.empty((panel.rect.height, panel.rect.width), np.float32)
    matrix = pixel_to_voxel(panel, source)
    kernel = kernels.sample_linear if source.smooth else kernels.sample_nearest
    volume = read_only(source.data.T)
    _in_bands(lambda first, last: kernel(volume, matrix, out, first, last), panel.rect.height)
    return out


def modulation(panel: Panel, modulator: Modulator, kernels: Kernels) -> Values:
    """Opacity 0..1 that a second image asks for, (height, width)."""
    values = sample(panel, modulator.source, kernels)
    if modulator.clip:
        return ((values >= modulator.low) & (values <= modulator.high)).astype(np.float32)
    span = max(modulator.high - modulator.low, 1e-30)
    rising = np.clip((np.abs(values) - modulator.low) / span, 0.0, 1.0)
    return np.nan_to_num(rising).astype(np.float32)


def shading_numbers(shading: Shading, opacity: float) -> Matrix:
    """The eight numbers of `Shading` as the kernels take them."""
    flags = (1 if shading.negative is not None else 0) | (2 if shading.fade else 0)
    return np.array(
        [
            shading.low,
            shading.high,
            shading.negative_low,
            shading.negative_high,
            shading.threshold,
            shading.negative_threshold,
            opacity * shading.opacity,
            flags,
        ],
        np.float64,
    )


def blend_values(
    values: Values, layer_shading: Shading | LabelShading, alpha: Values, out: Picture, kernels: Kernels
) -> None:
    """Blend sampled values, (height, width), into a picture of the same size."""
    rows = values.shape[0]
    values, alpha = read_only(values), read_only(alpha)
    if isinstance(layer_shading, LabelShading):
        table, opacity = read_only(layer_shading.table), layer_shading.opacity
        _in_bands(lambda a, b: kernels.shade_labels(values, table, opacity, alpha, out, a, b), rows)
        return
    numbers = read_only(shading_numbers(layer_shading, 1.0))
    positive = read_only(layer_shading.positive)
    negative = read_only(_NO_COLOURS if layer_shading.negative is None else layer_shading.negative)
    _in_bands(lambda a, b: kernels.shade(values, positive, negative, numbers, alpha, out, a, b), rows)


class Composer:
    """Pictures of slices, keeping what did not change since the last one.

    While a map changes under a still slice, or one slice moves beside two others, only what is new
    is sampled again.
    """

    def __init__(self, kernels: Kernels) -> None:
        self.kernels = kernels
        self._sampled: dict[tuple[int, int], tuple[Panel, Source, Values]] = {}

    def forget(self) -> None:
        """Drop what is kept."""
        self._sampled.clear()

    def values(self, slot: tuple[int, int], panel: Panel, source: Source) -> Values:
        """Sampled values, from memory when neither the panel's geometry nor the image changed.

        ``slot`` is (panel number, layer number): one remembered plane each.
        """
        kept = self._sampled.get(slot)
        if kept is not None and kept[0] == panel and _same_image(kept[1], source):
            return kept[2]
        values = sample(panel, source, self.kernels)
        self._sampled[slot] = (panel, source, values)
        return values

    def picture(
        self, number: int, panel: Panel, layers: tuple[Layer, ...], background: Colour | None = (0, 0, 0)
    ) -> Picture:
        """RGBA of one panel, (height, width, 4) uint8, row 0 at the top; background None is clear."""
        out = np.zeros((panel.rect.height, panel.rect.width, 4), np.uint8)
        if background is not None:
            out[...] = (*background, 255)
        for depth, layer in enumerate(layers):
            if panel.shows(depth):
                self._blend((number, depth), panel, layer, out)
        return out

    def covered(self, number: int, panel: Panel, layers: tuple[Layer, ...], above: int) -> NDArray[np.bool_] | None:
        """Pixels, (height, width), that opaque layers above one hide; None where there are no such layers."""
        opaque = [n for n in range(above + 1, len(layers)) if layers[n].opacity >= OPAQUE and panel.shows(n)]
        if not opaque:
            return None
        out = np.zeros((panel.rect.height, panel.rect.width, 4), np.uint8)
        for depth in opaque:
            self._blend((number, depth), panel, layers[depth], out)
        return out[..., 3] >= round(255 * OPAQUE)

    def _blend(self, slot: tuple[int, int], panel: Panel, layer: Layer, out: Picture) -> None:
        if layer.shading is None:
            colours = read_only(np.ascontiguousarray(layer.source.data.transpose(2, 1, 0, 3)))
            matrix = pixel_to_voxel(panel, layer.source)
            blend = self.kernels.blend_rgba
            _in_bands(lambda a, b: blend(colours, matrix, layer.opacity, out, a, b), panel.rect.height)
            return
        alpha = _NO_ALPHA if layer.modulator is None else modulation(panel, layer.modulator, self.kernels)
        blend_values(self.values(slot, panel, layer.source), layer.shading, alpha, out, self.kernels)


def _same_image(a: Source, b: Source) -> bool:
    same_place = a.inverse is b.inverse or np.array_equal(a.inverse, b.inverse)
    return a.data is b.data and same_place and a.smooth == b.smooth
