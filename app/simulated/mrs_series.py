"""Glutamate over time in the simulated naltrexone-mrs study, as a fit of the spectra gives it, with its quality."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .mrs_people import SESSIONS, STUDY, Volunteer
from .settings import Settings

BIN_MIN = 5.0
TIMES_MIN = np.arange(-2, 6) * BIN_MIN + BIN_MIN / 2  # middle of each bin; ketamine begins at 0
LEVEL, LEVEL_SD, SESSION_SD = 0.95, 0.10, 0.035  # Glx/tNAA, between people, between sessions of a person
RISE, RISE_SD = 0.055, 0.02  # that ketamine makes after placebo, at effect 1
RISE_TIME_MIN = 8.0
ATTENUATION = {"F": 0.4, "M": 0.9}  # share of the rise that naltrexone takes
SECOND_PERIOD = 0.01  # at effect 1
LINEWIDTH_HZ, SNR = (4.5, 7.5), (30.0, 55.0)
BAD_SHARE, BAD_LINEWIDTH_HZ, BAD_SNR = 0.05, (13.0, 20.0), (8.0, 15.0)
CRLB_FACTOR = 40.0  # percent, times linewidth in Hz over SNR


def fitted(settings: Settings, person: Volunteer, session: str) -> pd.DataFrame:
    """What a fit of a session's spectra gives, a row per five minutes.

    Returns
    -------
    DataFrame
        ``time_min`` (middle of the bin; ketamine begins at 0), ``glx_tnaa`` (with an error of its Cramer-Rao bound),
        ``linewidth_hz``, ``snr``, ``crlb_glx_percent``, ``gm_fraction``.
    """
    rng = settings.rng(STUDY, person.name, session, "fit")
    n = len(TIMES_MIN)
    bad = rng.random(n) < BAD_SHARE
    linewidth = np.where(bad, rng.uniform(*BAD_LINEWIDTH_HZ, n), rng.uniform(*LINEWIDTH_HZ) * rng.uniform(0.9, 1.1, n))
    snr = np.where(bad, rng.uniform(*BAD_SNR, n), rng.uniform(*SNR) * rng.uniform(0.9, 1.1, n))
    crlb = CRLB_FACTOR * linewidth / snr
    truth = glx(settings, person, session)
    columns = {
        "time_min": TIMES_MIN,
        "glx_tnaa": np.maximum(truth * (1 + crlb / 100 * rng.standard_normal(n)), 0),
        "linewidth_hz": linewidth,
        "snr": snr,
        "crlb_glx_percent": crlb,
        "gm_fraction": np.full(n, np.clip(rng.normal(0.62, 0.05), 0.4, 0.8)),
    }
    return pd.DataFrame(columns).round({"time_min": 1, "glx_tnaa": 4, "linewidth_hz": 2, "snr": 1}).round(3)


def glx(settings: Settings, person: Volunteer, session: str) -> np.ndarray:
    """True Glx/tNAA in each bin, (bins,): level, and a rise under ketamine that naltrexone attenuates."""
    traits, own = settings.rng(STUDY, person.name, "glx"), settings.rng(STUDY, person.name, session, "glx")
    level = traits.normal(LEVEL, LEVEL_SD) + own.normal(0, SESSION_SD)
    level += settings.effect * SECOND_PERIOD * SESSIONS.index(session)
    rise = settings.effect * traits.normal(RISE, RISE_SD)
    kept = 1 - ATTENUATION[person.sex] if person.condition(session) == "naltrexone" else 1.0
    return np.maximum(level + kept * rise * (1 - np.exp(-np.maximum(TIMES_MIN, 0) / RISE_TIME_MIN)), 0)
