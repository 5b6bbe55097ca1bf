"""Commands about results that travel: score a table, submit, verify."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from benchmark.commands.evaluation import DEFAULT_RUN
from benchmark.commands.options import CacheOption, DataOption, JsonOption, Repeated, at_least_one, print_json
from benchmark.config import find_places
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.metrics.cell.evaluation import Evaluation
    from benchmark.metrics.cell.statistics import CellStatistics
    from benchmark.records.record import ResultRecord

Flag = Annotated[bool, Parameter(negative=())]
SUBMISSIONS = Path("results/submissions")


def score(
    scores: Path,
    *,
    labels: Path | None = None,
    cohort: str | None = None,
    name: str | None = None,
    card: Path | None = None,
    allow_missing: Flag = False,
    data: DataOption = None,
    cache: CacheOption = None,
    out: Path = DEFAULT_RUN,
    resamples: int | None = None,
    seed: int | None = None,
    probabilities: Flag = False,
    subgroup: Repeated = (),
    reader: Repeated = (),
    challenge: Flag = False,
    decisions: Path | None = None,
    bca: Flag = False,
    recalibrate: int = 0,
    as_json: JsonOption = False,
) -> int:
    """Score predictions made elsewhere: against a table of labels, or on a cohort of this machine.

    Parameters
    ----------
    scores
        CSV or Parquet (with --cohort also npz) with record_id and one column of scores a concept.
    labels
        The same with 1, 0 or empty (not annotated), and optionally patient_id; no cohort is needed.
    cohort
        Instead of labels: the cohort that was predicted. The result joins the run in --out.
    name
        With --cohort: name of the model.
    card
        With --cohort: YAML with name, trained_on and so on; what it was trained on is undisclosed without.
    allow_missing
        With --cohort: leave records without a prediction out, and say so beside the result.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cache
        Folder for prepared cohorts (or LEADBOARD_CACHE).
    out
        Folder of the run.
    resamples
        Bootstrap resamples: 10,000, or as in the run.
    seed
        Seed of the bootstrap: 0, or as in the run.
    probabilities
        With --labels: the scores are probabilities; measure their calibration.
    subgroup
        With --labels: a column of the labels that groups the records, such as sex; may be repeated.
    reader
        With --labels: NAME=FILE, what a person called positive on the same records; may be repeated.
    challenge
        With --labels: the columns are the 26 classes of the Challenge 2021; give its scores.
    decisions
        With --challenge: table of its binary outputs; scores of 0.5 or more are positive without.
    bca
        With --labels: give intervals corrected for bias and skew too.
    recalibrate
        With --probabilities: fit a map to better probabilities on so many patients, and measure the others.
    as_json
        Print JSON.
    """
    if resamples is not None:
        at_least_one(resamples=resamples)
    extras = probabilities or subgroup or reader or challenge or decisions or bca or recalibrate
    if cohort is not None and labels is None:
        if extras:
            raise UsageError(
                "--probabilities, --recalibrate, --subgroup, --reader, --challenge, --decisions and --bca "
                "belong to --labels; on a cohort the card says what the scores are, and sex and age are "
                "always measured."
            )
        from benchmark.progress import Reporter
        from benchmark.run.cohorts import prepare_cohort
        from benchmark.scoring.on_cohort import Submitted, score_submitted, settings_of

        submitted = Submitted(scores, name, card, allow_missing)
        settings, reporter = settings_of(out, seed, resamples), Reporter()
        store = prepare_cohort(cohort, find_places(data, cache), reporter)
        record = score_submitted(submitted, store, out, settings, reporter.say)
        _show(record, record.evaluation, record.statistics, as_json)
        if not as_json:
            _say_where(record, out)
        return 0
    if labels is None or cohort is not None:
        raise UsageError("Give one of --labels (a table of labels) and --cohort (a cohort on this machine).")
    if name is not None or card is not None or allow_missing:
        raise UsageError("--name, --card and --allow-missing belong to --cohort; leave them out.")
    if decisions is not None and not challenge:
        raise UsageError("--decisions belongs to --challenge; give both or neither.")
    if recalibrate and not probabilities:
        raise UsageError("--recalibrate belongs to --probabilities; give both or neither.")
    from benchmark.commands.printing import print_extras
    from benchmark.metrics.cell.evaluation import RESAMPLES
    from benchmark.scoring.against_labels import ScoreOptions, score_table

    answer = score_table(
        scores,
        labels,
        resamples=RESAMPLES if resamples is None else resamples,
        seed=0 if seed is None else seed,
        options=ScoreOptions(
            probabilities, subgroup, _readers(reader), challenge, decisions, bca, recalibrate
        ),
    )
    _show(answer, answer, answer.statistics, as_json)
    if not as_json:
        print_extras(answer)
    return 0


def _readers(named: Sequence[str]) -> dict[str, Path]:
    """Take ``NAME=FILE`` apart."""
    found: dict[str, Path] = {}
    for text in named:
        name, separator, file = text.partition("=")
        if not (name and separator and file) or name in found:
            raise UsageError(f"--reader '{text}' is not NAME=FILE with a name of its own.")
        found[name] = Path(file)
    return found


def _show(
    answer: ResultRecord | Evaluation, evaluation: Evaluation, statistics: CellStatistics, as_json: bool
) -> None:
    """Print the notes on standard error, and the numbers."""
    from benchmark.commands.printing import print_evaluation, print_statistics

    for note in evaluation.notes:
        print(note, file=sys.stderr)
    if as_json:
        print(answer.model_dump_json(indent=2))
    else:
        print_evaluation(evaluation)
        print_statistics(statistics)


def _say_where(record: ResultRecord, run: Path) -> None:
    from benchmark.records.run_folder import cell_path

    model, cohort, counts = record.model.name, record.cohort.id, record.records
    which = "the test fold" if counts.selection == "test" else "all records"
    print(f"{cohort} is {record.relation} to {model}: {counts.scored:,} records scored, out of {which}.")
    print(f"Saved: {cell_path(run, model, record.protocol, cohort)}")
    print(f"'leadboard report {run}' shows it beside the other models of the run.")


def submit(run: Path, *, to: Path = SUBMISSIONS, model: str | None = None, simulated: Flag = False) -> int:
    """Pack a model's results of a run into one folder for review; results that are there stay as they are.

    Parameters
    ----------
    run
        Folder of the run.
    to
        Folder of all submissions.
    model
        Name; may be left out where the run has one model only.
    simulated
        Pack results on simulated cohorts too.
    """
    from benchmark.records.submission import pack
    from cohorts.catalogue import cohort_cards

    folder, cells = pack(run, to, model, simulated=simulated)
    print(f"{len(cells)} result{'' if len(cells) == 1 else 's'} packed: {folder}")
    cards = cohort_cards()
    closed = {cell.record.cohort.id for cell in cells if cards[cell.record.cohort.id].access != "open"}
    for cohort in sorted(closed):
        print(f"{cohort} is not open to everyone: check that its terms let you share record ids and scores.")
    print(f"Check it as a reviewer does: leadboard verify {folder} --data RELEASES")
    return 0


def verify(
    path: Path, *, data: DataOption = None, cache: CacheOption = None, as_json: JsonOption = False
) -> int:
    """Recompute results from their predictions and name every difference; exit code 1 if there is one.

    Parameters
    ----------
    path
        Folder of a submission or a run, or one result record.
    data
        Folder that holds the releases (or LEADBOARD_DATA); without them numbers are not checked.
    cache
        Folder for prepared cohorts (or LEADBOARD_CACHE).
    as_json
        Print JSON.
    """
    from benchmark.progress import Reporter
    from benchmark.records.verification import verify as verified
    from benchmark.run.cohorts import prepared

    found = verified(path, prepared(find_places(data, cache), Reporter()))
    if as_json:
        groups = ("differences", "unchecked", "remarks")
        print_json(
            {"agree": found.agreed}
            | {name: [finding._asdict() for finding in getattr(found, name)] for name in groups}
        )
        return 1 if found.differences else 0
    for title, findings in (
        ("Differs", found.differences),
        ("Not checked", found.unchecked),
        ("Note", found.remarks),
    ):
        for where, what in findings:
            print(f"{title}: {where}: {what}")
    counts = len(found.differences), len(found.unchecked)
    print(f"{found.agreed:,} checks agree, {counts[0]:,} differ, {counts[1]:,} could not be made.")
    return 1 if found.differences else 0
