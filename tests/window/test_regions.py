"""Finding regions, going there by one key, their table, and atlases of the user's own."""

from __future__ import annotations

import threading

import nibabel as nib
import numpy as np
import pytest
from habena.app.finder import jumps
from habena.app.io.atlases import load_atlas
from habena.app.panels import regions
from habena.app.recipes import AtlasLabels, CrosshairSeed, FileMap, RegionMask, SeedCorrelation
from habena.app.settings import Settings, load_settings
from habena.app.state import Overlay, ViewState
from msgspec.structs import replace
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDockWidget, QListWidget, QPushButton, QTableView
from window_events import CONTROL, named, press_key, settle, texts, wait_until
from window_files import save, small_grid_4mm

ATLASES = ("aal2", "cit168")


def region_at(window, atlas_id):
    shares = load_atlas(atlas_id).at(window.session.state.crosshair_mm)
    return shares[0].region.title if shares else ""


def type_into_finder(window, text):
    window.activateWindow()
    press_key(window, Qt.Key.Key_Slash)
    QTest.keyClicks(window.panels.finder, text)


def show_dock(window, name):
    dock = window.findChild(QDockWidget, name)
    dock.show()
    dock.raise_()
    settle(window)
    return dock


def rows_of(table: QTableView):
    model = table.model()
    return [[model.index(r, c).data() for c in range(model.columnCount())] for r in range(model.rowCount())]


def notices(window):
    return list(window.notices.texts)


def press_notice(window, text):
    """Press the button of a notice that says so; unfold the notices if it is not the first."""

    def buttons():
        return {b.text(): b for b in window.notice_bar.findChildren(QPushButton) if b.isVisible()}

    if text not in buttons():
        QTest.mouseClick(next(b for t, b in buttons().items() if t.endswith(" more")), Qt.MouseButton.LeftButton)
        wait_until(lambda: text in buttons(), text)
    QTest.mouseClick(buttons()[text], Qt.MouseButton.LeftButton)
    settle(window)


def place_says(window, text):
    """How often the place panel says it: a label layer's own value once, the name of its atlas's region once."""
    return " ".join(texts(window.panels.cursor_panel)).count(text)


def test_typing_hab_and_enter_goes_to_the_left_habenula(open_window, anatomy):
    window = open_window(anatomy)
    type_into_finder(window, "hab")
    QTest.keyClick(window.panels.finder, Qt.Key.Key_Return)
    settle(window)
    assert region_at(window, "cit168") == "Habenula L"
    assert window.session.state.crosshair_mm[0] < 0
    assert len(window.session.state.overlays) == 1


def test_control_enter_adds_the_region_as_a_layer_that_is_seen(open_window, anatomy):
    window = open_window(anatomy)
    before = window.area.slices.grab().toImage()
    type_into_finder(window, "thalamus r")
    QTest.keyClick(window.panels.finder, Qt.Key.Key_Return, CONTROL)
    settle(window)
    recipe = window.session.state.overlays[-1].recipe
    assert isinstance(recipe, RegionMask)
    assert region_at(window, recipe.atlas).startswith("Thalamus")
    assert window.session.state.crosshair_mm[0] > 0
    assert window.area.slices.grab().toImage() != before


def test_every_region_key_goes_into_its_region(open_window, anatomy):
    window = open_window(anatomy)
    for jump in jumps():
        keys = QKeySequence(jump.key)[0]
        press_key(window, keys.key(), keys.keyboardModifiers())
        settle(window)
        assert region_at(window, jump.atlas) == jump.region.title, jump.key


