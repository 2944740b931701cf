"""Run all topics and write docs/bench.md, or print some of them."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

from . import __path__ as here
from ._report import Row, machine, markdown, plain_table

REPORT = Path(__file__).resolve().parents[2] / "docs" / "bench.md"


def main(asked: list[str]) -> int:
    """Return 0, or 2 when a topic does not exist."""
    topics = [module.name for module in pkgutil.iter_modules(here) if not module.name.startswith("_")]
    unknown = set(asked) - set(topics)
    if unknown:
        print(f"no topic {', '.join(sorted(unknown))}; there are {', '.join(topics)}", file=sys.stderr)
        return 2
    print(machine())
    sections: list[tuple[str, list[Row]]] = []
    for name in asked or topics:
        topic = importlib.import_module(f"{__package__}.{name}")
        rows = list(topic.rows())
        print(f"\n{topic.TITLE}\n{plain_table(rows)}", flush=True)
        sections.append((topic.TITLE, rows))
    if not asked:
        REPORT.write_text(markdown(sections), encoding="utf-8")
        print(f"\nwritten to docs/{REPORT.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
