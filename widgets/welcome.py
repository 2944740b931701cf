"""What the main view says while nothing is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QPushButton, QWidget

from .controls import FoldingRow, button, column, described, muted
from .theme import look
from .two_texts import DETAIL, TwoTexts

_WIDTH = 520
_FRAME = 12  # from the edge to the dashed line, and as much to what is within
_RECENT_ROWS = 6
_NUMBER = Qt.ItemDataRole.UserRole


class _Recent(QListWidget):
    """Recent files; Enter or a click opens."""

    opened = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(TwoTexts(self))
        self.itemClicked.connect(self._open)

    def _open(self, item: QListWidgetItem) -> None:
        self.opened.emit(item.data(_NUMBER))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentRow() >= 0:
            self._open(self.currentItem())
        else:
            super().keyPressEvent(event)


class Welcome(QWidget):
    """Drop files here, open, see the sample or a simulated study, or go back to a recent file.

    ``demo_requested`` carries the name of the study, ``dropped`` a tuple of paths, ``recent_chosen`` the number of the
    recent entry.
    """

    open_requested = Signal()
    open_folder_requested = Signal()
    sample_requested = Signal()
    demo_requested = Signal(str)
    recent_chosen = Signal(int)
    dropped = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_over = False
        self.setAcceptDrops(True)
        title = QLabel(self.tr("Drop scans or a folder here"))
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        title.setFont(font)
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title.setWordWrap(True)
        kinds = muted(self.tr("NIfTI, FreeSurfer, GIFTI, CIFTI, AFNI, MINC, PAR/REC, ECAT, ANALYZE or DICOM"))
        kinds.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._open = button(self.tr("Open files…"), self.tr("Choose files to open"))
        self._open.setDefault(True)
        self._folder = button(self.tr("Open folder…"), self.tr("Choose a folder, such as one of DICOM files"))
        self._sample = button(self.tr("Sample view"), self.tr("Look round with images that come with the program"))
        studies = (
            ("ampar-pet", self.tr("PET study"), self.tr("AMPA receptors before and after ketamine or placebo")),
            ("ketamine-bold", self.tr("BOLD study"), self.tr("Networks before and after ketamine or midazolam")),
            ("naltrexone-mrs", self.tr("MRS study"), self.tr("Glutamate after ketamine with and without naltrexone")),
        )
        demos = FoldingRow(muted(self.tr("Simulated:")), *(self._demo(*study) for study in studies))
        self._recent_title = muted(self.tr("Recent"))
        self._recent = described(_Recent(), self.tr("Recent files"), self.tr("Open a recent file"))
        self._keys = QFormLayout()
        self._keys.setHorizontalSpacing(16)
        inner = QWidget()
        inner.setMaximumWidth(_WIDTH)
        layout = column(inner)
        layout.setSpacing(12)
        layout.addWidget(title)
        layout.addWidget(kinds)
        layout.addWidget(FoldingRow(self._open, self._folder, self._sample))
        layout.addWidget(demos)
        layout.addWidget(self._recent_title)
        layout.addWidget(self._recent)
        layout.addLayout(self._keys)
        outer = column(self, margin=2 * _FRAME)
        outer.addStretch(1)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(inner, _WIDTH)  # all the room up to its largest width
        middle.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(1)
        self._open.clicked.connect(self.open_requested)
        self._folder.clicked.connect(self.open_folder_requested)
        self._sample.clicked.connect(self.sample_requested)
        self._recent.opened.connect(self.recent_chosen)
        self.set_recent(())
        self.set_keys(
            (
                ("/", self.tr("find a region by its name")),
                ("Ctrl+Z", self.tr("undo; every step can be taken back")),
                ("F1", self.tr("all keys")),
            )
        )

    def _demo(self, name: str, text: str, about: str) -> QPushButton:
        made = button(text, self.tr("Simulated: {about}").format(about=about))
        made.clicked.connect(lambda: self.demo_requested.emit(name))
        return made

    def set_recent(self, recent: Sequence[tuple[str, str]]) -> None:
        """Offer recent files as (title, detail)."""
        self._recent.clear()
        for number, (title, detail) in enumerate(recent):
            item = QListWidgetItem(title)
            item.setData(DETAIL, detail)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{title}, {detail}")
            item.setData(_NUMBER, number)
            item.setToolTip(f"{title}\n{detail}")
            self._recent.addItem(item)
        height = min(len(recent), _RECENT_ROWS) * (self._recent.sizeHintForRow(0) if recent else 0)
        self._recent.setFixedHeight(height + 6)
        self._recent.setVisible(bool(recent))
        self._recent_title.setVisible(bool(recent))

    def set_keys(self, keys: Iterable[tuple[str, str]]) -> None:
        """Say which keys are worth knowing, as (key, what it does)."""
        while self._keys.rowCount():
            self._keys.removeRow(0)
        for key, what in keys:
            name = QLabel(key)
            font = name.font()
            font.setBold(True)
            name.setFont(font)
            self._keys.addRow(name, muted(what))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = look().accent if self._is_over else look().border
        painter.setPen(QPen(QColor(colour), 2, Qt.PenStyle.DashLine))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(self.rect().adjusted(_FRAME, _FRAME, -_FRAME, -_FRAME), _FRAME, _FRAME)
        painter.end()

    def _hover(self, *, is_over: bool) -> None:
        self._is_over = is_over
        self.update()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._hover(is_over=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._hover(is_over=False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._hover(is_over=False)
        event.acceptProposedAction()
        self.dropped.emit(tuple(url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()))

    def sizeHint(self) -> QSize:
        return QSize(800, 600)
