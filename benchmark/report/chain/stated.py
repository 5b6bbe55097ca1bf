"""The links that the run folder knows by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.files import sha256_of
from benchmark.models.contamination import unstated_training
from benchmark.models.label_map import labels_of
from benchmark.models.model_files import ModelFile
from benchmark.records.measuring import PREDICTIONS
from benchmark.records.predictions import content_hash
from benchmark.records.record import ResultRecord
from benchmark.report.chain.link import Link
from benchmark.report.facts import copy_size, overlap_text
from benchmark.report.model_facts import trained_on, training_text
from cohorts.catalogue import measured_cards

FILES = 5
"""Of those that the model's code has opened, how many are shown to people, the largest first."""


def release_link(record: ResultRecord, here: str) -> Link:
    """Say which recordings were measured.

    Parameters
    ----------
    here
        Whether the same ones are on this machine, as a sentence.
    """
    cohort, card = record.cohort, measured_cards().get(record.cohort.id)
    facts = cohort.model_dump(mode="json") | {
        "access": None if card is None else card.access,
        "licence": None if card is None or cohort.simulated else card.licence,
        "url": None if card is None or cohort.simulated else card.url,
    }
    lines = [
        ("cohort", f"{cohort.id}: {cohort.name}, version {cohort.version}"),
        ("size", copy_size(cohort, record.records)),
        ("fingerprint", cohort.fingerprint),
        ("on this machine", here),
    ]
    if cohort.simulated:
        lines.insert(1, ("SIMULATED", "synthetic recordings: the number says nothing about patients"))
    elif card is not None:
        lines.insert(1, ("access", f"{card.access}; licence: {card.licence}"))
        if card.access != "open":
            lines.insert(2, ("keep here", "what is said of records and of few of them may not be passed on"))
    return Link("release", "The release", lines, facts)


def records_link(record: ResultRecord, concept: str) -> Link:
    """Count the records in and out, with the reasons."""
    counts, metrics = record.records, record.evaluation.concepts.get(concept)
    n, positives = (metrics.n, metrics.positives) if metrics else (0, 0)
    why = "no prediction was handed in" if record.protocol == PREDICTIONS else "not in the test fold"
    out = [(group.reason.rstrip("."), len(group.record_ids)) for group in counts.quarantined]
    out += [(why, counts.unselected)] if counts.unselected else []
    rows: list[dict[str, Any]] = [{"records": counts.found, "what became of them": "found in the release"}]
    rows += [{"records": -number, "what became of them": f"left out: {reason}"} for reason, number in out]
    rows.append({"records": counts.scored, "what became of them": "scored by the model"})
    if counts.scored - n:
        unknown = f"left out: not annotated for {concept} (the labels say why)"
        rows.append({"records": n - counts.scored, "what became of them": unknown})
    measured = f"measured: {positives:,} positive, {n - positives:,} negative"
    rows.append({"records": n, "what became of them": measured})
    facts = {
        "selection": counts.selection,
        "found": counts.found,
        "left_out": dict(out),
        "scored": counts.scored,
        "not_annotated": counts.scored - n,
        "n": n,
        "positives": positives,
        "negatives": n - positives,
    }
    taken = "the test fold" if counts.selection == "test" else "all records"
    return Link("records", "Records in and out", [("selection", taken)], facts, {"": rows})


def weights_link(record: ResultRecord) -> Link:
    """Say which weights gave the scores."""
    card, made = record.model, record.provenance
    lines = [("model", f"{card.name} {card.version}: {card.description}".rstrip(": "))]
    lines += [("sha256", one) for one in record.weights_sha256]
    elsewhere = record.protocol == PREDICTIONS
    if not record.weights_sha256:
        theirs = "with whoever made the predictions" if elsewhere else "they come with the model's code"
        lines.append(("weights", theirs))
    own = [file for file in made.files if "site-packages/" not in file.path]
    shown = sorted(own, key=lambda file: -file.size)[:FILES]
    lines += [("file", f"{file.path}, {file.size:,} bytes, sha256 {file.sha256}") for file in shown]
    if rest := len(made.files) - len(shown):
        lines.append(("other files", f"{rest:,} that its code opened, of installed packages too: --json"))
    source = "predictions were handed in" if elsewhere else training_text(record)
    lines += [
        ("source", f"{source}; {card.citation or 'no citation stated'}"),
        ("licence", card.licence or "not stated"),
    ]
    facts = {
        "model": card.name,
        "version": card.version,
        "sha256": list(record.weights_sha256),
        "files": [ModelFile.model_dump(file, mode="json") for file in made.files],
        "source": source,
        "citation": card.citation,
        "licence": card.licence,
    }
    return Link("weights", "Weights", lines, facts)


