"""The cache of answers."""

from __future__ import annotations

from dataclasses import dataclass

from habena.app.results import Results


@dataclass(frozen=True)
class Held:
    nbytes: int


def test_what_was_not_used_longest_goes_first():
    results = Results(100)
    for name in "abcde":
        results.put(name, Held(30))
        results.get("a")
    assert [name in results for name in "abcde"] == [True, False, True, True, True]


def test_what_is_on_display_stays_however_large_it_is():
    results = Results(100)
    results.use(frozenset({"large"}))
    results.put("large", Held(1000))
    results.put("small", Held(90))
    assert "large" in results
    assert "small" in results
    results.use(frozenset())
    results.put("next", Held(10))
    assert "large" not in results


def test_many_small_answers_never_exceed_the_limit_by_more_than_a_sixteenth():
    results = Results(1600)
    for number in range(1000):
        results.put(number, Held(7))
        assert results.nbytes <= 1600 + 100 + 7
    assert results.nbytes > 1500


def test_what_is_dropped_or_replaced_is_told():
    dropped: list[object] = []
    results = Results(100, on_drop=dropped.append)
    first, second, third = Held(10), Held(20), Held(100)
    results.put("a", first)
    results.put("a", second)
    assert dropped == [first]
    results.put("a", second)
    assert dropped == [first]
    results.put("b", third)
    results.put("c", Held(30))
    assert dropped == [first, second]
    results.clear()
    assert third in dropped
    assert len(dropped) == 4
    assert results.nbytes == 0
