"""Lines, texts and boxes drawn by VTK over a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import (
    vtkActor2D,
    vtkPolyDataMapper2D,
    vtkRenderer,
    vtkTextActor,
)

from .. import resources
from .marks import Box, Line, Mark, Text
from .scene import Colour

FONTS = Path(resources.__file__).parent / "fonts"
_FONT_FILE = 4  # VTK_FONT_FILE, which the Python modules do not export
_ACROSS = {"left": 0, "centre": 1, "right": 2}
_DOWN = {"bottom": 0, "centre": 1, "top": 2}


class MarkActors:
    """Keeps a renderer's 2D actors in step with a list of marks, reusing what it has."""

    def __init__(self, renderer: vtkRenderer) -> None:
        self._renderer = renderer
        self._lines: dict[float, tuple[vtkActor2D, vtkPolyData]] = {}
        self._boxes = self._polygon_actor()  # first, so that all else is drawn over them
        self._texts: list[tuple[vtkTextActor, Text | None]] = []

    def show(self, marks: list[Mark], height: int) -> None:
        """Draw these marks on a canvas of that height, and no others."""
        self._show_boxes([mark for mark in marks if isinstance(mark, Box)], height)
        self._show_lines([mark for mark in marks if isinstance(mark, Line)], height)
        self._show_texts([mark for mark in marks if isinstance(mark, Text)], height)

    def _show_lines(self, lines: list[Line], height: int) -> None:
        widths = {line.width for line in lines}
        for width in widths - self._lines.keys():
            self._lines[width] = self._polygon_actor()
            self._lines[width][0].GetProperty().SetLineWidth(width)
        for width, (actor, data) in self._lines.items():
            chosen = [line for line in lines if line.width == width]
            actor.SetVisibility(bool(chosen))
            if chosen:
                points = [line.points for line in chosen]
                _fill(data, points, [line.colour for line in chosen], height, closed=False)

    def _show_boxes(self, boxes: list[Box], height: int) -> None:
        actor, data = self._boxes
        actor.SetVisibility(bool(boxes))
        corners = [
            np.array(
                [
                    (b.x, b.y),
                    (b.x + b.width, b.y),
                    (b.x + b.width, b.y + b.height),
                    (b.x, b.y + b.height),
                ],
                np.float32,
            )
            for b in boxes
        ]
        if boxes:
            _fill(data, corners, [box.colour for box in boxes], height, closed=True)

    def _polygon_actor(self) -> tuple[vtkActor2D, vtkPolyData]:
        data = vtkPolyData()
        mapper = vtkPolyDataMapper2D()
        mapper.SetInputData(data)
        mapper.SetScalarModeToUseCellData()
        actor = vtkActor2D()
        actor.SetMapper(mapper)
        self._renderer.AddViewProp(actor)
        return actor, data

    def _show_texts(self, texts: list[Text], height: int) -> None:
        while len(self._texts) < len(texts):
            actor = vtkTextActor()
            self._renderer.AddViewProp(actor)
            self._texts.append((actor, None))
        for number, (actor, shown) in enumerate(self._texts):
            wanted = texts[number] if number < len(texts) else None
            actor.SetVisibility(wanted is not None)
            if wanted is None:
                continue
            if shown is None or shown[2:] != wanted[2:]:
                _set_text(actor, wanted)
            actor.SetPosition(wanted.x, height - wanted.y)
            self._texts[number] = (actor, wanted)


def _fill(data: vtkPolyData, shapes: list[np.ndarray], colours: list[Colour], height: int, *, closed: bool) -> None:
    """Polylines or polygons with a colour each, flipped to VTK's upward y."""
    sizes = np.array([len(shape) for shape in shapes])
    flat = np.concatenate(shapes).astype(np.float32)
    xyz = np.column_stack([flat[:, 0], height - flat[:, 1], np.zeros(len(flat), np.float32)])
    points = vtkPoints()
    points.SetData(numpy_to_vtk(xyz, deep=1))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    cells = vtkCellArray()
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=1),
        numpy_to_vtkIdTypeArray(np.arange(len(flat), dtype=np.int64), deep=1),
    )
    data.Initialize()
    data.SetPoints(points)
    if closed:
        data.SetPolys(cells)
    else:
        data.SetLines(cells)
    data.GetCellData().SetScalars(numpy_to_vtk(np.array(colours, np.uint8), deep=1))


def _set_text(actor: vtkTextActor, text: Text) -> None:
    actor.SetInput(text.text)
    style = actor.GetTextProperty()
    style.SetFontFamily(_FONT_FILE)
    style.SetFontFile(str(FONTS / ("DejaVuSans-Bold.ttf" if text.bold else "DejaVuSans.ttf")))
    style.SetFontSize(max(1, round(text.size)))
    style.SetColor(*(channel / 255 for channel in text.colour))
    style.SetJustification(_ACROSS[text.across])
    style.SetVerticalJustification(_DOWN[text.down])
    style.SetShadow(sum(text.colour) > 380)  # a dark edge keeps light letters readable on bright anatomy
    style.SetShadowOffset(1, -1)
