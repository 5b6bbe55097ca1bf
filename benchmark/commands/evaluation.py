"""Commands about models: list, run, report."""

from __future__ import annotations

from typing import Literal

from benchmark.commands.options import (
    DEFAULT_RUN,
    CacheOption,
    DataOption,
    File,
    FingerprintFiles,
    Folder,
    Gibibytes,
    JsonOption,
    ModelNames,
    Repeated,
    Resamples,
    Seconds,
    Seed,
    Windows,
    Workers,
    other_environment,
    print_json,
)
from benchmark.config import find_places
from benchmark.metrics.names import Metric
from benchmark.terminal import tell
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
    print_json(rows) if as_json else tell(*text_of(rows).splitlines())
    return 0


def run(
    *,
    model: ModelNames = (),
    cohort: Repeated = (),
    task: str | None = None,
    data: DataOption = None,
    cache: CacheOption = None,
    out: Folder = DEFAULT_RUN,
    protocol: Repeated = (),
    source: str = DEFAULT_SOURCE,
    pretrain_on: Repeated = (),
    records: Literal["all", "test"] | None = None,
    seed: Seed = 0,
    resamples: Resamples = 10_000,
    device: str = "cpu",
    precision: Literal["32-true", "bf16-mixed"] = "32-true",
    recipe: File | None = None,
    batch_size: Windows = 64,
    workers: Workers = 2,
    python: str | None = None,
    container: str | None = None,
    deadline: Seconds = 300.0,
    memory: Gibibytes | None = None,
    env: Repeated = (),
    fingerprints: FingerprintFiles = (),
    rank_by: Metric = "auroc",
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
    recipe
        TOML file with the hyper-parameters of the pre-training, as for 'leadboard pretrain'.
    batch_size
        Windows per batch.
    workers
        Threads that prepare signals.
    python
        Interpreter that models given by file or module run in, such as /path/to/env/bin/python.
    container
        Image that they run in instead, with Docker.
    deadline
        Seconds that a model may take for a batch.
    memory
        GiB that a model in another environment may use.
    env
        Variable of the environment that such a model may see beside those that are harmless; may be repeated.
    fingerprints
        File of fingerprints in which a hospital's recordings are looked for; may be repeated.
    rank_by
        What models are ranked by: auroc or auprc. The page shows both.
    """
    from benchmark.progress import Reporter, log_to
    from benchmark.protocols.hardware import Hardware
    from benchmark.protocols.pretraining import check_sources
    from benchmark.protocols.recipes import read_recipe
    from benchmark.records.measuring import RunSettings
    from benchmark.records.report_stamp import is_current
    from benchmark.run.cohorts import choose_cohorts
    from benchmark.run.runner import run as run_cells
    from benchmark.run.states import RunOptions
    from cohorts.catalogue import find_cohort

    if task is not None and (cohort or records is not None or source != DEFAULT_SOURCE):
        raise UsageError("--task brings its own cohort, folds and source; leave out what names others.")
    reporter, places = Reporter(), find_places(data, cache, fingerprints)
    log_to(reporter)
    find_cohort(source)
    check_sources(pretrain_on)
    if pretrain_on:
        choose_cohorts(pretrain_on, places)  # before anything is prepared for them
    folder = out.absolute()  # a model may change the working folder
    options = RunOptions(
        folder=folder,
        places=places,
        settings=RunSettings(seed=seed, resamples=resamples, records=records),
        hardware=Hardware(device=device, batch_size=batch_size, workers=workers, deadline=deadline),
        models=model,
        cohorts=cohort,
        source=source,
        protocols=protocol,
        pretrain_on=pretrain_on,
        precision=precision,
        recipe=read_recipe(recipe),
        environment=other_environment(python, container, deadline, memory, env),
        task=task or "",
    )
    outcome = run_cells(options, reporter)
    if not is_current(folder, rank_by):
        from benchmark.report import write_report

        with reporter.step("Writing the report"):
            write_report(folder, rank_by)
    tell(outcome.sentence, f"Leaderboard: {out / 'leaderboard.html'}")
    return 1 if outcome.failed else 0


def report(folder: Folder = DEFAULT_RUN, *, rank_by: Metric = "auroc") -> int:
    """Write the leaderboard, tables and figures of a run again from its records.

    Parameters
    ----------
    folder
        Folder of the run.
    rank_by
        What models are ranked by: auroc or auprc. The page shows both.
    """
    from benchmark.report import write_report

    for path in write_report(folder, rank_by):
        tell(str(path))
    return 0
