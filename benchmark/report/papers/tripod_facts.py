"""What a run knows of the items of TRIPOD+AI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmark.metrics.cell.operating_points import Thresholds
from benchmark.records.measuring import PREDICTIONS
from benchmark.records.record import ResultRecord
from benchmark.records.run_folder import RunFile
from benchmark.report.board import Entry, entry_of
from benchmark.report.facts import (
    copy_size,
    input_text,
    interval_sentences,
    overlap_text,
    partial_copies,
    trained_on,
    training_text,
)
from benchmark.report.tables import cohort_label, selected
from benchmark.report.text import count, entry_labels, interval, number, plural
from cohorts.catalogue import is_private
from cohorts.cohort import CohortCard

Facts = dict[str, list[str]]
"""Number of an item -> what the run knows of it."""

REASONS = 10
"""Why records could not be used, as far as they are listed; all stand in leaderboard.json."""


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


def _distinct(records: Iterable[ResultRecord], say: Callable[[ResultRecord], str]) -> list[str]:
    return [said for said in dict.fromkeys(say(record) for record in records) if said]


def _study(records: Sequence[ResultRecord]) -> Facts:
    models, cohorts = _distinct(records, _model), _distinct(records, lambda r: cohort_label(r.cohort))
    kinds = {kind: sum(r.relation == kind for r in records) for kind in ("external", "internal", "unknown")}
    cells = ", ".join(f"{count(cells)} {kind}" for kind, cells in kinds.items() if cells)
    what = f"{plural(len(models), 'model')} on {plural(len(cohorts), 'cohort')}"
    return {
        "4": [
            f"Evaluation of {what} of 12-lead ECGs: {', '.join(models)} on {', '.join(cohorts)}. "
            f"{plural(len(records), 'result')}, by whether the model was trained on the cohort: {cells}."
        ]
    }


def _model(record: ResultRecord) -> str:
    return f"{record.model.name} ({record.protocol})"


def _data(records: Sequence[ResultRecord], cards: Mapping[str, CohortCard]) -> Facts:
    def source(record: ResultRecord) -> str:
        cohort, card = record.cohort, _card(record, cards)
        kind = "synthetic recordings in the layout of" if cohort.simulated else "recordings of patients:"
        said = f"{cohort_label(cohort)}: {kind} {cohort.name}, version {cohort.version}"
        said += f", {copy_size(cohort, record.records)}, fingerprint {cohort.fingerprint[:12]}"
        return f"{said}. {card.citation}. {card.url}" if card else f"{said}. A private cohort."

    def place(record: ResultRecord) -> str:
        card = _card(record, cards)
        return f"{cohort_label(record.cohort)}: {card.country}." if card and card.country else ""

    def flow(record: ResultRecord) -> str:
        counts = record.records
        return (
            f"{cohort_label(record.cohort)}, {selected(counts)}: {plural(counts.found, 'record')} found, "
            f"{count(counts.unusable)} could not be used, {count(counts.unselected)} not selected, "
            f"{count(counts.scored)} scored."
        )

    def missing(record: ResultRecord) -> str:
        found = record.records
        reasons = [f"{one.reason} ({count(len(one.record_ids))})" for one in found.quarantined]
        if is_private(record.cohort.id) or record.cohort.private:
            reasons = reasons and [f"{count(found.unusable)}, for reasons that are not told"]
        elif len(reasons) > REASONS:
            reasons[REASONS:] = [f"and {plural(len(reasons) - REASONS, 'other reason')}"]
        said = "; ".join(reasons) or "none"
        return f"{cohort_label(record.cohort)}, records that could not be used: {said}."

    def answered(record: ResultRecord) -> str:
        found = [metrics.n for metrics in record.evaluation.concepts.values()]
        if not found or min(found) == record.records.scored:
            return ""
        return (
            f"{cohort_label(record.cohort)}: {count(min(found))} to {count(max(found))} of "
            f"{plural(record.records.scored, 'scored record')} are annotated, by concept."
        )

    def groups(record: ResultRecord) -> str:
        shown = [
            f"{name}: " + ", ".join(f"{group} {count(one.records)}" for group, one in by.groups.items())
            for name, by in record.statistics.subgroups.items()
        ]
        return f"{cohort_label(record.cohort)}, scored records by {'; '.join(shown)}." if shown else ""

    eligible = [
        "Every record of a release that can be read is taken in. A cohort that a model was trained on is "
        "represented by its test fold, unless the selection says otherwise."
    ]
    return {
        "5a": _distinct(records, source),
        "6a": _distinct(records, place),
        "6b": eligible,
        "11": [
            *_distinct(records, missing),
            "A concept that was not annotated in a record is left out for that record, never taken as "
            "absent. Nothing is imputed; missing samples are 0 and short recordings are padded with zeros.",
            *_distinct(records, answered),
        ],
        "20a": _distinct(records, flow),
        "20b": _distinct(records, groups),
        "27a": []
        if all(record.protocol == PREDICTIONS for record in records)
        else [
            "A recording that cannot be read, or lacks a lead that cannot be derived, is not scored and is "
            "counted with its reason (see 11)."
        ],
    }


def _card(record: ResultRecord, cards: Mapping[str, CohortCard]) -> CohortCard | None:
    card = cards.get(record.cohort.id)
    return None if record.cohort.private or card is None or card.access == "private" else card


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
    def used(record: ResultRecord) -> str:
        cohort = cohort_label(record.cohort)
        return f"{_model(record)} on {cohort}: {selected(record.records)}, {record.relation}."

    def size(record: ResultRecord) -> str:
        drawn = record.evaluation.bootstrap
        counted = [metrics.positives for metrics in record.evaluation.concepts.values() if metrics.eligible]
        few = f"{count(min(counted))} to {count(max(counted))} positives" if counted else "too few positives"
        concepts = plural(len(counted), "concept")
        patients = f" of {plural(drawn.groups, 'patient')}" if drawn.unit == "patients" else ""
        return (
            f"{_model(record)} on {cohort_label(record.cohort)}: "
            f"n = {plural(record.records.scored, 'record')}{patients}, {few} in {concepts} of the "
            "macro average."
        )

    def described(record: ResultRecord) -> str:
        return f"{record.model.name}: {record.model.description.rstrip('.') or 'not described'}."

    def predicted(record: ResultRecord) -> str:
        made = record.provenance
        moved = f" {made.rounding.sentence}" if made.rounding else ""
        return f"{_model(record)}: device {made.device}, {made.dtype}, batches of {made.batch_size}.{moved}"

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
    trained = _distinct(records, lambda r: f"{_model(r)}: {training_text(r)}.")
    return {
        "10": ["The size is that of the releases as they lie here; none was calculated beforehand.",
               *_distinct(records, size)],
        "12a": _distinct(records, used),
        "12b": ["Outside of the models no predictor was transformed but as item 7 says."],
        "12c": [
            *_distinct(records, described),
            *trained,
        ],
        "12d": ["Every cohort is reported apart; all records of a patient are drawn together."],
        "12e": measures,
        "12f": ["None: no model and no threshold was changed after it had been evaluated."],
        "12g": _distinct(records, predicted),
        "13": [
            "No record was weighted or drawn more often in an evaluation. Beside the AUPRC stands that at a "
            f"prevalence of {' / '.join(reference)}, which can be compared between cohorts."
        ],
        "14": _distinct(records, _groupings),
        "15": _distinct(
            records,
            lambda r: f"{r.model.name}: {'probabilities' if r.model.probabilities else 'scores'}; "
            f"{_thresholds(r.provenance.thresholds)}.",
        ),
        "16": _distinct(records, lambda r: f"{r.model.name}: trained on {trained_on(r)}.")
        + _distinct(records, _shared),
        "24": ["Not done."],
    }  # fmt: skip


def _thresholds(found: Thresholds) -> str:
    if found.source is None:
        return f"no thresholds ({found.reason or 'none were chosen'})"
    chosen = (
        f"thresholds chosen on {plural(found.records, 'record')} of the validation fold of {found.source}"
    )
    return f"{chosen} and used unchanged everywhere"


def _groupings(record: ResultRecord) -> str:
    names = list(record.statistics.subgroups)
    if not names:
        return f"{cohort_label(record.cohort)}: neither sex nor age is known, so no groups were compared."
    return f"{cohort_label(record.cohort)}: performance was compared between groups by {' and '.join(names)}."


def _shared(record: ResultRecord) -> str:
    if record.overlap is None:
        return ""
    return f"{cohort_label(record.cohort)}: {overlap_text(record.overlap)}."


def _openness(records: Sequence[ResultRecord], cards: Mapping[str, CohortCard]) -> Facts:
    def access(record: ResultRecord) -> str:
        card, label = _card(record, cards), cohort_label(record.cohort)
        if record.cohort.simulated:
            return f"{label}: synthetic, made by 'leadboard simulate'."
        return f"{label}: {card.access}, {card.licence}, {card.url}" if card else f"{label}: private."

    def code(record: ResultRecord) -> str:
        made = record.provenance
        return f"Leadboard {made.leadboard}, commit {made.commit or 'not known'}, Python {made.python}."

    def weights(record: ResultRecord) -> str:
        card, hashes = record.model, ", ".join(one[:12] for one in record.weights_sha256)
        said = f"{_model(record)}, version {card.version}: licence {card.licence or 'not stated'}, "
        return said + f"{card.citation or 'no citation'}, weights (SHA-256) {hashes or 'not told apart'}."

    packages = {name: v for r in records for name, v in sorted(r.provenance.packages.items())}
    listed = ", ".join(f"{name} {version}" for name, version in packages.items())
    return {
        "18e": _distinct(records, access),
        "18f": [*_distinct(records, code), *([f"Packages: {listed}."] if listed else [])],
        "22": _distinct(records, weights),
    }


def _results(plan: RunFile, records: Sequence[ResultRecord]) -> Facts:
    def trained(record: ResultRecord) -> str:
        return f"{_model(record)}: {training_text(record)}." if record.training else ""

    def performance(record: ResultRecord) -> str:
        macro = record.evaluation.macro
        return (
            f"{_model(record)} on {cohort_label(record.cohort)} ({record.relation}, "
            f"n = {count(record.records.scored)}, {plural(len(macro.concepts), 'concept')}): macro AUROC "
            f"{interval(macro.auroc)}, macro AUPRC {interval(macro.auprc)}."
        )

    def gap(record: ResultRecord) -> str:
        gaps = [
            f"by {name} {by.gap.highest} minus {by.gap.lowest} {interval(by.gap.difference)}"
            for name, by in record.statistics.subgroups.items()
            if by.gap is not None
        ]
        where = f"{_model(record)} on {cohort_label(record.cohort)}"
        return f"{where}, largest gap in macro AUROC: {'; '.join(gaps)}." if gaps else ""

    limits = [f"A part of a release was measured: {one}." for one in partial_copies(records)]
    notes = dict.fromkeys(note for record in records for note in record.evaluation.notes)
    unfinished = sum(cell.status != "done" for cell in plan.cells)
    if unfinished:
        limits.append(f"{plural(unfinished, 'planned result')} of the run could not be had.")
    return {
        "21": [
            *_distinct(records, trained),
            "Records and positives of every concept in every cohort stand in leaderboard.csv.",
        ],
        "23a": [
            *_distinct(records, performance),
            *_distinct(records, gap),
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
