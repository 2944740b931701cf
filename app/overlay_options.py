"""How an overlay of `habena render` is drawn: its options as text, and their effect on a layer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from .problems import Problem
from .state import Colours, Overlay, Threshold

FORMS = {
    "cmap": "cmap=NAME",
    "range": "range=LO:HI with LO below HI",
    "threshold": "threshold=NUMBER",
    "opacity": "opacity=0 to 1",
    "fade": "fade, which takes no value",
}


class OverlayOptions(msgspec.Struct, frozen=True):
    """How one overlay of `render` is drawn; what is None is chosen from the data.

    Attributes
    ----------
    path : str
    cmap : str or None
        Name of a colour table.
    range : (float, float) or None
        Values of the first and last colour. Where colours are two-sided, both sides take it by size; one that
        crosses 0 gives each side its own end.
    threshold : float or None
        Values nearer to 0 are hidden; where colours are one-sided, lower ones.
    opacity : float or None
    fade : bool
        Below the threshold fade instead of hide.
    """

    path: str
    cmap: str | None = None
    range: tuple[float, float] | None = None
    threshold: float | None = None
    opacity: float | None = None
    fade: bool = False


def parse_overlay(text: str) -> OverlayOptions:
    """``FILE[,cmap=NAME][,range=LO:HI][,threshold=T][,opacity=O][,fade]``; the file's name may hold commas.

    Raises
    ------
    Problem
        No such option, the same twice, or a value that makes no sense.
    """
    parts = text.split(",")
    options: dict[str, Any] = {}
    while len(parts) > 1:
        name, equals, value = parts[-1].partition("=")
        if name not in FORMS:
            break
        if name in options:
            raise Problem("--overlay", f"{name} is given twice in '{text}'", "give it once")
        options[name] = _value(text, name, value if equals else None)
        parts.pop()
    path = ",".join(parts)
    if len(parts) > 1 and not Path(path).exists() and Path(parts[0]).exists():
        raise Problem("--overlay", f"there is no option '{parts[-1]}'", f"write {', '.join(FORMS.values())}")
    return OverlayOptions(path, **options)


def _value(text: str, name: str, value: str | None) -> object:
    try:
        match name:
            case "fade" if value is None:
                return True
            case "cmap" if value:
                return table_named(value)
            case "range" if value:
                low, high = (float(number) for number in value.split(":"))
                if -math.inf < low < high < math.inf:
                    return low, high
            case "threshold" if value and math.isfinite(float(value)):
                return float(value)
            case "opacity" if value and 0 <= float(value) <= 1:
                return float(value)
            case _:
                pass
    except ValueError:
        pass
    given = name if value is None else f"{name}={value}"
    raise Problem("--overlay", f"'{given}' in '{text}' makes no sense", f"write {FORMS[name]}")


def table_named(name: str) -> str:
    """The name of a colour table, if there is one of that name.

    Raises
    ------
    Problem
        There is none; says which there are.
    """
    from ..resources.colours import names  # noqa: PLC0415

    if name not in names():
        raise Problem(f"cmap={name}", "there is no colour map of that name", f"choose from {', '.join(names())}")
    return name


def styled(overlay: Overlay, wanted: OverlayOptions) -> Overlay:
    """A layer with what was asked for instead of what was chosen."""
    colours, threshold = overlay.colours, overlay.threshold
    if wanted.cmap is not None:
        colours = with_table(colours, wanted.cmap)
    if wanted.range is not None:
        colours = with_range(colours, *wanted.range)
        threshold = within_range(threshold, *wanted.range)
    if wanted.threshold is not None:
        two_sided = colours.negative is not None
        value = abs(wanted.threshold) if two_sided else wanted.threshold
        threshold = replace(threshold, value=value, negative=value if two_sided else None)
    if wanted.fade:
        threshold = replace(threshold, below="fade")
    opacity = overlay.opacity if wanted.opacity is None else wanted.opacity
    return replace(overlay, colours=colours, threshold=threshold, opacity=opacity)


def with_table(colours: Colours, name: str) -> Colours:
    """Colours by another table.

    A diverging table makes them two-sided, split at its middle; a sequential one makes them one-sided, unless another
    table shows the other sign on the same scale of lightness.
    """
    from ..resources.colours import tables  # noqa: PLC0415

    table = next(table for table in tables() if table.name == table_named(name))
    if table.kind == "diverging":
        negative_high = colours.high if colours.negative is None else colours.negative_high
        return replace(colours, name=name, negative=name, low=0.0, negative_low=0.0, negative_high=negative_high)
    partner = (table.partner or None) if colours.negative is not None else None
    return replace(colours, name=name, negative=partner)


def with_range(colours: Colours, low: float, high: float) -> Colours:
    """Colours over a range: of two-sided ones both sides alike, or each its own when the range crosses 0.

    Raises
    ------
    Problem
        A range of negative values for two-sided colours.
    """
    if colours.negative is None:
        return replace(colours, low=low, high=high)
    if high <= 0:
        todo = "give sizes, which count for both signs, or a range that crosses 0"
        raise Problem("--overlay", f"range={low:g}:{high:g} leaves nothing for values above 0", todo)
    if low < 0:
        return replace(colours, low=0.0, high=high, negative_low=0.0, negative_high=-low)
    return replace(colours, low=low, high=high, negative_low=low, negative_high=high)


def within_range(threshold: Threshold, low: float, high: float) -> Threshold:
    """A threshold that was chosen from the data, lowered where it would hide colours of a range that was asked for."""
    value = threshold.value
    if value is None or (low <= 0 and value < high):
        return threshold
    lowered = min(value, low) if low > 0 else None
    return replace(threshold, value=lowered, negative=None if threshold.negative is None else lowered)
