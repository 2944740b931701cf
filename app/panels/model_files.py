"""Files of the model panel: tables and images to read, tables of results to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ...widgets.model_results import ModelResults
from .model import ModelControl

if TYPE_CHECKING:
    from ..window import Window


class ModelFiles(QObject):
    """Asks for names."""

    def __init__(self, window: Window, control: ModelControl, results: ModelResults) -> None:
        super().__init__(results)
        self._window = window
        self._control = control
        control.file_wanted.connect(self._choose)
        results.save_requested.connect(window.files.save_table)

    def _choose(self, what: str) -> None:
        tables = self.tr("Tables (*.tsv *.csv);;All files (*)")
        images = self.tr("Images (*.nii *.nii.gz *.mgz *.mgh *.gii *.img *.hdr);;All files (*)")
        data = self.tr("Images and tables (*.nii *.nii.gz *.mgz *.mgh *.gii *.img *.hdr *.tsv *.csv);;All files (*)")
        titles = {
            "table": (self.tr("Choose the table of a study"), tables),
            "file": (self.tr("Choose the data of the model"), data),
            "mask": (self.tr("Choose a mask"), images),
            "surface": (self.tr("Choose a surface"), self.tr("Surfaces (*.gii *.white *.pial);;All files (*)")),
        }
        path = self._window.choose_file(*titles[what])
        if path:
            self._control.take_file(what, path)
