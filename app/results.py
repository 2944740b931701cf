"""Answers already computed, by question; the least recently used go first when memory runs short."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

SLACK = 16


def size_of(answer: object) -> int:
    """Bytes that an answer holds, as far as it knows."""
    return int(getattr(answer, "nbytes", 0))


class Results:
    """A cache bounded in bytes.

    Parameters
    ----------
    limit_bytes : int
        Answers that are not in use may hold about this much together; beyond it the least recently used are dropped.
        It is looked after each sixteenth of it: a drag leaves thousands of small maps, too many to count each time.
    on_drop : callable or None
        Called with each dropped answer, to close files.
    """

    def __init__(self, limit_bytes: int, on_drop: Callable[[Any], None] | None = None) -> None:
        self.limit_bytes = limit_bytes
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._in_use: frozenset[Hashable] = frozenset()
        self._on_drop = on_drop
        self._new_bytes = 0  # since there was last looked for room

    def __contains__(self, question: Hashable) -> bool:
        """Whether the answer is at hand."""
        return question in self._answers

    def get(self, question: Hashable) -> Any:
        """The answer, or None."""
        answer = self._answers.get(question)
        if answer is not None:
            self._answers.move_to_end(question)
        return answer

    def put(self, question: Hashable, answer: Any) -> None:
        """Keep an answer."""
        replaced = self._answers.get(question)
        self._answers[question] = answer
        self._answers.move_to_end(question)
        if replaced is not None and replaced is not answer:
            self._drop(replaced)
        self._new_bytes += size_of(answer)
        if SLACK * self._new_bytes > self.limit_bytes:
            self._make_room(keep=question)

    def use(self, questions: frozenset[Hashable]) -> None:
        """Say which answers are on display and so never dropped."""
        self._in_use = questions

    def forget(self, question: Hashable) -> None:
        """Drop one answer, if it is there."""
        answer = self._answers.pop(question, None)
        if answer is not None:
            self._drop(answer)

    def clear(self) -> None:
        """Drop everything."""
        for question in list(self._answers):
            self.forget(question)

    @property
    def nbytes(self) -> int:
        """Bytes held by all answers."""
        return sum(size_of(answer) for answer in self._answers.values())

    def _make_room(self, keep: Hashable) -> None:
        self._new_bytes = 0
        spare = [question for question in self._answers if question not in self._in_use and question != keep]
        held = sum(size_of(self._answers[question]) for question in spare)
        for question in spare:
            if held <= self.limit_bytes:
                return
            held -= size_of(self._answers[question])
            self.forget(question)

    def _drop(self, answer: Any) -> None:
        if self._on_drop is not None:
            self._on_drop(answer)
