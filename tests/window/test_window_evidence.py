"""Evidence cards in the window."""

from __future__ import annotations

from habena.app.state import ViewState
from msgspec.structs import replace
from window_events import settle, wait_until


def test_the_card_of_the_crosshairs_region_shows_by_itself(open_window):
    from habena.app.recipes import FileMap  # noqa: PLC0415
    from habena.app.sample import TEMPLATE, anatomy_file  # noqa: PLC0415
    from habena.app.state import Overlay  # noqa: PLC0415

    anatomy = Overlay(1, FileMap(str(anatomy_file())), "head", space=TEMPLATE)
    view = ViewState(crosshair_mm=(13.0, -19.0, 7.0), overlays=(anatomy,), selected=1, atlases=("aal2",))
    window = open_window(view=view)
    window.dock("evidence").show()
    window.dock("evidence").raise_()
    panel = window.dock("evidence").widget()
    wait_until(lambda: panel.text().startswith("Thalamus"), "the card of the thalamus")
    window.session.move_crosshair((-44.0, -62.0, 34.0), merge="test")
    settle(window)
    assert panel.text().startswith("Angular gyrus")
    panel._follow.setChecked(False)
    window.session.move_crosshair((13.0, -19.0, 7.0), merge="test")
    settle(window)
    assert panel.text().startswith("Angular gyrus")
    panel._go.click()
    wait_until(lambda: abs(window.session.state.crosshair_mm[0] + 44) < 8, "the crosshair in the angular gyrus")
    assert replace(window.session.state, overlays=()) != view
