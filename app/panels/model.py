"""The model panel's form: from what is written to a question, checked while it is written."""

from __future__ import annotations

from dataclasses import replace as with_fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer, Signal

from ...widgets.model_form import ModelForm
from ...widgets.model_settings import PERMUTED, ModelSettings
from ..display import model_look
from ..model_data import is_region_table
from ..models import TABLE, Inference, Model
from ..problems import Problem
from ..questions import ModelFit, ModelPermutations
from ..recipes import ModelMap
from ..resolve import Failure
from ..session import Notice, Session
from ..state import Overlay
from .connectivity_data import atlases
from .model_question import folder_of, in_words, inference_of, model_of, settings_of

if TYPE_CHECKING:
    from .model_check import AskedTest, Check
    from .study_open import OpenStudy

CHECK = "model check"
STOPPED = "was stopped"  # by the user: no reason to complain
CHECK_MS = 150  # after which what is typed is looked at
WAIT_MS = 500  # between looks whether a study's images are there


class Asked(NamedTuple):
    """The question that the panel shows the answer of.

    Attributes
    ----------
    map : ModelMap
        Also where there is no place to show it.
    layer : Overlay or None
        That shows it; None for tables.
    """

    map: ModelMap
    layer: Overlay | None

    @property
    def fit(self) -> ModelFit:
        """What it stands on."""
        return ModelFit(self.map.model, self.map.inference.one_sided)

    def permutations(self, test: str) -> ModelPermutations:
        """Of one of its tests."""
        return ModelPermutations(self.map.model, self.map.inference, test)


