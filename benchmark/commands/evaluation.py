"""Commands about models: list, train, run, score, report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from benchmark.commands.options import CacheOption, DataOption, JsonOption, Repeated, at_least_one, print_json
from benchmark.config import find_places
from cohorts.errors import UsageError

DEFAULT_RUN = Path("results/runs/local")


def models(*, as_json: JsonOption = False) -> int:
    """List the installed models; a broken one is shown with its reason.

    Parameters
    ----------
    as_json
        Print JSON.
    """
    from benchmark.listing import model_rows, print_table

    rows = model_rows()
    print_json(rows) if as_json else print_table(rows, hide=("citation",))
    return 0


def train(
    model: str,
    *,
    source: str = "ptb-xl",
    data: DataOption = None,
    cache: CacheOption = None,
    seed: int = 0,
    device: str = "cpu",
    workers: int = 2,
) -> int:
    """Train a model on the training fold of a cohort; a second call finds it trained.

    Parameters
    ----------
    model
        Name, path/to/file.py:Class or package.module:Class.
    source
        Cohort to learn from.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    seed
        Seed of the training.
    device
        Torch device, such as cpu or cuda.
    workers
        Threads that prepare signals.
    """
    from benchmark.execution import Hardware
    from benchmark.plugins import find_model
    from benchmark.progress import Reporter, log_to
    from benchmark.selection import choose_cohorts, prepare_cohort
    from benchmark.training import plan_training
    from benchmark.training import train as train_model

    reporter, places = Reporter(), find_places(data, cache)
    log_to(reporter)
    Hardware(device=device).check()
    found = find_model(model)
    if not found.trainable:
        raise UsageError(f"{model} has no 'fit', 'save' and 'load'; it cannot be trained.")
    choose_cohorts([source], places)
    plan = plan_training(found, prepare_cohort(source, places, reporter), places.cache, seed)
    if plan.done:
        print(f"{found.card.name} is trained already: {plan.folder}")
        return 0
    with reporter.step(f"Training {found.card.name} on {source}"):
        train_model(plan, device, workers)
    print(f"{found.card.name}: {len(plan.concepts)} concepts learnt from {source}, {plan.folder}")
    return 0


def run(
    *,
    model: Repeated = (),
    cohort: Repeated = (),
    data: DataOption = None,
    cache: CacheOption = None,
    out: Path = DEFAULT_RUN,
    source: str = "ptb-xl",
    records: Literal["all", "test"] | None = None,
    seed: int = 0,
    resamples: int = 1000,
    device: str = "cpu",
    batch_size: int = 64,
    workers: int = 2,
) -> int:
    """Evaluate models on cohorts, and write the leaderboard; what is done already is not done again.

    Parameters
    ----------
    model
        Name, path/to/file.py:Class or package.module:Class; may be repeated. All installed ones if not given.
    cohort
        May be repeated. All cohorts on this machine if not given.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    out
        Folder of the run.
    source
        Cohort that trainable models learn from.
    records
        Score "all" records or the "test" fold in every cell. By default internal cells take the test fold.
    seed
        Seed of trainings and of the bootstrap.
    resamples
        Bootstrap resamples.
    device
        Torch device, such as cpu or cuda.
    batch_size
        Windows a batch.
    workers
        Threads that prepare signals.
    """
    from benchmark.execution import Hardware
    from benchmark.plan import RunSettings
    from benchmark.progress import Reporter, log_to
    from benchmark.runner import Run

    at_least_one(resamples=resamples, batch_size=batch_size, workers=workers)
    reporter = Reporter()
    log_to(reporter)
    outcome = Run(
        folder=out,
        places=find_places(data, cache),
        settings=RunSettings(seed=seed, resamples=resamples, records=records),
        hardware=Hardware(device=device, batch_size=batch_size, workers=workers),
        reporter=reporter,
        models=model,
        cohorts=cohort,
        source=source,
    )()
    page = out / "leaderboard.html"
    if outcome.computed or not page.is_file():
        from benchmark.report import write_report

        with reporter.step("Writing the report"):
            write_report(out)
        print(
            f"{outcome.computed - outcome.failed} of {outcome.cells} cells computed now, "
            f"{outcome.failed} failed."
        )
    else:
        print(f"Nothing to do: all {outcome.cells} cells are done.")
    print(f"Leaderboard: {page}")
    return 1 if outcome.failed else 0


def score(
    scores: Path,
    *,
    labels: Path,
    resamples: int = 1000,
    seed: int = 0,
    as_json: JsonOption = False,
) -> int:
    """Score a table of predictions against a table of labels; no cohort is needed.

    Parameters
    ----------
    scores
        CSV or Parquet with record_id and one column of scores a concept.
    labels
        The same with 1, 0 or empty (not annotated), and optionally patient_id.
    resamples
        Bootstrap resamples.
    seed
        Seed of the bootstrap.
    as_json
        Print JSON.
    """
    from benchmark.listing import print_evaluation
    from benchmark.scoring import score_table

    at_least_one(resamples=resamples)
    answer = score_table(scores, labels, resamples=resamples, seed=seed)
    for note in answer.notes:
        print(note, file=sys.stderr)
    if as_json:
        print(answer.model_dump_json(indent=2))
    else:
        print_evaluation(answer)
    return 0


def report(folder: Path = DEFAULT_RUN) -> int:
    """Write leaderboard, tables and figures of a run again from its records.

    Parameters
    ----------
    folder
        Folder of the run.
    """
    from benchmark.report import write_report

    for path in write_report(folder):
        print(path)
    return 0
