"""Tables that the script makes when somebody opens them: as data they take a fraction of the room."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from benchmark.report.page.encoding import as_script
from benchmark.report.tables import Table, TableCell


class Later:
    """Tables of the page that are not written into it as HTML."""

    def __init__(self) -> None:
        self._tables: list[Table] = []

    def add(self, table: Table) -> int:
        """Keep a table for later and give its place."""
        self._tables.append(table)
        return len(self._tables) - 1

    @property
    def script(self) -> Markup:
        """Every table that was added until now: caption, columns, groups of them, rows and footnotes."""
        return Markup(as_script([_plain(table) for table in self._tables]))  # noqa: S704


def _plain(table: Table) -> dict[str, Any]:
    notes = table.footnotes
    return {
        "caption": table.caption,
        "columns": list(table.columns),
        "groups": [list(group) for group in table.groups],
        "rows": [[_plain_cell(cell, notes) for cell in row] for row in table.rows],
        "notes": list(notes),
    }


def _plain_cell(cell: TableCell, notes: dict[str, int]) -> Any:
    """Its text alone, or with what it is sorted by, whether it is muted, and its notes counted from 0."""
    sort = None if cell.sort is None else float(f"{cell.sort:.6g}")
    full = [cell.text, sort, int(cell.kind == "muted"), [notes[note] - 1 for note in cell.notes]]
    empty: list[Any] = [None, None, 0, []]
    while len(full) > 1 and full[-1] == empty[len(full) - 1]:
        full.pop()
    return full[0] if len(full) == 1 else full
