"""The study of a window: which one is open, who is selected, whose scan is shown, and what may be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from ..opening import Opened
from ..problems import Problem
from ..recipes import FileMap
from ..session import Notice, Session
from ..state import Overlay, ViewState
from ..study.loaded import Loaded, is_study, load
from ..view_changes import with_layer

if TYPE_CHECKING:
    from ..study.blinding import Blinding
    from ..study.values import Scan, Study

ALL = "all"
SCAN_JOB = "study scan"


class OpenStudy(QObject):
    """What the browser, the plots and the window know of a study. It follows the view: undo closes or changes it.

    Signals
    -------
    changed
        Another study, other notes, or names are hidden or seen from now on.
    selected : (tuple of str)
        These people are selected, wherever that was done.
    opened
        A study has been opened by the user.
    """

    changed = Signal()
    selected = Signal(object)
    opened = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._failed: set[str] = set()
        self._shown: Loaded | None = None
        self._selection: tuple[str, ...] = ()
        self._wanted: Scan | None = None
        self.session_choice = ""
        self.instead: Callable[[str], bool] = lambda _: False  # shows a person in another way than in the slot, or not
        self.taken_down: Callable[[ViewState], ViewState] = lambda state: state  # the view without a wall
        session.shown_text = self.shown_text
        session.changed.connect(self._follow)
        session.opened.connect(self._take_opened)

    # -- what is open

    @property
    def loaded(self) -> Loaded | None:
        """The study of the view, once it is read."""
        return self._shown

    @property
    def study(self) -> Study | None:
        """The study itself."""
        return None if self._shown is None else self._shown.study

    @property
    def blinding(self) -> Blinding | None:
        """Its blinding; None when it was never blinded."""
        return None if self._shown is None else self._shown.blinding

    def people(self) -> tuple[str, ...]:
        """Everybody with a scan to look at, in the order that may be seen."""
        people = tuple(dict.fromkeys(scan.participant for scan in self._scans()))
        return people if self.blinding is None else self.blinding.in_order(people)

    @property
    def is_blinded(self) -> bool:
        """Whether names, arms and sessions are hidden now."""
        return self.blinding is not None and self.blinding.is_on

    def open(self, folder: str) -> None:
        """Open a study in the background: a folder, or a table whose columns name images."""
        if is_study(Path(folder)):
            self._session.open(folder)
        else:
            self._read(folder, by_user=True)

    def _read(self, folder: str, *, by_user: bool) -> None:
        title = self.tr("Reading {name}").format(name=Path(folder).name)
        then = partial(self.take, folder, by_user=by_user)
        self._session.start(("study", folder), title, lambda report: load(folder, report), then)

    def _take_opened(self, opened: Opened) -> None:
        if opened.study is not None and opened.view is None:
            self.take(opened.path, opened.study, by_user=True)

    def take(self, folder: str, loaded: Loaded, *, by_user: bool = False) -> None:
        """A study has been read."""
        self._session.studies[folder] = loaded
        self._failed.discard(folder)
        if by_user:
            self._session.update(self.tr("open a study"), None, study=folder)
        self._follow()
        if by_user:
            self.opened.emit()

    def _follow(self) -> None:
        """Show the study of the view; read it when it came with a saved view."""
        folder = self._session.state.study
        loaded = None if folder is None else self._session.studies.get(folder)
        if loaded is not self._shown:
            self._shown, self._selection, self.session_choice = loaded, (), ""
            self.changed.emit()
        if self.is_blinded and any(map(self.hides, (overlay.name for overlay in self._session.state.overlays))):
            self._rename_layers()
        if folder is None or folder in self._session.studies or folder in self._failed:
            return
        self._failed.add(folder)  # asked for once; opened again by the user it is read again
        self._read(folder, by_user=False)

    # -- names

    def blinding_of(self, path: Path) -> Blinding | None:
        """Blinding of the study that a file or folder is of, whether it is open or was opened here before."""
        at = path.absolute()
        studies = self._session.studies.values()
        return next((each.blinding for each in studies if at.is_relative_to(each.study.folder.absolute())), None)

    def shown_text(self, text: str) -> str:
        """A text as it may be seen; whatever the window says or writes goes through here."""
        return text if self.blinding is None else self.blinding.shown_text(text)

    def shown_name(self, participant: str) -> str:
        """A person's name or code."""
        return participant if self.blinding is None else self.blinding.shown_name(participant)

    def shown_session(self, participant: str, session: str | None) -> str:
        """A person's session or its letter."""
        return self._names().shown_session(participant, session)

    def shown_scan(self, scan: Scan) -> str:
        """What the layer of a scan is called."""
        return self._names().shown_scan(scan)

    def hides(self, path: str) -> bool:
        """Whether a file's name may not be seen or remembered."""
        return self.shown_text(path) != path

    def to_save(self, state: ViewState) -> ViewState:
        """A view for a file: whom it names only this user can read again."""
        from ..study.blinding import mapped  # noqa: PLC0415

        blinding = self.blinding
        return state if blinding is None or not blinding.is_on else mapped(state, blinding.hide)

    def _names(self) -> Blinding:
        """Blinding of the study; one that hides nothing when it was never blinded."""
        from ..study.blinding import Blinding, Kept  # noqa: PLC0415

        return self.blinding or Blinding(Kept("", "", on=False))

    def set_blinded(self, is_on: bool, reason: str = "") -> None:
        """Hide names, arms and sessions, or show them again; remembered and logged first.

        Raises
        ------
        Problem
            When it cannot be written down: then nothing changes.
        """
        from ..study.blinding import blinding_of, new_kept  # noqa: PLC0415
        from ..study.blinding_kept import keep_blinding  # noqa: PLC0415

        folder, loaded = self._session.state.study, self._shown
        if folder is None or loaded is None or is_on == self.is_blinded:
            return
        kept = new_kept() if loaded.blinding is None else loaded.blinding.kept
        kept = replace(kept, on=is_on)
        keep_blinding(loaded.study.folder, kept, reason)
        self._session.studies[folder] = self._shown = loaded._replace(blinding=blinding_of(loaded.study, kept))
        self._rename_layers()
        self.changed.emit()

    def _rename_layers(self) -> None:
        """Let no layer of the view, nor of any step of undo, say what is hidden."""
        scans = {str(scan.path): scan for scan in self._scans()}
        names = self._names()

        def renamed(overlay: Overlay) -> Overlay:
            scan = scans.get(overlay.recipe.path) if isinstance(overlay.recipe, FileMap) else None
            name = names.shown_text(overlay.name) if scan is None else names.shown_scan(scan)
            return overlay if name == overlay.name else replace(overlay, name=name)

        self._session.store.rewrite(lambda view: replace(view, overlays=tuple(map(renamed, view.overlays))))

    # -- who is selected

    @property
    def selection(self) -> tuple[str, ...]:
        """People who are selected."""
        return self._selection

    def select(self, people: Iterable[str]) -> None:
        """Select people everywhere."""
        chosen = tuple(people)
        if set(chosen) != set(self._selection):
            self._selection = chosen
            self.selected.emit(chosen)

    # -- scans

    def _scans(self) -> tuple[Scan, ...]:
        """Scans that can be looked at."""
        return () if self.study is None else tuple(scan for scan in self.study.scans if scan.kind != "mrs")

    def sessions_of_scans(self) -> tuple[str, ...]:
        """Sessions that scans have, in the study's order."""
        return tuple(dict.fromkeys(scan.session or "" for scan in self._scans()))

    def scans_of(self, participant: str) -> tuple[Scan, ...]:
        """A person's scans, one of each session that suits best, in the order that may be seen."""
        best: dict[str, Scan] = {}
        for scan in self._scans():
            if scan.participant == participant:
                held = best.get(scan.session or "")
                if held is None or _rank(scan) < _rank(held):
                    best[scan.session or ""] = scan
        names = self._names()
        return tuple(best[session] for session in names.sessions_in_order(participant, best))

    def scan_of(self, participant: str) -> Scan | None:
        """The scan of a person that the choice of session means."""
        scans = self.scans_of(participant)
        if not scans:
            return None
        return scans[-1] if self.session_choice == "last" else scans[0]

    def shown_now(self) -> Scan | None:
        """The scan in the slot of the view."""
        slot = self._slot()
        if slot is None or not isinstance(slot.recipe, FileMap):
            return None
        path = slot.recipe.path
        return next((scan for scan in self._scans() if str(scan.path) == path), None)

    def _slot(self) -> Overlay | None:
        """The layer that shows somebody's scan: the selected one, else the topmost."""
        paths = {str(scan.path) for scan in self._scans()}
        state = self._session.state
        candidates = (state.overlay(state.selected), *reversed(state.overlays))
        for overlay in candidates:
            if overlay is not None and isinstance(overlay.recipe, FileMap) and overlay.recipe.path in paths:
                return overlay
        return None

    def open_person(self, participant: str) -> None:
        """Show a person's scan in place: crosshair, thresholds and colours stay, undo returns."""
        if self.instead(participant):
            return
        scan = self.scan_of(participant)
        if scan is None:
            text = self.tr("{name} has no scan to show.").format(name=self.shown_name(participant))
            self._session.noticed.emit(Notice("info", text))
        else:
            self.open_scan(scan)

    def step(self, steps: int, people: tuple[str, ...]) -> None:
        """To the next or previous scan among people in this order; from nowhere to the first or last."""
        scans = [scan for who in people for scan in self._chosen_scans(who)]
        if not scans:
            return
        now = self._wanted if self._session.jobs.busy(SCAN_JOB) else self.shown_now()
        place = next((n for n, scan in enumerate(scans) if scan == now), None)
        if place is None:
            place = -1 if steps > 0 else len(scans)
        self.open_scan(scans[min(max(place + steps, 0), len(scans) - 1)])

    def _chosen_scans(self, participant: str) -> tuple[Scan, ...]:
        if self.session_choice == ALL:
            return self.scans_of(participant)
        scan = self.scan_of(participant)
        return () if scan is None else (scan,)

    def open_scan(self, scan: Scan) -> None:
        """Read a scan, then put it into the slot; until then the one before stays in sight."""
        from ..compute import open_file  # noqa: PLC0415

        recipe = FileMap(str(scan.path))
        known, self._wanted = self._session.answer(recipe), scan
        if known is not None:
            self._session.jobs.cancel(SCAN_JOB)
            self._show_scan(scan, recipe, known)
            return
        title = self.tr("Opening {name}").format(name=self.shown_scan(scan))
        self._session.start(
            SCAN_JOB, title, lambda _: open_file(recipe.path), lambda answer: self._show_scan(scan, recipe, answer)
        )

    def _show_scan(self, scan: Scan, recipe: FileMap, answer: Any) -> None:
        session, slot = self._session, self._slot()
        session.results.put(recipe, answer)
        name = self.shown_scan(scan)
        if slot is None:
            state = with_layer(session.state, recipe, answer)
            made = state.overlays[-1]
            state = state.with_overlay(replace(made, name=name))
        else:
            frame = min(slot.frame, max(0, answer.n_frames - 1))
            state = session.state.with_overlay(replace(slot, recipe=recipe, name=name, frame=frame))
        session.store.update(state, self.tr("open a scan"))
        session.load_rest(recipe, answer)
        self.select((scan.participant,))

    # -- what the user says of people

    def keep_note(self, participant: str, text: str) -> None:
        """Keep a note on a person."""
        from ..study.kept import keep_note  # noqa: PLC0415

        if self._shown is not None and self._try(lambda study: keep_note(study, participant, text)):
            self._shown.notes[participant] = text

    def keep_quality(self, participant: str, grade: str) -> None:
        """Keep what somebody thinks of the scan that the table shows of a person."""
        from ..study.kept import Quality, keep_flag  # noqa: PLC0415

        scan = self.scan_of(participant)
        flags: dict[str, Quality] = {"good": "good", "doubtful": "doubtful", "bad": "bad"}
        if scan is None or self._shown is None:
            return
        if self._try(lambda study: keep_flag(study, scan, flags.get(grade))):
            self._shown.flags[scan.path] = grade

    def _try(self, keep: Callable[[Study], None]) -> bool:
        try:
            if self.study is not None:
                keep(self.study)
        except Problem as problem:
            self._session.noticed.emit(Notice("error", str(problem)))
            return False
        return True


def _rank(scan: Scan) -> tuple[bool, bool, int]:
    """Which of several scans of a session is looked at: normalised before native, images of function first."""
    kinds = ("suvr", "pet", "bold", "map", "anat", "mrs")
    return scan.space in (None, "native"), scan.space is None, kinds.index(scan.kind)
