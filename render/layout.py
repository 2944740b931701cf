"""Where panels stand on a canvas, and what part of the world each shows.

All slices of a canvas have the same scale, so that one scale bar speaks for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .scene import AXIS_INDEX, Axis, Panel, Point, Rect

BAR_HEIGHT_PX = 58
TITLE_ROOM_PX = 20
ROW_GAIN = 1.25  # a window that is near to square does not change its layout when a bar comes or goes
MARGIN_SHARE = 0.05  # empty border round the head, for the letters


@dataclass(frozen=True)
class View:
    """What to show of the world.

    Attributes
    ----------
    low_mm, high_mm : Point
        The box of all images.
    crosshair_mm : Point
        Where slices cut.
    centre_mm : Point or None
        World point in the middle of each panel; None: the middle of the box.
    zoom : float
        1 fits the box.
    flipped : bool
        Radiological.
    """

    low_mm: Point
    high_mm: Point
    crosshair_mm: Point
    centre_mm: Point | None = None
    zoom: float = 1.0
    flipped: bool = False


@dataclass(frozen=True)
class Grid:
    """Rows and columns of parallel slices."""

    axis: Axis
    rows: int
    columns: int
    spacing_mm: float
    first_mm: float | None = None


@dataclass(frozen=True)
class WallGrid:
    """Cells of slices through the crosshair: the axis of each row, how many columns, and room above for a title."""

    rows: tuple[Axis, ...]
    columns: int
    title_px: int = 0


class Arrangement(NamedTuple):
    """Panels, the rectangle left for the 3D view, and the one for colour bars."""

    panels: tuple[Panel, ...]
    surface: Rect | None
    bars: Rect | None


def _extent(view: View) -> np.ndarray:
    size = np.subtract(view.high_mm, view.low_mm)
    return np.maximum(size, 1.0) * (1 + 2 * MARGIN_SHARE)


def centre_of(view: View) -> Point:
    """World point in the middle of each panel."""
    if view.centre_mm is not None:
        return view.centre_mm
    x, y, z = (np.add(view.low_mm, view.high_mm) / 2).tolist()
    return x, y, z


def _panel(view: View, axis: Axis, rect: Rect, mm_per_px: float, position_mm: float | None = None) -> Panel:
    if position_mm is None:
        position_mm = view.crosshair_mm[AXIS_INDEX[axis]]
    panel = Panel(axis, position_mm, rect, (0.0, 0.0), mm_per_px, view.flipped)
    horizontal, vertical = panel.in_plane
    centre = centre_of(view)
    return panel._replace(centre_mm=(centre[horizontal], centre[vertical]))


def _split(length: int, shares: list[float]) -> list[int]:
    """Whole-pixel edges of a length divided by shares, from 0 to the length."""
    total = sum(shares)
    edges = np.concatenate([[0.0], np.cumsum(shares)]) / total * length
    return [int(edge) for edge in np.round(edges)]


def ortho(view: View, area: Rect, *, with_surface: bool) -> tuple[tuple[Panel, ...], Rect | None]:
    """Coronal and sagittal above axial (and the 3D view), or all in a row where that is a good deal larger."""
    x, y, z = _extent(view)
    as_grid = max((x + y) / area.width, (z + y) / area.height)
    row_width = x + x + y + (x if with_surface else 0)
    as_row = max(row_width / area.width, max(y, z) / area.height)
    if as_grid <= as_row * ROW_GAIN:
        return _ortho_grid(view, area, as_grid / view.zoom, with_surface=with_surface)
    return _ortho_row(view, area, as_row / view.zoom, with_surface=with_surface)


def _ortho_grid(
    view: View, area: Rect, mm_per_px: float, *, with_surface: bool
) -> tuple[tuple[Panel, ...], Rect | None]:
    x, y, z = _extent(view)
    across = _split(area.width, [x, y])
    down = _split(area.height, [z, y])

    def cell(column: int, row: int) -> Rect:
        return Rect(
            area.x + across[column],
            area.y + down[row],
            across[column + 1] - across[column],
            down[row + 1] - down[row],
        )

    panels = (
        _panel(view, "coronal", cell(0, 0), mm_per_px),
        _panel(view, "sagittal", cell(1, 0), mm_per_px),
        _panel(view, "axial", cell(0, 1), mm_per_px),
    )
    return panels, cell(1, 1) if with_surface else None


def _ortho_row(
    view: View, area: Rect, mm_per_px: float, *, with_surface: bool
) -> tuple[tuple[Panel, ...], Rect | None]:
    x, y, _ = _extent(view)
    shares = [y, x, x] + ([x] if with_surface else [])
    across = _split(area.width, shares)

    def cell(column: int) -> Rect:
        return Rect(area.x + across[column], area.y, across[column + 1] - across[column], area.height)

    panels = (
        _panel(view, "sagittal", cell(0), mm_per_px),
        _panel(view, "coronal", cell(1), mm_per_px),
        _panel(view, "axial", cell(2), mm_per_px),
    )
    return panels, cell(3) if with_surface else None


def single(view: View, area: Rect, axis: Axis) -> tuple[Panel, ...]:
    """One slice over the whole area."""
    return (_panel(view, axis, area, _fit(view, area.width, area.height, axis) / view.zoom),)


def _fit(view: View, width: float, height: float, axis: Axis) -> float:
    extent = _extent(view)
    horizontal, vertical = _panel(view, axis, Rect(0, 0, 1, 1), 1.0).in_plane
    return float(max(extent[horizontal] / width, extent[vertical] / height))


def lightbox(view: View, area: Rect, grid: Grid) -> tuple[Panel, ...]:
    """Parallel slices in reading order; without a first position, through the crosshair and over the box."""
    across = _split(area.width, [1.0] * grid.columns)
    down = _split(area.height, [1.0] * grid.rows)
    count = grid.rows * grid.columns
    first = grid.first_mm if grid.first_mm is not None else _first_slice(view, grid, count)
    mm_per_px = _fit(view, area.width / grid.columns, area.height / grid.rows, grid.axis) / view.zoom
    panels: list[Panel] = []
    for number in range(count):
        row, column = divmod(number, grid.columns)
        rect = Rect(
            area.x + across[column],
            area.y + down[row],
            across[column + 1] - across[column],
            down[row + 1] - down[row],
        )
        panels.append(_panel(view, grid.axis, rect, mm_per_px, first + number * grid.spacing_mm))
    return tuple(panels)


def wall(view: View, area: Rect, grid: WallGrid) -> tuple[Panel, ...]:
    """Slices through the crosshair, row after row; each as large as its kind needs.

    Rows stand upright, as columns, where slices are a good deal larger that way.
    """
    extent, columns = _extent(view), grid.columns
    widths = [float(extent[_in_plane(axis)[0]]) for axis in grid.rows]
    heights = [float(extent[_in_plane(axis)[1]]) for axis in grid.rows]
    lying = max(max(widths) * columns / area.width, sum(heights) / _room(area, grid, len(grid.rows)))
    upright = max(sum(widths) / area.width, max(heights) * columns / _room(area, grid, columns))
    stands = upright * ROW_GAIN < lying
    across = _split(area.width, widths if stands else [1.0] * columns)
    down = _split(area.height, [1.0] * columns if stands else heights)
    mm_per_px = (upright if stands else lying) / view.zoom
    panels: list[Panel] = []
    for row, axis in enumerate(grid.rows):
        for column in range(columns):
            x, y = (row, column) if stands else (column, row)
            size = across[x + 1] - across[x], down[y + 1] - down[y]
            panel = _panel(view, axis, Rect(area.x + across[x], area.y + down[y], *size), mm_per_px)
            horizontal, vertical = panel.centre_mm
            panels.append(panel._replace(centre_mm=(horizontal, vertical + grid.title_px / 2 * mm_per_px)))
    return tuple(panels)


def _room(area: Rect, grid: WallGrid, rows: int) -> float:
    """Height that is left for slices where each row has a title."""
    return max(area.height - rows * grid.title_px, area.height / 2)


def _in_plane(axis: Axis) -> tuple[int, int]:
    return Panel(axis, 0.0, Rect(0, 0, 1, 1), (0.0, 0.0), 1.0).in_plane


def _first_slice(view: View, grid: Grid, count: int) -> float:
    """First position such that one slice goes through the crosshair and as many as can lie inside the box."""
    along = AXIS_INDEX[grid.axis]
    low, high, at = view.low_mm[along], view.high_mm[along], view.crosshair_mm[along]
    spare = ((high - low) - (count - 1) * grid.spacing_mm) / 2
    steps = round((at - (low + spare)) / grid.spacing_mm)
    return at - min(max(steps, 0), count - 1) * grid.spacing_mm


def arrange(
    view: View, size: tuple[int, int], layout: str, grid: Grid | WallGrid | None, bar_height: int
) -> Arrangement:
    """Lay a canvas out.

    Parameters
    ----------
    size : (int, int)
        Width and height in pixels.
    layout : str
        ortho, ortho+surface, sagittal, coronal, axial, lightbox, wall, surface or 3d.
    grid : Grid, WallGrid or None
        For the lightbox, or for the wall.
    bar_height : int
        Height of the strip for colour bars at the bottom, 0 for none.
    """
    width, height = size
    bar_height = bar_height if height > 3 * bar_height else 0
    area = Rect(0, 0, width, height - bar_height)
    bars = Rect(0, height - bar_height, width, bar_height) if bar_height else None
    if layout in ("surface", "3d"):
        return Arrangement((), area, bars)
    if isinstance(grid, WallGrid):
        return Arrangement(wall(view, area, grid), None, bars)
    if layout == "lightbox" and grid is not None:
        return Arrangement(lightbox(view, area, grid), None, bars)
    if layout in ("sagittal", "coronal", "axial"):
        return Arrangement(single(view, area, layout), None, bars)
    panels, surface = ortho(view, area, with_surface=layout == "ortho+surface")
    return Arrangement(panels, surface, bars)
