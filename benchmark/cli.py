"""The command line: parse, call, print. Heavy imports happen inside the commands."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from benchmark import __version__
from benchmark.config import find_places
from cohorts.errors import LeadboardError, UsageError

app = App(
    name="leadboard",
    version=__version__,
    help="Does a 12-lead ECG model still work in another hospital?",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # main() says what is kept
)

DataOption = Annotated[Path | None, Parameter(name="--data")]
CacheOption = Annotated[Path | None, Parameter(name="--cache")]
Repeated = Annotated[tuple[str, ...], Parameter(negative=())]
DEFAULT_RUN = Path("results/runs/local")
QUARANTINE_SHOWN = 20


@app.command
def cohorts(
    *,
    data: DataOption = None,
    cache: CacheOption = None,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """List every cohort, and what of it is on this machine.

    Parameters
    ----------
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    as_json
        Print JSON.
    """
    from benchmark.listing import cohort_rows, print_table

    rows = cohort_rows(find_places(data, cache))
    _print_json(rows) if as_json else print_table(rows, hide=("path", "citation", "fingerprint", "url"))
    return 0


@app.command
def models(*, as_json: Annotated[bool, Parameter(name="--json")] = False) -> int:
    """List the installed models; a broken one is shown with its reason.

    Parameters
    ----------
    as_json
        Print JSON.
    """
    from benchmark.listing import model_rows, print_table

    rows = model_rows()
    _print_json(rows) if as_json else print_table(rows, hide=("citation",))
    return 0


@app.command
def concepts(*, as_json: Annotated[bool, Parameter(name="--json")] = False) -> int:
    """List the concepts of the ontology and which cohorts annotate them.

    Parameters
    ----------
    as_json
        Print JSON.
    """
    from benchmark.listing import concept_rows, print_table

    rows = concept_rows()
    _print_json(rows) if as_json else print_table(rows, hide=("prompts",))
    return 0


@app.command
def prepare(*names: str, data: DataOption = None, cache: CacheOption = None) -> int:
    """Turn native releases into stores; what is prepared already is left alone.

    Parameters
    ----------
    names
        Cohorts; all that are on this machine if none is given.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    """
    from benchmark.progress import Reporter
    from benchmark.selection import choose_cohorts, prepare_cohort

    reporter, places = Reporter(), find_places(data, cache)
    chosen, _ = choose_cohorts(names, places)
    failed = 0
    for name in chosen:
        try:
            store = prepare_cohort(name, places, reporter)
        except UsageError:
            raise
        except LeadboardError as error:
            reporter.say(f"FAILED {name}: {error}")
            failed += 1
            continue
        here, whole = len(store) + len(store.quarantine), store.card.records
        print(f"{name}: {here:,} of {whole:,} records, {len(store.quarantine):,} quarantined, {store.path}")
        for warning in store.warnings:
            print(f"  warning: {warning}")
        for row in store.quarantine.head(QUARANTINE_SHOWN).itertuples(index=False):
            print(f"  quarantined: {row.record_id}: {row.reason}")
        if len(store.quarantine) > QUARANTINE_SHOWN:
            print(f"  and {len(store.quarantine) - QUARANTINE_SHOWN:,} more")
    return 1 if failed else 0


@app.command
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


@app.command
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

    _at_least_one(resamples=resamples, batch_size=batch_size, workers=workers)
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


@app.command
def score(
    scores: Path,
    *,
    labels: Path,
    resamples: int = 1000,
    seed: int = 0,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
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

    _at_least_one(resamples=resamples)
    answer = score_table(scores, labels, resamples=resamples, seed=seed)
    for note in answer.notes:
        print(note, file=sys.stderr)
    if as_json:
        print(answer.model_dump_json(indent=2))
    else:
        print_evaluation(answer)
    return 0


@app.command
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


def _at_least_one(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise UsageError(f"--{name.replace('_', '-')} is {number}; it has to be 1 or more.")


def _print_json(content: object) -> None:
    print(json.dumps(content, indent=2, allow_nan=False))


def main() -> None:
    """Entry point of the ``leadboard`` command; exits with 0, 1 (a cell failed) or 2 (a wrong call)."""
    try:
        code = app(exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as error:
        _fail(" ".join(str(error).split()))
    except UsageError as error:
        _fail(str(error))
    except LeadboardError as error:
        print(f"leadboard: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nStopped. What was finished is kept; the same command goes on from there.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(sentence: str) -> None:
    print(f"leadboard: {sentence}", file=sys.stderr)
    sys.exit(2)
