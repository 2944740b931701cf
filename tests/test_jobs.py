"""Work off the interface thread: what is replaced, cancelled and told, and that no thread is left behind."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from habena.app.jobs import Jobs, Report
from habena.app.problems import Problem
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

PATIENCE_S = 10.0


@dataclass
class Gate:
    """Work that says when it begins and goes on until it is let through, reporting meanwhile if it is told to."""

    result: object = None
    reports: bool = True
    reached_its_end: bool = False
    began: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def work(self, report: Report) -> object:
        self.began.set()
        try:
            while not self.opened.wait(0.005):
                if self.reports:
                    report(0.5)
            if isinstance(self.result, Exception):
                raise self.result
            self.reached_its_end = True
            return self.result
        finally:
            self.ended.set()

    def wait_until_running(self) -> None:
        assert self.began.wait(PATIENCE_S), "the work never began"

    def finish(self) -> None:
        """Let it through, and wait until its thread has left it; the interface thread has not heard of it then."""
        self.opened.set()
        assert self.ended.wait(PATIENCE_S), "the work never ended"


@dataclass
class Heard:
    """What a window would hear, in order."""

    ends: list[tuple[str, object, object]] = field(default_factory=list)
    progress: list[tuple[object, str, float]] = field(default_factory=list)

    def of(self, key: object) -> list[tuple[str, object]]:
        return [(what, value) for what, told_key, value in self.ends if told_key == key]


@pytest.fixture
def jobs(qtbot: QtBot, no_leftovers: None) -> Iterator[Jobs]:
    jobs = Jobs()
    yield jobs
    jobs.close()
    jobs.deleteLater()


@pytest.fixture
def heard(jobs: Jobs) -> Heard:
    heard = Heard()
    jobs.finished.connect(lambda key, result: heard.ends.append(("finished", key, result)))
    jobs.failed.connect(lambda key, error: heard.ends.append(("failed", key, error)))
    jobs.cancelled.connect(lambda key: heard.ends.append(("cancelled", key, None)))
    jobs.progressed.connect(lambda key, title, share: heard.progress.append((key, title, share)))
    return heard


@pytest.fixture
def settle(qtbot: QtBot, jobs: Jobs) -> Callable[[], None]:
    """Wait until nothing is to be done or told any more."""

    def wait() -> None:
        qtbot.waitUntil(jobs.idle)
        QApplication.processEvents()

    return wait


def test_a_result_comes_to_the_interface_thread_with_its_key(jobs, qtbot):
    threads: list[QThread] = []
    results: list[tuple[object, object]] = []
    jobs.finished.connect(lambda key, result: (threads.append(QThread.currentThread()), results.append((key, result))))
    jobs.long(("open", "a.nii"), "Opening a.nii", lambda _: threading.current_thread().name)
    qtbot.waitUntil(lambda: bool(results))
    assert threads == [QApplication.instance().thread()]
    ((key, worker),) = results
    assert key == ("open", "a.nii")
    assert str(worker).startswith("habena-long")


def test_progress_is_told_with_the_title_and_live_work_tells_none(jobs, heard, settle):
    jobs.long("a", "Opening a.nii", lambda report: [report(0.25), report(0.75)] and "done")
    jobs.live("b", lambda report: report(0.5))
    settle()
    assert {key for key, _, _ in heard.progress} == {"a"}
    assert {title for _, title, _ in heard.progress} == {"Opening a.nii"}
    shares = [share for _, _, share in heard.progress]
    assert shares == sorted(shares)
    assert {0.0, 0.25, 0.75, 1.0} == set(shares)
    assert heard.of("a") == [("finished", "done")]


def test_an_error_reaches_the_window_and_later_work_goes_on(jobs, heard, settle):
    problem = Problem("a.nii", "is empty", "copy it again")
    for submit in (lambda key, work: jobs.long(key, "Opening", work), jobs.live):
        for error in (problem, ZeroDivisionError("a defect"), MemoryError()):
            gate = Gate(error)
            gate.opened.set()
            submit("bad", gate.work)
            submit("good", lambda _: 1)
            settle()
            assert heard.of("bad") == [("failed", error)]
            assert heard.of("good") == [("finished", 1)]
            heard.ends.clear()


def test_two_long_jobs_run_at_once_and_a_third_waits(jobs, heard, settle):
    first, second, third = Gate(1), Gate(2), Gate(3)
    for key, gate in (("first", first), ("second", second), ("third", third)):
        jobs.long(key, key, gate.work)
    first.wait_until_running()
    second.wait_until_running()
    assert not third.began.is_set()
    assert ("third", "third", 0.0) in heard.progress, "what waits is not seen"
    second.opened.set()
    third.wait_until_running()
    assert not first.ended.is_set()
    for gate in (first, third):
        gate.opened.set()
    settle()
    assert {(what, key, value) for what, key, value in heard.ends} == {
        ("finished", "first", 1),
        ("finished", "second", 2),
        ("finished", "third", 3),
    }


def test_long_work_does_not_keep_live_work_waiting(jobs, heard, qtbot, settle):
    gates = [Gate(), Gate()]
    for number, gate in enumerate(gates):
        jobs.long(number, "long", gate.work)
        gate.wait_until_running()
    jobs.live("map", lambda _: "map")
    qtbot.waitUntil(lambda: heard.of("map") == [("finished", "map")])
    for gate in gates:
        gate.opened.set()
    settle()


# Replacing


def test_a_long_job_that_is_replaced_while_it_runs_stops_and_only_the_newest_is_heard_of(jobs, heard, settle):
    older, newest = Gate("older"), Gate("newest")
    jobs.long("run", "older", older.work)
    older.wait_until_running()
    jobs.long("run", "newest", newest.work)
    assert older.ended.wait(PATIENCE_S), "the older one was not interrupted"
    newest.opened.set()
    settle()
    assert heard.ends == [("finished", "run", "newest")]


def test_of_many_jobs_that_wait_under_one_key_only_the_newest_begins(jobs, heard, settle):
    running = Gate("first", reports=False)
    waiting = [Gate(number) for number in range(5)]
    jobs.long("run", "first", running.work)
    running.wait_until_running()
    for gate in waiting:
        gate.opened.set()
        jobs.long("run", "waits", gate.work)
    running.opened.set()
    settle()
    assert heard.ends == [("finished", "run", 4)]
    assert [gate.began.is_set() for gate in waiting] == [False, False, False, False, True]


def test_one_key_never_runs_twice_at_once(jobs, heard, settle):
    older, newest = Gate("older", reports=False), Gate("newest")
    other = Gate("other")
    jobs.long("run", "older", older.work)
    older.wait_until_running()
    jobs.long("run", "newest", newest.work)
    jobs.long("other", "other", other.work)
    other.wait_until_running()  # the free thread passes over the key that runs
    assert not newest.began.is_set()
    for gate in (older, newest, other):
        gate.opened.set()
    settle()
    assert heard.of("run") == [("finished", "newest")]


def test_a_job_that_had_ended_before_it_was_replaced_is_not_heard_of(jobs, heard, settle):
    older = Gate("older")
    jobs.long("run", "older", older.work)
    older.finish()
    jobs.long("run", "newest", lambda _: "newest")
    settle()
    assert heard.ends == [("finished", "run", "newest")]


def test_an_error_of_a_replaced_job_is_not_heard_of(jobs, heard, settle):
    older = Gate(Problem("a.nii", "was closed", "open it again"), reports=False)
    jobs.long("run", "older", older.work)
    older.wait_until_running()
    jobs.long("run", "newest", lambda _: "newest")
    older.opened.set()
    settle()
    assert heard.ends == [("finished", "run", "newest")]


def test_live_work_that_runs_is_never_interrupted_and_shows_before_the_newest(jobs, heard, settle):
    first = Gate("first")
    jobs.live("map", first.work)
    first.wait_until_running()
    for number in range(10):
        jobs.live("map", lambda _, number=number: number)
    assert not first.ended.is_set()
    first.opened.set()
    settle()
    assert heard.of("map") == [("finished", "first"), ("finished", 9)]


# Cancelling


def test_cancelling_a_waiting_job_says_so_at_once_and_it_never_begins(jobs, heard, settle):
    gates = [Gate(), Gate()]
    for number, gate in enumerate(gates):
        jobs.long(number, "long", gate.work)
        gate.wait_until_running()
    waiting = Gate()
    jobs.long("waiting", "waits", waiting.work)
    jobs.cancel("waiting")
    assert heard.ends == [("cancelled", "waiting", None)]
    assert not jobs.busy("waiting")
    for gate in gates:
        gate.opened.set()
    settle()
    assert not waiting.began.is_set()
    assert len(heard.of("waiting")) == 1


def test_cancelling_a_running_job_stops_it_and_says_so_once(jobs, heard, settle):
    gate = Gate("result")
    jobs.long("run", "Preparing", gate.work)
    gate.wait_until_running()
    jobs.cancel("run")
    jobs.cancel("run")
    settle()
    assert gate.ended.is_set()
    assert heard.ends == [("cancelled", "run", None)]


def test_the_result_of_work_that_does_not_notice_its_cancelling_is_dropped(jobs, heard, settle):
    gate = Gate("result", reports=False)
    jobs.long("run", "Preparing", gate.work)
    gate.wait_until_running()
    jobs.cancel("run")
    gate.opened.set()
    settle()
    assert heard.ends == [("cancelled", "run", None)]


def test_a_job_that_is_cancelled_stays_busy_until_that_is_heard_of(jobs, heard, settle):
    """Else a window that asks for what it misses would begin anew what its user has just stopped."""
    gate = Gate(reports=False)
    jobs.long("run", "Preparing", gate.work)
    gate.wait_until_running()
    jobs.cancel("run")
    assert jobs.busy("run")
    gate.finish()
    assert jobs.busy("run")
    settle()
    assert not jobs.busy("run")


def test_cancelling_a_replacement_leaves_nothing_under_way_and_no_progress_on_show(jobs, heard, settle):
    older, newest = Gate(reports=True), Gate()
    jobs.long("run", "older", older.work)
    older.wait_until_running()
    jobs.long("run", "newest", newest.work)
    jobs.cancel("run")
    told = len(heard.progress)
    settle()
    assert heard.of("run")[-1] == ("cancelled", None)
    assert len(heard.of("run")) == 1
    assert len(heard.progress) == told, "progress was shown after the end"


def test_a_cancelled_key_can_be_asked_for_again(jobs, heard, settle):
    gate = Gate()
    jobs.long("run", "Preparing", gate.work)
    gate.wait_until_running()
    jobs.cancel("run")
    settle()
    jobs.long("run", "Preparing", lambda _: "again")
    settle()
    assert heard.ends == [("cancelled", "run", None), ("finished", "run", "again")]


def test_cancelling_what_is_not_there_says_nothing(jobs, heard, settle):
    jobs.cancel("nothing")
    settle()
    assert heard.ends == []


# State and end


def test_a_job_is_busy_until_the_window_has_heard_of_its_end(jobs, heard, settle):
    assert jobs.idle()
    gate = Gate("result")
    jobs.long("run", "Preparing", gate.work)
    gate.finish()
    assert jobs.busy("run")
    assert not jobs.idle()
    settle()
    assert not jobs.busy("run")
    assert not jobs.busy("other")
    assert jobs.idle()


def test_work_may_be_asked_for_by_those_who_hear_of_an_end(jobs, heard, settle):
    jobs.finished.connect(lambda key, number: jobs.long(key, "next", lambda _: number + 1) if number < 5 else None)
    jobs.long("run", "first", lambda _: 1)
    settle()
    assert [value for _, value in heard.of("run")] == [1, 2, 3, 4, 5]


def test_closing_stops_running_work_waits_for_it_and_drops_what_waits(qtbot, no_leftovers):
    jobs = Jobs()
    heard: list[object] = []
    for signal in (jobs.finished, jobs.failed, jobs.cancelled):
        signal.connect(lambda *told: heard.append(told))
    running, live = [Gate(), Gate()], Gate(reports=True)
    waiting = Gate()
    for number, gate in enumerate(running):
        jobs.long(number, "long", gate.work)
        gate.wait_until_running()
    jobs.live("map", live.work)
    live.wait_until_running()
    jobs.long("waiting", "waits", waiting.work)
    jobs.close()
    assert all(gate.ended.is_set() for gate in (*running, live))
    assert not waiting.began.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("habena-live", "habena-long"))]
    QApplication.processEvents()
    assert heard == []
    jobs.deleteLater()


def test_closing_waits_for_work_that_outlives_it_running_or_not_yet_begun(qtbot, no_leftovers):
    jobs = Jobs()
    running, other, waiting, cancelled = Gate(), Gate(), Gate(), Gate()
    jobs.long("running", "Saving", running.work, outlives=True)
    jobs.long("other", "Opening", other.work)
    for gate in (running, other):
        gate.wait_until_running()
    jobs.long("waiting", "Saving", waiting.work, outlives=True)
    jobs.long("cancelled", "Saving", cancelled.work, outlives=True)
    jobs.cancel("cancelled")
    hand = threading.Thread(target=lambda: (other.ended.wait(PATIENCE_S), running.opened.set(), waiting.opened.set()))
    hand.start()
    jobs.close()
    hand.join()
    assert running.reached_its_end
    assert waiting.reached_its_end
    assert not other.reached_its_end
    assert not cancelled.began.is_set()
    jobs.deleteLater()


def test_results_are_let_go_of_once_they_are_told(jobs, heard, settle):
    class Large:
        pass

    kept: list[weakref.ref[Large]] = []

    def make(_: Report) -> Large:
        large = Large()
        kept.append(weakref.ref(large))
        return large

    jobs.long("run", "Making", make)
    jobs.live("map", make)
    settle()
    heard.ends.clear()
    jobs.long("other", "wakes the threads", lambda _: None)
    jobs.live("other", lambda _: None)
    settle()
    heard.ends.clear()
    assert [reference() for reference in kept] == [None, None]


def test_every_key_of_a_storm_ends_exactly_once(jobs, heard, settle):
    """Many keys, asked for, replaced and cancelled in turn: each key's last word fits what was done to it last."""
    for turn in range(300):
        key = turn % 7
        jobs.long(key, f"job {key}", lambda report, turn=turn: [report(n / 9) for n in range(9)] and turn)
        if turn % 5 == 0:
            jobs.cancel(key)
        if turn % 11 == 0:
            QApplication.processEvents()
    settle()
    for key in range(7):
        last_turn = max(turn for turn in range(300) if turn % 7 == key)
        expected = {("finished", last_turn)} if last_turn % 5 else {("cancelled", None), ("finished", last_turn)}
        assert heard.of(key)[-1] in expected
        finished = [value for what, value in heard.of(key) if what == "finished"]
        assert finished == sorted(set(finished))
