"""The validation fold of the source cohort: scored once for each model, to choose its thresholds there.

``<run>/<model>/<protocol>/validation.parquet`` holds the scores, ``thresholds.json`` what was chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from benchmark.files import write_atomically
from benchmark.metrics.cell.operating_points import Thresholds, no_thresholds
from benchmark.progress import Reporter
from benchmark.protocols.scorer import Scorer
from benchmark.records.predictions import (
    content_hash,
    load_predictions,
    predictions_table,
    save_predictions,
)
from benchmark.records.run_folder import lock_path
from benchmark.records.thresholds import VALIDATION, choose_thresholds, why_not_applied
from benchmark.run.plan import Cell, validation_key
from benchmark.text import unnamed
from cohorts.errors import LeadboardError
from cohorts.locks import alone
from cohorts.store import Store, rows_of

CHOSEN = "thresholds.json"


def find_source(name: str, here: bool, give: Callable[[], Store]) -> Store | str:
    """Give the cohort that thresholds are chosen on, or say why it is not to be had."""
    if not here:
        return f"{name} is not on this machine"
    try:
        return give()
    except LeadboardError as error:
        return f"{name} cannot be prepared: {error}"


FILES = "validation-files.json"
"""Beside the scores: files that the model opened only when it was asked."""


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
            return no_thresholds(unnamed(source))
        name = source.card.id
        if not len(rows_of(source, "validation")):
            return no_thresholds(f"{name} has no validation fold on this machine")
        refused = why_not_applied(name, cell.store.card.id, cell.selection)
        if refused:
            return no_thresholds(refused)
        folder = cell.path.parent
        if folder not in self._chosen:
            try:
                doing = f"scoring the validation fold of {name} with {cell.model.card.name}"
                with alone(lock_path(folder.parent.parent, folder / VALIDATION), doing):
                    self._chosen[folder] = self._choose(cell, source, folder)
            except LeadboardError as error:
                self._chosen[folder] = no_thresholds(unnamed(f"on the validation fold of {name}: {error}"))
        return self._chosen[folder]

    def _choose(self, cell: Cell, source: Store, folder: Path) -> Thresholds:
        key = validation_key(cell.model, source)
        predictions = self._former(cell, folder, key)
        if predictions is None:
            predictions = self._score(cell, source)
            save_predictions(predictions, key, folder / VALIDATION)
            notes = folder / FILES
            notes.unlink(missing_ok=True)
            cell.model.source.files.note_later_ones(notes)
        chosen = choose_thresholds(predictions, source)
        write_atomically(folder / CHOSEN, chosen.model_dump_json(indent=2) + "\n")
        return chosen

    def _score(self, cell: Cell, source: Store) -> pd.DataFrame:
        rows = rows_of(source, "validation")
        title = f"{cell.model.card.name}, {cell.model.protocol.name}, validation fold of {source.card.id}"
        with self.reporter.step(title, quiet_without_work=True) as progress:
            scored = self.scorer.score(cell.model, source, rows, progress)
        ids = source.index["record_id"].iloc[rows]
        return predictions_table(ids, scored.scores, tuple(cell.model.card.outputs))

    def _former(self, cell: Cell, folder: Path, key: str) -> pd.DataFrame | None:
        """Scores of an earlier run, if they are whole and made under the same key; damage is said."""
        path = folder / VALIDATION
        if not path.is_file() or cell.model.source.files.changed_since(folder / FILES):
            return None
        model = f"{cell.model.card.name}, {cell.model.protocol.name}"
        try:
            predictions, found = load_predictions(path)
            stated = Thresholds.model_validate_json((folder / CHOSEN).read_bytes()).predictions_sha256
        except FileNotFoundError:
            return None  # of a run that was cut off between the two files
        except (LeadboardError, OSError, ValidationError) as error:
            reason = str(error) if isinstance(error, LeadboardError) else f"{folder / CHOSEN} is damaged."
            self.reporter.say(f"{model} scores the validation fold again: {reason}")
            return None
        if found != key:
            return None
        if content_hash(predictions) != stated:
            self.reporter.say(
                f"{model} scores the validation fold again: {path} is not what its thresholds came from."
            )
            return None
        return predictions
