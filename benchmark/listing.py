"""Rows of the ``cohorts``, ``models`` and ``concepts`` lists, and how they are printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark.config import Places
from benchmark.metrics.evaluation import ConceptMetrics, Estimate, Evaluation, MacroMetrics
from benchmark.plugins import ModelSource, find_model, installed_models
from cohorts.catalogue import all_cohorts, open_cohort
from cohorts.errors import ModelError
from cohorts.ontology.ontology import load_ontology
from cohorts.store import find_store

Row = dict[str, Any]
WIDTH_IN_FILES = 250
"""Columns of a table that is not printed on a terminal: wide enough not to fold."""


def cohort_rows(places: Places) -> list[Row]:
    """One row a known cohort; ``quarantined`` is None until the cohort was prepared."""
    ontology = load_ontology()
    rows: list[Row] = []
    for name, cohort in all_cohorts().items():
        card = cohort.card
        release = open_cohort(name, places.data, places.folders)
        store = find_store(release, places.cache) if release is not None else None
        records = None
        if store is not None:
            records = len(store) + len(store.quarantine)
        elif release is not None:
            records = len(release.index()) + len(release.unreadable)
        rows.append(
            {
                "id": name,
                "found": release is not None,
                "records": records,
                "quarantined": len(store.quarantine) if store is not None else None,
                "release_records": card.records,
                "simulated": release is not None and release.card.simulated,
                "concepts": int((ontology.coverage(name) == "annotated").sum()),
                "copy_of": card.copy_of,
                "access": card.access,
                "licence": card.licence,
                "version": card.version,
                "url": card.url,
                "citation": card.citation,
                "fingerprint": store.fingerprint if store is not None else None,
                "path": str(release.root) if release is not None else None,
            }
        )
    return rows


def kind_of(source: ModelSource) -> str:
    """Say where a model has its weights from."""
    ways = []
    if "Pretrainable" in source.abilities:
        ways.append("pre-trained on signals and reports")
    if "Published" in source.abilities:
        ways.append("published weights")
    if ways:
        return " or ".join(ways)
    return "learns from a source cohort" if "Trainable" in source.abilities else "comes with its weights"


def model_rows() -> list[Row]:
    """One row an installed model; one that cannot be loaded carries its error."""
    rows: list[Row] = []
    for name, entry in installed_models().items():
        row: Row = {"name": name, "from": entry.value}
        try:
            source = find_model(name)
        except ModelError as error:
            rows.append(
                {**row, "kind": "BROKEN", "description": str(error), "licence": None, "citation": None}
            )
            continue
        card = source.card
        kind = kind_of(source)
        spec = f"{card.input.sampling_rate:g} Hz x {card.input.seconds:g} s x {len(card.input.leads)} leads"
        row |= {"kind": kind, "input": spec, "description": card.description}
        rows.append({**row, "licence": card.licence, "citation": card.citation})
    return rows


def concept_rows() -> list[Row]:
    """One row a concept, with the cohorts that annotate it."""
    ontology = load_ontology()
    coverage = {name: ontology.coverage(name) for name in all_cohorts()}
    return [
        {
            "id": str(concept),
            "name": row["name"],
            "snomed": row["snomed"],
            "category": row["category"],
            "parents": list(row["parents"]),
            "prompts": list(row["prompts"]),
            "annotated_in": [
                name for name, states in coverage.items() if states.loc[str(concept)] == "annotated"
            ],
        }
        for concept, row in ontology.concepts.iterrows()
    ]


def print_table(rows: Sequence[Row], hide: Sequence[str] = ()) -> None:
    """Print rows as a table; with ``hide`` naming columns that only ``--json`` shows."""
    columns = [name for name in dict.fromkeys(key for row in rows for key in row) if name not in hide]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(_shown(row.get(column))) for column in columns))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_IN_FILES)
    console.print(table)


def print_evaluation(evaluation: Evaluation) -> None:
    """Print the metrics of one table of scores."""
    rows: list[Row] = []
    for name, metrics in evaluation.concepts.items():
        rows.append(
            {
                "concept": name if metrics.eligible else f"{name} *",
                "AUROC": shown_estimate(metrics.auroc) + (" †" if metrics.caution else ""),
                "AUPRC": shown_estimate(metrics.auprc),
                "prevalence": "–" if metrics.prevalence is None else f"{metrics.prevalence:.3f}",
                "n": f"{metrics.n:,}",
                "positives": f"{metrics.positives:,}",
            }
        )
    macro = evaluation.macro
    rows.append(
        {
            "concept": f"macro of {len(macro.concepts)}",
            "AUROC": shown_estimate(macro.auroc),
            "AUPRC": shown_estimate(macro.auprc),
            "prevalence": "–" if macro.prevalence is None else f"{macro.prevalence:.3f}",
            "n": "",
            "positives": "",
        }
    )
    print_table(rows)
    settings = evaluation.bootstrap
    print(
        f"[low, high]: {settings.level:.0%} percentile bootstrap over {settings.groups:,} {settings.unit}, "
        f"{settings.resamples:,} resamples, seed {settings.seed}."
    )
    if any(not metrics.eligible for metrics in evaluation.concepts.values()):
        print("* fewer than 10 positives or 10 negatives: not in the macro average.")
    if any(metrics.caution for metrics in evaluation.concepts.values()):
        print("† few positives for an AUROC this high: the interval is too narrow.")
    for reason, of in _without_interval(evaluation).items():
        print(f"[–] {', '.join(of)}: {reason}.")


def _without_interval(evaluation: Evaluation) -> dict[str, list[str]]:
    """Reason -> figures that have a value and no interval."""
    found: dict[str, list[str]] = {}
    measured: dict[str, ConceptMetrics | MacroMetrics] = {**evaluation.concepts, "macro": evaluation.macro}
    for name, metrics in measured.items():
        for metric, estimate in (("AUROC", metrics.auroc), ("AUPRC", metrics.auprc)):
            if estimate.value is not None and estimate.interval is None:
                found.setdefault(estimate.reason or "no interval", []).append(f"{name} {metric}")
    return found


def shown_estimate(estimate: Estimate) -> str:
    """Value with its interval, to three decimals."""
    if estimate.value is None:
        return "–"
    if estimate.interval is None:
        return f"{estimate.value:.3f} [–]"
    low, high = estimate.interval
    return f"{estimate.value:.3f} [{low:.3f}, {high:.3f}]"


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(value)
    return str(value)
