"""`habena demo`: three simulated studies, shown in a window or as a picture where there is no display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from .console import Progress, print_text
from .graphics import has_display, require_graphics
from .preparation import Preparation
from .simulated.demo import Demo, make_demo

PICTURE = "sample_view.png"
CONFOUNDS = "_desc-confounds_timeseries.tsv"
COLUMNS = ("global_signal", "trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")
MOTOR = "image_10426.nii.gz"  # of nilearn: left against right hand
RUN = "sub-*/ses-baseline/func/*_bold.nii.gz"

if TYPE_CHECKING:
    from .recipes import SeedCorrelation
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
    print_text(f"A picture (real anatomy and motor map, simulated resting run): {picture}")
    return 0


def write_demo(folder: Path, seed: int, effect: float, size: str) -> Path:
    """The simulated studies and a picture of them in a folder; gives the picture's path."""
    demo = make_demo(folder, seed=seed, effect=effect, size=cast("Size", size))
    draw_demo(demo_view(demo), folder / PICTURE)
    return folder / PICTURE


def demo_view(demo: Demo) -> ViewState:
    """Anatomy, motor map and a seed in the first simulated run, cleaned of what its confounds tell."""
    from .sample import Sample, anatomy_file, sample_view  # noqa: PLC0415

    anatomy = anatomy_file()
    run = min(demo.ketamine_bold.glob(RUN))
    view = sample_view(Sample(anatomy, anatomy.with_name(MOTOR), run))
    *others, seed = view.overlays
    confounds = run.with_name(run.name.split("_space-")[0] + CONFOUNDS)
    cleaned = Preparation(fwhm_mm=6.0, detrend=2, confounds=str(confounds), columns=COLUMNS)
    recipe = replace(cast("SeedCorrelation", seed.recipe), preparation=cleaned)
    return replace(view, overlays=(*others, replace(seed, recipe=recipe)))


def draw_demo(view: ViewState, picture: Path) -> None:
    """A view without a window."""
    require_graphics()
    from .export import write_picture  # noqa: PLC0415
    from .headless import RenderOptions, answer_all  # noqa: PLC0415
    from .results import Results  # noqa: PLC0415

    results = Results(1 << 62)
    shown = answer_all(view, results)
    write_picture(str(picture), view, shown, results, RenderOptions(size=(1400, 1000)), with_view=False)
