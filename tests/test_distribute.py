"""Permutations on the workers of a dask scheduler: the numbers of one machine, or one sentence."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from habena.app import cli, modelling
from habena.app.distribute import count_on
from habena.app.model_results import ModelResult
from habena.app.models import Inference, Model
from habena.app.problems import Cancelled, Problem
from habena.stats.inference import PermutationTest
from habena.stats.perm_question import Question
from habena.stats.permute import Shuffling

distributed = pytest.importorskip("distributed", reason="dask is not installed: pip install 'habena[cluster]'")

N, V, K = 12, 40, 70


def on_loopback(n_workers: int) -> Any:
    """A scheduler and workers as threads of this process, on free ports of the loopback interface."""
    return distributed.LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=False,
        dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
        protocol="tcp://",
        silence_logs=logging.CRITICAL,
    )


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with on_loopback(2) as made:
        yield made


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated regions of two groups."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(8)
    data = rng.normal(size=(N, V))
    data[::2, :5] += 2
    pd.DataFrame({"group": list("ba") * (N // 2), "age": rng.normal(40, 9, N)}).to_csv(
        folder / "study.tsv", sep="\t", index=False
    )
    pd.DataFrame(data, columns=[f"r{k}" for k in range(V)]).to_csv(folder / "regions.tsv", sep="\t", index=False)
    return folder


def fit(study: Path, scheduler: str | None, **more: Any) -> ModelResult:
    question = Model(str(study / "regions.tsv"), str(study / "study.tsv"), "~ group + age")
    return modelling.model(question, Inference(K, 3, "fwe"), scheduler=scheduler, **more)


def test_numbers_are_those_of_the_local_run(cluster: Any, study: Path, tmp_path: Path) -> None:
    told: list[float] = []
    local = fit(study, None, out=str(tmp_path / "local"))
    spread = fit(study, cluster.scheduler_address, out=str(tmp_path / "spread"), report=told.append)
    assert spread.tests == local.tests
    for name, path in local.maps.items():
        assert Path(path).read_bytes() == Path(spread.maps[name]).read_bytes()
    assert told[-1] == pytest.approx(1)


@pytest.mark.parametrize("correction", ["tfce", "cluster-mass"])
def test_what_is_made_of_maps_travels_to_the_workers(
    cluster: Any, study: Path, tmp_path: Path, correction: Any
) -> None:
    data = np.random.default_rng(2).normal(size=(5, 4, 3, N)).astype(np.float32)
    nib.save(nib.Nifti1Image(data, np.diag([-3.0, 3, 3, 1])), tmp_path / "desc-simulated.nii")
    question = Model(str(tmp_path / "desc-simulated.nii"), str(study / "study.tsv"), "~ group", ("group[T.b]",))
    inference = Inference(K, 3, correction, 0.1)
    local, spread = (modelling.model(question, inference, None, at) for at in (None, cluster.scheduler_address))
    assert spread.tests == local.tests
    assert spread.clusters == local.clusters


def question(**more: Any) -> Question:
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(N), np.arange(N) % 2])
    shuffling = Shuffling(N, seed=3, n_permutations=K, rows=x)
    return Question(rng.normal(size=(N, V)).astype(np.float32), x, np.array([[0.0, 1]]), shuffling, **more)


@pytest.mark.parametrize("n", [1, 7, K])
def test_every_arrangement_is_counted_once_whatever_their_number(cluster: Any, n: int) -> None:
    found = count_on(cluster.scheduler_address, question(), n)
    expected = PermutationTest(question()).count(1, n + 1)
    np.testing.assert_array_equal(found.done, expected.done)
    for name in expected.exceed:
        np.testing.assert_array_equal(found.exceed[name], expected.exceed[name])
        np.testing.assert_array_equal(found.largest[name], expected.largest[name])


def test_a_cancel_comes_through(cluster: Any) -> None:
    def report(_: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        count_on(cluster.scheduler_address, question(), K, report)


def test_what_a_worker_says_is_one_sentence(cluster: Any) -> None:
    bad = question(variance_groups=np.arange(N))
    with pytest.raises(Problem, match="a worker failed"):
        count_on(cluster.scheduler_address, bad, K)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "127.0.0.1:{port}", "nonsense://x", "tcp://", ":::"])
def test_where_no_scheduler_answers_one_sentence_says_so(
    study: Path, address: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("habena.app.distribute.CONNECT_S", 0.3)
    address = address.format(port=free_port())
    words = ["model", str(study / "regions.tsv"), "--table", str(study / "study.tsv"), "--formula", "~ group"]
    assert cli.run([*words, "--permutations", "20", "--scheduler", address]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == f"habena: {address}: no dask scheduler answers there; start one with: dask scheduler\n"


def test_a_scheduler_without_workers_says_how_to_start_some() -> None:
    said = "the scheduler has no workers; start some with: dask worker tcp://"
    with on_loopback(0) as empty, pytest.raises(Problem, match=said):
        count_on(empty.scheduler_address, question(), K)


def test_without_dask_the_extra_is_named(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Problem, match=r"needs dask; run: pip install 'habena\[cluster\]'"):
        fit(study, "tcp://127.0.0.1:1")


def test_starting_the_program_imports_no_library_that_only_some_commands_need() -> None:
    heavy = {"distributed", "dask", "sklearn", "statsmodels", "pandas", "formulaic", "networkx", "sknetwork"}
    code = (
        f"import sys, habena, habena.app.cli, habena.app.commands.model; print(*sorted({heavy!r} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""
