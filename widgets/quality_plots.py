"""Motion and the carpet of a run, under its time courses."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QRectF
from PySide6.QtGui import QColor, QFont

from .curve import Floats, Quality
from .theme import look
from .time_plots import TimePlot

CARPET_LEVELS = (-2.0, 2.0)
"""Grey from black to white, in standard deviations of each row (Power 2017, doi 10.1016/j.neuroimage.2016.08.009)."""
_ROOM = 0.1  # of the height, above the highest value


class MotionPlot(TimePlot):
    """One measure of motion, with its threshold and the volumes above it."""

    def __init__(self) -> None:
        super().__init__()
        self._line = pg.PlotCurveItem(connect="finite")
        self._limit = pg.InfiniteLine(angle=0)
        self._censored = pg.BarGraphItem(x=[], height=[], width=1, pen=None)
        for part in (self._censored, self._line, self._limit):
            self.addItem(part)

    def set_series(self, quality: Quality, series: Floats, label: str, threshold: float | None) -> None:
        """Show one series of a run."""
        self.set_caption(label)
        self._line.setData(quality.x, series)
        self._limit.setVisible(threshold is not None)
        finite = series[np.isfinite(series)]
        bottom = float(finite.min()) if threshold is None and len(finite) else 0.0
        top = max(float(finite.max(initial=bottom)), threshold or 0.0)
        top += _ROOM * ((top - bottom) or 1.0)
        if threshold is not None:
            self._limit.setValue(threshold)
        censored = quality.x[quality.censored]
        width = float(np.median(np.diff(quality.x))) if len(quality.x) > 1 else 1.0
        self._censored.setOpts(x=censored, y0=bottom, height=np.full(len(censored), top - bottom), width=width)
        self.box.setYRange(bottom, top, padding=0)

    def set_look(self, font: QFont) -> None:
        super().set_look(font)
        colour = QColor(look().error)
        self._line.setPen(pg.mkPen(look().text, width=1))
        self._limit.setPen(pg.mkPen(colour, width=1))
        colour.setAlpha(110)
        self._censored.setOpts(brush=colour)


class CarpetPlot(TimePlot):
    """Every voxel's series as a line of grey."""

    def __init__(self) -> None:
        super().__init__()
        self._image = pg.ImageItem(axisOrder="row-major")
        self.addItem(self._image)
        self.box.invertY(True)
        self.left.setStyle(showValues=False)

    def set_carpet(self, matrix: NDArray[np.float32], x: Floats, label: str) -> None:
        """Show (rows, time) standard scores; ``x`` holds the middle of each frame."""
        self._image.setImage(matrix, levels=CARPET_LEVELS, autoLevels=False)
        step = float(np.median(np.diff(x))) if len(x) > 1 else 1.0
        self._image.setRect(QRectF(float(x[0]) - step / 2, 0, float(x[-1] - x[0]) + step, len(matrix)))
        self.box.setYRange(0, len(matrix), padding=0)
        self.set_caption(label)


def motion_summary(quality: Quality) -> str:
    """How many volumes are above the threshold; empty when there is none."""
    if quality.fd is None or quality.threshold_mm is None:
        return ""
    text = QCoreApplication.translate("quality_plots", "{n} of {total} volumes moved more than {limit} mm")
    n = int(quality.censored.sum())
    return text.format(n=n, total=len(quality.x), limit=f"{quality.threshold_mm:.4g}")
