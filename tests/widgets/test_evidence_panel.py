"""The panel of evidence cards."""

from __future__ import annotations

from habena.app.evidence import evidence_cards
from habena.app.panels.evidence import card_text
from habena.widgets.evidence_panel import CardLine, CardText, EvidencePanel, StatementText
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot


def panel_of(qtbot: QtBot) -> EvidencePanel:
    panel = EvidencePanel()
    qtbot.addWidget(panel)
    panel.set_cards([CardLine("a", "Alpha", "Hypotheses"), CardLine("b", "Beta", "Regions")])
    return panel


def a_card(**changes: object) -> CardText:
    one = StatementText("Seen.", "n = 3", "Somebody 2020", "10.1000/x")
    given = {"title": "Alpha", "claim": "It is so.", "level": "people", "in_favour": (one,), "against": ()}
    more = {"numbers": (), "can_show": (), "cannot_show": "Much.", "gap": "", "note": "", "has_place": False}
    return CardText(**{**given, **more, **changes})


def test_a_card_says_claim_findings_sources_and_what_cannot_be_shown(qtbot):
    panel = panel_of(qtbot)
    panel.set_card(a_card(), "a")
    text = panel.text()
    for part in ("It is so.", "For (1)", "Against (0)", "Seen.", "n = 3. Somebody 2020, 10.1000/x", "Much."):
        assert part in text


def test_markup_in_a_card_is_text(qtbot):
    panel = panel_of(qtbot)
    panel.set_card(a_card(claim="<img src='x'><b>bold</b>"), "a")
    assert "<img src='x'><b>bold</b>" in panel.text()


def test_choosing_a_card_tells_its_id_and_showing_one_does_not(qtbot):
    panel = panel_of(qtbot)
    chosen: list[str] = []
    panel.chosen.connect(chosen.append)
    panel.set_card(a_card(), "b")
    assert chosen == []
    panel._list.setCurrentRow(1)
    assert chosen == ["a"]


def test_only_addresses_of_dois_are_opened(qtbot, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    panel = panel_of(qtbot)
    for address in ("https://doi.org/10.1000/x", "file:///etc/passwd", "http://example.org", "https://example.org/a"):
        panel._text.anchorClicked.emit(QUrl(address))
    assert opened == ["https://doi.org/10.1000/x"]


def test_the_filter_hides_other_cards(qtbot):
    panel = panel_of(qtbot)
    panel._filter.setText("bet")
    panel._filter.textEdited.emit("bet")
    assert [panel._list.item(n).isHidden() for n in range(panel._list.count())] == [False, True, False, False]


def test_what_is_loaded_comes_first_and_what_is_not_says_so(tmp_path):
    card = next(card for card in evidence_cards(tmp_path)[0] if card.id == "glutamate")
    kinds = [kind for kind, _ in card_text(card, frozenset({"mrs"})).can_show]
    assert kinds == ["Spectroscopy", "PET (not loaded)"]
