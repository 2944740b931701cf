"""Who drives this voxel, in the window: its plot, whom it selects, whom the model leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace
from PySide6.QtCore import QObject

from ...stats.errors import CannotCompute
from ...widgets.model_voxel import CHANGE, REGION, SESSIONS, VOXEL, VoxelData, VoxelPlot
from ...widgets.numbers import format_number
from .. import templates
from ..atlas import Atlas
from ..problems import Problem
from ..questions import AtlasData
from ..session import Session
from .model import Asked, ModelControl
from .voxel_people import Seen

if TYPE_CHECKING:
    from ..study.region_set import NamedRegion
    from ..study.values import Study
    from .study_open import OpenStudy

VOXEL_JOB, WITHOUT_JOB = "model voxel", "voxel without"


class _Wanted(NamedTuple):
    """What is to be plotted."""

    fitted: Any
    tested: Any
    element: int | None
    region: NamedRegion | None
    pairs: bool
    blinding: Any


class _Shown(NamedTuple):
    """What is plotted: a model's test at a place."""

    fitted: Any
    tested: Any
    series: Any


class VoxelShow(QObject):
    """Binds a `VoxelPlot` to the model that is shown, to the crosshair and to the people of the open study."""

    def __init__(
        self, session: Session, plot: VoxelPlot, control: ModelControl, opened: OpenStudy | None = None
    ) -> None:
        super().__init__(plot)
        self._session, self._plot, self._control, self._opened = session, plot, control, opened
        self._place, self._view = VOXEL, CHANGE
        self._for: object = None
        self._given: tuple[Asked, Any, Any, int | None] | None = None
        self._shown: _Shown | None = None
        self._without_for: object = None
        plot.set_choices(self._place, self._view)
        plot.place_chosen.connect(self._choose_place)
        plot.view_chosen.connect(self._choose_view)
        plot.selected.connect(self._select)
        plot.opened.connect(self._open)
        plot.leave_out_requested.connect(self._leave_out)
        plot.put_back_requested.connect(self._put_back)
        session.jobs.finished.connect(self._take)
        if opened is not None:
            opened.selected.connect(self._take_selected)
            opened.changed.connect(self._ask_again)

    # -- the plot

    def clear(self) -> None:
        """There is no model."""
        self._for = self._given = self._shown = None

    def ask(self, asked: Asked, fitted: Any, tested: Any, element: int | None) -> None:
        """Show the scans behind an element of a test's map, or behind the region that it lies in."""
        from .voxel_pairs import has_pairs  # noqa: PLC0415 - pandas and SciPy

        self._given = asked, fitted, tested, element
        region, seen = self._region(fitted, asked), Seen(self._blinding(fitted))
        can_pair = has_pairs(fitted, tested) and not seen.hidden
        self._plot.set_offers(region="" if region is None else region.title.strip(), sessions=can_pair)
        out = fitted.model.exclude
        self._plot.set_left_out(list(zip(out, seen.names(out), strict=True)))
        wants_region = self._place == REGION and region is not None
        wants_pair = self._view == SESSIONS and can_pair
        wanted = _Wanted(fitted, tested, element, region if wants_region else None, wants_pair, seen.blinding)
        if wanted == self._for:
            return
        self._for, self._shown = wanted, None
        if seen.tells_arm(fitted.model.formula):
            reason = self.tr("Who is where in this plot would tell arms or sessions, which are hidden: unblind first.")
            self._plot.set_data(None, reason)
        elif element is None and not wants_region:
            self._plot.set_data(None, self.tr("The crosshair is where the model has no data."))
        else:
            study = None if self._opened is None or not self._is_open(fitted) else self._opened.study
            self._session.jobs.live(VOXEL_JOB, lambda _: (wanted, _made(wanted, study)))

    def _ask_again(self) -> None:
        if self._given is not None:
            self.ask(*self._given)

    def _region(self, fitted: Any, asked: Asked) -> NamedRegion | None:
        """The region at the crosshair of the first chosen atlas that names places of the model and has one there."""
        from ..model_places import VolumePlace  # noqa: PLC0415
        from ..study.region_set import NamedRegion  # noqa: PLC0415

        place = None if fitted.data is None else fitted.data.place
        if asked.layer is None or not isinstance(place, VolumePlace):
            return None
        state = self._session.state
        for name in state.atlases:
            atlas = self._session.results.get(AtlasData(name))
            if not isinstance(atlas, Atlas):
                continue
            template = state.template_of(atlas.info.id, atlas.info.template)
            fits = template == templates.SAME_AS_IMAGES or templates.compatible(place.space, template).names_regions
            shares = atlas.at(state.crosshair_mm) if fits else ()
            if shares:
                region = shares[0].region
                side: Any = region.side  # empty in the midline
                return NamedRegion(region.name, side, name, (region.index,))
        return None

    def _take(self, key: object, result: Any) -> None:
        if key == VOXEL_JOB and result[0] == self._for:
            found = result[1]
            if isinstance(found, str):
                self._plot.set_data(None, found)
                return
            data, series = found
            self._shown = _Shown(result[0].fitted, result[0].tested, series)
            self._plot.set_data(data)
            self._ask_without()
        elif key == WITHOUT_JOB and result[0] == self._without_for:
            self._plot.set_without(result[1], can_leave_out=result[2])

    def _choose_place(self, place: str) -> None:
        self._place = place
        self._ask_again()

    def _choose_view(self, view: str) -> None:
        self._view = view
        self._ask_again()

    # -- people

    def _is_open(self, fitted: Any) -> bool:
        """Whether a model is about the study that is open."""
        study = None if self._opened is None else self._opened.study
        rows = fitted.model.study
        return study is not None and rows is not None and Path(rows.study).absolute() == study.folder.absolute()

    def _blinding(self, fitted: Any) -> Any:
        rows = fitted.model.study
        return None if self._opened is None or rows is None else self._opened.blinding_of(Path(rows.study))

    def _select(self, keys: tuple[str, ...]) -> None:
        if self._opened is not None and self._given is not None and self._is_open(self._given[1]):
            self._opened.select(keys)
        self._ask_without()

    def _take_selected(self, people: tuple[str, ...]) -> None:
        self._plot.set_selected(people)
        self._ask_without()

    def _open(self, key: str) -> None:
        if self._opened is not None and self._given is not None and self._is_open(self._given[1]):
            self._opened.open_person(key)

    def _ask_without(self) -> None:
        """Say what the statistic is without those who are selected."""
        shown, chosen = self._shown, self._plot.selection()
        if shown is None or not chosen:
            self._without_for = None
            return
        wanted = self._without_for = (shown, chosen)
        self._session.jobs.live(WITHOUT_JOB, lambda _: (wanted, *_without(shown, chosen)))

    # -- the model without them

    def _leave_out(self, keys: tuple[str, ...]) -> None:
        self._exclude(lambda before: (*before, *keys), self.tr("leave out {n}").format(n=len(keys)))

    def _put_back(self, keys: tuple[str, ...]) -> None:
        what = self.tr("put back {n}").format(n=len(keys))
        self._exclude(lambda before: tuple(key for key in before if key not in keys), what)

    def _exclude(self, change: Any, what: str) -> None:
        """Ask the model anew without some people."""
        asked = self._control.asked()
        if asked is not None:
            model = asked.map.model
            exclude = tuple(dict.fromkeys(change(model.exclude)))
            self._control.ask_instead(asked, replace(model, exclude=exclude), what)


