"""How an image is shown at first: colours, range and threshold that suit what it is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ..resources import colours as tables
from .answers import Answer, Image
from .recipes import AtlasLabels, Drawing, FileMap, Point, Recipe, RegionMask, SeedCorrelation
from .state import Colours, Overlay, Threshold

_SAMPLE = 200_000
_MASK_OPACITY = 0.75
_LARGE = 50.0  # no probability, no statistic
_STATISTICS_WITH_THRESHOLD = {"t": 3.1, "z": 3.1, "r": 0.3}  # z > 3.1 is one-sided p < .001
_UNCORRECTED_P = 0.001  # at which maps of t and F of a model are cut, two-sided
_LOG10_OF_05 = 1.301


class Values(NamedTuple):
    """What is known of an image's values from a regular sample of its finite voxels."""

    finite: NDArray[np.float32]
    is_mask: bool
    signed: bool


def look_at(values: NDArray[np.float32]) -> Values:
    """Describe a frame, (nx, ny, nz) or (n,)."""
    flat = values.ravel(order="K")
    flat = flat[:: max(1, flat.size // _SAMPLE)]
    finite = flat[np.isfinite(flat)]
    is_mask = bool(finite.size) and bool(((finite == 0) | (finite == 1)).all())
    low, high = np.percentile(finite, [2, 98]) if finite.size else (0.0, 0.0)
    return Values(finite, is_mask, bool(low < 0 and -low > 0.1 * abs(high)))


def first_overlay(key: int, recipe: Recipe, answer: Answer, *, lowest: bool) -> Overlay:
    """The layer that a fresh answer gets.

    Parameters
    ----------
    key : int
        Name of the layer within its view.
    recipe, answer
        What it shows. The answer's first frame must be at hand.
    lowest : bool
        Whether it is the underlay: then an anatomy or a run is grey and opaque. Values on the cortex never are.
    """
    lowest = lowest and answer.image is not None
    overlay = Overlay(key, recipe, title_of(recipe, answer))
    if answer.is_labels:
        return replace(overlay, smooth=False, opacity=1.0 if lowest else 0.7)
    if answer.image is not None and answer.image.kind == "rgb":
        return overlay
    values = look_at(_first_values(answer))
    if values.is_mask:
        return _mask(overlay, lowest=lowest)
    if values.signed or answer.statistic:
        return _statistic(overlay, values, answer.statistic)
    pet = _is_pet(recipe, answer)
    return _intensity(overlay, values, grey=not pet and (lowest or _is_scan(answer, values)), lowest=lowest, pet=pet)


def model_look(shown: str, df: tuple[float, float], values: NDArray[np.float32] | None) -> tuple[Colours, Threshold]:
    """Colours and threshold of a model's map: t and F from p < .001, -log10 p from .05, others from their own values.

    Parameters
    ----------
    shown : str
        Key of the map.
    df : (float, float)
        Degrees of freedom of its test.
    values : array or None
        Of the map, when they are known.
    """
    from scipy import special  # noqa: PLC0415 - slow to import

    size = np.empty(0) if values is None else np.abs(values[np.isfinite(values)])
    largest = float(np.percentile(size, 99.8)) if size.size else 0.0
    if shown in {"t", "F"}:
        a, b = df
        cut = -special.stdtrit(b, _UNCORRECTED_P / 2) if shown == "t" else special.fdtri(a, b, 1 - _UNCORRECTED_P)
        wanted = round(float(cut), 2)
    elif shown.startswith("neglog10"):
        wanted = _LOG10_OF_05
    else:
        wanted = round_number(float(np.percentile(size, 90))) if size.size else 0.0
    top = max(round_number(largest), round_number(2 * wanted)) or 1.0
    if shown == "t" or (values is not None and bool((values < 0).any())):
        return Colours("warm", wanted, top, "cool", wanted, top), Threshold(wanted, wanted)
    return Colours("warm", wanted, top), Threshold(wanted)


def title_of(recipe: Recipe, answer: Answer) -> str:
    """Name of a layer in the list; a file's name without its endings."""
    if isinstance(recipe, FileMap):
        name = Path(recipe.path).name
        for ending in (".gz", ".nii", ".mgz", ".mgh", ".img", ".hdr", ".gii"):
            name = name.removesuffix(ending)
        return name or answer.title
    return answer.title


def _first_values(answer: Answer) -> NDArray[np.float32]:
    if answer.image is not None:
        return answer.image.frame(0)
    return np.concatenate([data.frame(0) for data in answer.cortex.values()])


def _mask(overlay: Overlay, *, lowest: bool) -> Overlay:
    solid = tables.names("solid")
    name = "grey" if lowest else solid[(overlay.key - 2) % len(solid)]  # 1 is the underlay
    colours = Colours(name, 0.0, 1.0)
    if lowest:
        return replace(overlay, colours=colours, smooth=False)
    return replace(overlay, colours=colours, threshold=Threshold(0.5), opacity=_MASK_OPACITY, smooth=False)


def _statistic(overlay: Overlay, values: Values, statistic: str) -> Overlay:
    size = np.abs(values.finite)
    size = size[size > 0]
    top = round_number(float(np.percentile(size, 99.8))) if size.size else 1.0
    wanted = _STATISTICS_WITH_THRESHOLD.get(statistic.partition("(")[0], 0.0)
    if not 0 < wanted < 0.8 * top:
        wanted = round_number(float(np.percentile(size, 90))) if size.size else 0.5
    if isinstance(overlay.recipe, SeedCorrelation):
        wanted, top = {"r": (0.3, 0.8), "z": (0.3, 1.1), "p": (3.0, 6.0)}[overlay.recipe.measure]
    if values.signed or (isinstance(overlay.recipe, SeedCorrelation) and overlay.recipe.measure != "p"):
        colours = Colours("warm", wanted, top, "cool", wanted, top)
        return replace(overlay, colours=colours, threshold=Threshold(wanted, wanted))
    return replace(overlay, colours=Colours("warm", wanted, top), threshold=Threshold(wanted))


def _intensity(overlay: Overlay, values: Values, *, grey: bool, lowest: bool, pet: bool) -> Overlay:
    positive = values.finite[values.finite > 0]
    if positive.size == 0:
        return replace(overlay, colours=Colours("grey", 0.0, 1.0))
    low, high = (float(np.percentile(positive, share)) for share in (2, 99.5))
    if grey:
        background = float(values.finite.min())
        return replace(overlay, colours=Colours("grey", min(0.0, background), max(high, background + 1e-6)))
    colours = Colours("hot-metal", 0.0, high) if pet else Colours("viridis", round_number(low), round_number(high))
    if lowest:
        return replace(overlay, colours=colours)
    return replace(overlay, colours=colours, threshold=Threshold(max(low, 0.05 * high)), opacity=0.8)


def _is_scan(answer: Answer, values: Values) -> bool:
    """Whether it looks like a picture of anatomy, as scanners make them: from 0 up to far more than any statistic."""
    if answer.image is None or values.finite.min(initial=0.0) < 0:
        return False
    return float(np.percentile(values.finite, 99.5)) > _LARGE


def _is_pet(recipe: Recipe, answer: Answer) -> bool:
    name = Path(recipe.path).name.lower() if isinstance(recipe, FileMap) else ""
    return "_pet" in name or "suv" in name or "bq" in answer.unit.lower()


def round_number(value: float) -> float:
    """Two significant digits: what a person would have typed."""
    return float(f"{value:.2g}")


def content_box(image: Image) -> tuple[Point, Point]:
    """World box of what an image shows: without an empty border, (low, high) in mm.

    The border's value is that of the corner voxels; where these differ, or it is noise, it is not empty and stays.
    """
    grid = image.grid
    low, high = grid.bounds_mm
    if image.kind == "rgb":
        filled = np.asarray(image.rgba(0)[::2, ::2, ::2, :3].any(axis=-1))
    else:
        coarse = image.frame(0)[::2, ::2, ::2]
        corners = coarse[:: max(1, coarse.shape[0] - 1), :: max(1, coarse.shape[1] - 1), :: max(1, coarse.shape[2] - 1)]
        filled = np.isfinite(coarse)
        if np.isfinite(corners).all() and np.ptp(corners) == 0:
            filled &= coarse != corners.flat[0]
    profiles = [np.moveaxis(filled, axis, 0).reshape(filled.shape[axis], -1).any(axis=1) for axis in range(3)]
    if profiles[0].any():
        ranges = np.array([np.flatnonzero(profile)[[0, -1]] for profile in profiles])
        first, last = 2 * ranges[:, 0] - 2.5, 2 * ranges[:, 1] + 2.5
        corners = np.array(np.meshgrid(*zip(first, last, strict=True), indexing="ij")).reshape(3, 8).T
        mm = grid.mm_of(corners)
        low, high = np.maximum(low, mm.min(axis=0)), np.minimum(high, mm.max(axis=0))
    return tuple(low.tolist()), tuple(high.tolist())  # pyright: ignore[reportReturnType] - three numbers each


def wants_colour_bar(overlay: Overlay, answer: Answer) -> bool:
    """Whether a layer needs a key: not an anatomy, labels, a mask, true colours or nothing but an outline."""
    drawn = answer.image is None or answer.image.kind != "rgb"
    mask = isinstance(overlay.recipe, RegionMask | Drawing)
    labels = answer.is_labels or isinstance(overlay.recipe, AtlasLabels)
    line = overlay.threshold.outline and overlay.opacity == 0
    plain = ("grey", *tables.names("solid"))
    return drawn and not (labels or mask or line) and overlay.colours.name not in plain
