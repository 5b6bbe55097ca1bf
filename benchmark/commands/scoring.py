"""Command about predictions made elsewhere: score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    Count,
    DataOption,
    File,
    FingerprintFiles,
    Flag,
    Folder,
    JsonOption,
    Repeated,
    Resamples,
    Seed,
    belongs_to,
    check_file,
    print_json,
)
from benchmark.config import DEFAULT_RUN, find_places
from benchmark.terminal import tell
from cohorts.counts import plural
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.metrics.cell.evaluation import Evaluation
    from benchmark.metrics.cell.statistics import CellStatistics
    from benchmark.records.record import ResultRecord


WITH_LABELS = Group("Against a table of labels", sort_key=1, validator=belongs_to("--labels"))
WITH_COHORT = Group("On a cohort", sort_key=2, validator=belongs_to("--cohort"))
WITH_CHALLENGE = Group("Challenge", show=False, validator=belongs_to("--challenge"))
WITH_PROBABILITIES = Group("Probabilities", show=False, validator=belongs_to("--probabilities"))


@Parameter(name="*", group=WITH_LABELS)
@dataclass(frozen=True, slots=True)
class LabelsOptions:
    """What is measured against a table of labels beside AUROC and AUPRC.

    Attributes
    ----------
    probabilities
        The scores are probabilities; measure their calibration.
    recalibrate
        With --probabilities: fit a map to better probabilities on this many patients, and measure the others.
    subgroup
        A column of the labels that groups the records, such as sex; may be repeated.
    reader
        NAME=FILE, what a person called positive on the same records; may be repeated.
    challenge
        The columns are the 26 classes of the Challenge 2021; give its scores.
    decisions
        With --challenge: table of its binary outputs; scores of 0.5 or more are positive without it.
    bca
        Give intervals corrected for bias and skew too.
    """

    probabilities: Annotated[Flag, Parameter(group=(WITH_LABELS, WITH_PROBABILITIES))] = False
    recalibrate: Annotated[Count | None, Parameter(group=(WITH_LABELS, WITH_PROBABILITIES))] = None
    subgroup: Repeated = ()
    reader: Repeated = ()
    challenge: Annotated[Flag, Parameter(group=(WITH_LABELS, WITH_CHALLENGE))] = False
    decisions: Annotated[File | None, Parameter(group=(WITH_LABELS, WITH_CHALLENGE))] = None
    bca: Flag = False


@Parameter(name="*", group=WITH_COHORT)
@dataclass(frozen=True, slots=True)
class CohortOptions:
    """Whose predictions they are, and the run that their result joins.

    Attributes
    ----------
    name
        Name of the model.
    card
        YAML with name, trained_on and so on; without one it is undisclosed what the model was trained on.
    allow_missing
        Leave records without a prediction out, and say so beside the result.
    labels_only
        Take the annotation files alone, without a look at the signals, also where some are here.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts (or LEADBOARD_CACHE).
    fingerprints
        File of fingerprints in which a hospital's recordings are looked for; may be repeated.
    out
        Folder of the run.
    """

    name: str | None = None
    card: File | None = None
    allow_missing: Flag = False
    labels_only: Flag = False
    data: DataOption = None
    cohort_file: CohortFiles = ()
    cache: CacheOption = None
    fingerprints: FingerprintFiles = ()
    out: Folder = DEFAULT_RUN


def score(
    scores: File,
    *,
    labels: Annotated[File | None, Parameter(group=WITH_LABELS)] = None,
    against: LabelsOptions = LabelsOptions(),
    cohort: Annotated[str | None, Parameter(group=WITH_COHORT)] = None,
    on: CohortOptions = CohortOptions(),
    resamples: Resamples | None = None,
    seed: Seed | None = None,
    as_json: JsonOption = False,
) -> int:
    """Score predictions made elsewhere: against a table of labels, or on a cohort of this machine.

    Parameters
    ----------
    scores
        CSV, Parquet or Excel (with --cohort also npz) with record_id and one column of scores per concept.
    labels
        Table of the same records and concepts with 1, 0 or empty (not annotated), and optionally patient_id.
    cohort
        The cohort that was predicted.
    resamples
        Bootstrap resamples: 10,000 if not given, or as many as the run in --out has.
    seed
        Seed of the bootstrap: 0 if not given, or that of the run in --out.
    as_json
        Print JSON.
    """
    if labels is not None and cohort is None:
        return _against_labels(scores, labels, against, resamples, seed, as_json)
    if cohort is not None and labels is None:
        return _on_cohort(scores, cohort, on, resamples, seed, as_json)
    raise UsageError("Give one of --labels (a table of labels) and --cohort (a cohort on this machine).")


def _against_labels(
    scores: Path, labels: Path, more: LabelsOptions, resamples: int | None, seed: int | None, as_json: bool
) -> int:
    from benchmark.commands.printing import print_extras
    from benchmark.metrics.cell.evaluation import RESAMPLES
    from benchmark.protocols.hardware import best_device
    from benchmark.scoring.against_labels import ScoreOptions, score_table

    answer = score_table(
        scores,
        labels,
        resamples=resamples or RESAMPLES,
        seed=seed or 0,
        options=ScoreOptions(
            probabilities=more.probabilities,
            subgroups=more.subgroup,
            readers=_readers(more.reader),
            challenge=more.challenge,
            decisions=more.decisions,
            bca=more.bca,
            recalibrate=more.recalibrate or 0,
        ),
        device=best_device(),
    )
    _show(answer, answer, answer.statistics, as_json)
    if not as_json:
        print_extras(answer)
    return 0


def _on_cohort(
    scores: Path, cohort: str, more: CohortOptions, resamples: int | None, seed: int | None, as_json: bool
) -> int:
    from benchmark.progress import Reporter
    from benchmark.protocols.hardware import best_device
    from benchmark.run.cohorts import cohort_to_score
    from benchmark.run.overlaps import find_overlap_of
    from benchmark.scoring.on_cohort import read_submitted, score_submitted, settings_of

    reporter = Reporter()
    submitted = read_submitted(scores, more.name, more.card)  # first: it must not cost a preparation
    settings = settings_of(more.out, seed, resamples)
    places = find_places(more.data, more.cache, more.cohort_file, more.fingerprints)
    store = cohort_to_score(cohort, places, reporter, signals=not more.labels_only)
    overlap = find_overlap_of(store, submitted.card, places, reporter)
    record = score_submitted(
        submitted,
        store,
        more.out,
        settings,
        reporter.say,
        allow_missing=more.allow_missing,
        overlap=overlap,
        device=best_device(),
    )
    _show(record, record.evaluation, record.statistics, as_json)
    if not as_json:
        _say_where(record, more.out)
    return 0


def _readers(named: Sequence[str]) -> dict[str, Path]:
    """Take ``NAME=FILE`` apart."""
    found: dict[str, Path] = {}
    for text in named:
        name, separator, file = text.partition("=")
        if not (name and separator and file) or name in found:
            raise UsageError(f"--reader '{text}' is not NAME=FILE with a name of its own.")
        found[name] = Path(file)
        try:
            check_file(found[name])
        except ValueError as error:
            raise UsageError(f"--reader '{text}' cannot be read: {error}") from None
    return found


def _show(
    answer: ResultRecord | Evaluation, evaluation: Evaluation, statistics: CellStatistics, as_json: bool
) -> None:
    """Print the notes on standard error, and the numbers."""
    from benchmark.commands.printing import print_evaluation, print_statistics

    for note in evaluation.notes:
        tell(note, error=True)
    if as_json:
        print_json(answer)
    else:
        print_evaluation(evaluation)
        print_statistics(statistics)


def _say_where(record: ResultRecord, run: Path) -> None:
    from benchmark.records.run_folder import cell_path

    model, cohort, counts = record.model.name, record.cohort.id, record.records
    which = "the test fold" if counts.selection == "test" else "all records"
    tell(
        f"{cohort} is {record.relation} to {model}: {plural(counts.scored, 'record')} scored, out of {which}."
    )
    tell(f"Saved: {cell_path(run, model, record.protocol, cohort)}")
    tell(f"'leadboard report {run}' shows it beside the other models of the run.")
