"""Recent files: kept only when the user says so, since their names can identify patients."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
from file_events import choose, drop, errors, layer_titles, menu_action, notices, one_error, press_in_notice
from habena.app.settings import Settings, load_settings, settings_file
from habena.app.window import Window
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QListWidget, QMenu
from window_events import named, settle

QUESTION = "Keep a list of recent files on this computer? File names can identify patients."
KEEPS = Settings(theme="dark", atlases=(), remember_files=True)


def recent_menu(window: Window) -> list[str]:
    settle(window)
    menu = menu_action(window, "File", "Open recent").menu()
    assert isinstance(menu, QMenu)
    return [action.text() for action in menu.actions() if action.data()]


def stored() -> str:
    """All that is on the disk of this user."""
    return settings_file().read_text() if settings_file().exists() else ""


def test_nothing_is_kept_before_the_user_has_answered(open_window, anatomy):
    window = open_window(anatomy)
    assert QUESTION in notices(window)
    assert recent_menu(window) == []
    assert not menu_action(window, "File", "Open recent", "Keep a list of recent files").isChecked()
    window.close()
    assert anatomy.name not in stored()
    assert anatomy.stem not in stored()


def test_after_yes_the_files_opened_so_far_and_later_are_listed_the_latest_first(open_window, anatomy, stat_map):
    window = open_window(anatomy)
    press_in_notice(window, "Keep the list")
    assert QUESTION not in notices(window)
    drop(window, stat_map)
    settle(window)
    assert QUESTION not in notices(window)
    assert recent_menu(window) == [stat_map.name, anatomy.name]
    assert load_settings().recent == (str(stat_map), str(anatomy))


def test_after_never_no_name_is_stored_and_the_question_does_not_come_back(open_window, anatomy, stat_map):
    window = open_window(anatomy)
    press_in_notice(window, "Never")
    drop(window, stat_map)
    settle(window)
    assert notices(window) == []
    assert recent_menu(window) == []
    window.close()
    assert load_settings().remember_files is False
    for path in (anatomy, stat_map):
        assert path.stem not in stored()
    again = open_window(anatomy, settings=load_settings())
    assert notices(again) == []


def test_a_question_that_is_waved_away_counts_as_no_answer(open_window, anatomy, stat_map):
    window = open_window(anatomy)
    window.notice_bar.dismiss_first()
    drop(window, stat_map)
    settle(window)
    assert QUESTION in notices(window)
    assert anatomy.stem not in stored()
    press_in_notice(window, "Keep the list")
    assert recent_menu(window) == [stat_map.name, anatomy.name]


def test_the_next_window_lists_them_in_its_menu_and_on_its_first_page_and_opens_them(open_window, anatomy, stat_map):
    first = open_window(anatomy, stat_map, settings=KEEPS)
    first.close()
    window = open_window(settings=load_settings())
    assert window.welcome.isVisible()
    shown = named(window.welcome, QListWidget, "Recent files")
    assert [shown.item(row).text() for row in range(shown.count())] == [stat_map.name, anatomy.name]
    QTest.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=shown.visualItemRect(shown.item(1)).center())
    settle(window)
    assert layer_titles(window) == [anatomy.stem]
    choose(window, "File", "Open recent", stat_map.name)
    settle(window)
    assert layer_titles(window) == [anatomy.stem, stat_map.stem]
    assert recent_menu(window) == [stat_map.name, anatomy.name]


def test_opening_a_file_again_moves_it_to_the_top_instead_of_listing_it_twice(open_window, anatomy, stat_map):
    window = open_window(anatomy, stat_map, anatomy, settings=KEEPS)
    assert recent_menu(window) == [anatomy.name, stat_map.name]


def test_the_list_has_an_end(open_window, anatomy, tmp_path):
    copies = [Path(shutil.copy(anatomy, tmp_path / f"{number:02}.nii")) for number in range(14)]
    window = open_window(settings=KEEPS)
    drop(window, *copies, over=window.welcome)
    settle(window)
    assert recent_menu(window) == [f"{number:02}.nii" for number in range(13, 1, -1)]


def test_a_file_that_could_not_be_opened_is_not_listed(open_window, tmp_path):
    window = open_window(settings=KEEPS)
    drop(window, tmp_path / "missing.nii", over=window.welcome)
    settle(window)
    one_error(window, "missing.nii")
    assert recent_menu(window) == []


def test_a_recent_file_that_is_gone_is_told(open_window, anatomy, stat_map):
    recent = Settings(theme="dark", atlases=(), remember_files=True, recent=(str(stat_map),))
    stat_map.unlink()
    window = open_window(anatomy, settings=recent)
    choose(window, "File", "Open recent", stat_map.name)
    settle(window)
    one_error(window, stat_map.name, "does not exist")


def test_a_folder_is_listed_as_the_folder_that_was_named(open_window, anatomy):
    window = open_window(settings=KEEPS)
    drop(window, anatomy.parent, over=window.welcome)
    settle(window)
    assert recent_menu(window) == [anatomy.parent.name]
    assert load_settings().recent == (str(anatomy.parent),)


def test_the_list_can_be_cleared(open_window, anatomy, stat_map):
    window = open_window(anatomy, stat_map, settings=KEEPS)
    assert len(recent_menu(window)) == 2
    choose(window, "File", "Open recent", "Clear this list")
    assert recent_menu(window) == []
    for path in (anatomy, stat_map):
        assert path.stem not in stored()


def test_a_users_atlas_leaves_no_name_behind_when_nothing_may_be_kept(open_window, anatomy, tmp_path):
    refused = Settings(theme="dark", atlases=(), remember_files=False)
    window = open_window(anatomy, settings=refused)
    image = nib.load(anatomy)
    values = np.where(np.asarray(image.dataobj) > 0, 1, 0).astype(np.int16)
    values[:10] *= 2
    labels = tmp_path / "sub-01_labels.nii"
    nib.save(nib.Nifti1Image(values, image.affine), labels)
    window.session.open_atlas(str(labels))
    settle(window)
    assert errors(window) == []
    window.close()
    assert labels.name not in stored()
    assert str(labels.parent) not in stored()


def test_one_can_change_one_s_mind_in_the_menu(open_window, anatomy, stat_map):
    window = open_window(anatomy, settings=Settings(theme="dark", atlases=(), remember_files=False))
    choose(window, "File", "Open recent", "Keep a list of recent files")
    drop(window, stat_map)
    assert recent_menu(window) == [stat_map.name]
    choose(window, "File", "Open recent", "Keep a list of recent files")
    assert recent_menu(window) == []
    assert load_settings().remember_files is False
    assert stat_map.name not in stored()
