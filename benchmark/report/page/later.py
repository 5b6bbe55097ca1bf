"""Tables that the script makes when somebody opens them: as data they take a fraction of the room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmark.records.record import ResultRecord
from benchmark.report.tables import ConceptGrid, Table, TableCell


class Later:
    """Tables of the page that are not written into it as HTML.

    Parameters
    ----------
    cells
        In the order of the page's data.
    """

    def __init__(self, cells: Sequence[ResultRecord]) -> None:
        self._places = {id(record): at for at, record in enumerate(cells)}
        self.tables: list[dict[str, Any]] = []
        """Every table that was added until now: caption, columns, groups of them, rows and footnotes.

        Of one that the script makes from the data of the page, its caption, kind and cells.
        """

    def add(self, table: Table | ConceptGrid) -> int:
        """Keep a table for later and give its place."""
        self.tables.append(_plain(table) if isinstance(table, Table) else self._grid(table))
        return len(self.tables) - 1

    def _grid(self, grid: ConceptGrid) -> dict[str, Any]:
        places = [self._places[id(record)] for record in grid.records]
        return {"caption": grid.caption, "grid": grid.kind, "cells": places}


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
