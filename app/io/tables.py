"""Tables of numbers beside a run: confounds, motion parameters."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..problems import Problem

_MAX_BYTES = 200_000_000


class ConfoundTable(NamedTuple):
    """Columns of a confounds file.

    Attributes
    ----------
    path : Path
    names : tuple of str
    values : (rows, columns) float64
        NaN where the file has ``n/a`` or nothing.
    """

    path: Path
    names: tuple[str, ...]
    values: NDArray[np.float64]

    def column(self, name: str) -> NDArray[np.float64] | None:
        """One column by name, None when there is none."""
        return self.values[:, self.names.index(name)] if name in self.names else None


def read_confounds(path: str | Path) -> ConfoundTable:
    """Read a TSV or CSV of numbers with a header row, or a plain text table of numbers without one (``.par``, ``.1D``).

    Columns of text are left out. ``n/a`` and empty fields are NaN.

    Raises
    ------
    Problem
        Not readable, empty, or without a column of numbers.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import

    path = Path(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise Problem(path, f"is larger than {_MAX_BYTES // 1_000_000} MB", "name a table of confounds")
        headed = path.suffix.lower() in {".tsv", ".csv"}
        separator = {".tsv": "\t", ".csv": ","}.get(path.suffix.lower(), r"\s+")
        frame = pd.read_csv(
            path, sep=separator, header=0 if headed else None, na_values=["n/a"], comment=None if headed else "#"
        )
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise Problem(path, f"cannot be read ({reason.lower()})", "check its name and your permission") from error
    except (ValueError, UnicodeError) as error:  # pandas' parser errors are ValueErrors
        first_line = str(error).splitlines()[0] if str(error) else "no table"
        raise Problem(path, f"is not a table ({first_line})", "give a tab-separated file with a header row") from error
    numeric = frame.select_dtypes("number")
    if numeric.empty:
        raise Problem(path, "has no column of numbers", "give a tab-separated file with a header row")
    names = tuple(str(name) for name in numeric.columns)
    return ConfoundTable(path, names, numeric.to_numpy(np.float64))
