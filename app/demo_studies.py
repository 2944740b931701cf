"""What the window knows of the demo: which studies belong together, what to see of one first, what was planted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from .answers import Answer
from .preparation import Preparation
from .recipes import FileMap, SeedCorrelation, StudyMap
from .settings import DEFAULT_ATLASES
from .simulated.demo import Demo
from .simulated.planted import TRUTH
from .state import Colours, Overlay, Threshold, ViewState, Wall
from .study.blinding_kept import kept_blinding
from .study.rows import StudyRows
from .study.values import PERSON

MEASURED = {"ampar-pet": "pet", "ketamine-bold": "bold", "naltrexone-mrs": "mrs"}  # and how their planted maps begin
CROSSHAIR_OF = {
    "ampar-pet": (-4.0, -24.0, 3.0),
    "ketamine-bold": (0.0, -52.0, 26.0),
    "naltrexone-mrs": (0.0, 36.0, 16.0),
}
SUVR, CHANGE = Colours("hot-metal", 0.0, 1.6), Colours("vik", -0.2, 0.2)
RUN = "sub-*/ses-baseline/func/*_bold.nii.gz"
CONFOUNDS = "_desc-confounds_timeseries.tsv"
COLUMNS = ("global_signal", "trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")


def first_view(demo: Demo, study: Path) -> ViewState:
    """What to see of a study first: a patient before and after, a seed in a run, the place of the spectra."""
    from .sample import TEMPLATE, anatomy_file  # noqa: PLC0415

    head = Overlay(1, FileMap(str(anatomy_file())), "MNI152 T1", Colours("grey", 0.0, 240.0), space=TEMPLATE)
    at = CROSSHAIR_OF[study.name]
    view = ViewState(crosshair_mm=at, overlays=(head,), selected=1, atlases=DEFAULT_ATLASES, study=str(study))
    kept = kept_blinding(study)
    if kept is not None and kept.on:
        return view  # names of people are hidden, which a view that is made before the study is read cannot
    if study == demo.ampar_pet:
        return _before_and_after(view, study)
    return _with_seed(view, study) if study == demo.ketamine_bold else view


def _before_and_after(view: ViewState, study: Path) -> ViewState:
    """The wall of the first patient who came twice."""
    patients = sorted(study.glob("sub-T*"))
    person = next((each.name for each in patients if len([*each.glob("ses-*/pet/*_pet.nii.gz")]) > 1), None)
    if person is None:
        return view
    asked = StudyRows(str(study), where=((PERSON, person),))
    pre, post = "ses-pre", "ses-post"
    layers = (
        (replace(asked, per="scan", sessions=(pre,)), "pre", SUVR),
        (replace(asked, per="scan", sessions=(post,)), "post", SUVR),
        (replace(asked, per="difference", sessions=(pre, post)), "post \N{MINUS SIGN} pre", CHANGE),
    )
    scans = tuple(
        Overlay(key, StudyMap(rows), f"{person} {name}", colours)
        for key, (rows, name, colours) in enumerate(layers, start=2)
    )
    return replace(view, overlays=(*view.overlays, *scans), selected=2, layout="wall", wall=Wall(((2, 3, 4),)))


def _with_seed(view: ViewState, study: Path) -> ViewState:
    """A seed that follows the crosshair in the first run, cleaned of what its confounds tell."""
    from .sample import Sample, sample_view  # noqa: PLC0415

    (head,) = view.overlays
    run = min(study.glob(RUN), default=None)
    if run is None or not isinstance(head.recipe, FileMap):
        return view
    anatomy = Path(head.recipe.path)
    sample = sample_view(Sample(anatomy, anatomy, run))
    seed = sample.overlays[-1]
    confounds = run.with_name(run.name.split("_space-")[0] + CONFOUNDS)
    cleaned = Preparation(fwhm_mm=6.0, detrend=2, confounds=str(confounds), columns=COLUMNS)
    if isinstance(seed.recipe, SeedCorrelation):
        seed = replace(seed, key=2, recipe=replace(seed.recipe, preparation=cleaned))
    return replace(view, overlays=(head, seed), selected=2, crosshair_mm=sample.crosshair_mm)


class Planted(NamedTuple):
    """A map of what was planted."""

    path: Path
    name: str


def demo_of(folder: Path) -> Demo | None:
    """The demo that a study belongs to, None for studies of other origin."""
    demo = Demo.within(folder.parent)
    return demo if folder.name in MEASURED and (demo.planted / TRUTH).is_file() else None


def others_of(demo: Demo, folder: Path) -> tuple[Path, ...]:
    """The other studies of a demo."""
    return tuple(study for study in demo[:3] if study != folder and study.is_dir())


def planted_of(demo: Demo, folder: Path) -> tuple[Planted, ...]:
    """Maps of what was planted in a study."""
    found = sorted(demo.planted.glob(f"{MEASURED[folder.name]}_*.nii.gz"))
    return tuple(Planted(path, _name(path)) for path in found)


def _name(path: Path) -> str:
    """What its file calls it: ``pet_change.nii.gz`` is the change."""
    what = path.name.partition("_")[2].partition(".")[0].replace("_", " ")
    return f"Planted: {what} (simulated)"


def with_planted(state: ViewState, layers: Iterable[tuple[Planted, Answer]]) -> ViewState:
    """The view with maps of what was planted on top; the first is visible."""
    overlays = state.overlays
    for planted, answer in layers:
        top = 0.0 if answer.image is None else float(abs(answer.image.frame(0)).max())
        if top == 0.0:
            continue  # nothing was planted there
        colours, least = Colours("warm", 0.0, top, "cool", 0.0, top), 0.02 * top
        key, recipe = max((each.key for each in overlays), default=0) + 1, FileMap(str(planted.path))
        first = len(overlays) == len(state.overlays)
        layer = Overlay(key, recipe, planted.name, colours, Threshold(least, least), 0.8, visible=first)
        overlays = (*overlays, layer)
    added = overlays[len(state.overlays) :]
    return replace(state, overlays=overlays, selected=added[0].key) if added else state


def is_planted(overlay: Overlay, demo: Demo) -> bool:
    """Whether a layer shows what was planted."""
    return isinstance(overlay.recipe, FileMap) and Path(overlay.recipe.path).parent == demo.planted


def without_planted(state: ViewState, demo: Demo) -> ViewState:
    """The view without them."""
    kept = tuple(overlay for overlay in state.overlays if not is_planted(overlay, demo))
    selected = state.selected if any(overlay.key == state.selected for overlay in kept) else None
    return replace(state, overlays=kept, selected=kept[-1].key if selected is None and kept else selected)
