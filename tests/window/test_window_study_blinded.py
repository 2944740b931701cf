"""Blinded mode: whatever the window shows, says or writes names no person, no arm and no session."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pyqtgraph as pg
import pytest
from file_events import answer_dialog, choose, layer_titles, menu_action
from habena.app.session import Notice
from habena.app.settings import Settings, settings_file
from habena.app.study.blinding_kept import events
from habena.app.window import Window
from habena.widgets.reason_dialog import ReasonDialog
from PySide6.QtCore import QAbstractItemModel, QAbstractTableModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QDockWidget,
    QGraphicsTextItem,
    QGraphicsView,
    QLineEdit,
    QMenu,
    QWidget,
)
from study_folder import NAMES, write_study
from window_events import hover, named, press_key, settle, slice_panel

TELLING = re.compile(r"Q\d+W|alphadrug|betadrug|dawn|dusk|noon", re.IGNORECASE)
KEEPS = Settings(theme="dark", atlases=(), remember_files=True)
ROLES = (
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.EditRole,
    Qt.ItemDataRole.ToolTipRole,
    Qt.ItemDataRole.AccessibleTextRole,
    Qt.ItemDataRole.AccessibleDescriptionRole,
    Qt.ItemDataRole.StatusTipRole,
)
ASKED = ("text", "toolTip", "accessibleName", "accessibleDescription", "windowTitle", "title", "statusTip", "whole",
         "placeholderText", "whatsThis", "toPlainText", "iconText", "currentText", "whatsThis")  # fmt: skip


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "trial", people=6, healthy=2)


@pytest.fixture
def window(open_window, study: Path) -> Window:
    made = open_window(study, settings=KEEPS)
    press_key(made, Qt.Key.Key_Period)  # so that there is something to undo
    settle(made)
    choose(made, "Study", "Blinded")
    settle(made)
    return made


def of_model(model: QAbstractItemModel, parent: QModelIndex) -> list[str]:
    columns = 0
    while model.index(0, columns, parent).isValid():
        columns += 1
    found = [str(model.headerData(n, Qt.Orientation.Horizontal, role)) for n in range(columns) for role in ROLES]
    for row in range(model.rowCount(parent)):
        for column in range(columns):
            index = model.index(row, column, parent)
            found += [str(model.data(index, role)) for role in ROLES]
            if column == 0 and model.index(0, 0, index).isValid() and not isinstance(model, QAbstractTableModel):
                found += of_model(model, index)
    return found


def of_object(part: QObject) -> list[str]:
    found = [str(getattr(part, name)()) for name in ASKED if callable(getattr(part, name, None))]
    if isinstance(part, QAbstractItemView | QComboBox) and part.model() is not None:
        found += of_model(part.model(), QModelIndex())
    if isinstance(part, QGraphicsView) and part.scene() is not None:
        items = part.scene().items()
        found += [item.toPlainText() for item in items if isinstance(item, QGraphicsTextItem)]
        found += [item.text for item in items if isinstance(item, pg.LabelItem)]
        found += [item.toolTip() for item in items]
    return found


def said(window: Window) -> list[str]:
    """Everything that can be read in a window, in all its panels and menus."""
    parts: list[QObject] = [window, *window.findChildren(QWidget), *window.findChildren(QAction)]
    return [text for part in parts if not isinstance(part, QMenu) or part.parent() for text in of_object(part)]


def leaks(window: Window) -> set[str]:
    """What is said that tells somebody's name, arm or session, with every panel in front once."""
    found: set[str] = set()
    settle(window)
    for dock in window.findChildren(QDockWidget):
        dock.show()
        dock.raise_()
        QApplication.processEvents()  # a panel that comes in front shows the view at once
        found |= {text for text in said(window) if TELLING.search(text)}
    return found


def test_the_search_itself_finds_names_where_they_are_not_hidden(open_window, study):
    window = open_window(study)
    assert any("sub-Q1W" in text for text in leaks(window))


def test_nothing_in_the_window_tells_who_which_arm_or_when(window, study):
    assert window.study.is_blinded
    panel = slice_panel(window, "axial")
    hover(window.area.slices, panel.px_of((4.0, 4.0, 0.0)))
    window.tell(Notice("error", f"{study}/sub-Q3W/ses-dusk/pet/x.nii.gz: cannot be read; alphadrug"))
    assert leaks(window) == set()
    assert window.windowTitle() == "Simulated: two drugs (blinded) – Habena"


