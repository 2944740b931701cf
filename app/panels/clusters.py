"""The cluster table of the selected layer, which follows its threshold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QObject

from ...stats.cluster import Clusters, Connectivity, ThresholdedMap, find_clusters
from ...stats.errors import CannotCompute
from ...widgets.elided_label import ElidedLabel
from ...widgets.value_model import Column
from ...widgets.value_table import ValueTable
from ..answers import Image
from ..atlas import Atlas
from ..questions import AtlasData
from ..recipes import Point
from ..scenes import Shown
from ..session import Session
from ..spaces import naming
from ..state import Overlay, follows_crosshair

JOB = "clusters"
MOST_CLUSTERS = 500
MOST_REGIONS = 3
LEAST_SHARE = 0.05

COLUMNS = (
    Column("Sign", "", "text", "+ above the threshold, − below its negative"),
    Column("Size", "mm³", "number", "Volume of the cluster"),
    Column("Voxels", "", "integer", "Number of voxels"),
    Column("Peak", "", "number", "Value of the largest size"),
    Column("x", "mm", "number", "Peak, left to right"),
    Column("y", "mm", "number", "Peak, back to front"),
    Column("z", "mm", "number", "Peak, bottom to top"),
    Column("Regions", "", "text", "Share of the cluster's voxels in each region of the chosen atlases"),
)


class Found(NamedTuple):
    """Clusters of a layer with what is shown of each."""

    rows: tuple[tuple[str | float | int | None, ...], ...]
    peaks: tuple[Point, ...]
    note: str
    layer: int | None = None
    total: int = 0


class ClustersControl(QObject):
    """Binds a table to the selected layer's threshold."""

    def __init__(self, session: Session, table: ValueTable, line: ElidedLabel) -> None:
        super().__init__(table)
        self._session = session
        self._table = table
        self._line = line
        self._peaks: tuple[Point, ...] = ()
        self._asked: object = None
        self.connectivity: Connectivity = 26
        table.row_activated.connect(self._go)
        table.row_selected.connect(self._go)
        session.jobs.finished.connect(self._take)

    def refresh(self) -> None:
        """Ask for clusters when layer or threshold are others than before."""
        if not self._table.isVisible():
            return
        session = self._session
        layer = next((s for s in session.shown() if s.overlay.key == session.state.selected), None)
        problem = why_not(layer)
        if layer is None or problem:
            self._show(Found((), (), problem or self.tr("Select a layer with a threshold.")))
            self._asked = None
            return
        overlay, answer = layer.overlay, layer.answer
        atlases, note = self._atlases()
        asked = (answer, overlay.frame, overlay.threshold, overlay.colours.negative is None, atlases)
        if self._asked == asked or answer.image is None:
            return
        self._asked = asked
        image, how, layer_key = answer.image, self.connectivity, overlay.key
        session.jobs.live(JOB, lambda _: clusters_of(image, overlay, how, atlases)._replace(note=note, layer=layer_key))

    def join_by(self, connectivity: Connectivity) -> None:
        """Which neighbours belong to the same cluster."""
        self.connectivity = connectivity
        self._asked = None
        self.refresh()

    def _atlases(self) -> tuple[tuple[Atlas, ...], str]:
        """Atlases that may name places of the picture, and why others may not."""
        atlases: list[Atlas] = []
        note = ""
        for atlas_id in self._session.state.atlases:
            atlas = self._session.results.get(AtlasData(atlas_id))
            if isinstance(atlas, Atlas):
                allowed = naming(self._session.shown(), self._session.state, atlas.info)
                if allowed.allowed:
                    atlases.append(atlas)
                else:
                    note = allowed.note
        return tuple(atlases), note

    def _take(self, key: object, result: object) -> None:
        if key != JOB or not isinstance(result, Found) or self._asked is None:
            return
        if result.layer == self._session.state.selected:  # those of another layer come too late
            self._show(result)

    def _show(self, found: Found) -> None:
        self._peaks = found.peaks
        self._line.set_whole(self._about(found))
        self._table.set_empty_text(found.note or self.tr("No voxel beyond the threshold."))
        self._table.set_rows(found.rows, found.peaks)

    def _go(self, row: int) -> None:
        if 0 <= row < len(self._peaks):
            self._session.move_crosshair(self._peaks[row], merge=None)

    def _about(self, found: Found) -> str:
        """What the table lists, and that a click moves the seed of a map that follows the crosshair."""
        overlay = self._session.state.overlay(found.layer)
        if overlay is None:
            return ""
        answer = self._session.answer(overlay.recipe)
        value = "" if answer is None else answer.statistic.partition("(")[0]
        text = self.tr("Clusters of {name}, {beyond}: {count}").format(
            name=overlay.name, beyond=_beyond(overlay, value or self.tr("value")), count=found.total
        )
        if len(found.rows) < found.total:
            text += self.tr(", the largest {shown} listed").format(shown=len(found.rows))
        if follows_crosshair(overlay.recipe):
            text += self.tr(". A click moves the seed too; keep the map first to have its clusters stay")
        return text


