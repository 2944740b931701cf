"""The one way a statistics function says no."""


class CannotCompute(ValueError):
    """The numbers given have no answer: what is wrong, and what to do.

    `app` adds the file that the numbers came from.
    """

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what}; {todo}")
        self.what = what
        self.todo = todo