class ModelControl(QObject):
    """Binds a `ModelForm` to a session: the model layer that is selected, else the topmost, or a model of tables.

    Signals
    -------
    file_wanted : (str)
        ``table``, ``file``, ``mask`` or ``surface``: the window asks for a file and calls `take_file`.
    results_wanted
        A model has been fitted: its results are to be seen.
    """

    file_wanted = Signal(str)
    results_wanted = Signal()

    def __init__(self, session: Session, form: ModelForm, opened: OpenStudy | None = None) -> None:
        super().__init__(form)
        self._session = session
        self._form = form
        self._opened = opened
        self._settings = ModelSettings()
        self._atlases: tuple[tuple[str, str], ...] = ()
        self._check: Check | None = None
        self._fit_due = False
        self._of_table: ModelMap | None = None
        self._shown_for: tuple[int, Model, Inference] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._look)
        form.changed.connect(self._change)
        form.fit_requested.connect(self.fit)
        form.cancel_requested.connect(self._cancel)
        form.file_requested.connect(self.file_wanted)
        form.file_dropped.connect(self.take_file)
        session.jobs.finished.connect(self._take_check)
        session.jobs.progressed.connect(self._progress)
        if opened is not None:
            opened.changed.connect(self._veil)
        self._show_possible()

    # -- showing

    def refresh(self) -> None:
        """Show the model of the view."""
        overlay = self._overlay()
        if overlay is None:
            self._shown_for = None
        elif isinstance(overlay.recipe, ModelMap):
            recipe = overlay.recipe
            shown_for = (overlay.key, recipe.model, recipe.inference)
            if shown_for != self._shown_for:  # another layer, or another question by undo
                self._shown_for, self._of_table = shown_for, None
                self._show(recipe)
        offered = tuple((info.id, info.title) for info in atlases(self._session))
        if offered != self._atlases:
            self._atlases = offered
            self._form.set_atlases(offered)
        self._ask()
        self._show_possible()

    def asked(self) -> Asked | None:
        """What is shown: a model of tables that was fitted last, else the layer's."""
        if self._of_table is not None:
            return Asked(self._of_table, None)
        overlay = self._overlay()
        return None if overlay is None or not isinstance(overlay.recipe, ModelMap) else Asked(overlay.recipe, overlay)

    def _overlay(self) -> Overlay | None:
        state = self._session.state
        candidates = (state.overlay(state.selected), *reversed(state.overlays))
        return next((each for each in candidates if each is not None and isinstance(each.recipe, ModelMap)), None)

    def _veil(self) -> None:
        """Names are hidden or seen from now on, or another study is open."""
        if self._opened is None:
            return
        is_veiled = self._hides(self._settings.table)
        if is_veiled:
            self._clear()
        if is_veiled or not self._opened.is_blinded:
            self._shown_for = None
            self._session.changed.emit()

    def _hides(self, table: str) -> bool:
        """Whether a table, or a question in its place, is of a study that hides whom it names."""
        blinding = None if self._opened is None or not table else self._opened.blinding_of(folder_of(table))
        return blinding is not None and blinding.is_on

    def _clear(self) -> None:
        """An empty form: what it said names people and arms."""
        self._settings, self._check, self._fit_due = ModelSettings(), None, False
        self._soon.stop()
        self._session.jobs.cancel(CHECK)
        form = self._form
        form.set_settings(self._settings)
        form.set_columns((), ())
        form.set_problems({})
        form.set_designs(())
        form.set_words("", "", "", ())
        form.set_hint(self.tr("Names and arms are hidden, and this model tells them: ask its study in the Ask panel."))

    def _refuse(self) -> None:
        text = self.tr("That table tells who is in which arm or session, which is hidden: unblind the study first.")
        self._session.noticed.emit(Notice("warning", text))

    def _show(self, recipe: ModelMap) -> None:
        """Fill the form with a question."""
        shown = settings_of(recipe.model, recipe.inference)
        if self._hides(shown.table):
            self._clear()
            return
        self._form.set_hint("")
        if shown.correction not in PERMUTED:
            shown = with_fields(shown, permutations=self._settings.permutations)
        if shown != self._settings:
            self._settings = shown
            self._form.set_settings(shown)
            self._soon.start(0)
        elif self._check is None:
            self._soon.start(0)

    def _show_possible(self) -> None:
        session, asked = self._session, self.asked()
        running = asked is not None and session.jobs.busy(asked.fit)
        if not running:
            self._form.set_progress(None)
        self._form.set_can_fit(self._can_fit() and not running)
        self._show_report(asked)

    def _can_fit(self) -> bool:
        found, settings = self._check, self._settings
        if not settings.table or (found is not None and found.settings == settings and not _is_sound(found)):
            return False
        return bool({"file": settings.file, "column": settings.column, "table": "table"}[settings.data])

    def _show_report(self, asked: Asked | None) -> None:
        settings, problem = self._settings, self._problem(asked)
        if problem is not None:
            words = self._seen(in_words(problem))
            if problem.where != settings.table:
                words = f"{self._seen(Path(problem.where).name)}: {words[:1].lower()}{words[1:]}"
            self._form.set_report(words, ok=False)
        elif settings.table and settings.data == "file" and not settings.file:
            self._form.set_report(self.tr("Choose the file of the data, or drop it on its field."), ok=True)
        elif settings.table and settings.data == "column" and not settings.column:
            self._form.set_report(self.tr("Choose the column that names the images."), ok=True)
        else:
            self._form.set_report("", ok=True)

    def _seen(self, text: str) -> str:
        return text if self._opened is None else self._opened.shown_text(text)

    def _problem(self, asked: Asked | None) -> Problem | None:
        """Why the model of the form has no answer, or its permutations have none."""
        if asked is None or asked.map.model.formula != self._settings.formula:
            return None
        for question in (asked.fit, asked.permutations(asked.map.test)):
            found = self._session.results.get(question)
            if isinstance(found, Failure) and found.problem.what != STOPPED:
                return found.problem
        return None

    def _progress(self, key: object, title: str, fraction: float) -> None:
        del title
        asked = self.asked()
        if asked is not None and key == asked.fit:
            self._form.set_progress(fraction)

    # -- while it is written

    def _change(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._form.set_hint("")
        self._soon.start(CHECK_MS)
        self._show_possible()

    def take_file(self, what: str, path: str) -> None:
        """A file that the user chose."""
        if what in {"table", "file"} and self._hides(path):
            self._refuse()
            return
        self._settings = with_fields(self._settings, **{what: path})
        if what == "file":
            self._settings = with_fields(self._settings, data="file")
        self._form.set_settings(self._settings)
        self._soon.start(0)
        self._show_possible()

    def _look(self) -> None:
        settings, asked = self._settings, self.asked()
        of_study = asked is not None and asked.map.model.study is not None
        if asked is not None and of_study and self._session.results.get(asked.fit) is None:
            self._soon.start(WAIT_MS)  # its images are being prepared: not in the lane of what is live as well
            return

        def work(_: object) -> Any:
            from .model_check import check  # noqa: PLC0415 - pandas and SciPy

            import_module("habena.app.model_maps")  # slow: here, rather than where a fitted model is shown
            return check(settings)

        self._session.jobs.live(CHECK, work)

    def _take_check(self, key: object, found: Any) -> None:
        if key != CHECK or self._hides(found.settings.table):
            return
        self._check = found
        from .model_check import some_of  # noqa: PLC0415 - pandas and SciPy

        form = self._form
        form.set_columns(found.columns, found.texts)
        form.set_problems(found.problems)
        if found.tests or not found.problems:  # while a formula is half written its design stays
            form.set_designs(found.designs)
            tests = some_of(f"{each.name} ({each.statistic})" for each in found.tests)
            notes = (finding.message for finding in found.findings)
            form.set_words(
                found.words, self.tr("Tests: {tests}").format(tests=tests) if tests else "", found.power, notes
            )
        self._show_possible()
        if self._fit_due and found.settings == self._settings:
            self._fit_due = False
            self.fit()

    # -- what is asked

    def fit(self) -> None:
        """Fit the model of the form: change the layer that there is, or add one; of tables only the numbers."""
        found = self._check
        if found is None or found.settings != self._settings:
            self._fit_due = True
            self._soon.start(0)
            return
        if not _is_sound(found):
            return
        try:
            model = model_of(self._settings)
        except Problem:
            return  # it stands under its field
        before = self.asked()
        test = next((t for t in found.tests if before is not None and t.name == before.map.test), found.tests[0])
        recipe = ModelMap(model, self._inference_for(test), test.name, test.statistic)
        of_regions = model.study is not None and model.study.measure == "regions"
        if of_regions or model.data == TABLE or is_region_table(model.data):
            self._of_table = recipe
        else:
            self._of_table = None
            self._show_as_layer(recipe, test)
        self._try_again()
        self._ask()
        self._show_possible()
        self.results_wanted.emit()

    def _inference_for(self, test: AskedTest) -> Inference:
        """What the form asks; without permutations where a test has none."""
        asked = inference_of(self._settings)
        if test.permuted or not asked.permutations:
            return asked
        return replace(asked, permutations=0, correction="fdr")

    def _show_as_layer(self, recipe: ModelMap, test: AskedTest) -> None:
        state, overlay = self._session.state, self._overlay()
        if overlay is not None and isinstance(overlay.recipe, ModelMap):
            if overlay.recipe.test == recipe.test and _has_map(overlay.recipe, recipe):
                recipe = replace(recipe, shown=overlay.recipe.shown)
            self.change(overlay, recipe, test.df, self.tr("fit a model"))
            return
        key = state.next_key()
        colours, threshold = model_look(recipe.shown, test.df, None)
        made = Overlay(key, recipe, name_of(recipe), colours, threshold, 0.9)
        self._shown_for = (key, recipe.model, recipe.inference)
        self._session.update(self.tr("fit a model"), None, overlays=(*state.overlays, made), selected=key)

    def change(self, overlay: Overlay, recipe: ModelMap, df: tuple[float, float], what: str) -> None:
        """Let a layer show another map; its colours and its own name go with it."""
        before = overlay.recipe
        if not isinstance(before, ModelMap):
            raise TypeError(before)
        name = name_of(recipe) if overlay.name == name_of(before) else overlay.name
        changed = replace(overlay, recipe=recipe, name=name)
        if recipe.shown != before.shown:
            colours, threshold = model_look(recipe.shown, df, self._values(recipe))
            changed = replace(changed, colours=colours, threshold=threshold)
        self._shown_for = (overlay.key, recipe.model, recipe.inference)
        self._session.update_overlay(changed, what)

    def ask_instead(self, asked: Asked, model: Model, what: str) -> None:
        """Ask another model in the place of one that is shown: of a layer one step of undo."""
        recipe = replace(asked.map, model=model)
        if asked.layer is not None:
            self._session.update_overlay(replace(asked.layer, recipe=recipe), what)
            return
        self._of_table = recipe
        self._show(recipe)
        self._ask()
        self._session.changed.emit()

    def _values(self, recipe: ModelMap):
        from ..model_fit import Fitted, maps_of  # noqa: PLC0415 - pandas and SciPy
        from ..model_maps import test_named  # noqa: PLC0415

        fitted = self._session.results.get(ModelFit(recipe.model, recipe.inference.one_sided))
        if not isinstance(fitted, Fitted):
            return None
        found = maps_of(test_named(fitted, recipe.test)).get(recipe.shown)
        return None if found is None else found[0]

    def show_test(self, name: str) -> None:
        """Show another test of the model."""
        asked = self.asked()
        found = None if self._check is None else next((t for t in self._check.tests if t.name == name), None)
        fitted = None if asked is None else self._session.results.get(asked.fit)
        if asked is None or name == asked.map.test or fitted is None or isinstance(fitted, Failure):
            return
        if all(tested.name != name for tested in fitted.tests):  # of the model before
            return
        recipe = replace(asked.map, test=name)
        if found is not None:
            shown = found.statistic if recipe.shown in {"t", "F"} else recipe.shown
            inference = asked.map.inference if found.permuted else self._inference_for(found)
            recipe = replace(recipe, shown=shown, inference=inference)
        self._take(asked, recipe, (1.0, 1.0) if found is None else found.df, self.tr("choose a test"))

    def show_map(self, shown: str, df: tuple[float, float]) -> None:
        """Show another map of the test."""
        asked = self.asked()
        if asked is not None and shown != asked.map.shown:
            self._take(asked, replace(asked.map, shown=shown), df, self.tr("choose a map"))

    def _take(self, asked: Asked, recipe: ModelMap, df: tuple[float, float], what: str) -> None:
        if asked.layer is None:
            self._of_table = recipe
            self._session.changed.emit()
        else:
            self.change(asked.layer, recipe, df, what)

    # -- stop and go on

    def stop(self) -> None:
        """Stop counting permutations, of every test; what is counted stays."""
        asked = self.asked()
        for question in () if asked is None else self._of_all_tests(asked):
            self._session.jobs.cancel(question)

    def go_on(self) -> None:
        """Count on from where it stopped."""
        self._try_again()
        self._ask()
        self._session.changed.emit()

    def _counting(self) -> tuple[ModelPermutations, ...]:
        """Permutations that the view asks for: of the layer's test, or of all tests of a table."""
        asked = self.asked()
        if asked is None or not asked.map.inference.permutations:
            return ()
        if asked.layer is not None:
            return (asked.permutations(asked.map.test),)
        return self._of_all_tests(asked)

    def _of_all_tests(self, asked: Asked) -> tuple[ModelPermutations, ...]:
        fitted = self._session.results.get(asked.fit)
        tests = () if fitted is None or isinstance(fitted, Failure) else fitted.tests
        return tuple(asked.permutations(each.name) for each in tests if each.sphericity is None)

    def _try_again(self) -> None:
        """Ask anew for what failed or was stopped."""
        asked = self.asked()
        for question in (*((asked.fit,) if asked is not None else ()), *self._counting()):
            if isinstance(self._session.results.get(question), Failure):
                self._session.retry(question)

    def _ask(self) -> None:
        """A model of tables is in no layer: nobody else asks for it."""
        if self._of_table is None or self.asked() is None:
            return
        asked = Asked(self._of_table, None)
        self._session.ask(asked.fit)
        for question in self._counting():
            self._session.ask(question)

    def _cancel(self) -> None:
        asked = self.asked()
        if asked is not None:
            self._session.jobs.cancel(asked.fit)


def _is_sound(found: Check) -> bool:
    return bool(found.tests) and not found.problems


def _has_map(before: ModelMap, after: ModelMap) -> bool:
    """Whether a question that changed still has the map that was shown."""
    return before.inference.correction == after.inference.correction or not before.shown.startswith("neglog10")


def name_of(recipe: ModelMap) -> str:
    """Name that a layer gets by itself."""
    from ..model_maps import short_title_of_map  # noqa: PLC0415 - pandas and SciPy

    return f"{recipe.test}: {short_title_of_map(recipe.shown)}"