def _beyond(overlay: Overlay, value: str) -> str:
    """A layer's thresholds, such as ``|t| > 3.1`` or ``t > 3.1 or < −2``."""
    above, below = _bounds(overlay)
    if above is None:
        return ""
    if below is None:
        return f"{value} > {above:.4g}"
    if above == -below:
        return f"|{value}| > {above:.4g}"
    return f"{value} > {above:.4g} or < {below:.4g}".replace("-", "\N{MINUS SIGN}")


def _bounds(overlay: Overlay) -> tuple[float | None, float | None]:
    """What clusters lie above, and what below; None for no such side."""
    threshold = overlay.threshold
    above = None if threshold.value is None else max(threshold.value, 0.0)
    negative = threshold.value if threshold.negative is None else threshold.negative
    below = None if overlay.colours.negative is None or negative is None else -abs(negative)
    return above, below


def why_not(layer: Shown | None) -> str:
    """Why a layer has no clusters; empty when it has."""
    if layer is None:
        return ""
    if layer.answer.image is None or layer.answer.image.kind == "rgb" or layer.answer.is_labels:
        return "Clusters need a map of values in the volume."
    if layer.overlay.threshold.value is None:
        return "Set a threshold to see clusters."
    return "" if layer.answer.image.ready(min(layer.overlay.frame, layer.answer.n_frames - 1)) else "Loading."


def clusters_of(image: Image, overlay: Overlay, connectivity: Connectivity, atlases: tuple[Atlas, ...]) -> Found:
    """Clusters of one frame beyond an overlay's thresholds."""
    grid = image.grid
    above, below = _bounds(overlay)
    values = image.frame(min(overlay.frame, image.n_frames - 1))
    try:
        found = find_clusters(ThresholdedMap(values, above, below, grid.voxel_volume_mm3), connectivity)
    except CannotCompute as refused:
        return Found((), (), str(refused))
    count = min(len(found.sign), MOST_CLUSTERS)
    peaks = grid.mm_of(found.peak_ijk[:count])
    rows = tuple(_row(found, n, peaks[n], _regions(found, n, image, atlases)) for n in range(count))
    return Found(rows, tuple((float(x), float(y), float(z)) for x, y, z in peaks), "", total=len(found.sign))


def _row(found: Clusters, n: int, peak: np.ndarray, regions: str) -> tuple[str | float | int | None, ...]:
    sign = "+" if found.sign[n] > 0 else "\N{MINUS SIGN}"
    x, y, z = (round(float(value), 3) for value in peak)
    return sign, float(found.volume_mm3[n]), int(found.n_voxels[n]), float(found.peak_value[n]), x, y, z, regions


def _regions(found: Clusters, n: int, image: Image, atlases: tuple[Atlas, ...]) -> str:
    """Such as ``Angular L 62 %, Parietal Inf L 20 %``, per atlas."""
    if not atlases:
        return ""
    voxels = found.voxels[found.cluster == n]
    mm = image.grid.mm_of(np.stack(np.unravel_index(voxels, image.grid.shape, order="F"), axis=-1))
    texts: list[str] = []
    for atlas in atlases:
        shares = [s for s in atlas.shares(mm) if s.share >= LEAST_SHARE][:MOST_REGIONS]
        if shares:
            texts.append(", ".join(f"{s.region.title} {100 * s.share:.0f} %" for s in shares))
    return "; ".join(texts)
