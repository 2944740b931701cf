"""What the window does with files: open, save, remember, tell about."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QInputDialog

from .answers import Answer, MaskImage
from .opening import Opened
from .outputs import refuse_place
from .problems import Problem, without_names
from .questions import ModelFit
from .recipes import FileMap, GroupSeedMap, ModelMap, Recipe, label_file, label_file_id
from .resolve import concrete, file_of
from .saved import files_of, save_view
from .scenes import has_surface
from .session import Notice, Session
from .state import Overlay, Vouched

if TYPE_CHECKING:
    from .atlas import Atlas
    from .window import Window

IMAGES = "Images (*.nii *.nii.gz *.mgz *.mgh *.img *.hdr *.mnc *.HEAD);;All files (*)"
TABLES = "Tables (*.tsv *.csv *.txt *.xml *.lut);;All files (*)"
NIFTI = "NIfTI (*.nii.gz *.nii)"
PICTURES = "PNG (*.png);;TIFF (*.tif);;SVG (*.svg);;PDF (*.pdf);;Web page (*.html)"


class FileCommands(QObject):
    """Commands of the File menu, for one window."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._opened_before_asking: list[str] = []
        self.folder = ""

    def came_from(self, path: str) -> None:
        """Let the next dialog of this run begin in the folder of a path that was chosen."""
        if path:
            self.folder = str(Path(path).parent)

    def open_files(self) -> None:
        """Ask for files and open them."""
        paths, _ = QFileDialog.getOpenFileNames(self._window, self.tr("Open files"), self.folder)
        self.came_from("".join(paths[:1]))
        self._window.open(paths)

    def open_folder(self) -> None:
        """Ask for a folder and open it."""
        path = QFileDialog.getExistingDirectory(self._window, self.tr("Open a folder"), self.folder)
        self.came_from(path)
        if path:
            self._window.open([path])

    def open_study(self) -> None:
        """Ask for the folder of a study and open it."""
        path = QFileDialog.getExistingDirectory(self._window, self.tr("Open the folder of a study"), self.folder)
        self.came_from(path)
        if path:
            self._window.study.open(path)

    def open_study_table(self) -> None:
        """Ask for a table whose columns name images, and open it as a study."""
        path = self._window.choose_file(self.tr("Open the table of a study"), TABLES)
        if path:
            self._window.study.open(path)

    def open_demo_study(self, name: str = "ampar-pet") -> None:
        """Simulate the demo's studies if need be, and open one of them."""
        from .panels.study_demo import show_first  # noqa: PLC0415
        from .simulated.demo import make_demo  # noqa: PLC0415

        session = self._window.session
        session.start(
            ("open", "demo"),
            self.tr("Simulating three studies"),
            lambda report: make_demo(report=report),
            lambda demo: show_first(session, demo, demo.folder / name),
        )

    def open_atlas(self) -> None:
        """Ask for a label image and use it as an atlas."""
        path = self._window.choose_file(self.tr("Open an atlas or label image"), IMAGES)
        if path:
            self._window.session.open_atlas(label_file_id(path))

    def atlas_opened(self, atlas: Atlas) -> None:
        """Say what an atlas of the user's lacks, with what to do about it."""
        session = self._window.session
        if any(finding.code == "labels-nameless" for finding in atlas.findings):
            text = self.tr("{name}: its labels have no names.").format(name=atlas.info.title)
            choose = (self.tr("Choose a table of names…"), lambda: self._choose_table(atlas.info.id))
            self._window.tell(Notice("info", text, (choose,)))
        if not session.state.template_of(atlas.info.id, atlas.info.template):
            text = self.tr("{name} does not say which space it is in: its names are not shown on images.")
            say = (self.tr("Say which space…"), lambda: self._ask_template(atlas))
            self._window.tell(Notice("info", text.format(name=atlas.info.title), (say,)))

    def _choose_table(self, atlas: str) -> None:
        table = self._window.choose_file(self.tr("Choose a table of names"), TABLES)
        if table:
            self._window.session.open_atlas(label_file_id(label_file(atlas)[0], table))

    def _ask_template(self, atlas: Atlas) -> None:
        from .templates import SAME_AS_IMAGES  # noqa: PLC0415

        session = self._window.session
        said = session.state.template_of(atlas.info.id, atlas.info.template)
        template = self._choose_space(atlas.info.title, said, (SAME_AS_IMAGES,))
        if template is not None:
            others = tuple(one for one in session.state.vouched if one.atlas != atlas.info.id)
            vouched = (*others, Vouched(atlas.info.id, template)) if template else others
            session.update("say the space", None, vouched=vouched)

    def open_sample(self) -> None:
        """Make the sample view's files if need be, and show it."""
        from .sample import sample_files, sample_view  # noqa: PLC0415

        session = self._window.session

        def show(sample: Any) -> None:
            view = sample_view(sample)
            session.store.update(replace(view, radiological=session.state.radiological), "open the sample view")

        session.start(
            ("open", "sample"), self.tr("Preparing the sample view"), lambda report: sample_files(report=report), show
        )

    def remember(self, opened: Opened) -> None:
        """Add opened files to the recent ones, asking the first time whether these may be kept at all."""
        window = self._window
        if opened.table is not None or window.study.hides(opened.path):
            return
        if window.settings.remember_files is None:
            self._ask_to_remember(opened.path)
        window.remember(window.settings.opened(opened.path))

    def forget_recent(self) -> None:
        """Empty the list of recent files."""
        self._window.remember(replace(self._window.settings, recent=()))

    def keep_recent(self, keep: bool) -> None:
        """Keep a list of recent files from now on, or none."""
        settings = self._window.settings
        self._window.remember(replace(settings, remember_files=keep, recent=settings.recent if keep else ()))

    def _ask_to_remember(self, path: str) -> None:
        window = self._window
        self._opened_before_asking.append(path)

        def answer(keep: bool) -> None:
            window.remember(replace(window.settings, remember_files=keep))
            for one in self._opened_before_asking:
                window.remember(window.settings.opened(one))
            self._opened_before_asking.clear()

        text = self.tr("Keep a list of recent files on this computer? File names can identify patients.")
        actions = (
            (self.tr("Keep the list"), lambda: answer(True)),  # noqa: FBT003
            (self.tr("Never"), lambda: answer(False)),  # noqa: FBT003
        )
        window.tell(Notice("info", text, actions))

    # -- saving

    def name_to_save(self, title: str, suggestion: str, kinds: str, endings: tuple[str, ...]) -> str:
        """A place that the user picks, with the first of the endings unless it has one; nothing if it cannot be."""
        path, _ = QFileDialog.getSaveFileName(self._window, title, str(Path(self.folder, suggestion)), kinds)
        if not path:
            return ""
        self.came_from(path)
        was_confirmed = path.lower().endswith(endings)
        if not was_confirmed:
            path += endings[0]
        try:
            refuse_place(Path(path), map(Path, files_of(self._window.session.state)))
            if not was_confirmed and Path(path).exists():
                raise Problem(path, "exists already", "choose another name, or that one itself to replace it")
        except Problem as problem:
            self._window.tell(Notice("error", str(problem)))
            return ""
        return path

    def save_view(self) -> None:
        """Save the view as a scene file."""
        path = self.name_to_save(
            self.tr("Save the view"), "view.habena.json", self.tr("Habena view (*.json)"), (".json",)
        )
        if not path:
            return
        from .io.dicom import default_cache  # noqa: PLC0415

        state = self._window.session.state
        if not self._try(lambda: save_view(path, state, self._window.study.to_save), path):
            return
        cache = default_cache()
        passing = [o.name for o in state.overlays if (file := file_of(o.recipe)) and cache in Path(file.path).parents]
        if passing:
            text = self.tr("{names}: converted from DICOM, and removed when this window closes. Save as NIfTI to keep.")
            self._window.tell(Notice("warning", text.format(names=", ".join(passing))))

    def save_picture(self) -> None:
        """Save what the views show as a picture; its size is asked first."""
        from ..widgets.picture_dialog import PictureDialog  # noqa: PLC0415 - not before it is asked for

        dialog = PictureDialog(self._window.area.slices.size_px(), self._window)
        dialog.chosen.connect(self._save_picture)
        dialog.open()

    def _save_picture(self, times: int, dpi: float) -> None:
        from .export import ENDINGS  # noqa: PLC0415 - not before it is asked for

        path = self.name_to_save(self.tr("Save a picture"), "habena.png", PICTURES, ENDINGS)
        if path:
            self.write_picture(path, times, dpi)

    def write_picture(self, path: str, times: int, dpi: float) -> None:
        """Write the picture of the views, some times larger than shown."""
        from .export import write_picture  # noqa: PLC0415 - not before it is asked for
        from .headless import RenderOptions  # noqa: PLC0415

        session = self._window.session
        canvas = self._window.area.slices
        width, height = canvas.size_px()
        scale = times * canvas.devicePixelRatioF()
        options = RenderOptions(size=(times * width, times * height), scale=scale, dpi=dpi)
        state, shown, results = session.state, session.shown(), session.snapshot()

        def write() -> None:
            write_picture(path, state, shown, results, options, with_view=False)

        if sys.platform == "darwin" and has_surface(state.layout):  # OpenGL there wants the first thread
            self._try(write, path)
        else:
            title = self.tr("Saving {name}").format(name=Path(path).name)
            session.start(("save", path), title, lambda _: write(), lambda _: self._saved(path))

    def save_table(self, name: str, text: str) -> None:
        """Save a table as TSV."""
        path = self.name_to_save(self.tr("Save a table"), f"{name}.tsv", self.tr("Table (*.tsv)"), (".tsv", ".txt"))
        if path:
            self._try(lambda: _write_text(path, self._window.study.shown_text(text)), path)

    def save_selected_map(self) -> None:
        """Save the selected layer's map."""
        selected = self._window.session.state.selected
        if selected is None:
            self._window.tell(Notice("warning", self.tr("Select a layer to save.")))
        else:
            self.save_map(selected)

    def save_map(self, key: int) -> None:
        """Ask for a name and write a layer's map as NIfTI with its record."""
        overlay = self._window.session.state.overlay(key)
        if overlay is None:
            return
        name = "".join(c if c.isalnum() else "_" for c in overlay.name).strip("_") or "map"
        path = self.name_to_save(self.tr("Save the map"), f"{name}.nii.gz", NIFTI, (".nii.gz", ".nii"))
        if path:
            self.write_map(overlay, path)

    def write_map(self, overlay: Overlay, path: str) -> None:
        """Write a layer's map on the grid of the file that it was made from, in the background."""
        session = self._window.session
        recipe = concrete(overlay.recipe, session.state, session.results)
        answer = session.answer(recipe)
        path_of_grid = made_on(recipe, session)
        source = file_of(recipe)
        like = None if source is None else session.answer(source)
        if like is None and path_of_grid is None:  # a region of an atlas: on the grid of the underlay
            base = next((s for s in session.shown() if isinstance(s.overlay.recipe, FileMap)), None)
            like = None if base is None else base.answer
        has_grid = path_of_grid is not None or (like is not None and like.image is not None)
        if answer is None or answer.image is None or not has_grid:
            text = self.tr("{name} has no map in the volume to save.").format(name=overlay.name)
            self._window.tell(Notice("warning", text))
            return
        study = self._window.study
        hidden = study.shown_text if study.is_blinded else None
        how = Written(min(overlay.frame, answer.n_frames - 1), smooth=overlay.smooth, hidden=hidden)

        title = self.tr("Saving {name}").format(name=Path(path).name)
        session.start(
            ("save", path),
            title,
            lambda report: write_answer(path, answer, path_of_grid or like, how, report),
            lambda _: self._saved(path),
        )

    def _try(self, work: Any, path: str) -> bool:
        """Do a short piece of writing and say what came of it; whether it was done."""
        try:
            work()
        except Problem as problem:
            self._window.tell(Notice("error", str(problem)))
            return False
        self._saved(path)
        return True

    def _saved(self, path: str) -> None:
        self._window.tell(Notice("info", self.tr("Saved {path}.").format(path=path)))

    # -- telling

    def show_info(self, overlay: Overlay) -> None:
        """What is known about a layer and its file, in a window of its own."""
        from .help import show_text  # noqa: PLC0415
        from .io.info import describe, file_info  # noqa: PLC0415

        session = self._window.session
        answer = session.answer(overlay.recipe)
        notes = [] if answer is None else [f"{name}: {value}" for name, value in answer.notes.items()]
        source = file_of(overlay.recipe)
        if source is None:
            whole = "\n".join(notes) or self.tr("Nothing more is known.")
            show_text(self._window, overlay.name, self._window.study.shown_text(whole))
            return

        def show(text: str) -> None:
            whole = "\n".join([text, *(["", *notes] if notes else [])])
            show_text(self._window, overlay.name, self._window.study.shown_text(whole))

        title = self.tr("Reading {name}").format(name=Path(source.path).name)
        session.start(("info", source.path), title, lambda _: describe(file_info(source.path)), show)

    def ask_space(self, overlay: Overlay) -> None:
        """Let the user vouch for the space of a layer."""
        answer = self._window.session.answer(overlay.recipe)
        said = overlay.space or (answer.space if answer is not None else None) or ""
        name = self._choose_space(overlay.name, said)
        if name is not None:
            self._window.session.update_overlay(replace(overlay, space=name or None), "say the space")

    def _choose_space(self, what: str, said: str, others: tuple[str, ...] = ()) -> str | None:
        """A space that the user chooses; empty for not known, None when the question was not answered."""
        from .templates import template_names  # noqa: PLC0415

        names = ["", *others, *template_names()]
        text = self.tr("Which space are the coordinates of {name} in?\nOnly choose what you know.")
        name, accepted = QInputDialog.getItem(
            self._window,
            self.tr("Space"),
            text.format(name=what),
            names,
            names.index(said) if said in names else 0,
            False,  # noqa: FBT003 - Qt's own form
        )
        return name if accepted else None


