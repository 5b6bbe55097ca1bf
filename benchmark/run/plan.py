"""The plan of a run: which cells there are, and a key for each of everything that decides it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from benchmark.metrics.cell.subgroups import USUAL
from benchmark.metrics.checks import ELIGIBLE_MINIMUM
from benchmark.models.contamination import Relation, relation_of
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.protocols.prompts import prompts_of
from benchmark.protocols.rooms import SCORE_ROOMS
from benchmark.records.comparability import labelling_of
from benchmark.records.measuring import RunSettings, Selection, decided_by_overlap, selected_rows
from benchmark.records.overlap import Overlap, also_in
from benchmark.records.predictions import predictions_path
from benchmark.records.published_tasks import is_task
from benchmark.records.resamples import CellName
from benchmark.records.run_folder import cell_path
from cohorts.hashing import code_hash, hash_of_json
from cohorts.store import Rows, Store, rows_of

METRIC_ROOMS = ("benchmark/metrics", "benchmark/records")
"""The code that decides metrics, given scores and labels."""


@dataclass(frozen=True)
class Cell:
    """One model x protocol x cohort.

    Attributes
    ----------
    predictions_key
        Hash of everything that decides the scores.
    key
        Hash of that and of everything that decides the metrics.
    path
        The result record; its predictions lie beside it.
    overlap
        Where the recordings of the cohort were found, if no document tells.
    """

    model: EvaluatedModel
    store: Store
    relation: Relation
    selection: Selection
    predictions_key: str
    key: str
    path: Path
    overlap: Overlap | None = None

    @property
    def name(self) -> CellName:
        """Model, protocol, cohort."""
        return self.model.card.name, self.model.protocol.name, self.store.card.id

    @property
    def label(self) -> str:
        """For progress and error lines."""
        protocol = self.model.protocol.name
        shown = "" if protocol == "as-is" else f", {protocol},"
        return f"{self.model.card.name}{shown} on {self.store.card.id}"

    @property
    def predictions_path(self) -> Path:
        """The Parquet file beside the record."""
        return predictions_path(self.path)

    @property
    def rows(self) -> Rows:
        """Rows of the store that this cell scores."""
        return selected_rows(self.store, self.selection)


def plan_cells(
    models: Sequence[EvaluatedModel],
    stores: Sequence[Store],
    settings: RunSettings,
    run: Path,
    source: Store | str = "no source",
    overlaps: Mapping[str, Overlap] = MappingProxyType({}),
) -> list[Cell]:
    """All cells of a run, cohort by cohort within each model.

    Parameters
    ----------
    source
        The cohort that thresholds are chosen on, or why it is not to be had.
    overlaps
        Where the recordings of cohorts were found that no document tells of, by cohort.
    """
    return [
        _plan_cell(model, store, settings, run, source, overlaps.get(store.card.id))
        for model in models
        for store in stores
    ]


def _plan_cell(
    model: EvaluatedModel,
    store: Store,
    settings: RunSettings,
    run: Path,
    source: Store | str,
    overlap: Overlap | None,
) -> Cell:
    made_here = model.base is not None and model.base.made_here
    related = relation_of(model.card, store.card.id, pretrained_here=made_here, also_in=also_in(overlap))
    has_test_fold = len(rows_of(store, "test")) > 0
    usual: Selection = "test" if related == "internal" and has_test_fold else "all"
    selection: Selection = "test" if is_task(store.card.id) else settings.records or usual
    decides_scores = _decides_scores(model, store, selection)
    decides_metrics = {
        "relation": related,
        "labels": labelling_of(store.card, model.card.outputs).hash,
        "seed": settings.seed,
        "resamples": settings.resamples,
        "minimum": ELIGIBLE_MINIMUM,
        "thresholds": None if isinstance(source, str) else _decides_thresholds(model, source),
        "suite": code_hash(*METRIC_ROOMS),
        **({} if set(settings.subgroups) == set(USUAL) else {"subgroups": sorted(settings.subgroups)}),
        **decided_by_overlap(overlap),
    }
    return Cell(
        model=model,
        store=store,
        relation=related,
        selection=selection,
        predictions_key=hash_of_json(decides_scores),
        key=hash_of_json({"scores": decides_scores, "metrics": decides_metrics}),
        path=cell_path(run, model.card.name, model.protocol.name, store.card.id),
        overlap=overlap,
    )


def _decides_scores(model: EvaluatedModel, store: Store, selection: str) -> dict[str, object]:
    return {
        "model": model.card.model_dump(mode="json"),
        "code": model.source.code_hash,
        "environment": model.source.environment,
        "base": model.base.key if model.base else None,
        "fits": [fit.key for fit in model.fits],
        "protocol": model.protocol.name,
        "prompts": prompts_of(model.card.outputs) if model.protocol.kind == "zero-shot" else None,
        "cohort": store.fingerprint,
        "selection": selection,
        "folds": store.card.folds.model_dump(mode="json") if store.card.folds is not None else None,
        "suite": code_hash(*SCORE_ROOMS),
        **({} if model.precision == "float32" else {"precision": model.precision}),
    }


def _decides_thresholds(model: EvaluatedModel, source: Store) -> dict[str, str]:
    return {
        "scores": validation_key(model, source),
        "labels": labelling_of(source.card, model.card.outputs).hash,
    }


def validation_key(model: EvaluatedModel, source: Store) -> str:
    """Hash what decides the scores of a model on the validation fold of the source cohort."""
    return scores_key(model, source, "validation")


def scores_key(model: EvaluatedModel, store: Store, selection: str) -> str:
    """Hash what decides the scores of a model on some of the records of a cohort."""
    return hash_of_json(_decides_scores(model, store, selection))
