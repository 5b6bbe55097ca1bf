"""One Markdown table of what `make bench` measured.

``python -m tests.benchmarks.table MEASURED.json TABLE.md``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

COLUMNS = ("what", "ours", "instead", "limit", "unit", "also measured")


def table(measured: dict[str, Any]) -> str:
    """Write what pytest-benchmark saved as a Markdown table, a row a benchmark.

    A benchmark may state its own figure in ``extra_info``: ``ours``, ``instead``, ``limit`` and ``unit``.
    Without ``ours`` it is the shortest of its rounds in seconds. All else that it states stands at the end.
    """
    rows = [COLUMNS, tuple("---" for _ in COLUMNS)]
    for bench in measured["benchmarks"]:
        stated = dict(bench["extra_info"])
        if "ours" not in stated:
            stated |= {"ours": f"{bench['stats']['min']:.4g}", "unit": "s"}
        what = bench["name"].removeprefix("test_").replace("_", " ")
        named = [str(stated.pop(name, "–")) for name in COLUMNS[1:-1]]
        rest = "; ".join(f"{name}: {value}" for name, value in stated.items()) or "–"
        rows.append((what, *named, rest))
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_text(table(json.loads(source.read_text(encoding="utf-8"))), encoding="utf-8")
    print(f"Table: {target}")