def test_stepping_opening_and_undo_do_not_bring_names_back(window, study):
    for _ in range(3):
        press_key(window, Qt.Key.Key_Period)
        settle(window)
        assert not TELLING.search(" ".join(layer_titles(window)))
    scan = next(study.glob("sub-Q5W/ses-dusk/pet/*.nii.gz"))
    window.open([str(scan)])  # a file of the study, opened as a file
    settle(window)
    assert leaks(window) == set()
    for _ in range(6):
        press_key(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        settle(window)
        assert not TELLING.search(" ".join(overlay.name for overlay in window.session.state.overlays))


def test_people_stand_in_the_order_of_codes_and_scans_in_that_of_letters(window):
    table = window.panels.study_browser.table
    codes = [window.study.shown_name(who) for who in table.shown_keys()]
    assert codes == sorted(codes)
    assert tuple(table.shown_keys()) != NAMES[:8]
    for who in NAMES[:3]:
        letters = [window.study.blinding.shown_session(who, scan.session) for scan in window.study.scans_of(who)]
        assert letters == ["X", "Y"]


def test_scores_and_what_tells_arm_or_session_are_not_shown_at_all(window):
    window.dock("scores").raise_()
    settle(window)
    assert window.panels.scores_panel.plot.data() is None
    titles = {column.title for column in window.panels.study_browser.table._model.columns}
    assert titles == {"Participant", "group", "Scans", "age", "sex", "site", "Quality", "Note"}


def test_a_view_saved_blinded_names_nobody_and_opens_again(open_window, window, tmp_path, monkeypatch):
    file = tmp_path / "out" / "view.json"
    file.parent.mkdir()
    answer_dialog(monkeypatch, "getSaveFileName", file)
    choose(window, "File", "Save view")
    hidden = r"blinded:\w+:\w+"  # signs without a meaning may spell anything
    assert re.search(hidden, file.read_text())
    assert not TELLING.search(re.sub(hidden, "", file.read_text()))
    path = window.session.state.overlays[0].recipe.path
    other = open_window(file, layout=None)
    assert other.session.state.overlays[0].recipe.path == path
    assert leaks(other) == set()


@pytest.mark.parametrize("ending", [".svg", ".html"])
def test_pictures_name_nobody(window, tmp_path, ending):
    file = tmp_path / f"picture{ending}"
    window.files.write_picture(str(file), 1, 100.0)
    settle(window)
    text = re.sub(r"base64,[^\"]*", "", file.read_text())
    assert not TELLING.search(text)
    assert ("simulated data" in text) == (ending == ".html" or "<text" in text)


def test_maps_tables_and_settings_name_nobody(window, tmp_path, monkeypatch):
    overlay = window.session.state.overlays[0]
    window.files.write_map(overlay, str(tmp_path / "map.nii"))
    settle(window)
    assert not TELLING.search((tmp_path / "map.nii").read_bytes().decode("latin-1"))
    record = json.loads((tmp_path / "map.json").read_text())
    assert record["inputs"] == []
    assert not TELLING.search(json.dumps(record))
    answer_dialog(monkeypatch, "getSaveFileName", tmp_path / "people.tsv")
    window.panels.study_browser.save_requested.emit(window.panels.study_browser.table.tsv())
    assert not TELLING.search((tmp_path / "people.tsv").read_text())
    window.close()
    assert not TELLING.search(settings_file().read_text())


def test_recent_files_of_before_are_not_offered_while_names_are_hidden(open_window, study):
    scan = next(study.glob("sub-Q2W/ses-dusk/pet/*.nii.gz"))
    window = open_window(scan, study, settings=KEEPS)
    recent = menu_action(window, "File", "Open recent").menu()
    settle(window)
    assert [action.text() for action in recent.actions() if action.data()] == ["trial", scan.name]
    choose(window, "Study", "Blinded")
    settle(window)
    assert [action.text() for action in recent.actions() if action.data()] == ["trial"]


def test_it_stays_blinded_when_the_study_is_opened_again(open_window, window, study):
    codes = dict(window.study.blinding.codes)
    other = open_window(study)
    assert other.study.is_blinded
    assert other.study.blinding.codes == codes
    assert not TELLING.search(" ".join(layer_titles(other)))


def test_unblinding_asks_why_and_is_logged(window, study):
    choose(window, "Study", "Blinded")
    dialog = window.findChild(ReasonDialog)
    accept = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    assert not accept.isEnabled()
    assert window.study.is_blinded
    QTest.keyClicks(named(dialog, QLineEdit, "Reason"), "all are in")
    QTest.mouseClick(accept, Qt.MouseButton.LeftButton)
    settle(window)
    assert not window.study.is_blinded
    assert layer_titles(window) == ["sub-Q2W dawn, PET"]
    assert [(event.what, event.reason) for event in events(study)] == [("blinded", ""), ("unblinded", "all are in")]
    assert "all are in" in window.panels.study.log()
    assert not menu_action(window, "Study", "Blinded").isChecked()


def test_who_thinks_better_of_it_stays_blinded(window, study):
    choose(window, "Study", "Blinded")
    window.findChild(ReasonDialog).reject()
    settle(window)
    assert window.study.is_blinded
    assert len(list(events(study))) == 1
    assert menu_action(window, "Study", "Blinded").isChecked()


def test_a_series_of_the_study_is_offered_by_code_as_seed_matrix_and_time_course(open_window, study):
    window = open_window(study, settings=KEEPS)
    scan = next(study.glob("sub-Q3W/ses-dusk/pet/*.nii.gz"))
    image = nib.load(scan)
    several = np.stack([np.asanyarray(image.dataobj)] * 12, axis=-1) * np.linspace(1, 1.37, 12, dtype=np.float32)
    run = scan.with_name("sub-Q3W_ses-dusk_task-rest_bold.nii.gz")
    series = nib.Nifti1Image(several, image.affine)
    series.header.set_xyzt_units("mm", "sec")
    series.header.set_zooms((*image.header.get_zooms()[:3], 2.0))
    nib.save(series, run)
    window.open([str(run)])
    settle(window)
    for name in ("seed", "connectivity"):
        window.dock(name).raise_()
        settle(window)
    offered = [window.panels.seed_panel, window.panels.connectivity_panel]
    assert all("sub-Q3W" in " ".join(t for w in part.findChildren(QWidget) for t in of_object(w)) for part in offered)
    choose(window, "Study", "Blinded")
    settle(window)
    assert leaks(window) == set()


def test_a_blinded_study_stays_so_when_another_one_is_opened(window, study, tmp_path):
    other = write_study(tmp_path / "other", people=2, healthy=2)
    window.open([str(other)])
    settle(window)
    assert not window.study.is_blinded
    assert window.study.blinding_of(study / "sub-Q1W").is_on
    assert window.study.blinding_of(other) is None
