"""The validation fold of the source cohort: scored once for each model, to choose its thresholds there.

``<run>/<model>/<protocol>/validation.parquet`` holds the scores, ``thresholds.json`` what was chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.files import write_atomically
from benchmark.metrics.cell.operating_points import Thresholds, concept_thresholds, no_thresholds
from benchmark.progress import Reporter
from benchmark.protocols.scorer import Scorer
from benchmark.records.predictions import (
    content_hash,
    load_predictions,
    predictions_table,
    save_predictions,
    score_tables,
)
from benchmark.run.plan import Cell, validation_key
from cohorts.catalogue import sharing
from cohorts.errors import LeadboardError
from cohorts.store import Store, rows_of

FILE = "validation.parquet"


def find_source(name: str, here: bool, give: Callable[[], Store]) -> Store | str:
    """Give the cohort that thresholds are chosen on, or say why it is not to be had."""
    if not here:
        return f"{name} is not on this machine"
    try:
        return give()
    except LeadboardError as error:
        return f"{name} cannot be prepared: {error}"


@dataclass
class Validation:
    """Chooses the thresholds of models, each once.

    Attributes
    ----------
    source
        The source cohort, or why it is not to be had.
    """

    source: Store | str
    scorer: Scorer
    reporter: Reporter
    _chosen: dict[Path, Thresholds] = field(default_factory=dict)

    def thresholds(self, cell: Cell) -> Thresholds:
        """Give the thresholds that may be applied in a cell, or the reason for having none.

        A model that fails on the validation fold has none; its cells go on.
        """
        source = self.source
        if isinstance(source, str):
            return no_thresholds(source)
        name = source.card.id
        if not len(rows_of(source, "validation")):
            return no_thresholds(f"{name} has no validation fold on this machine")
        own_test_fold = cell.store.card.id == name and cell.selection == "test"
        if cell.store.card.id in sharing(name) and not own_test_fold:
            return no_thresholds(f"they are chosen on records of {name}, which are measured here")
        folder = cell.path.parent
        if folder not in self._chosen:
            try:
                self._chosen[folder] = self._choose(cell, source, folder)
            except LeadboardError as error:
                self._chosen[folder] = no_thresholds(f"on the validation fold of {name}: {error}")
        return self._chosen[folder]

    def _choose(self, cell: Cell, source: Store, folder: Path) -> Thresholds:
        rows = rows_of(source, "validation")
        path, key = folder / FILE, validation_key(cell.model, source)
        predictions = None
        files, notes = cell.model.source.files, folder / "validation-files.json"
        if path.is_file() and not files.changed_since(notes):
            try:
                predictions, found = load_predictions(path)
            except LeadboardError:
                found = ""  # damaged: made again
            predictions = predictions if found == key else None
        if predictions is None:
            title = f"{cell.model.card.name}, {cell.model.protocol.name}, validation fold of {source.card.id}"
            with self.reporter.step(title, quiet_without_work=True) as progress:
                scored = self.scorer.score(cell.model, source, rows, progress)
            ids = source.index["record_id"].iloc[rows]
            predictions = predictions_table(ids, scored.scores, tuple(cell.model.card.outputs))
            save_predictions(predictions, key, path)
            notes.unlink(missing_ok=True)
            files.note_later_ones(notes)
        fits, _ = score_tables(predictions)
        labels = source.labels.iloc[rows].reset_index(drop=True)
        chosen = Thresholds(
            source=source.card.id,
            fingerprint=source.fingerprint,
            records=len(rows),
            predictions_sha256=content_hash(predictions),
            fits=len(fits),
            concepts=concept_thresholds(labels, fits[0]),
        )
        write_atomically(folder / "thresholds.json", chosen.model_dump_json(indent=2) + "\n")
        return chosen
