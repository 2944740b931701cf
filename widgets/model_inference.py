"""How a model's tests become p-values: the part of the model form that says so."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QWidget

from .controls import Choice, Section, check, column, form, on_tick
from .model_settings import NUMBERS, PERMUTED, ModelSettings
from .numbers import NumberEdit

WHOLE = ("permutations", "seed")


class InferenceForm(QWidget):
    """Correction, permutations and, folded away, what few change. ``changed`` carries the settings."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = ModelSettings()
        self._correction = Choice(self.tr("Correction"), self.tr("Over the voxels, vertices or regions of one test"))
        self._correction.set_items(
            [
                ("tfce", self.tr("Family-wise, TFCE")),
                ("fwe", self.tr("Family-wise, largest statistic")),
                ("cluster-extent", self.tr("Family-wise, cluster extent")),
                ("cluster-mass", self.tr("Family-wise, cluster mass")),
                ("fdr", self.tr("False discovery rate")),
                ("none", self.tr("None")),
            ]
        )
        self._one_sided = check(self.tr("One-sided"), self.tr("Tests of t look for positive effects only"))
        tip = self.tr("Which neighbours of a voxel belong to its cluster")
        self._neighbours = Choice(self.tr("Neighbours"), tip)
        self._neighbours.set_items(
            [(6, self.tr("faces (6)")), (18, self.tr("edges (18)")), (26, self.tr("corners (26)"))]
        )
        self._numbers = {
            "permutations": self._number(
                "permutations", self.tr("Permutations"), self.tr("The data as they are count as one of them")
            ),
            "seed": self._number("seed", self.tr("Seed"), self.tr("Of the generator: the same seed, the same numbers")),
            "cluster_p": self._number("cluster_p", self.tr("Cluster p"), self.tr("Uncorrected p that forms clusters")),
            "tfce_h": self._number("tfce_h", self.tr("TFCE H"), self.tr("Exponent of height")),
            "tfce_e": self._number("tfce_e", self.tr("TFCE E"), self.tr("Exponent of extent")),
        }
        self._build()
        self._correction.chosen.connect(partial(self._take, "correction"))
        self._neighbours.chosen.connect(partial(self._take, "connectivity"))
        on_tick(self._one_sided, partial(self._take, "one_sided"))
        self.set_settings(self._settings)

    def _number(self, field: str, name: str, tip: str) -> NumberEdit:
        edit = NumberEdit(name, tip, NUMBERS[field])
        edit.changed.connect(partial(self._take, field))
        return edit

    def _build(self) -> None:
        numbers = self._numbers
        self._rows = form()
        self._rows.addRow(self.tr("Correction"), self._correction)
        self._rows.addRow(self.tr("Permutations"), numbers["permutations"])
        self._rows.addRow("", self._one_sided)
        self._advanced = Section(self.tr("Inference in detail"), is_open=False)
        self._details = form()
        self._details.addRow(self.tr("Seed"), numbers["seed"])
        self._details.addRow(self.tr("Cluster p"), numbers["cluster_p"])
        self._details.addRow(self.tr("Neighbours"), self._neighbours)
        self._details.addRow(self.tr("TFCE H"), numbers["tfce_h"])
        self._details.addRow(self.tr("TFCE E"), numbers["tfce_e"])
        self._advanced.body.addLayout(self._details)
        layout = column(self)
        layout.addLayout(self._rows)
        layout.addWidget(self._advanced)

    def forms(self) -> tuple[QFormLayout, ...]:
        """To align with others."""
        return self._rows, self._details

    def set_settings(self, settings: ModelSettings) -> None:
        """Show settings."""
        self._settings = settings
        self._correction.set_value(settings.correction)
        self._neighbours.set_value(settings.connectivity)
        self._one_sided.setChecked(settings.one_sided)
        for field, edit in self._numbers.items():
            edit.set_value(getattr(settings, field))
        self._show_rows()

    def _show_rows(self) -> None:
        """Only what the correction has a use for."""
        correction = self._settings.correction
        clusters, tfce = correction.startswith("cluster"), correction == "tfce"
        permuted = correction in PERMUTED
        self._rows.setRowVisible(self._numbers["permutations"], permuted)
        self._details.setRowVisible(self._numbers["seed"], permuted)
        self._details.setRowVisible(self._numbers["cluster_p"], clusters)
        self._details.setRowVisible(self._neighbours, clusters or tfce)
        self._details.setRowVisible(self._numbers["tfce_h"], tfce)
        self._details.setRowVisible(self._numbers["tfce_e"], tfce)
        self._advanced.setVisible(permuted)

    def _take(self, field: str, value: Any) -> None:
        value = round(value) if field in WHOLE else value
        self._settings = replace(self._settings, **{field: value})
        self._show_rows()
        self.changed.emit(self._settings)