def training_link(record: ResultRecord) -> Link:
    """Say what the model has seen, and whether the cohort is new to it."""
    card, pretraining = record.model, record.pretraining
    lines = [
        ("protocol", record.protocol),
        ("trained on", trained_on(record)),
        ("the cohort", f"{record.relation} to it"),
    ]
    unstated = unstated_training(card, pretrained_here=pretraining is not None)
    lines += [("but", unstated)] if unstated else []
    shared = "by the cohorts' cards" if record.overlap is None else overlap_text(record.overlap)
    lines.append(("shared recordings", shared))
    thresholds = record.provenance.thresholds
    if thresholds.source:
        lines.append(("thresholds from", thresholds.source))
    rows = [
        {
            "learnt from": fit.source,
            "labels": f"{fit.percent} %",
            "records": fit.records,
            "validation": fit.validation_records,
            "seed": fit.seed,
            "fingerprint": fit.fingerprint[:12],
        }
        for fit in record.training
    ]
    if pretraining is not None:
        rows += [
            {
                "learnt from": source.cohort,
                "labels": "reports",
                "records": source.records,
                "validation": source.validation_records,
                "seed": pretraining.seed,
                "fingerprint": source.fingerprint[:12],
            }
            for source in pretraining.sources
        ]
    facts = {
        "protocol": record.protocol,
        "trained_on": "undisclosed" if card.trained_on == "undisclosed" else list(card.trained_on),
        "relation": record.relation,
        "unstated": unstated,
        "training": [fit.model_dump(mode="json") for fit in record.training],
        "pretraining": None if pretraining is None else pretraining.model_dump(mode="json"),
        "overlap": None if record.overlap is None else record.overlap.model_dump(mode="json"),
        "thresholds_from": thresholds.source,
    }
    return Link("training", "Protocol and training records", lines, facts, {"": rows} if rows else {})


def predictions_link(
    record: ResultRecord, concept: str, path: Path, table: pd.DataFrame | None, why: str
) -> Link:
    """Say where the scores lie, and whether they are those that were measured.

    Parameters
    ----------
    table
        What lies there; None if it cannot be read, for the reason ``why``.
    """
    stated = record.predictions
    found = None if table is None else content_hash(table)
    same = found == stated.sha256
    differs = () if same else (why or f"{path} holds other predictions than were measured.",)
    own = [f"{row.label} ({row.relation})" for row in labels_of(concept, record.model.labels)]
    lines = [
        ("file", str(path)),
        ("rows", f"{stated.rows:,}, one a record"),
        *([("score", f"the highest of the model's own labels {', '.join(own)}")] if own else []),
        ("sha256 of content", stated.sha256),
        ("the file here", "the one that was measured" if same else "NOT the one that was measured"),
        ("key of the cell", record.key),
    ]
    facts = {
        "path": str(path),
        "rows": stated.rows,
        "own_labels": own,
        "content_sha256": stated.sha256,
        "file_sha256": None if table is None else sha256_of(path),
        "as_measured": same,
        "key": record.key,
    }
    return Link("predictions", "Predictions", lines, facts, differs=differs)


def versions_link(record: ResultRecord) -> Link:
    """Say with what it was made."""
    made = record.provenance
    lines = [
        ("leadboard", f"{made.leadboard}, commit {made.commit or 'unknown'}"),
        ("python", f"{made.python} on {made.platform}"),
        ("packages", ", ".join(f"{name} {version}" for name, version in made.packages.items())),
        ("scored on", f"{made.device} in {made.dtype}, {made.batch_size} windows a batch"),
        *([("in lower precision", made.rounding.sentence)] if made.rounding else []),
        ("made", made.created),
    ]
    facts = made.model_dump(mode="json", exclude={"files", "thresholds"})
    return Link("versions", "Versions", lines, facts)
