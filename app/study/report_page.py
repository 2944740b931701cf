"""Pages of HTML from elements: whatever text comes in is text, never markup."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from ...resources import folder

Node = ET.Element
Content = str | Node | None

VOID = {"meta", "img"}
_UNPRINTABLE = re.compile("[^\t\n -~\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(tag: str, *content: Content, **attributes: object) -> Node:
    """An element with texts and elements in it; ``class_`` is the attribute ``class``, ``a_b`` is ``a-b``."""
    made = Node(tag, {_attribute(name): clean(str(value)) for name, value in attributes.items() if value is not None})
    last: Node | None = None
    for part in content:
        if isinstance(part, Node):
            made.append(part)
            last = part
        elif part is not None and last is None:
            made.text = (made.text or "") + clean(part)
        elif part is not None and last is not None:
            last.tail = (last.tail or "") + clean(part)
    return made


def clean(text: str) -> str:
    """Text without characters that no page may hold."""
    return _UNPRINTABLE.sub("\ufffd", text)


def section(title: str, *content: Content) -> Node:
    """A heading with what belongs under it."""
    return element("section", element("h2", title), *content)


def items(texts: Iterable[str]) -> Node:
    """A list."""
    return element("ul", *(element("li", text) for text in texts))


def table(head: Sequence[str], rows: Iterable[Sequence[object]], texts: int | None = None) -> Node:
    """A table; columns after the first `texts` are aligned as numbers, or those that hold numbers."""
    listed = [tuple(row) for row in rows]

    def aligned(k: int) -> str | None:
        right = any(isinstance(row[k], int | float) for row in listed) if texts is None else k >= texts
        return "n" if right else None

    sides = [aligned(k) for k in range(len(head))]
    lines = (
        element("tr", *(element("td", shown(cell), class_=side) for cell, side in zip(row, sides, strict=True)))
        for row in listed
    )
    body = element("tbody", *lines)
    heads = (element("th", name, scope="col", class_=side) for name, side in zip(head, sides, strict=True))
    return element("div", element("table", element("thead", element("tr", *heads)), body), class_="wide")


def facts(pairs: Iterable[tuple[str, object]]) -> Node:
    """Names and what they are."""
    cells = [element(tag, shown(value)) for pair in pairs for tag, value in zip(("dt", "dd"), pair, strict=True)]
    return element("dl", *cells)


def shown(value: object) -> str:
    """A cell: four digits of a number, a dash for what is missing."""
    if isinstance(value, float):
        return number(value)
    return "–" if value is None or value == "" else str(value)


def number(value: float) -> str:
    """Four significant digits with a real minus sign; a dash for none."""
    return f"{value:.4g}".replace("-", "−") if math.isfinite(value) else "–"


def page(title: str, *content: Content) -> bytes:
    """A whole page: one file, no network."""
    style = (folder("report") / "report.css").read_text("utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("title", title),
        element("style", style),
    )
    whole = element("html", head, element("body", element("main", *content)), lang="en")
    return ("<!DOCTYPE html>\n" + markup(whole) + "\n").encode()


def markup(node: Node) -> str:
    """An element as HTML; every text and every attribute is escaped, but for the page's own style."""
    attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in node.items())
    if node.tag in VOID:
        return f"<{node.tag}{attributes}>"
    text = node.text or ""
    inside = "".join(markup(child) + html.escape(child.tail or "", quote=False) for child in node)
    start = text if node.tag == "style" else html.escape(text, quote=False)
    return f"<{node.tag}{attributes}>{start}{inside}</{node.tag}>"


def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")
