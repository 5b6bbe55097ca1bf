"""What a run knows of the items of TRIPOD+AI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmark.records.measuring import PREDICTIONS
from benchmark.records.record import ResultRecord
from benchmark.records.run_file import RunFile
from benchmark.report.board import Entry, entry_of
from benchmark.report.facts import interval_sentences, partial_copies
from benchmark.report.model_facts import input_text, trained_on, training_text
from benchmark.report.papers import tripod_sentences as say
from benchmark.report.tables import cohort_label
from benchmark.report.text import count, entry_labels, number
from cohorts.cohort import CohortCard
from cohorts.counts import plural

Facts = dict[str, list[str]]
"""Number of an item -> what the run knows of it."""


def facts(plan: RunFile, records: Sequence[ResultRecord], cards: Mapping[str, CohortCard]) -> Facts:
    """Collect the facts, each one sentence; what a run cannot know is not among them.

    Parameters
    ----------
    cards
        As for `benchmark.report.papers.tripod.checklist`.
    """
    return {
        **_study(records),
        **_data(records, cards),
        **_labels_and_inputs(records),
        **_analysis(records),
        **_openness(records, cards),
        **_results(plan, records),
    }


def _distinct(records: Iterable[ResultRecord], tell: Callable[[ResultRecord], str]) -> list[str]:
    return [said for said in dict.fromkeys(tell(record) for record in records) if said]


def _of_cohorts(
    records: Iterable[ResultRecord],
    cards: Mapping[str, CohortCard],
    tell: Callable[[ResultRecord, CohortCard | None], str],
) -> list[str]:
    return _distinct(records, lambda record: tell(record, _card(record, cards)))


def _card(record: ResultRecord, cards: Mapping[str, CohortCard]) -> CohortCard | None:
    card = cards.get(record.cohort.id)
    return None if record.cohort.private or card is None or card.access == "private" else card


def _study(records: Sequence[ResultRecord]) -> Facts:
    models, cohorts = _distinct(records, say.model), _distinct(records, lambda r: cohort_label(r.cohort))
    kinds = {kind: sum(r.relation == kind for r in records) for kind in ("external", "internal", "unknown")}
    cells = ", ".join(f"{count(cells)} {kind}" for kind, cells in kinds.items() if cells)
    what = f"{plural(len(models), 'model')} on {plural(len(cohorts), 'cohort')}"
    return {
        "4": [
            f"Evaluation of {what} of 12-lead ECGs: {', '.join(models)} on {', '.join(cohorts)}. "
            f"{plural(len(records), 'result')}, by whether the model was trained on the cohort: {cells}."
        ]
    }


def _data(records: Sequence[ResultRecord], cards: Mapping[str, CohortCard]) -> Facts:
    eligible = [
        "Every record of a release that can be read is taken in. A cohort that a model was trained on is "
        "represented by its test fold, unless the selection says otherwise."
    ]
    return {
        "5a": _of_cohorts(records, cards, say.source),
        "6a": _of_cohorts(records, cards, say.place),
        "6b": eligible,
        "11": [
            *_distinct(records, say.missing),
            "A concept that was not annotated in a record is left out for that record, never taken as "
            "absent. Nothing is imputed; missing samples are 0 and short recordings are padded with zeros.",
            *_distinct(records, say.answered),
        ],
        "20a": _distinct(records, say.flow),
        "20b": _distinct(records, say.groups),
        "27a": []
        if all(record.protocol == PREDICTIONS for record in records)
        else [
            "A recording that cannot be read, or lacks a lead that cannot be derived, is not scored and is "
            "counted with its reason (see 11)."
        ],
    }


def _labels_and_inputs(records: Sequence[ResultRecord]) -> Facts:
    measured = list(dict.fromkeys(name for record in records for name in record.evaluation.concepts))
    ontologies = _distinct(records, lambda r: r.ontology.version)
    here = [record for record in records if record.protocol != PREDICTIONS]
    found: Facts = {
        "7": _distinct(here, lambda r: f"{r.model.name}: {input_text(r.model.input)}."),
        "8a": [
            f"Diagnostic statements about the same recording, as the releases annotate them, harmonised to "
            f"{plural(len(measured), 'concept')} (ontology {', '.join(ontologies)}): {', '.join(measured)}."
        ],
        "9b": ["Leads, rate, length and unit of each model stand at item 7."] if here else [],
    }
    if here:
        found["7"].insert(
            0,
            "Leads are taken by name (missing limb leads are derived, missing precordial ones never copied), "
            "recordings are resampled to the rate and unit that a model states.",
        )
        found["8c"] = ["A model is given neither the labels nor the ids of the records that it scores."]
        found["9a"] = [
            "The signal of the 12-lead ECG, age and sex are offered to every model that was run here; which "
            "of them it uses, its description says (12c)."
        ]
        found["9c"] = ["No person's judgement enters between a recording and a model that was run here."]
    if len(here) < len(records):
        elsewhere = ", ".join(dict.fromkeys(r.model.name for r in records if r.protocol == PREDICTIONS))
        found["7"].append(f"Predictions made elsewhere, of which the run knows only the scores: {elsewhere}.")
    return found


def _analysis(records: Sequence[ResultRecord]) -> Facts:
    measures = [
        "AUROC and AUPRC (average precision) of each concept, and their means over concepts with at least "
        + " / ".join(_distinct(records, lambda r: str(r.evaluation.macro.minimum)))
        + " positives and negatives.",
        interval_sentences(records),
    ]
    if any(record.statistics.calibration for record in records):
        measures.append("Calibration: Brier score, slope, intercept and expected calibration error.")
    if any(record.statistics.calls for record in records):
        measures.append("At each threshold: sensitivity, specificity, predictive values and F1.")
    reference = _distinct(records, lambda r: f"{r.statistics.reference_prevalence:g}")
    trained = _distinct(records, lambda r: f"{say.model(r)}: {training_text(r)}.")
    return {
        "10": [
            "The size is that of the releases as they lie here; none was calculated beforehand.",
            *_distinct(records, say.size),
        ],
        "12a": _distinct(records, say.used),
        "12b": ["Outside of the models no predictor was transformed but as item 7 says."],
        "12c": [*_distinct(records, say.described), *trained],
        "12d": ["Every cohort is reported apart; all records of a patient are drawn together."],
        "12e": measures,
        "12f": ["None: no model and no threshold was changed after it had been evaluated."],
        "12g": _distinct(records, say.predicted),
        "13": [
            "No record was weighted or drawn more often in an evaluation. Beside the AUPRC stands that at a "
            f"prevalence of {' / '.join(reference)}, which can be compared between cohorts."
        ],
        "14": _distinct(records, say.groupings),
        "15": _distinct(
            records,
            lambda r: (
                f"{r.model.name}: {'probabilities' if r.model.probabilities else 'scores'}; "
                f"{say.thresholds(r.provenance.thresholds)}."
            ),
        ),
        "16": _distinct(records, lambda r: f"{r.model.name}: trained on {trained_on(r)}.")
        + _distinct(records, say.shared),
        "24": ["Not done."],
    }


def _openness(records: Sequence[ResultRecord], cards: Mapping[str, CohortCard]) -> Facts:
    packages = {name: v for r in records for name, v in sorted(r.provenance.packages.items())}
    listed = ", ".join(f"{name} {version}" for name, version in packages.items())
    return {
        "18e": _of_cohorts(records, cards, say.access),
        "18f": [*_distinct(records, say.code), *([f"Packages: {listed}."] if listed else [])],
        "22": _distinct(records, say.weights),
    }


def _results(plan: RunFile, records: Sequence[ResultRecord]) -> Facts:
    limits = [f"A part of a release was measured: {one}." for one in partial_copies(records)]
    notes = dict.fromkeys(note for record in records for note in record.evaluation.notes)
    unfinished = sum(cell.status != "done" for cell in plan.cells)
    if unfinished:
        limits.append(f"{plural(unfinished, 'planned result')} of the run could not be had.")
    return {
        "21": [
            *_distinct(records, say.trained),
            "Records and positives of every concept in every cohort stand in leaderboard.csv.",
        ],
        "23a": [
            *_distinct(records, say.performance),
            *_distinct(records, say.gap),
            "All concepts stand in leaderboard.csv.",
        ],
        "23b": _spread(records),
        "26": [*limits, *plan.warnings, *notes],
    }


def _spread(records: Sequence[ResultRecord]) -> list[str]:
    """Say between which cohorts the external results of each model lie, patients and simulated apart."""
    labels = entry_labels(dict.fromkeys(map(entry_of, records)))
    found: dict[tuple[Entry, bool], list[tuple[float, str]]] = {}
    for record in records:
        value = record.evaluation.macro.auroc.value
        if record.relation == "external" and value is not None:
            place = found.setdefault((entry_of(record), record.cohort.simulated), [])
            place.append((value, cohort_label(record.cohort)))
    return [
        f"{labels[entry]}: external macro AUROC from {number(min(cells)[0])} ({min(cells)[1]}) to "
        f"{number(max(cells)[0])} ({max(cells)[1]}) over {count(len(cells))} cohorts, of different concepts."
        for (entry, _), cells in found.items()
        if len(cells) > 1
    ]
