"""Commands about models: list, run, report."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from benchmark.commands.options import (
    DEFAULT_RUN,
    CacheOption,
    Count,
    DataOption,
    Gibibytes,
    JsonOption,
    Repeated,
    Resamples,
    Seconds,
    Seed,
    other_environment,
    print_json,
)
from benchmark.config import find_places
from cohorts.errors import UsageError

DEFAULT_SOURCE = "ptb-xl"


def models(*, cache: CacheOption = None, as_json: JsonOption = False) -> int:
    """List the installed models and whether their weights are here; a broken one is shown with its reason.

    Parameters
    ----------
    cache
        Folder that published weights were installed in (or LEADBOARD_CACHE).
    as_json
        Print JSON.
    """
    from benchmark.commands.model_list import model_rows, text_of

    rows = model_rows(find_places(None, cache).cache)
    print_json(rows) if as_json else print(text_of(rows))
    return 0


def run(
    *,
    model: Repeated = (),
    cohort: Repeated = (),
    task: str | None = None,
    data: DataOption = None,
    cache: CacheOption = None,
    out: Path = DEFAULT_RUN,
    protocol: Repeated = (),
    source: str = DEFAULT_SOURCE,
    pretrain_on: Repeated = (),
    records: Literal["all", "test"] | None = None,
    seed: Seed = 0,
    resamples: Resamples = 10_000,
    device: str = "cpu",
    precision: Literal["32-true", "bf16-mixed"] = "32-true",
    batch_size: Count = 64,
    workers: Count = 2,
    python: str | None = None,
    container: str | None = None,
    deadline: Seconds = 300.0,
    memory: Gibibytes | None = None,
) -> int:
    """Evaluate models on cohorts, and write the leaderboard; what is done is not computed again.

    Parameters
    ----------
    model
        Name, path/to/file.py:Class or package.module:Class; may be repeated. All installed ones if not given.
    cohort
        May be repeated. All cohorts on this machine if not given.
    task
        Published task instead of cohorts, such as ptbxl-super; 'leadboard tasks' lists them.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    out
        Folder of the run.
    protocol
        Such as zero-shot or linear-probe-10; may be repeated. Each model's usual ones if not given.
    source
        Cohort that labels are learnt from.
    pretrain_on
        Cohort that models are pre-trained on; may be repeated. The source if not given.
    records
        Score "all" records or the "test" fold in every cell. By default internal cells take the test fold.
    seed
        Seed of trainings and of the bootstrap.
    resamples
        Bootstrap resamples.
    device
        Torch device, such as cpu or cuda.
    precision
        Of pre-training: bf16-mixed on hardware that supports it. Scores are always in single precision.
    batch_size
        Windows per batch.
    workers
        Threads that prepare signals.
    python
        Interpreter that models given by file or module run in, such as /path/to/env/bin/python.
    container
        Image that they run in instead, with Docker.
    deadline
        Seconds that such a model may take for a batch.
    memory
        GiB that such a model may use.
    """
    from benchmark.progress import Reporter, log_to
    from benchmark.protocols.hardware import Hardware
    from benchmark.records.measuring import RunSettings
    from benchmark.run.runner import run as run_cells
    from benchmark.run.states import RunOptions

    if task is not None and (cohort or records is not None or source != DEFAULT_SOURCE):
        raise UsageError("--task brings its own cohort, folds and source; leave out what names others.")
    reporter = Reporter()
    log_to(reporter)
    options = RunOptions(
        folder=out,
        places=find_places(data, cache),
        settings=RunSettings(seed=seed, resamples=resamples, records=records),
        hardware=Hardware(device=device, batch_size=batch_size, workers=workers),
        models=model,
        cohorts=cohort,
        source=source,
        protocols=protocol,
        pretrain_on=pretrain_on,
        precision=precision,
        environment=other_environment(python, container, deadline, memory),
        task=task or "",
    )
    outcome = run_cells(options, reporter)
    page = out / "leaderboard.html"
    if outcome.changed or not page.is_file():
        from benchmark.report import write_report

        with reporter.step("Writing the report"):
            write_report(out)
    print(outcome.sentence)
    print(f"Leaderboard: {page}")
    return 1 if outcome.failed else 0


def report(folder: Path = DEFAULT_RUN) -> int:
    """Write the leaderboard, tables and figures of a run again from its records.

    Parameters
    ----------
    folder
        Folder of the run.
    """
    from benchmark.report import write_report

    for path in write_report(folder):
        print(path)
    return 0
