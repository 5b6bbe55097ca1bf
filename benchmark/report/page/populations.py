"""Counts of the page: written once for each set of records, not for each model that was measured on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.metrics.cell.evaluation import ConceptMetrics
from benchmark.records.record import ResultRecord
from benchmark.report.page.encoding import units


def annotated(record: ResultRecord) -> dict[str, ConceptMetrics]:
    """Concepts of a cell that anybody annotated in its cohort."""
    return {name: metrics for name, metrics in record.evaluation.concepts.items() if metrics.n}


class Populations:
    """Sets of records with the counts of their concepts; models with the same records share one."""

    def __init__(self, concepts: Mapping[str, int]) -> None:
        self._concepts = concepts
        self._found: list[tuple[tuple[Any, ...], dict[str, tuple[int, int, bool]], dict[str, Any]]] = []

    def place(self, record: ResultRecord, cohort: int) -> int:
        """Place of the records that a cell was measured on."""
        drawn, records = record.evaluation.bootstrap, record.records
        facts = {
            "cohort": cohort,
            "selection": records.selection,
            "scored": records.scored,
            "unusable": records.unusable,
            "unit": drawn.unit,
            "groups": drawn.groups,
            "resamples": drawn.resamples,
            "seed": drawn.seed,
        }
        counts = {name: (m.n, m.positives, m.eligible) for name, m in annotated(record).items()}
        key = tuple(facts.values())
        for at, (other, known, _) in enumerate(self._found):
            if other == key and all(known.get(name, one) == one for name, one in counts.items()):
                known |= counts
                return at
        self._found.append((key, counts, facts))
        return len(self._found) - 1

    @property
    def all(self) -> list[dict[str, Any]]:
        """Facts of each set; for each of its ``concepts`` counts and prevalence."""
        return [
            facts
            | {
                "concepts": [self._concepts[name] for name in counts],
                "n": [n for n, _, _ in counts.values()],
                "positives": [positives for _, positives, _ in counts.values()],
                "eligible": [int(eligible) for _, _, eligible in counts.values()],
                "prevalence": [units(positives / n) for n, positives, _ in counts.values()],
            }
            for _, counts, facts in self._found
        ]
