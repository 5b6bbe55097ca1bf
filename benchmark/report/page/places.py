"""Places of what the numbers of the page name: each fact stands once, then by its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmark.records.record import CohortFacts
from benchmark.report.board import Board
from benchmark.report.page.encoding import Texts
from benchmark.report.page.populations import annotated


class Places:
    """Places of entries, cohorts, concepts, texts and lists of concepts, in the order of the cells."""

    def __init__(self, boards: Sequence[Board]) -> None:
        records = [record for board in boards for record in board.records]
        self.records = records
        self.entries = numbered(entry for board in boards for entry in board.entries)
        self.cohorts = numbered((r.cohort.id, r.cohort.simulated) for r in records)
        self.concepts = numbered(c for r in records for c in annotated(r))
        self.texts = Texts()
        self.lists: dict[tuple[int, ...], int] = {}

    def concept_list(self, concepts: Iterable[str]) -> int:
        """Place of a list of concepts among all that a macro average is over."""
        return self.lists.setdefault(tuple(self.concepts[c] for c in concepts), len(self.lists))

    def cohort(self, cohort: CohortFacts) -> int:
        """Place of a cohort; real and simulated recordings of one release are two."""
        return self.cohorts[cohort.id, cohort.simulated]


def numbered(items: Iterable[Any]) -> dict[Any, int]:
    """Give each distinct item its place, in the order in which they are met."""
    return {item: at for at, item in enumerate(dict.fromkeys(items))}
