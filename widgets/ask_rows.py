"""What the fields of a question are called, and what they mean."""

from __future__ import annotations

from collections.abc import Callable

from .ask_settings import Rows

Translate = Callable[[str], str]


def question_rows(tr: Translate) -> Rows:
    """Fields of the question itself."""
    return Rows(
        choices={
            "score": (tr("Score"), tr("Improvement is the first less the last: larger is better")),
            "arm": (tr("Arms"), tr("All together, whether they differ, or one of them")),
            "first": (tr("Session"), tr("The scan that is asked about, or the first of two")),
            "last": (tr("and"), tr("The second of two scans, less the first")),
            "measure": (tr("Measure"), tr("What the maps hold")),
            "voxelwise": (
                tr("Voxelwise"),
                tr("Maps whose value at each voxel is a covariate; its name is written in the formula"),
            ),
            "atlas": (tr("Atlas"), tr("Whose regions are the nodes of graphs")),
            "density": (tr("Density"), tr("Share of edges that are kept, or the area under the curve")),
            "edges": (tr("Edges"), tr("Which correlations are edges")),
        },
        numbers={
            "first_p": (tr("p of groups"), tr("Uncorrected, two-sided; forms the mask of the groups")),
            "second_p": (tr("p of change"), tr("Uncorrected, two-sided; forms the mask of the change")),
            "linewidth_hz": (tr("Linewidth ≤"), tr("Spectra with wider lines are left out")),
            "snr": (tr("SNR ≥"), tr("Spectra with a lower ratio of signal to noise are left out")),
            "crlb_percent": (tr("CRLB ≤"), tr("Fits with a larger lower bound of Cramér and Rao are left out")),
            "gm_fraction": (tr("Grey matter ≥"), tr("Share of grey matter in the voxel")),
        },
        checks={
            "percent": (tr("Change in percent"), tr("Of the first scan, instead of the difference")),
            "baseline": (tr("Adjust for the first scan"), tr("ANCOVA: the last scan, adjusted for the first")),
            "by_group": (tr("Variance by group"), tr("Groups may differ in variance (Welch)")),
        },
    )


def choice_rows(tr: Translate) -> Rows:
    """Fields of the images that it is asked of."""
    return Rows(
        choices={
            "reference": (tr("Reference"), tr("Region of PET that values are divided by")),
            "scaling": (tr("Scaling"), tr("Whether each map is divided by its mean within the mask")),
            "strategy": (tr("Confounds"), tr("What is taken out of runs, from fMRIPrep's tables")),
        },
        numbers={
            "from_min": (tr("Frames from"), tr("Dynamic PET is averaged from here on, minutes after injection")),
            "to_min": (tr("Frames to"), tr("Dynamic PET is averaged up to here, minutes after injection")),
            "fwhm_mm": (tr("Smoothing"), tr("Gaussian, full width at half maximum")),
        },
        lines={
            "exclude": (tr("Leave out"), tr("People who are left out, separated by commas")),
            "within": (tr("Region"), tr("Search only within a region of an atlas: a small volume")),
        },
    )