def _made(wanted: _Wanted, study: Study | None) -> tuple[VoxelData, Any] | str:
    """The plot's data with its numbers, or why there are none."""
    from ..study.reading import read_study  # noqa: PLC0415 - pandas
    from .model_voxel import voxel_data  # noqa: PLC0415 - pandas and SciPy
    from .voxel_pairs import paired  # noqa: PLC0415
    from .voxel_series import element_series, region_series  # noqa: PLC0415

    fitted, tested, region, seen = wanted.fitted, wanted.tested, wanted.region, Seen(wanted.blinding)
    try:
        series = element_series(fitted, wanted.element or 0) if region is None else region_series(fitted, region)
        both = None
        if wanted.pairs:
            both = paired(fitted, tested, series, region, lambda: study or read_study(fitted.model.study.study))
        return voxel_data(fitted, tested, series, seen, both), series
    except (CannotCompute, Problem) as refused:
        return seen.text(f"{refused.what[:1].upper()}{refused.what[1:]}; {refused.todo}.")


def _without(shown: _Shown, people: tuple[str, ...]) -> tuple[str, bool]:
    """The statistic without some people beside that with all, and whether there is one."""
    from .voxel_series import statistic_of, statistic_without  # noqa: PLC0415 - pandas and SciPy

    of_all = format_number(statistic_of(*shown))
    try:
        without = format_number(statistic_without(*shown, people))
    except CannotCompute as refused:
        return f"Without these {len(people)}: {refused.what}.", False
    these = f"these {len(people)}" if len(people) > 1 else "this one"
    return f"{shown.tested.statistic} = {without} without {these}, {of_all} with all.", True
