"""Numbers to read and type: four significant digits shown, full precision kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget

from .controls import described, is_escape_shortcut, mark_wrong

MINUS = "\N{MINUS SIGN}"
DIGITS = 4
NOTCH = 120  # Qt's measure of one click of a mouse wheel


def format_number(value: float | None) -> str:
    """Four significant digits, a real minus sign, a dash where there is no number."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    exponent = math.floor(math.log10(abs(value))) if value else 0
    if -4 < exponent < 7:
        text = f"{value:.{max(0, DIGITS - 1 - exponent)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa, _, power = f"{value:.{DIGITS - 1}e}".partition("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(power)}"
    return text.replace("-", MINUS) if text != "-0" else "0"


def parse_number(text: str) -> float:
    """A number as people type it, with a comma or a point and any minus sign.

    Raises
    ------
    ValueError
        When it is not one finite number.
    """
    plain = text.strip().replace(MINUS, "-").replace("–", "-")
    if "," in plain and "." in plain:
        raise ValueError(text)
    value = float(plain.replace(",", ".").replace("_", "x"))
    if not math.isfinite(value):
        raise ValueError(text)
    return value


@dataclass(frozen=True)
class NumberSpec:
    """What a number field takes.

    Attributes
    ----------
    unit : str
        Shown after the number, and may be typed.
    low, high : float
        Bounds; a number typed beyond them becomes the bound.
    step : float or None
        Of the arrow keys; None for a tenth of the number's own decade.
    whole : bool
        Whole numbers only.
    none : str or None
        With a text the field may be empty, which means None, and shows that text then.
    decimals : int or None
        Most decimals that are shown; the number itself stays as it is.
    """

    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    step: float | None = None
    whole: bool = False
    none: str | None = None
    decimals: int | None = None


class NumberEdit(QLineEdit):
    """A field for one number.

    Enter or leaving commits, Escape takes back. Up and Down step, Page Up and Page Down by ten steps, the wheel
    too while the field has the focus. ``changed`` carries the new number (None when emptied), ``settled`` follows
    when the change is over.
    """

    changed = Signal(object)
    settled = Signal()

    def __init__(self, name: str, tip: str, spec: NumberSpec | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec = spec or NumberSpec()
        self._value: float | None = None
        self._stepped = False
        described(self, name, tip)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setPlaceholderText(self._spec.none or "")
        self.returnPressed.connect(self.selectAll)
        self.editingFinished.connect(self._commit)
        self.textEdited.connect(lambda: mark_wrong(self, is_wrong=False))
        self._show()

    def value(self) -> float | None:
        """The number in full precision, None when empty."""
        return self._value

    def set_value(self, value: float | None) -> None:
        """Show a number; text that is being typed stays."""
        self._value = value
        if not (self.hasFocus() and self.isModified()):
            self._show()

    def set_unit(self, unit: str) -> None:
        """Change the unit after the number."""
        self._spec = replace(self._spec, unit=unit)
        self._show()
        self.updateGeometry()

    def set_range(self, low: float, high: float) -> None:
        """Change the bounds; the number stays until the next change by hand."""
        self._spec = replace(self._spec, low=low, high=high)

    def _show(self) -> None:
        unit = f" {self._spec.unit}" if self._spec.unit else ""
        text = "" if self._value is None else format_number(self._rounded(self._value)) + unit
        if text != self.text():
            was_selected = self.hasFocus() and self.selectedText() == self.text()
            self.setText(text)
            if was_selected:
                self.selectAll()
        self.setModified(False)
        if not self.hasFocus():
            self.home(False)  # where there is no room for all, the beginning shows
        mark_wrong(self, is_wrong=False)

    def _rounded(self, value: float) -> float:
        return value if self._spec.decimals is None else round(value, self._spec.decimals)

    def _commit(self) -> None:
        if not self.isModified():
            return
        try:
            typed = self._typed()
        except ValueError:
            mark_wrong(self, is_wrong=True)
            return
        self._take(typed)
        self.settled.emit()

    def _typed(self) -> float | None:
        text = self.text().strip().removesuffix(self._spec.unit)
        if not text.strip() and self._spec.none is not None:
            return None
        return parse_number(text)

    def _take(self, value: float | None) -> None:
        if value is not None:
            value = min(max(value, self._spec.low), self._spec.high)
            value = float(round(value)) if self._spec.whole else value
        is_new = value != self._value
        self._value = value
        self._show()
        if is_new:
            self.changed.emit(value)

    def step_size(self) -> float:
        """What one press of an arrow key adds."""
        if self._spec.whole:
            return max(1.0, self._spec.step or 1.0)
        if self._spec.step is not None:
            return self._spec.step
        size = abs(self._value or 0.0)
        if not size:
            span = self._spec.high - self._spec.low
            size = span if math.isfinite(span) and span > 0 else 1.0
        # the small number keeps 1.0, reached as 0.9999999 by steps, in its own decade
        return 10.0 ** (math.floor(math.log10(size) + 1e-9) - 1)

    def _step(self, steps: float) -> None:
        if self.isModified():
            self._commit()
        size = self.step_size()
        start = self._value if self._value is not None else max(self._spec.low, 0.0)
        decimals = max(0, 3 - math.floor(math.log10(size)))
        self._take(round(start + steps * size, decimals))
        self._stepped = True

    def _wide(self, sample: str) -> QSize:
        unit = f" {self._spec.unit}" if self._spec.unit else ""
        text = max(sample + unit, self._spec.none or "", key=len)
        return QSize(self.fontMetrics().horizontalAdvance(text) + 20, 26)

    def sizeHint(self) -> QSize:
        return self._wide(f"{MINUS}0.0000")

    def minimumSizeHint(self) -> QSize:
        return self._wide(f"{MINUS}0.00")

    def event(self, event: QEvent) -> bool:
        if self.isModified() and is_escape_shortcut(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key
        steps = {key.Key_Up: 1, key.Key_Down: -1, key.Key_PageUp: 10, key.Key_PageDown: -10}.get(key(event.key()))
        if steps is not None:
            self._step(steps)
        elif event.key() == key.Key_Escape and self.isModified():
            self._show()
            self.selectAll()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        super().keyReleaseEvent(event)
        if self._stepped and not event.isAutoRepeat():
            self._stepped = False
            self.settled.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.hasFocus():
            event.ignore()
            return
        self._step(event.angleDelta().y() / NOTCH)
        self._stepped = False
        self.settled.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self.isModified():  # what could not be read is not kept
            self._show()
