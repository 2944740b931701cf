"""The loop of the program, without a window."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from habena.app import session as loop
from habena.app.answers import MaskImage
from habena.app.compute import answer_to
from habena.app.grid import Grid
from habena.app.recipes import CrosshairSeed, Drawing, FileMap, SeedCorrelation, Stroke
from habena.app.results import Results
from habena.app.session import Session
from habena.app.state import Overlay, ViewState
from pytestqt.qtbot import QtBot

LEFT_MM = (-33.0, -33.0, 3.0)


def test_a_defect_in_one_live_answer_fails_its_layer_alone(
    qtbot: QtBot, small_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = loop.compute

    def defective(question: object, *rest: object) -> object:
        if isinstance(question, Drawing):
            raise RuntimeError("a defect")
        return compute(question, *rest)

    monkeypatch.setattr(loop, "compute", defective)
    run = FileMap(str(small_run(volumes=20)))
    seed = SeedCorrelation(run, CrosshairSeed())
    layers = (Overlay(1, run, "run"), Overlay(2, seed, "seed"), Overlay(3, Drawing(run), "mask"))
    session = Session(ViewState(crosshair_mm=LEFT_MM, overlays=layers, layout="ortho"))
    with qtbot.capture_exceptions() as raised:
        qtbot.waitUntil(lambda: session.answer(seed) is not None and bool(raised))
    assert [str(error) for _, error, _ in raised] == ["a defect"]
    assert session.failure(Drawing(run)) is not None
    assert not session.waits_for_live
    session.close()


def test_what_is_on_its_way_is_not_computed_twice(
    qtbot: QtBot, small_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = loop.compute
    computed: list[SeedCorrelation] = []
    allowed = threading.Semaphore(1)

    def in_steps(question: object, *rest: object) -> object:
        if isinstance(question, SeedCorrelation):
            computed.append(question)
            allowed.acquire()
        return compute(question, *rest)

    monkeypatch.setattr(loop, "compute", in_steps)
    run = FileMap(str(small_run(volumes=20)))
    seed = SeedCorrelation(run, CrosshairSeed())
    layers = (Overlay(1, run, "run"), Overlay(2, seed, "seed"))
    session = Session(ViewState(crosshair_mm=LEFT_MM, overlays=layers, layout="ortho"))
    qtbot.waitUntil(lambda: session.answer(seed) is not None)
    session.move_crosshair((-27.0, -33.0, 3.0))
    qtbot.waitUntil(lambda: len(computed) == 2)
    session.move_crosshair((-21.0, -33.0, 3.0))  # waits for the one under way
    with qtbot.waitSignal(session.changed):
        allowed.release()
    qtbot.waitUntil(lambda: len(computed) == 3)  # and is under way itself
    allowed.release(2)
    qtbot.waitUntil(lambda: session.jobs.idle() and not session.waits_for_live)
    assert session.answer(seed) is not None
    assert len(computed) == 3
    session.close()


def test_a_mask_takes_a_bit_a_voxel_and_gives_its_values_back() -> None:
    grid = Grid((5, 3, 2), np.diag([1.0, 2.0, 3.0, 1.0]))  # 30 voxels: no whole number of bytes
    mask = np.zeros(grid.shape, bool)
    mask[4, 0, 1] = mask[0, 2, 0] = mask[1, 1, 1] = True
    image = MaskImage(grid, mask)
    assert image.nbytes == 4
    assert image.n_inside == 3
    np.testing.assert_array_equal(image.inside(), mask)
    np.testing.assert_array_equal(image.frame(0), mask.astype(np.float32))
    assert image.frame(0).flags.f_contiguous
    for ijk in np.ndindex(grid.shape):
        assert image.series(ijk).tolist() == [float(mask[ijk])]
    held = image.frame(0)
    assert image.frame(0) is held  # the same object while somebody holds it, so that pictures know it


def test_a_drawing_is_a_mask_made_from_the_one_before(small_run: Callable[..., Path]) -> None:
    run = FileMap(str(small_run(volumes=5)))
    drawing = Drawing(run, (Stroke((LEFT_MM,), 9.0), Stroke((LEFT_MM,), 3.0, erase=True)))
    answer = answer_to(drawing, Results(1 << 30))
    assert isinstance(answer.image, MaskImage)
    away = np.linalg.norm(
        answer.image.grid.mm_of(np.moveaxis(np.indices(answer.image.grid.shape), 0, -1)) - LEFT_MM, axis=-1
    )
    np.testing.assert_array_equal(answer.image.inside(), (away <= 9.0) & (away > 3.0))
