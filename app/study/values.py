"""A study as it was read: people, sessions, scores and scans. Nothing here reads or computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from ..preparation import Preparation
from ..problems import Finding

if TYPE_CHECKING:
    import pandas as pd

ScanKind = Literal["pet", "suvr", "bold", "mrs", "anat", "map"]
PERSON, SESSION = "participant_id", "session_id"  # columns, as BIDS names them


class Scan(msgspec.Struct, frozen=True):
    """One image of one person.

    Attributes
    ----------
    participant : str
        As in ``participants.tsv``: ``sub-01``.
    session : str or None
        ``ses-pre``; None where a study has no sessions.
    kind : str
        ``pet`` is radioactivity, ``suvr`` a ratio that was given, ``map`` any other image of a table's column.
    path : Path
    space : str or None
        Template, ``native`` for a person's own space; None where nothing says.
    entities : tuple of (str, str)
        The other parts of its BIDS name, in order.
    confounds, mask, transform, fits : Path or None
        What lies beside it: a run's confounds, a brain mask, the transform from native to the template, a table of
        fitted spectra.
    column : str
        Of a plain table, else empty.
    shape : tuple of int
        Voxels along each axis, and frames; empty where there is no image, as of spectra of which only fits are left.
    affine : tuple of tuple of float
        First three rows of the affine that counts, mm.
    """

    participant: str
    session: str | None
    kind: ScanKind
    path: Path
    space: str | None = None
    entities: tuple[tuple[str, str], ...] = ()
    confounds: Path | None = None
    mask: Path | None = None
    transform: Path | None = None
    fits: Path | None = None
    column: str = ""
    shape: tuple[int, ...] = ()
    affine: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, eq=False)
class Study:
    """A folder of patients, read.

    Attributes
    ----------
    folder : Path
        Or the file of a plain table.
    name : str
    simulated : bool
        Nobody was scanned.
    participants : DataFrame
        One row per person; ``participant_id`` and whatever else ``participants.tsv`` has (``group``, ``arm``, ``age``).
    sessions : DataFrame
        One row per person and session; ``participant_id``, ``session_id``, and columns such as ``day``, ``period``,
        ``condition``.
    scores : mapping of str to DataFrame
        By instrument (``madrs``): ``participant_id``, ``session_id``, further keys such as ``day``, and columns of
        numbers. A cell that should be a number and is not is missing and among the findings.
    scans : tuple of Scan
    descriptions : mapping of str to str
        Columns in words, with units, from the sidecars.
    findings : tuple of Finding
        What is missing, doubled or contradictory: who, which file, why.
    visits : tuple of str
        Sessions in order of time, with those at which only scores were taken.
    """

    folder: Path
    name: str
    simulated: bool
    participants: pd.DataFrame
    sessions: pd.DataFrame
    scores: Mapping[str, pd.DataFrame]
    scans: tuple[Scan, ...]
    descriptions: Mapping[str, str] = field(default_factory=dict[str, str])
    findings: tuple[Finding, ...] = ()
    visits: tuple[str, ...] = ()

    def scans_of(self, *, kind: str | None = None, participant: str | None = None) -> tuple[Scan, ...]:
        """Scans of a kind or a person, in order of people and sessions."""
        return tuple(
            scan
            for scan in self.scans
            if (kind is None or scan.kind == kind) and (participant is None or scan.participant == participant)
        )


class Choices(msgspec.Struct, frozen=True):
    """What a study's analyses have in common; kept with it.

    Attributes
    ----------
    grid : str or None
        File whose grid all maps are brought to; None for the grid that most scans have.
    fwhm_mm : float
        Smoothing of PET maps; 0 for none. That of runs is in the preparation.
    mask : str or None
        Where to look; None for the voxels that all scans have, within the brain of the template where that is known.
    reference : str or None
        Region of PET that values are divided by: ``white matter``, ``cerebellum``, ``whole brain``, another region, or
        a mask file; None for what the study suggests.
    window_min : (float, float) or None
        Frames of dynamic PET that are averaged, minutes; None for all frames of a static scan.
    scaling : "none" or "global mean"
        Whether maps are divided by their mean within the mask.
    preparation : Preparation
        Of runs; ``confounds`` stays None, each run has its own table.
    strategy : str
        Name of a confound strategy of fMRIPrep columns, or empty for ``preparation.columns``.
    atlas : str
        Whose regions graphs and tables are of.
    density : float or None
        Share of edges kept; None when `r` is given.
    r : float or None
        Threshold instead.
    edges : "positive", "absolute" or "signed"
    weighted : bool
    """

    grid: str | None = None
    fwhm_mm: float = 0.0
    mask: str | None = None
    reference: str | None = None
    window_min: tuple[float, float] | None = None
    scaling: Literal["none", "global mean"] = "none"
    preparation: Preparation = Preparation()
    strategy: str = ""
    atlas: str = "aal2"
    density: float | None = 0.15
    r: float | None = None
    edges: Literal["positive", "absolute", "signed"] = "positive"
    weighted: bool = False
