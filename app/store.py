"""The one place where the view changes: a list of states and an index into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .state import ViewState

MAX_STEPS = 500


class Step(NamedTuple):
    """One entry of the history."""

    state: ViewState
    what: str
    merge: str | None


class Store:
    """Current view and its history.

    Parameters
    ----------
    state : ViewState
        Where to start.
    on_change : callable
        Called with the new state after each change, undo and redo.
    amend : callable or None
        What a change entails: the view before and after it, to the view that it becomes.
    """

    def __init__(
        self,
        state: ViewState,
        on_change: Callable[[ViewState], None],
        amend: Callable[[ViewState, ViewState], ViewState] | None = None,
    ) -> None:
        self._amend = amend
        self._steps = [Step(state, "start", None)]
        self._index = 0
        self._on_change = on_change

    @property
    def state(self) -> ViewState:
        """The current view."""
        return self._steps[self._index].state

    def update(self, state: ViewState, what: str, merge: str | None = None) -> None:
        """Move to another view.

        Parameters
        ----------
        state : ViewState
            The new view; nothing happens when it equals the current one.
        what : str
            Name of the step, for the undo menu.
        merge : str or None
            Steps that follow one another with the same name here become one: a drag, a slider.
            `settle` ends it.
        """
        if state == self.state:
            return
        if self._amend is not None:
            state = self._amend(self.state, state)
        tip = self._steps[self._index]
        del self._steps[self._index + 1 :]
        if merge is not None and tip.merge == merge:
            self._steps[self._index] = Step(state, what, merge)
        else:
            self._steps.append(Step(state, what, merge))
            del self._steps[: max(0, len(self._steps) - MAX_STEPS)]
            self._index = len(self._steps) - 1
        self._on_change(state)

    def rewrite(self, change: Callable[[ViewState], ViewState]) -> None:
        """Change every step of the history alike: what may not be seen any more is in none of them."""
        before = self.state
        self._steps = [step._replace(state=change(step.state)) for step in self._steps]
        if self.state != before:
            self._on_change(self.state)

    def settle(self) -> None:
        """The drag is over: what comes next is a step of its own."""
        self._steps[self._index] = self._steps[self._index]._replace(merge=None)

    @property
    def undo_name(self) -> str | None:
        """What undo would take back."""
        return self._steps[self._index].what if self._index > 0 else None

    @property
    def redo_name(self) -> str | None:
        """What redo would bring again."""
        return self._steps[self._index + 1].what if self._index + 1 < len(self._steps) else None

    def undo(self) -> None:
        """Back one step, if there is one."""
        self._go(self._index - 1)

    def redo(self) -> None:
        """Forward one step, if there is one."""
        self._go(self._index + 1)

    def _go(self, index: int) -> None:
        if not 0 <= index < len(self._steps):
            return
        self._index = index
        self.settle()
        self._on_change(self.state)
