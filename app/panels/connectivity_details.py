"""Metrics that do not follow the slider: worked out by themselves once it rests."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from ..graph_answers import GraphAnswer
from ..session import Session

REST_MS = 250
JOB = "graph details"
STAGES = (
    ("betweenness", "eigenvector", "core", "participation", "assortativity", "modularity"),
    ("small_worldness",),
)
"""The last takes seconds, so the others do not wait for it."""


class ConnectivityDetails(QObject):
    """Follows the answers of a panel. ``found`` carries an answer, metrics of each graph and the modules of the first.

    Parameters
    ----------
    session : Session
    parent : QObject
    """

    found = Signal(object, object, object)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._answer: GraphAnswer | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(lambda: self._start(0))
        session.jobs.finished.connect(self._take)

    @property
    def busy(self) -> bool:
        """Whether it waits for the slider to rest."""
        return self._rest.isActive()

    def follow(self, answer: GraphAnswer | None) -> None:
        """Measure this graph when no other one comes for a while; what is under way for another one stops."""
        if answer is None and self._answer is None:
            return
        self._answer = answer
        self._session.jobs.cancel(JOB)
        if answer is None or not any(part.thresholded.n_edges for part in answer.parts):
            self._rest.stop()
        else:
            self._rest.start(REST_MS)

    def stop(self) -> None:
        """Work out nothing any more."""
        self._answer = None
        self._rest.stop()

    def _start(self, stage: int) -> None:
        answer = self._answer
        if answer is None or stage == len(STAGES):
            return

        def work(report: Any) -> Any:
            from ...stats.graph import Graph, metrics  # noqa: PLC0415 - Numba

            cuts = [part.thresholded for part in answer.parts]
            measured = tuple(metrics(cut, STAGES[stage], report=report) for cut in cuts)
            return answer, stage, measured, Graph(cuts[0]).modules

        self._session.jobs.long(JOB, self.tr("Measuring the graph"), work)

    def _take(self, key: object, result: Any) -> None:
        if key != JOB:
            return
        answer, stage, measured, modules = result
        if answer is self._answer:
            self.found.emit(answer, measured, modules)
            self._start(stage + 1)
