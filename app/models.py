"""The question that a model is: values so frozen that they can be compared, saved and asked again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from .study.rows import StudyRows

Correction = Literal["none", "fdr", "fwe", "cluster-extent", "cluster-mass", "tfce"]
TABLE = "table"  # the outcome is the formula's left side
COLUMN = "column:"  # before the name of a column of files

Connectivity = Literal[6, 18, 26]


class Inference(msgspec.Struct, frozen=True):
    """How a model's tests become p-values.

    Attributes
    ----------
    permutations : int
        0 for none; the unpermuted data count as one more.
    seed : int
        Of the generator: permutation k depends on (seed, k) alone.
    correction : str
        Over the elements of one test.
    cluster_p : float
        Uncorrected p that forms clusters, of as many sides as the tests have.
    connectivity : 6, 18 or 26
        Neighbours of a voxel: by faces, also edges, also corners.
    tfce_h, tfce_e : float
        Exponents of height and extent.
    one_sided : bool
        Tests of t look for positive effects only.
    across_tests : bool
        The largest statistic is taken over all tests, not over those of one.
    """

    permutations: int = 0
    seed: int = 1
    correction: Correction = "none"
    cluster_p: float = 0.001
    connectivity: Connectivity = 6
    tfce_h: float = 2.0
    tfce_e: float = 0.5
    one_sided: bool = False
    across_tests: bool = False


class Model(msgspec.Struct, frozen=True):
    """A linear model of many elements (voxels, vertices, regions) on the rows of a table.

    Attributes
    ----------
    data : str
        A 4D image or a table of regions, in the order of the table's rows; ``column:COL``, a column of files; or
        ``table``: the outcome is the formula's left side.
    table : str
        TSV or CSV, one row per scan.
    formula : str
        Such as ``~ group + age``; its left side names the outcome of ``table`` and is a label otherwise.
    contrasts : tuple of str
        ``NAME=weights`` or ``NAME=expression``; empty for one test of each column.
    terms : bool
        Test every term but the intercept, type III, with sum-to-zero coding.
    subject, within : str or None
        Columns: who, and which of the repeated measures.
    exchange, exchange_mode
        Column of exchangeability blocks; rows are exchanged within blocks, or whole blocks are.
    variance : str
        ``by-group`` lets the groups of the first factor differ in variance (Welch).
    voxelwise : tuple of (str, str)
        Covariates that have a value per element: name, and column of files.
    exclude : tuple of str
        Subjects left out.
    mask, region, atlas : str or None
        Where to look: a mask file, and a region of an atlas (small volume).
    surface : str or None
        The surface that data on vertices belong to; None for fsaverage5 or the one beside the data.
    study : StudyRows or None
        Where table and data come from instead; both are then empty.
    """

    data: str
    table: str
    formula: str
    contrasts: tuple[str, ...] = ()
    terms: bool = False
    subject: str | None = None
    within: str | None = None
    exchange: str | None = None
    exchange_mode: Literal["within", "whole"] = "within"
    variance: Literal["pooled", "by-group"] = "pooled"
    voxelwise: tuple[tuple[str, str], ...] = ()
    exclude: tuple[str, ...] = ()
    mask: str | None = None
    region: str | None = None
    atlas: str | None = None
    surface: str | None = None
    study: StudyRows | None = None

    @property
    def source(self) -> str:
        """Where its data come from, to be named in messages."""
        return self.data if self.study is None else Path(self.study.study).name
