"""`habena demo`: the sample view in a window, or as a picture where there is no display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .console import Progress, print_text
from .graphics import has_display, require_graphics
from .settings import cache_folder

PICTURE = "sample_view.png"

if TYPE_CHECKING:
    from .state import ViewState


def demonstrate(folder: Path | None, seed: int, effect: float, size: str) -> int:
    """Make what is missing, then show it.

    Returns
    -------
    int
        Exit status.
    """
    from .sample import sample_files, sample_view  # noqa: PLC0415

    with Progress("Simulating a resting run") as report:
        sample = sample_files(folder, seed, effect, size, report)
    if has_display() and folder is None:
        from .main import show  # noqa: PLC0415

        return show([], sample_view(sample))
    picture = (folder or cache_folder() / "sample") / PICTURE
    draw_sample(sample_view(sample), picture)
    print_text(f"The sample view (real anatomy and motor map, simulated resting run): {picture}")
    if folder is not None:
        print_text(f"Open it: habena {sample.anatomy} {sample.motor} {sample.run}")
    return 0


def write_demo(folder: Path, seed: int, effect: float, size: str) -> Path:
    """The simulated run and the picture of the sample view in a folder; gives the picture's path."""
    from .sample import sample_files, sample_view  # noqa: PLC0415

    draw_sample(sample_view(sample_files(folder, seed, effect, size)), folder / PICTURE)
    return folder / PICTURE


def draw_sample(view: ViewState, picture: Path) -> None:
    """The sample view without a window."""
    require_graphics()
    from .export import write_picture  # noqa: PLC0415
    from .headless import RenderOptions, answer_all  # noqa: PLC0415
    from .results import Results  # noqa: PLC0415

    results = Results(1 << 62)
    shown = answer_all(view, results)
    write_picture(str(picture), view, shown, results, RenderOptions(size=(1400, 1000)), with_view=False)
