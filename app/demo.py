"""`habena demo`: three simulated studies, shown in a window or as a picture where there is no display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from .console import Progress, print_text
from .graphics import has_display, require_graphics
from .simulated.demo import Demo, make_demo

PICTURE = "first_view.png"

if TYPE_CHECKING:
    from .simulated.settings import Size
    from .state import ViewState


def demonstrate(folder: Path | None, seed: int, effect: float, size: str) -> int:
    """Make what is missing, then show it.

    Returns
    -------
    int
        Exit status.
    """
    with Progress("Simulating three studies") as report:
        demo = make_demo(folder, seed=seed, effect=effect, size=cast("Size", size), report=report)
    if has_display() and folder is None:
        from .main import show  # noqa: PLC0415

        return show([], demo_view(demo))
    picture = demo.folder / PICTURE
    draw_demo(demo_view(demo), picture)
    print_text(f"Three simulated studies; nobody was scanned: {demo.folder}")
    for study in (demo.ampar_pet, demo.ketamine_bold, demo.naltrexone_mrs):
        print_text(f"  {study}")
    print_text(f"What was planted in them: {demo.planted}")
    print_text(f"A picture (real anatomy, a simulated patient before and after): {picture}")
    return 0


def write_demo(folder: Path, seed: int, effect: float, size: str) -> Path:
    """The simulated studies and a picture of them in a folder; gives the picture's path."""
    demo = make_demo(folder, seed=seed, effect=effect, size=cast("Size", size))
    draw_demo(demo_view(demo), folder / PICTURE)
    return folder / PICTURE


def demo_view(demo: Demo) -> ViewState:
    """What is seen first: a simulated patient before and after on the wall."""
    from .demo_studies import first_view  # noqa: PLC0415

    return first_view(demo, demo.ampar_pet)


def draw_demo(view: ViewState, picture: Path) -> None:
    """A view without a window."""
    require_graphics()
    from .export import write_picture  # noqa: PLC0415
    from .headless import RenderOptions, answer_all  # noqa: PLC0415
    from .results import Results  # noqa: PLC0415

    results = Results(1 << 62)
    shown = answer_all(view, results)
    write_picture(str(picture), view, shown, results, RenderOptions(size=(1400, 1000)), with_view=False)
