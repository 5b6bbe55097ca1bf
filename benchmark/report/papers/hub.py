"""The results of a run as model hubs take them: a model card whose front matter has a ``model-index``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from benchmark.metrics.estimates import Estimate
from benchmark.metrics.names import METRICS
from benchmark.records.record import ResultRecord
from benchmark.report.facts import interval_sentences
from benchmark.report.leaderboard_table import SIMULATED
from benchmark.report.markdown import markdown, markdown_table
from benchmark.report.model_facts import input_text, trained_on
from benchmark.report.tables import cohort_label, fact_table, selected
from benchmark.report.text import count, interval
from benchmark.text import one_line
from cohorts.catalogue import is_private
from cohorts.errors import UsageError

METRIC_IDS = {"auroc": "roc_auc", "auprc": "average_precision"}

LICENCES = {"apache-2.0", "mit", "bsd-3-clause", "gpl-3.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0"}
"""Those that hubs know by the same name, of the ones that models have."""


def hub_cards(records: Sequence[ResultRecord]) -> dict[str, str]:
    """Write one card a model: the results on public cohorts that it was not trained on.

    Returns
    -------
    dict
        ``hub/MODEL/README.md`` -> its content.

    Raises
    ------
    UsageError
        If no model has such a result.
    """
    of_model: dict[str, list[ResultRecord]] = {}
    for record in records:
        of_model.setdefault(record.model.name, []).append(record)
    found = {
        f"hub/{model}/README.md": _card(
            [r for r in cells if _counts(r)], [r for r in cells if not _counts(r)]
        )
        for model, cells in of_model.items()
        if any(_counts(record) for record in cells)
    }
    if not found:
        raise UsageError("No model of the run has a result on a public cohort that is external to it.")
    return found


def _counts(record: ResultRecord) -> bool:
    public = not record.cohort.private and not is_private(record.cohort.id)
    defined = any(record.evaluation.macro.of(metric).value is not None for metric in METRICS)
    return public and defined and record.relation == "external"


def _card(records: Sequence[ResultRecord], left_out: Sequence[ResultRecord]) -> str:
    head = yaml.safe_dump(_front_matter(records), sort_keys=False, allow_unicode=True, width=10_000)
    model = records[0].model
    rows = [
        (
            cohort_label(r.cohort),
            r.protocol,
            r.relation,
            count(r.records.scored),
            count(len(r.evaluation.macro.concepts)),
            *(interval(r.evaluation.macro.of(metric)) for metric in METRICS),
        )
        for r in records
    ]
    columns = ("Cohort", "Protocol", "Relation", "Records", "Concepts", "Macro AUROC", "Macro AUPRC")
    parts = [
        f"---\n{head}---",
        f"# {markdown(model.name)}",
        *([f"> **{SIMULATED}**"] if any(r.cohort.simulated for r in records) else []),
        *([markdown(one_line(model.description))] if model.description else []),
        f"Input: {markdown(input_text(model.input))}. Trained on: {markdown(trained_on(records[0]))}.",
        markdown_table(fact_table("External validation", columns, rows)),
        markdown(interval_sentences(records)),
    ]
    if left_out:
        why = dict.fromkeys(map(_why_not, left_out))
        parts.append(f"Not shown: {markdown('; '.join(why))}.")
    return "\n\n".join(parts) + "\n"


def _why_not(record: ResultRecord) -> str:
    if record.cohort.private or is_private(record.cohort.id):
        return "results on private cohorts"
    if record.relation != "external":
        return f"{cohort_label(record.cohort)}, {record.protocol} ({record.relation})"
    return f"{cohort_label(record.cohort)}, {record.protocol} (no macro average is defined)"


def _front_matter(records: Sequence[ResultRecord]) -> dict[str, Any]:
    model = records[0].model
    licence = model.licence.lower()
    return {
        **({"license": licence} if licence in LICENCES else {}),
        "tags": ["ecg", "12-lead-ecg", "external-validation"],
        "model-index": [{"name": model.name, "results": [_result(record) for record in records]}],
    }


def _result(record: ResultRecord) -> dict[str, Any]:
    cohort = record.cohort
    mark = " (simulated recordings, not patients)" if cohort.simulated else ""
    return {
        "task": {"type": "other", "name": f"12-lead ECG classification ({record.protocol})"},
        "dataset": {
            "type": f"{cohort.id}-simulated" if cohort.simulated else cohort.id,
            "name": one_line(cohort.name) + mark,
            "split": selected(record.records),
            "revision": one_line(cohort.version),
            "args": {"relation": record.relation, "fingerprint": cohort.fingerprint},
        },
        "metrics": list(_metrics(record)),
    }


def _metrics(record: ResultRecord) -> Iterator[dict[str, Any]]:
    evaluation = record.evaluation
    scored = {"n": record.records.scored}
    for metric, name in METRICS.items():
        yield from _metric(
            record, metric, f"Macro {name}", evaluation.macro.of(metric), evaluation.macro.concepts, scored
        )
    for concept in evaluation.macro.concepts:
        one = evaluation.concepts[concept]
        counted = {"n": one.n, "positives": one.positives}
        yield from _metric(record, "auroc", f"{concept} AUROC", one.auroc, [concept], counted)


def _metric(
    record: ResultRecord,
    metric: str,
    name: str,
    estimate: Estimate,
    concepts: Sequence[str],
    facts: dict[str, int],
) -> Iterator[dict[str, Any]]:
    """Give a metric that has a value; an undefined one has no place in a model-index."""
    if estimate.value is None:
        return
    drawn = record.evaluation.bootstrap
    drawing = {"resamples": drawn.resamples, "unit": drawn.unit, "groups": drawn.groups, "seed": drawn.seed}
    ends = {"low": estimate.low, "high": estimate.high, "level": drawn.level}
    yield {
        "type": METRIC_IDS[metric],
        "value": estimate.value,
        "name": f"{name}, external" + (", simulated" if record.cohort.simulated else ""),
        "args": {**facts, "concepts": list(concepts), **ends, **drawing},
    }
