"""Evidence cards: that of the crosshair's region shows by itself; what the loaded data can say about it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ...widgets.evidence_panel import CardLine, CardText, EvidencePanel, StatementText
from ..atlas import Atlas, Region
from ..evidence import Card, Statement, add_card, card_of, evidence_cards, region_of, template
from ..io.files import replacing
from ..problems import Problem
from ..questions import AtlasData
from ..recipes import GraphMetric, GroupSeedMap, ModelMap, Recipe, SeedCorrelation
from ..session import Session
from ..spaces import naming

KINDS = {"pet": "PET", "bold": "Resting fMRI", "mrs": "Spectroscopy", "scores": "Scores"}
LEVELS = {"cell": "cells", "animal": "animals", "human": "people"}


class EvidenceControl(QObject):
    """Binds an `EvidencePanel` to a session.

    Signals
    -------
    card_wanted, template_wanted
        The window asks for a file and calls `add` or `save_template`.
    region_wanted : (object)
        A region to go to.
    """

    card_wanted = Signal()
    template_wanted = Signal()
    region_wanted = Signal(object)

    def __init__(self, session: Session, panel: EvidencePanel) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._cards: tuple[Card, ...] = ()
        self._shown: Card | None = None
        self._follows = True
        self._has: frozenset[str] = frozenset()
        self._at: object = None
        self._study_kinds: frozenset[str] = frozenset()
        panel.chosen.connect(self._choose)
        panel.followed.connect(self._follow)
        panel.add_requested.connect(self.card_wanted)
        panel.template_requested.connect(self.template_wanted)
        panel.go_requested.connect(self._go)
        self._read()

    def refresh(self) -> None:
        """Show the card of the crosshair's region, where it has one."""
        has = self._loaded()
        at = (self._session.state.crosshair_mm, self._session.state.atlases)
        moved, changed = at != self._at, has != self._has
        self._at, self._has = at, has
        found = card_of(self._regions(), self._cards) if self._follows and (moved or self._shown is None) else None
        if found is not None and found != self._shown:
            self._show(found)
        elif changed and self._shown is not None:
            self._show(self._shown)

    def set_study_kinds(self, kinds: Iterable[str]) -> None:
        """What the study that is open holds: ``pet``, ``bold``, ``mrs``, ``scores``."""
        self._study_kinds = frozenset(kinds)
        self.refresh()

    def add(self, path: str) -> None:
        """Take a card of the user's."""
        try:
            card = add_card(Path(path))
        except Problem as problem:
            self._panel.set_note(str(problem))
            return
        self._read()
        self._show(next(each for each in self._cards if each.id == card.id))

    def save_template(self, path: str) -> None:
        """Write a card to start from."""
        try:
            with replacing(Path(path)) as file:
                file.write(template().encode())
        except Problem as problem:
            self._panel.set_note(str(problem))
        else:
            self._panel.set_note(self.tr("Saved {}. Fill it in, then add it.").format(Path(path).name))

    def _read(self) -> None:
        self._cards, problems = evidence_cards()
        groups = {"hypothesis": self.tr("Hypotheses"), "region": self.tr("Regions")}
        self._panel.set_cards(CardLine(card.id, card.title, groups[card.kind]) for card in self._cards)
        self._panel.set_note("\n".join(str(problem) for problem in problems))

    def _choose(self, card_id: str) -> None:
        card = next((each for each in self._cards if each.id == card_id), None)
        if card is not None:
            self._show(card)

    def _follow(self, follows: bool) -> None:
        self._follows = follows
        self._at = None
        self.refresh()

    def _show(self, card: Card) -> None:
        self._shown = card
        self._panel.set_card(card_text(card, self._has), card.id)

    def _regions(self) -> list[Region]:
        """At the crosshair, the smallest first: a habenula before the thalamus that it lies on."""
        session, found = self._session, list[tuple[float, Region]]()
        shown = session.shown()
        for atlas_id in session.state.atlases:
            atlas = session.results.get(AtlasData(atlas_id))
            if isinstance(atlas, Atlas) and naming(shown, session.state, atlas.info).allowed:
                regions = [share.region for share in atlas.at(session.state.crosshair_mm)[:2]]
                found += [(atlas.volume_mm3(region), region) for region in regions]
        return [region for _, region in sorted(found, key=lambda pair: pair[0])]

    def _loaded(self) -> frozenset[str]:
        """Kinds of data that are open."""
        kinds = set(self._study_kinds)
        for layer in self._session.shown():
            kinds |= _kinds_of(layer.overlay.recipe)
            if layer.answer.times is not None and layer.answer.n_frames > 1:
                kinds.add("pet" if "pet" in Path(layer.answer.title).name.lower() else "bold")
            elif "_pet" in layer.answer.title or "suvr" in layer.answer.title.lower():
                kinds.add("pet")
        return frozenset(kinds)

    def _go(self) -> None:
        region = None if self._shown is None else region_of(self._shown)
        if region is not None:
            self.region_wanted.emit(region)


def card_text(card: Card, has: frozenset[str]) -> CardText:
    """A card in words, with what is loaded first."""
    kinds = sorted(card.can_show, key=lambda kind: (kind not in has, list(KINDS).index(kind)))
    missing = " (not loaded)"
    updated = f"Card of {card.updated:%d %B %Y}."
    own = f" Your own, from {card.own.name}." if card.own is not None else ""
    shadow = " It takes the place of the card that comes with the program." if card.shadows else ""
    return CardText(
        title=card.title,
        claim=card.claim,
        level="Seen in: " + ", ".join(LEVELS[level] for level in card.levels),
        in_favour=tuple(_statement(card, one) for one in card.in_favour),
        against=tuple(_statement(card, one) for one in card.against),
        numbers=card.numbers,
        can_show=tuple((KINDS[kind] + ("" if kind in has else missing), card.can_show[kind]) for kind in kinds),
        cannot_show=card.cannot_show,
        gap=card.gap,
        note=updated + own + shadow,
        has_place=bool(card.places),
    )


def _statement(card: Card, one: Statement) -> StatementText:
    source = card.sources[one.source]
    parts = (
        "" if one.n is None else f"n = {one.n}",
        one.effect,
        f"95 % CI {one.ci}" if one.ci else "",
        f"p = {one.p}" if one.p else "",
        one.design,
    )
    read = "" if source.read == "own" else f" (read: {source.read})"
    return StatementText(one.text, "; ".join(filter(None, parts)), source.citation + read, source.doi)


def _kinds_of(recipe: Recipe) -> set[str]:
    match recipe:
        case SeedCorrelation() | GraphMetric() | GroupSeedMap():
            return {"bold"}
        case ModelMap(model=model) if model.study is not None:
            return {"pet"} if model.study.measure == "pet" else {"bold"}
        case _:
            return set()