def test_an_image_without_a_known_space_gets_no_region_names(open_window, tmp_path):
    grid = small_grid_4mm()
    image = nib.Nifti1Image(np.ones(grid.shape, np.float32), grid.affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(grid.affine, 1)  # scanner space
    nib.save(image, tmp_path / "native_T1w.nii")
    window = open_window(tmp_path / "native_T1w.nii", settings=Settings(theme="dark", atlases=ATLASES))
    before = window.session.state.crosshair_mm
    type_into_finder(window, "habenula l")
    QTest.keyClick(window.panels.finder, Qt.Key.Key_Return)
    settle(window)
    assert window.session.state.crosshair_mm == before
    assert any(text.startswith("Habenula L: ") for text in notices(window))
    assert "Thalamus" not in " ".join(texts(window.panels.cursor_panel))


def test_the_region_table_follows_the_maps_the_atlas_and_the_click(open_window, anatomy, stat_map):
    window = open_window(anatomy, stat_map)
    dock = show_dock(window, "regions")
    table = dock.findChild(QTableView)
    wait_until(lambda: table.model().rowCount() > 0, "the table")
    first = rows_of(table)
    layers = list(dict.fromkeys(row[-1] for row in first))
    assert layers == [overlay.name for overlay in reversed(window.session.state.overlays)]  # the anatomy last
    choice = named(dock, QComboBox, "Atlas")
    choice.setFocus()
    QTest.keyClick(choice, Qt.Key.Key_Home)
    settle(window)
    second = rows_of(table)
    assert {row[0] for row in second} != {row[0] for row in first}
    with_peak = next(n for n, row in enumerate(second) if row[-1] != first[-1][-1] and row[6] not in (None, "", "–"))
    index = table.model().index(with_peak, 1)
    table.scrollTo(index)
    place = table.visualRect(index).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    settle(window)
    expected = [float(str(table.model().index(with_peak, c).data()).replace("−", "-")) for c in (6, 7, 8)]
    assert list(window.session.state.crosshair_mm) == pytest.approx(expected)


def test_regions_and_masks_are_layers_of_their_own_kind_and_not_in_the_table(open_window, anatomy, stat_map, tmp_path):
    mask = (nib.load(stat_map).get_fdata() > 3).astype(np.uint8)
    drawn = save(tmp_path / "sub-01_space-MNI152NLin6Asym_mask.nii", mask, nib.load(stat_map).affine)
    window = open_window(anatomy, stat_map, drawn)
    type_into_finder(window, "thalamus r")
    QTest.keyClick(window.panels.finder, Qt.Key.Key_Return, CONTROL)
    table = show_dock(window, "regions").findChild(QTableView)
    assert len(window.session.state.overlays) == 4
    assert {row[-1] for row in rows_of(table)} == {o.name for o in window.session.state.overlays[:2]}


def test_a_table_behind_other_tabs_is_not_computed_and_one_in_front_only_where_a_map_is_new(
    open_window, anatomy, stat_map, monkeypatch
):
    asked = []
    compute = regions.map_statistics

    def counted(name, *rest):
        asked.append(name)
        return compute(name, *rest)

    monkeypatch.setattr(regions, "map_statistics", counted)
    window = open_window(anatomy, stat_map)
    anatomy_layer, map_layer = (overlay.name for overlay in window.session.state.overlays)
    assert asked == []
    show_dock(window, "regions")
    assert sorted(asked) == sorted([anatomy_layer, map_layer])
    window.session.update_overlay(replace(window.session.state.overlays[1], name="renamed"), "rename")
    settle(window)
    assert asked[2:] == ["renamed"]
    show_dock(window, "time")
    window.session.update_overlay(replace(window.session.state.overlays[1], name="once more"), "rename")
    settle(window)
    assert len(asked) == 3
    show_dock(window, "regions")
    assert asked[3:] == ["once more"]


def test_a_map_that_follows_the_crosshair_does_not_wait_for_the_table(open_window, run_4d, monkeypatch):
    go_on = threading.Event()
    compute = regions.map_statistics

    def slow(*question):
        go_on.wait()
        return compute(*question)

    seed = SeedCorrelation(FileMap(str(run_4d)), CrosshairSeed())
    view = ViewState(
        crosshair_mm=(-33.0, -33.0, 3.0), overlays=(Overlay(1, seed.run, "run"), Overlay(2, seed, "seed")), selected=2
    )
    window = open_window(view=view)
    monkeypatch.setattr(regions, "map_statistics", slow)
    window.dock("regions").raise_()
    wait_until(lambda: window.session.jobs.busy(regions.JOB), "the table under way")
    press_key(window, Qt.Key.Key_Right)
    wait_until(lambda: not window.session.waits_for_live, "the map")
    at = window.session.state.crosshair_mm
    image = window.session.answer(seed).image
    assert image.frame(0)[image.grid.voxel_at(at)] == pytest.approx(1.0, abs=1e-6)
    assert window.session.jobs.busy(regions.JOB)
    go_on.set()
    settle(window)


# -- atlases of the user's


@pytest.fixture
def label_image(tmp_path):
    """Two labels: 3 on the right in front, 7 on the left behind; in an aligned space that is not named."""
    grid = small_grid_4mm()
    values = np.zeros(grid.shape, np.int16)
    values[12:17, 14:19, 8:14] = 3
    values[3:8, 4:9, 8:14] = 7
    path = save(tmp_path / "parcels.nii.gz", values, grid.affine)
    image = nib.load(path)
    image.set_sform(grid.affine, 2)
    nib.save(image, tmp_path / "parcels.nii.gz")
    return path


@pytest.fixture
def names(tmp_path):
    path = tmp_path / "names.tsv"
    path.write_text("index\tname\n3\tFooland R\n7\tBarland L\n")
    return path


def use_as_atlas(window):
    """The entry of the layer's menu."""
    window.panels.layer_list.action_chosen.emit(window.session.state.selected, "atlas")
    settle(window)


def test_a_label_image_becomes_an_atlas_with_a_table_of_names(open_window, anatomy, label_image, names, monkeypatch):
    window = open_window(anatomy, label_image)
    use_as_atlas(window)
    state = window.session.state
    assert [type(overlay.recipe) for overlay in state.overlays[1:]] == [AtlasLabels], "shown twice, or as numbers"
    monkeypatch.setattr(window, "choose_file", lambda *_: str(names))
    press_notice(window, "Choose a table of names…")
    assert not any("have no names" in text for text in notices(window))
    # offered and ticked among the atlases
    ticks = named(window, QListWidget, "Atlases")
    ticked = [i.text() for i in map(ticks.item, range(ticks.count())) if i.checkState() == Qt.CheckState.Checked]
    assert ticked == ["parcels.nii.gz"]
    # found by name
    type_into_finder(window, "foola")
    found = named(window, QListWidget, "Regions found")
    assert [found.item(n).text() for n in range(found.count())] == ["Fooland R"]
    # listed in the table's choice
    choice = named(show_dock(window, "regions"), QComboBox, "Atlas")
    assert "parcels" in " ".join(choice.itemText(n) for n in range(choice.count()))


def test_the_names_of_an_own_atlas_are_shown_once_its_space_is_vouched_for(
    open_window, anatomy, label_image, names, monkeypatch
):
    label_image.with_name("parcels.tsv").write_text(names.read_text())
    window = open_window(anatomy, label_image)
    use_as_atlas(window)
    window.session.move_crosshair((18.0, 18.0, 2.0))
    settle(window)
    assert place_says(window, "Fooland R") == 1
    monkeypatch.setattr(
        "habena.app.files.QInputDialog.getItem", lambda _w, _t, _l, names, *_: (names[1], True)
    )  # the first after "not known": that of the images
    press_notice(window, "Say which space…")
    assert place_says(window, "Fooland R") == 2
    window.session.move_crosshair((-20.0, -20.0, 2.0))
    settle(window)
    assert place_says(window, "Barland L") == 2


def test_the_path_of_an_own_atlas_is_not_remembered(open_window, anatomy, label_image):
    window = open_window(anatomy, label_image, settings=Settings(theme="dark", atlases=ATLASES, remember_files=False))
    use_as_atlas(window)
    assert str(label_image) in window.session.state.atlases
    window.close()
    assert load_settings().atlases == ATLASES
    assert "parcels" not in repr(load_settings())


def test_layers_in_different_templates_are_warned_of_once(open_window, tmp_path):
    grid = small_grid_4mm()
    one = save(tmp_path / "sub-01_space-MNI152NLin6Asym_T1w.nii", np.ones(grid.shape, np.float32), grid.affine)
    other = save(tmp_path / "sub-01_space-MNIPediatricAsym_stat.nii", np.ones(grid.shape, np.float32), grid.affine)
    window = open_window(one, other)
    warned = [text for text in notices(window) if "places do not correspond" in text]
    assert len(warned) == 1
    QTest.mouseClick(
        next(b for b in window.notice_bar.findChildren(QPushButton) if b.text() == "Dismiss all"),
        Qt.MouseButton.LeftButton,
    )
    window.session.move_crosshair((1.0, 2.0, 3.0))
    settle(window)
    assert notices(window) == []


def test_ticked_atlases_are_remembered_but_a_view_that_is_opened_changes_nothing(open_window, anatomy):
    window = open_window(anatomy, settings=Settings(theme="dark", atlases=("aal2",)))
    window.session.update("open a view", None, atlases=())
    settle(window)
    assert window.settings.atlases == ("aal2",)
    ticks = named(window, QListWidget, "Atlases")
    item = next(i for i in map(ticks.item, range(ticks.count())) if i.text() == "CIT168")
    ticks.scrollToItem(item)
    box = ticks.visualItemRect(item)
    QTest.mouseClick(ticks.viewport(), Qt.MouseButton.LeftButton, pos=box.topLeft() + QPoint(12, box.height() // 2))
    settle(window)
    assert load_settings().atlases == ("cit168",)
