"""Repetition times, frame times, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from habena.app.io.times import FrameTimes, Step, settle_times

BOLD = Path("sub-1_task-rest_bold.nii.gz")
PET = Path("sub-1_pet.nii.gz")


def codes(timing):
    return [finding.code for finding in timing.findings]


def bold(step: Step, sidecar=None, frames: int = 4):
    return settle_times(BOLD, frames, step, sidecar or {})


def test_frames_of_a_run_are_multiples_of_its_tr():
    timing = bold(Step(1.5, "s"))
    assert timing.tr_s == 1.5
    assert timing.times == FrameTimes((0, 1.5, 3, 4.5), (1.5,) * 4, "TR of header")
    assert timing.times.mid_s == (0.75, 2.25, 3.75, 5.25)
    assert codes(timing) == []


def test_units_of_time_are_honoured():
    assert bold(Step(1500.0, "ms")).tr_s == 1.5
    assert bold(Step(1.5e6, "us")).tr_s == 1.5


def test_a_single_frame_has_no_tr():
    assert settle_times(BOLD, 1, Step(2.0, "s"), {}) == (None, None, ())


def test_a_fourth_axis_that_is_not_time_has_no_times():
    timing = bold(Step(2.0, "none"))
    assert (timing.tr_s, timing.times, codes(timing)) == (None, None, [])


def test_a_missing_tr_is_taken_from_the_sidecar_and_flagged():
    timing = bold(Step(0.0, "s"), {"RepetitionTime": 2})
    assert (timing.tr_s, codes(timing)) == (2.0, ["tr-missing"])
    assert timing.times.source == "TR of sidecar"


def test_a_missing_tr_gives_no_time_axis():
    timing = bold(Step(0.0, "s"))
    assert (timing.tr_s, timing.times, codes(timing)) == (None, None, ["tr-missing"])


def test_one_without_a_unit_is_nibabels_default_not_a_tr():
    assert codes(bold(Step(1.0, "unknown"))) == ["tr-missing"]
    timing = bold(Step(2.5, "unknown"))
    assert (timing.tr_s, codes(timing)) == (2.5, ["units-missing"])


@pytest.mark.parametrize("step", [Step(2000.0, "s"), Step(2.0, "ms"), Step(1e-4, "s")])
def test_an_absurd_tr_is_flagged_and_makes_no_axis(step):
    timing = bold(step)
    assert timing.times is None
    assert codes(timing) == ["tr-absurd"]


def test_milliseconds_stored_as_seconds_are_named():
    assert "milliseconds" in bold(Step(2000.0, "s")).findings[0].message


def test_an_absurd_tr_is_replaced_by_the_sidecars():
    timing = bold(Step(2000.0, "s"), {"RepetitionTime": 2.0})
    assert (timing.tr_s, codes(timing)) == (2.0, ["tr-sidecar", "tr-absurd"])


def test_a_sidecar_that_contradicts_the_header():
    timing = bold(Step(1.79355, "s"), {"RepetitionTime": 2.0})
    assert (timing.tr_s, codes(timing)) == (1.79355, ["tr-sidecar"])
    assert timing.findings[0].value == 2.0


def test_rounding_in_header_or_sidecar_is_no_contradiction():
    assert codes(bold(Step(1.7935483, "s"), {"RepetitionTime": 1.79355})) == []


def test_an_excitation_interval_longer_than_the_tr_is_impossible():
    timing = bold(Step(1.7935483, "s"), {"RepetitionTime": 1.79355, "RepetitionTimeExcitation": 2})
    assert codes(timing) == ["tr-sidecar"]
    assert timing.findings[0].value == 2


def test_an_excitation_interval_shorter_than_the_tr_is_a_3d_sequence():
    assert codes(bold(Step(2.0, "s"), {"RepetitionTime": 2.0, "RepetitionTimeExcitation": 0.05})) == []


def test_frame_times_of_a_pet_sidecar():
    sidecar = {"FrameTimesStart": [0, 60, 180], "FrameDuration": [60, 120, 300]}
    timing = settle_times(PET, 3, Step(1.0, "s"), sidecar)
    assert timing.times == FrameTimes((0, 60, 180), (60, 120, 300), "sidecar FrameTimesStart")
    assert codes(timing) == []


def test_a_static_pet_scan_keeps_its_frame_time():
    timing = settle_times(PET, 1, Step(), {"FrameTimesStart": 2400, "FrameDuration": 1200})
    assert timing.times.mid_s == (3000,)


@pytest.mark.parametrize(
    ("starts", "durations", "words"),
    [
        ([0, 60], [60, 120, 300], "2 starts and 3 durations for 3 frames"),
        ([0, 60, 180], [60, 120], "3 starts and 2 durations"),
        ([0, 60, 180], None, "0 durations"),
        ([0, 60, 180], [60, 0, 300], "not above 0"),
        ([0, 60, 50], [60, 10, 10], "out of order"),
        ([0, 30, 180], [60, 120, 300], "overlap"),
        ([0, "60", 180], [60, 120, 300], "0 starts"),
        ([0, 60, 1e12], [60, 120, 300], "not finite"),
    ],
)
def test_frame_times_that_do_not_fit_give_no_axis_and_the_reason(starts, durations, words):
    timing = settle_times(PET, 3, Step(1.0, "s"), {"FrameTimesStart": starts, "FrameDuration": durations})
    assert timing.times is None
    (finding,) = timing.findings
    assert finding.code == "frame-times"
    assert words in finding.message


@pytest.mark.parametrize(("path", "sidecar"), [(PET, {}), (BOLD, {"Modality": "PT"}), (BOLD, {"TracerName": "K-2"})])
def test_dynamic_pet_never_gets_an_axis_from_a_tr(path, sidecar):
    timing = settle_times(path, 3, Step(1.0, "s"), sidecar)
    assert timing.times is None
    assert codes(timing) == ["frame-times-missing"]


def test_times_in_the_header_are_used():
    stored = FrameTimes((0, 10), (10, 20), "ECAT frame headers")
    assert settle_times(Path("x.v"), 2, Step(), {}, stored).times is stored


def test_sparse_bold_by_volume_timing():
    timing = settle_times(BOLD, 3, Step(0.0, "s"), {"VolumeTiming": [0, 2, 7]})
    assert timing.times == FrameTimes((0, 2, 7), (2, 5, 5), "sidecar VolumeTiming")
    given = settle_times(BOLD, 3, Step(0.0, "s"), {"VolumeTiming": [0, 2, 7], "FrameAcquisitionDuration": 1.5})
    assert given.times.duration_s == (1.5, 1.5, 1.5)
