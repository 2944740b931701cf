"""Traps of regions: chosen by the outcome they are then tested on, or too small for the scanner."""

from __future__ import annotations

from typing import NamedTuple

from scipy.special import beta
from scipy.stats import t as student

from .errors import CannotCompute
from .partial_volume import PartialVolume
from .traps import Trap, Traps

SAME_AS_RING = 0.5


class Small(NamedTuple):
    """Correlations of few scans.

    Attributes
    ----------
    n : int
        Scans.
    n_covariates : int
    p : float
        Threshold, one-sided.
    """

    n: int
    n_covariates: int = 0
    p: float = 0.001

    @property
    def df(self) -> int:
        """Degrees of freedom of a (partial) correlation.

        Raises
        ------
        CannotCompute
            When none is left, or p is no threshold.
        """
        if self.n - 2 - self.n_covariates < 1:
            raise CannotCompute(f"{self.n} scans with {self.n_covariates} covariates leave none", "use more scans")
        if not 0 < self.p < 0.5:
            raise CannotCompute(f"p < {self.p:g} is no one-sided threshold", "give one between 0 and .5")
        return self.n - 2 - self.n_covariates


def critical_r(sample: Small) -> float:
    """Least (partial) correlation beyond a one-sided threshold."""
    critical = float(student.isf(sample.p, sample.df))
    return critical / (critical**2 + sample.df) ** 0.5


def selected_null_r(sample: Small) -> float:
    """Mean correlation, in data without any, of the voxels that pass a one-sided threshold.

    In closed form: the density of r is proportional to (1 - r^2)^((df - 2) / 2) with df degrees of freedom.
    """
    left = 1 - critical_r(sample) ** 2
    area = float(beta(0.5, sample.df / 2))
    return left ** (sample.df / 2) / sample.df / area / sample.p


def circular_region(region: str, sample: Small) -> Traps:
    """A region drawn from a map of the same outcome that it is now read out for.

    Kriegeskorte et al. 2009, doi 10.1038/nn.2303.
    """
    r = selected_null_r(sample)
    message = (
        f"{region} was chosen by a map of this same outcome: of {sample.n} scans without any effect, voxels at "
        f"p < {sample.p:g} correlate at {r:.2f} on average. Descriptive only; use leave-one-out, or another region."
    )
    return (Trap("circular-region", region, r, message),)


def small_region(region: str, seen: PartialVolume, fwhm_mm: float) -> Traps:
    """A region that the blur fills with what lies around it."""
    if not seen.small:
        return ()
    message = (
        f"{region} ({seen.volume_mm3:.0f} mm³) at {fwhm_mm:g} mm FWHM keeps {seen.recovery:.0%} of its own signal; "
        f"{seen.spill_in_percent:.0f} % of its mean spills in where all around is as active. Compare the ring round it."
    )
    return (Trap("partial-volume", region, seen.recovery, message),)


def ring_control(region: str, effect: float, effect_in_ring: float) -> Traps:
    """An effect that the ring round a region has too, of the same sign and at least half as strong."""
    if not effect or not effect_in_ring / effect >= SAME_AS_RING:
        return ()
    share = effect_in_ring / effect
    message = (
        f"The ring round {region} has {share:.0%} of its effect ({effect_in_ring:.3g} beside {effect:.3g}): "
        "the effect is not the region's alone."
    )
    return (Trap("ring-control", region, share, message),)
