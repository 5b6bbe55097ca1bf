"""What a model of a run looked at when it scored one recording."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.models.concept_names import no_score
from benchmark.protocols.harmonise import RecordingSource
from benchmark.protocols.map_test import ORDERS, MapTest, RelevanceMap
from benchmark.protocols.occlusion import Doubles, Parts, occluded
from benchmark.protocols.saliency import summed
from benchmark.records.predictions import load_predictions, predictions_path, score_tables
from benchmark.records.run_folder import cell_path
from benchmark.run.reopening import OpenedCell
from cohorts.errors import LeadboardError
from cohorts.store import Rows

AGREES = 1e-4
"""How far a score may lie from that of the run: another batch, another machine, no other model."""

_SMALLEST = 1e-7


def explain(
    cell: OpenedCell, folder: Path, concept: str, record_id: str, *, seed: int = 0
) -> list[RelevanceMap]:
    """Map what speaks for a concept in one recording: by occlusion, and as the model says if it can.

    Scores that claim to be probabilities are compared as logits, or nothing would seem to matter where a
    model is certain.

    Parameters
    ----------
    folder
        Of the run, whose saved score the model must give again.

    Raises
    ------
    UsageError
        If the model was not asked about this concept or recording.
    LeadboardError
        If the model does not give the score that it gave in the run.
    """
    outputs = tuple(cell.model.card.outputs)
    if concept not in outputs:
        raise no_score(cell.model.card.name, concept, outputs)
    position, column = cell.row_of(record_id), outputs.index(concept)

    def scores(source: RecordingSource, rows: Rows) -> Doubles:
        found = cell.scorer.score(cell.model, source, rows, lambda done, of: None).scores
        means: Doubles = found[:, :, column].mean(axis=0, dtype=np.float64)
        return means

    rounding = cell.record.provenance.rounding
    agrees = AGREES + (2 * rounding.largest if rounding else 0.0)  # other records may lie further away
    before, now = _saved(folder, cell, column, record_id), float(scores(cell.store, np.array([position]))[0])
    if before is not None and not math.isclose(now, before, rel_tol=AGREES, abs_tol=agrees):
        raise LeadboardError(
            f"{cell.model.card.name} gives {record_id} the score {now:.4f}, but {before:.4f} in the run: it "
            "is another model now; run it again."
        )

    def compared(source: RecordingSource) -> Doubles:
        found = scores(source, np.arange(len(source.index), dtype=np.intp))
        if not cell.model.card.probabilities:
            return found
        inside = np.clip(found, _SMALLEST, 1 - _SMALLEST)
        return np.log(inside) - np.log1p(-inside)

    recording, row = cell.store.recording(position), cell.store.index.iloc[[position]]
    parts = Parts(compared, recording, row)
    test = MapTest(parts, "logit" if cell.model.card.probabilities else "score", seed)
    maps = [test.of("occlusion", occluded(parts))]
    saliency = cell.scorer.saliency(cell.model, cell.store, position, concept)
    if saliency is not None:
        maps.append(test.of("gradients", summed(saliency, cell.model.card.input, parts)))
    return maps


def _saved(folder: Path, cell: OpenedCell, column: int, record_id: str) -> float | None:
    """Read the mean score over the fits from the run's predictions; None for a record that was not scored."""
    record = cell.record
    path = predictions_path(cell_path(folder, record.model.name, record.protocol, record.cohort.id))
    table, _ = load_predictions(path)
    rows = np.flatnonzero(table["record_id"].to_numpy() == record_id)
    if not len(rows):
        return None
    fits, _ = score_tables(table)
    return float(np.mean([fit.iloc[rows[0], column] for fit in fits]))


def sentences(maps: Sequence[RelevanceMap], concept: str, label: str) -> list[str]:
    """Say what the maps of a recording show, and how far to believe each."""
    first = maps[0]
    said = [f"{concept}: {first.scale} {first.score:.3f}; the cohort says {label}"]
    for found in maps:
        said += [_shown(found), _tested(found)]
    return said


def _shown(found: RelevanceMap) -> str:
    lead, part = np.unravel_index(np.argmax(found.importance), found.importance.shape)
    by_lead = found.importance.clip(min=0).sum(axis=1)
    share = by_lead / (by_lead.sum() or 1.0)
    leads = ", ".join(f"{found.leads[at]} {share[at]:.0%}" for at in np.argsort(-share)[:3])
    start = part * found.seconds
    return (
        f"By {found.method}: most of it comes from {leads}; the strongest part is {found.leads[lead]} "
        f"from {start:.1f} to {start + found.seconds:.1f} s."
    )


def _tested(found: RelevanceMap) -> str:
    agreement = "undefined" if found.agreement is None else f"{found.agreement:+.2f}"
    verdict = (
        "the map holds"
        if found.holds
        else "the map does not hold: erasing what it names costs the score no more than chance"
    )
    return (
        f"Tested: while a fifth of all parts is erased in the order of the map, the {found.scale} lies "
        f"{abs(found.advantage):.3f} {'lower' if found.advantage > 0 else 'higher'} than in {ORDERS} random "
        f"orders (p = {found.p:.2f}); rank correlation with what random groups cost {agreement}. "
        f"So {verdict}."
    )
