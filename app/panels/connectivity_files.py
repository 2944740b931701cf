"""Files of the connectivity panel: runs and matrices to read, tables and graphs to write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from ...widgets.connectivity_panel import ConnectivityPanel
from ..graph_answers import GraphAnswer
from ..graph_export import graphml, matrix_tsv, nodes_tsv, side_of, write
from ..session import Notice
from .connectivity import ConnectivityControl

if TYPE_CHECKING:
    from ..window import Window

ENDINGS = {"nodes": ".tsv", "matrix": ".tsv", "graphml": ".graphml"}


class ConnectivityFiles(QObject):
    """Asks for names and reads or writes in the background."""

    def __init__(self, window: Window, control: ConnectivityControl, panel: ConnectivityPanel) -> None:
        super().__init__(panel)
        self._window = window
        self._control = control
        panel.export_requested.connect(self._export)
        panel.form.runs_requested.connect(self._add_runs)
        panel.form.matrix_requested.connect(self._open_matrix)

    def _add_runs(self) -> None:
        kinds = self.tr("Images (*.nii *.nii.gz *.mgz *.img *.hdr);;All files (*)")
        files = self._window.files
        paths, _ = QFileDialog.getOpenFileNames(self._window, self.tr("Add runs"), files.folder, kinds)
        files.came_from("".join(paths[:1]))
        if paths:
            self._control.data.add_runs(paths)

    def _open_matrix(self, side: str) -> None:
        kinds = self.tr("Matrices (*.tsv *.csv *.txt);;All files (*)")
        path = self._window.choose_file(self.tr("Open a matrix of connections"), kinds)
        if path:
            self._control.open_matrix(side, path)

    def _export(self, what: str) -> None:
        answer = self._control.view.answer
        path = "" if answer is None else self._name_to_save(what)
        if answer is None or not path:
            return
        title = self.tr("Saving {name}").format(name=Path(path).name)
        told = self.tr("Saved {path}.").format(path=path)
        self._window.session.start(
            ("save", path),
            title,
            lambda _: write(path, content_of(what, answer)),
            lambda _: self._window.tell(Notice("info", told)),
        )

    def _name_to_save(self, what: str) -> str:
        """A place that the user picks, with the right ending; nothing if it cannot be."""
        ending, files = ENDINGS[what], self._window.files
        names = {"nodes": "nodes.tsv", "matrix": "matrix.tsv", "graphml": "graph.graphml"}
        return files.name_to_save(self.tr("Save"), names[what], f"*{ending}", (ending,))


def content_of(what: str, answer: GraphAnswer) -> bytes:
    """What is written."""
    if what == "graphml":
        return graphml(side_of(answer))
    return (nodes_tsv(answer) if what == "nodes" else matrix_tsv(side_of(answer))).encode()
