"""Studies of the demo in the window: what is said, what was planted on request, and natives on the wall."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from file_events import choose, errors, layer_titles, menu_action, notices
from habena.app.demo_studies import first_view
from habena.app.simulated.demo import Demo
from habena.app.window import Window
from study_folder import write_study
from window_events import settle
from window_files import save, small_grid_4mm


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    """The places of a demo with one small study and two maps of what was planted, one of them empty."""
    demo = Demo.within(tmp_path / "demo")
    write_study(demo.ampar_pet, people=2, healthy=0)
    demo.naltrexone_mrs.mkdir()
    demo.planted.mkdir()
    (demo.planted / "truth.json").write_text(json.dumps({"Simulated": True}))
    grid = small_grid_4mm()
    values = np.zeros(grid.shape, np.float32)
    save(demo.planted / "pet_severity.nii.gz", values, grid.affine)
    values[5:9, 5:9, 5:9] = -2.0
    save(demo.planted / "pet_change.nii.gz", values, grid.affine)
    (demo.planted / "pet_change.json").write_text(json.dumps({"Simulated": True}))
    return demo


def planted_entry(window: Window) -> bool:
    menu_action(window, "Study").menu().aboutToShow.emit()
    return menu_action(window, "Study", "Planted").isVisible()


def test_a_demo_study_says_what_is_next_and_shows_what_was_planted_on_request(open_window, demo):
    window = open_window(demo.ampar_pet)
    assert any("nobody was scanned" in text and "planted" in text for text in notices(window))
    assert planted_entry(window)
    before = window.session.state
    choose(window, "Study", "Planted")
    settle(window)
    assert layer_titles(window)[1:] == ["Planted: change (simulated)"]  # the empty one is none
    assert window.session.shown()[-1].answer.simulated
    choose(window, "Study", "Planted")
    settle(window)
    assert window.session.state.overlays == before.overlays
    assert errors(window) == []


def test_another_study_has_nothing_planted(open_window, tmp_path):
    window = open_window(write_study(tmp_path / "ampar-pet", people=2, healthy=0))
    assert not planted_entry(window)
    assert not any("nobody was scanned" in text for text in notices(window))


def test_the_demo_begins_with_the_wall_of_a_patient_who_came_twice(open_window, demo):
    for path in sorted(demo.ampar_pet.glob("sub-Q*")):
        for scan in sorted(path.rglob("*.*")):
            scan.rename(
                scan.with_name(scan.name.replace("sub-Q", "sub-T").replace("dawn", "pre").replace("dusk", "post"))
            )
        for session in ("dawn", "dusk"):
            (path / f"ses-{session}").rename(path / f"ses-{'pre' if session == 'dawn' else 'post'}")
        path.rename(path.with_name(path.name.replace("sub-Q", "sub-T")))
    table = demo.ampar_pet / "participants.tsv"
    table.write_text(table.read_text().replace("sub-Q", "sub-T"))
    window = open_window(view=first_view(demo, demo.ampar_pet), layout=None)
    assert window.session.state.layout == "wall"
    assert layer_titles(window)[1:] == ["sub-T1W pre", "sub-T1W post", "sub-T1W post \N{MINUS SIGN} pre"]
    assert len(window.session.shown()) == 4
    assert window.panels.study_browser.table.shown_keys() == ("sub-T1W", "sub-T2W")
    assert window.panels.study_browser.isVisible()
    window.study.set_blinded(True)
    settle(window)
    assert [layer.name for layer in first_view(demo, demo.ampar_pet).overlays] == ["MNI152 T1"]


def test_a_native_scan_has_a_column_of_its_own_with_its_own_scale(open_window, tmp_path):
    study = write_study(tmp_path / "trial", people=1, healthy=0)
    place = study / "sub-Q1W" / "ses-dawn" / "pet"
    source = next(place.glob("*.nii.gz"))
    normalised = nib.load(source)
    own = nib.Nifti1Image(1000 * normalised.get_fdata(dtype=np.float32), normalised.affine)
    own.set_sform(normalised.affine, 1)
    own.header.set_xyzt_units("mm", "sec")
    nib.save(own, place / "sub-Q1W_ses-dawn_trc-T1_space-orig_pet.nii.gz")
    matrix = "1 0 0 0 1 0 0 0 1 0 0 0"
    transform = place / "sub-Q1W_ses-dawn_from-orig_to-MNI152NLin2009cAsym_mode-image_xfm.txt"
    text = f"#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: {matrix}\n"
    transform.write_text(f"{text}FixedParameters: 0 0 0\n")
    window = open_window(study)
    choose(window, "Study", "Wall")
    settle(window)
    names = ["sub-Q1W dawn", "sub-Q1W dusk", "sub-Q1W dusk \N{MINUS SIGN} dawn", "sub-Q1W dawn native by affine"]
    assert layer_titles(window)[1:] == names
    assert len(window.slice_view.arrangement.panels) == 12
    scan, _, _, native = window.session.state.overlays[1:]
    assert native.colours.high > 1000 > scan.colours.high
    transform.write_text(text.replace("Affine", "BSpline") + "FixedParameters: 0 0 0\n")
    choose(window, "Study", "Wall")
    choose(window, "Study", "Wall")
    settle(window)
    assert layer_titles(window)[1:] == names[:3]
    assert any("not affine" in text for text in notices(window))
