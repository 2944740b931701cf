"""Images and numbers of a study as the rows of a model."""

from __future__ import annotations

from typing import Literal

import msgspec

from .values import Choices

Measure = Literal["pet", "degree", "clustering", "map", "regions"]
Per = Literal["scan", "person", "difference", "percent"]


class StudyRows(msgspec.Struct, frozen=True):
    """Images and numbers of a study as the rows of a model: a question that is answered by files in the cache.

    The table has a row per person (``person``, ``difference``, ``percent``) or per scan (``scan``), with
    ``participant_id``, all columns of participants and sessions, ``<score>_<session>`` (session without ``ses-``; per
    scan also ``<score>``), ``<score>_improvement`` (first session less second) and, for runs, ``fd_mean`` and
    ``mean_connectivity`` (their differences where rows are differences), and ``map``, the path of the prepared image.
    With `metrics`, a second table of the same rows has a column per region and metric instead of images.

    Attributes
    ----------
    study : str
        Folder.
    measure : str
        ``pet`` is the ratio to the reference region; ``degree`` and ``clustering`` are voxelwise maps of runs;
        ``map`` is the column of a plain table, or a map that the study gives; ``regions`` are graph metrics of regions.
    choices : Choices
    per : str
        What a row is: a scan; a person, of the first of `sessions`; second less first of them; or that in percent.
    sessions : tuple of str
        ``ses-pre``, ``ses-post``; empty for all (per scan) or for the study's first and last with scans.
    metrics : tuple of str
        Of regions: ``degree``, ``clustering``, ...; areas under the curve where there are several `densities`.
    densities : tuple of float
    column : str
        Of a plain table's images.
    where : tuple of (str, str)
        Only people with these values, such as ``("group", "TRD")``.
    beside : tuple of (str, StudyRows)
        Images of other measures of the same people as voxelwise covariates: name, and which.
    """

    study: str
    measure: Measure = "pet"
    choices: Choices = Choices()
    per: Per = "person"
    sessions: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    densities: tuple[float, ...] = ()
    column: str = ""
    where: tuple[tuple[str, str], ...] = ()
    beside: tuple[tuple[str, StudyRows], ...] = ()
