"""The demo as a whole: made once, whole or not at all, never over what is there, and read by no analysis."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from habena.app import cli  # noqa: F401 - what belongs to the program is imported before it is patched
from habena.app.problems import Cancelled, Problem
from habena.app.simulated import demo
from habena.app.simulated.demo import Demo, make_demo
from habena.app.simulated.settings import Settings, write_description, write_json, write_tsv

ROOT = Path(__file__).parents[2]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Settings]:
    """Settings of every demo that was simulated; the studies themselves are left out."""
    simulated: list[Settings] = []

    def simulate(demo_: Demo, settings: Settings, report: demo.Report) -> None:
        simulated.append(settings)
        for study in demo_[:3]:
            write_description(study, "study", settings)
        report(0.5)
        write_json(demo_.planted / "truth.json", {"demo": demo._identity(settings)})

    monkeypatch.setattr(demo, "_simulate", simulate)
    monkeypatch.setattr(demo, "cache_folder", lambda: tmp_path / "cache")
    return simulated


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("there", [False, True])
def test_a_demo_is_made_in_a_new_or_an_empty_folder(made: list[Settings], tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "a" / "new"
    if there:
        folder.mkdir(parents=True)
    found = make_demo(folder, seed=3, effect=0.5)
    assert made == [Settings(3, 0.5, "small")]
    assert names(folder) == {"ampar-pet", "ketamine-bold", "naltrexone-mrs", "planted"}
    assert found == (folder / "ampar-pet", folder / "ketamine-bold", folder / "naltrexone-mrs", folder / "planted")
    assert found.folder == folder


def test_the_same_demo_is_not_made_twice_and_another_not_over_it(made: list[Settings], tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    make_demo(folder)
    make_demo(folder)
    assert len(made) == 1
    for other in ({"seed": 1}, {"effect": 0.0}, {"size": "full"}):
        with pytest.raises(Problem, match="not empty"):
            make_demo(folder, **other)
    assert len(made) == 1


def test_a_folder_with_anything_in_it_is_left_alone(made: list[Settings], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Problem, match="not empty"):
        make_demo(tmp_path)
    assert names(tmp_path) == {"mine.txt"}
    assert made == []


def test_a_file_in_the_way_and_a_full_disk_are_told_before_anything_is_done(
    made: list[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="file exists"):
        make_demo(tmp_path / "file")
    with pytest.raises(Problem, match="cannot be written"):
        make_demo(tmp_path / "file" / "demo")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(Problem, match="1 MB left"):
        make_demo(tmp_path / "demo")
    assert names(tmp_path) == {"file"}
    assert made == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_told(made: list[Settings], tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Problem, match="permission denied"):
        make_demo(tmp_path / "demo")
    tmp_path.chmod(0o700)
    assert made == []


@pytest.mark.parametrize("cached", [True, False])
def test_stopping_leaves_no_half_demo_and_the_next_call_makes_it(
    made: list[Settings], tmp_path: Path, cached: bool
) -> None:
    def stop(fraction: float) -> None:
        raise Cancelled

    folder = None if cached else tmp_path / "demo"
    with pytest.raises(Cancelled):
        make_demo(folder, report=stop)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == []
    assert all(part.is_dir() for part in make_demo(folder))
    assert len(made) == 2


def test_the_cache_keeps_one_demo_for_each_seed_effect_and_size(made: list[Settings], tmp_path: Path) -> None:
    first = make_demo()
    assert first == make_demo()
    others = [make_demo(seed=1), make_demo(effect=0.25), make_demo(size="full")]
    assert len({each.folder for each in (first, *others)}) == 4
    assert len(made) == 4
    assert all(tmp_path / "cache" in each.folder.parents for each in (first, *others))


def test_a_cached_demo_that_lost_a_part_is_made_again(made: list[Settings]) -> None:
    first = make_demo()
    shutil.rmtree(first.ketamine_bold)
    (first.folder / "ampar-pet" / "remains").write_text("")
    again = make_demo()
    assert again == first
    assert again.ketamine_bold.is_dir()
    assert not (again.ampar_pet / "remains").exists()
    assert len(made) == 2


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"seed": -1}, "below 0"),
        ({"effect": -0.1}, "out of range"),
        ({"effect": 10.5}, "out of range"),
        ({"effect": float("nan")}, "out of range"),
        ({"size": "large"}, "none named 'large'"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(
    made: list[Settings], tmp_path: Path, numbers: dict[str, float], said: str
) -> None:
    with pytest.raises(Problem, match=said):
        make_demo(tmp_path / "demo", **numbers)
    assert names(tmp_path) == set()
    assert made == []


# -- streams and files


class Draw(NamedTuple):
    seed: int
    words: tuple[object, ...]


def test_each_purpose_has_a_stream_of_its_own_that_only_its_words_and_the_seed_decide() -> None:
    draws = [Draw(1, ("a", "b")), Draw(1, ("ab",)), Draw(1, ("b", "a")), Draw(2, ("a", "b")), Draw(1, ("a", 1))]
    values = [Settings(draw.seed).rng(*draw.words).random() for draw in draws]
    assert len(set(values)) == len(draws)
    assert values == [Settings(draw.seed, 0.0, "full").rng(*draw.words).random() for draw in draws]


def test_tables_are_written_as_bids_has_them(tmp_path: Path) -> None:
    table = pd.DataFrame({"participant_id": ["sub-1", "sub-2"], "arm": ["a", None], "score": [1.5, np.nan]})
    write_tsv(tmp_path / "new" / "table.tsv", table)
    assert (tmp_path / "new" / "table.tsv").read_bytes() == (
        b"participant_id\tarm\tscore\nsub-1\ta\t1.5\nsub-2\tn/a\tn/a\n"
    )


def test_a_data_set_says_in_its_name_and_its_readme_that_it_is_simulated(tmp_path: Path) -> None:
    write_description(tmp_path / "study", "PET of somebody", Settings(4, 0.5, "full"), "derivative")
    told = json.loads((tmp_path / "study" / "dataset_description.json").read_text())
    assert told["Name"] == "Simulated: PET of somebody"
    assert (told["Simulated"], told["BIDSVersion"], told["DatasetType"]) == (True, "1.10.0", "derivative")
    assert told["SimulationParameters"] == {"seed": 4, "effect": 0.5, "size": "full"}
    readme = (tmp_path / "study" / "README").read_text()
    assert "nobody was scanned" in readme
    assert "--seed 4 --effect 0.5 --size full" in readme


# -- who may know

MAY_SHOW = {"app/demo.py", "app/demo_studies.py", "app/commands/view.py"}
KNOWS = re.compile(
    r"truth\.json|[\"'/]planted|\.planted\b|import[^\n]*\bplanted|simulated[. ]+(import )?(effects|uptake|bold|mrs)"
)


def test_no_analysis_reads_what_was_planted() -> None:
    sources = [path for layer in ("app", "stats") for path in (ROOT / layer).rglob("*.py")]
    analyses = {
        str(path.relative_to(ROOT).as_posix()): path.read_text("utf-8")
        for path in sources
        if (ROOT / "app" / "simulated") not in path.parents and (ROOT / "app" / "panels") not in path.parents
    }
    knowing = {name for name, text in analyses.items() if KNOWS.search(text)}
    assert len(analyses) > 100
    assert knowing <= MAY_SHOW
    assert KNOWS.search((ROOT / "app/demo.py").read_text("utf-8")), "the search finds what it is to find"