def made_on(recipe: Recipe, session: Session) -> Path | None:
    """The image whose grid a map over several images has."""
    match recipe:
        case GroupSeedMap(runs=runs):
            return Path(runs[0].path)
        case ModelMap(model=model, inference=inference):
            fitted = session.results.get(ModelFit(model, inference.one_sided))
            info = getattr(getattr(getattr(fitted, "data", None), "place", None), "info", None)
            return None if info is None else info.path
        case _:
            return None


class Written(NamedTuple):
    """How a map is written.

    Attributes
    ----------
    frame : int
    smooth : bool
        Blended between voxels, as it is shown.
    hidden : callable or None
        Takes names out of a text while a study is blinded; inputs are then not told at all.
    """

    frame: int
    smooth: bool
    hidden: Callable[[str], str] | None = None


def write_answer(path: str, answer: Answer, like: Answer | Path | None, how: Written, report: Any) -> None:
    """Write one frame of an answer on the grid of a file's image."""
    from ..stats.resample import resample  # noqa: PLC0415 - compiled
    from .io.volumes import open_volume  # noqa: PLC0415
    from .io.write import Record, write_map  # noqa: PLC0415

    image = answer.image
    if image is None:
        raise Problem(path, "there is no map to write", "choose another layer")
    info = open_volume(like).info if isinstance(like, Path) else getattr(getattr(like, "image", None), "info", None)
    if info is None:
        raise Problem(path, "the grid to write on comes from no file", "open an image first")
    grid = info.space.grid
    values = image.frame(how.frame)
    is_mask = isinstance(image, MaskImage)
    if image.grid != grid:
        to_source = image.grid.inverse @ grid.affine
        between = "linear" if how.smooth and not (is_mask or answer.is_labels) else "nearest"
        values = resample(values, to_source, grid.shape, between, outside=0.0)
    if is_mask:
        values = values > 0
    notes, inputs = {**answer.notes, "title": answer.title}, (Path(info.path),)
    findings = without_names(answer.findings)
    if how.hidden is not None:
        hidden, inputs = how.hidden, ()
        notes = {name: hidden(value) if isinstance(value, str) else value for name, value in notes.items()}
        findings = tuple(replace(each, where=hidden(each.where), message=hidden(each.message)) for each in findings)
    record = Record(notes, inputs, answer.statistic or answer.unit, findings)
    write_map(path, values, info, record, report)


def _write_text(path: str, text: str) -> None:
    from .io.files import replacing  # noqa: PLC0415

    with replacing(Path(path)) as file:
        file.write(text.encode())
