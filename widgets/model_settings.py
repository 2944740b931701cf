"""A linear model and its inference as the model panel takes and gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .numbers import NumberSpec

DataKind = Literal["file", "column", "table"]
PERMUTED = frozenset({"fwe", "cluster-extent", "cluster-mass", "tfce"})
"""Corrections that need permutations."""


@dataclass(frozen=True)
class ModelSettings:
    """What the form of a model shows.

    Attributes
    ----------
    table : str
        Path of the study's table.
    data : str
        ``file``: an image with a frame per row or a table of regions; ``column``: a column of files; ``table``: the
        outcome is the formula's left side.
    file, column : str
        Which.
    formula : str
    contrasts : tuple of str
        One test each; empty for one of each column.
    terms : bool
        Test terms, type III, instead.
    subject, within, exchange : str
        Columns of repeated measures and of exchangeability blocks; empty for none.
    exchange_whole, by_group, one_sided : bool
    voxelwise : str
        ``NAME = column`` of images, several separated by commas.
    exclude : str
        Subjects that are left out, separated by commas.
    mask, region, atlas : str
        Where to look: a file, and a region of an atlas.
    surface : str
        What data on vertices belong to; empty for fsaverage5 or the one beside the data.
    correction : str
    permutations, seed : int
    cluster_p : float
    connectivity : int
    tfce_h, tfce_e : float
    """

    table: str = ""
    data: DataKind = "file"
    file: str = ""
    column: str = ""
    formula: str = "~ 1"
    contrasts: tuple[str, ...] = ()
    terms: bool = False
    subject: str = ""
    within: str = ""
    exchange: str = ""
    exchange_whole: bool = False
    by_group: bool = False
    one_sided: bool = False
    voxelwise: str = ""
    exclude: str = ""
    mask: str = ""
    region: str = ""
    atlas: str = "aal2"
    surface: str = ""
    correction: str = "fwe"
    permutations: int = 5000
    seed: int = 1
    cluster_p: float = 0.001
    connectivity: int = 6
    tfce_h: float = 2.0
    tfce_e: float = 0.5

    @property
    def permuted(self) -> int:
        """Permutations that are asked for: none where the correction has no use for them."""
        return self.permutations if self.correction in PERMUTED else 0


NUMBERS = {
    "permutations": NumberSpec("", 1, 1_000_000, step=1000, whole=True),
    "seed": NumberSpec("", 0, 2**53, step=1, whole=True),
    "cluster_p": NumberSpec("", 1e-12, 0.4999),
    "tfce_h": NumberSpec("", 0.01, 99, step=0.5),
    "tfce_e": NumberSpec("", 0.01, 99, step=0.5),
}
"""What the number fields take."""
