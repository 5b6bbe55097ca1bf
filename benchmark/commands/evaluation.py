"""Commands about models: list, run, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmark.commands.options import (
    DEFAULT_RUN,
    HERE,
    CacheOption,
    CohortFiles,
    DataOption,
    ElsewhereOptions,
    File,
    FingerprintFiles,
    Folder,
    JsonOption,
    ModelNames,
    Repeated,
    Resamples,
    Seconds,
    Seed,
    Windows,
    Workers,
    by_commas,
    print_json,
)
from benchmark.commands.papers import NOTHING, PaperOptions
from benchmark.config import Places, find_places
from benchmark.metrics.names import Metric
from benchmark.terminal import tell
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.report.board import Within
    from benchmark.report.sets import OwnSets

DEFAULT_SOURCE = "ptb-xl"

JOINED = Path("results/board")
"""Where the board of results from many places is written."""


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
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    out: Folder = DEFAULT_RUN,
    protocol: Repeated = (),
    source: str = DEFAULT_SOURCE,
    pretrain_on: Repeated = (),
    records: Literal["all", "test"] | None = None,
    seed: Seed = 0,
    resamples: Resamples = 10_000,
    device: str = "auto",
    precision: Literal["32-true", "bf16-mixed"] = "32-true",
    recipe: File | None = None,
    batch_size: Windows = "auto",
    workers: Workers | None = None,
    deadline: Seconds = 300.0,
    elsewhere: ElsewhereOptions = HERE,
    fingerprints: FingerprintFiles = (),
    rank_by: Metric = "auroc",
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
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
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
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
        Torch device, such as cpu or cuda; "auto" takes a GPU where there is one.
    precision
        Of pre-training: bf16-mixed on hardware that supports it. Scores are always in single precision.
    recipe
        TOML file with the hyper-parameters of the pre-training, as for 'leadboard pretrain'.
    batch_size
        Windows per batch; "auto" takes 64, and on a GPU as many as its memory holds.
    workers
        Threads that prepare signals; one for each processor if not given.
    deadline
        Seconds that a model may take for a batch.
    fingerprints
        File of fingerprints in which a hospital's recordings are looked for; may be repeated.
    rank_by
        What models are ranked by: auroc or auprc. The page shows both.
    engine
        Where cells are computed: "local" one after the other here, "ray" several at once, one on each GPU.
    address
        Ray cluster, or "auto" for the one that this machine is part of. One on this machine if not given.
    """
    from benchmark.commands.mid_run import MidRun
    from benchmark.progress import Reporter, log_to
    from benchmark.protocols.hardware import Hardware
    from benchmark.protocols.pretraining import check_sources
    from benchmark.protocols.recipes import read_recipe
    from benchmark.records.measuring import RunSettings
    from benchmark.records.report_stamp import is_current
    from benchmark.run.cohorts import choose_cohorts, labelled_before, prepared_before
    from benchmark.run.engines import compute_here
    from benchmark.run.ray_engine import find_engine
    from benchmark.run.runner import run as run_cells
    from benchmark.run.states import RunOptions
    from cohorts.catalogue import find_cohort

    if task is not None and (cohort or records is not None or source != DEFAULT_SOURCE):
        raise UsageError("--task brings its own cohort, folds and source; leave out what names others.")
    if address is not None and engine != "ray":
        raise UsageError("--address is of a Ray cluster; add --engine ray.")
    compute = find_engine(address or "") if engine == "ray" else compute_here
    reporter, places = Reporter(), find_places(data, cache, cohort_file, fingerprints)
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
        hardware=Hardware(device, batch_size, workers or 0, deadline, elsewhere.fit_deadline),
        models=model,
        cohorts=cohort,
        source=source,
        protocols=protocol,
        pretrain_on=pretrain_on,
        precision=precision,
        recipe=read_recipe(recipe),
        environment=elsewhere.environment(deadline),
        task=task or "",
        elsewhere=engine == "ray",
    )
    own = _own_sets()
    outcome = run_cells(options, reporter, MidRun(folder, rank_by, reporter, own), compute)
    if not is_current(folder, rank_by, own.key):
        from benchmark.report import write_report

        with reporter.step("Writing the report"):
            give = prepared_before(places)
            write_report(folder, rank_by, stores=give, labels=labelled_before(places, give), own=own)
    tell(outcome.sentence, f"Leaderboard: {out / 'leaderboard.html'}")
    return 1 if outcome.failed else 0


def report(
    *folder: Folder,
    out: Folder | None = None,
    rank_by: Metric = "auroc",
    concept_set: str | None = None,
    concept: Repeated = (),
    cohort: Repeated = (),
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    paper: PaperOptions = NOTHING,
) -> int:
    """Write the leaderboard, tables and figures of a run again, or one board of results from many places.

    Parameters
    ----------
    folder
        Folder of a run; or several folders of runs, of submissions of either kind, or of many submissions.
    out
        Where to write the board of several, or what is for a paper. That of one run is written into the run.
    rank_by
        What models are ranked by: auroc or auprc. The page shows both.
    concept_set
        Rank within a set of concepts: 'all shared', rhythm, conduction, 'infarction and ST-T', hypertrophy,
        superclasses, echo, rare, or one of [concept_sets] in leadboard.toml.
    concept
        Rank by these concepts alone, separated by commas or repeated; also of a curve or heat map.
    cohort
        Rank over these cohorts, or those of a set of [cohort_sets] in leadboard.toml; separated by commas or
        repeated. By default those that are external to the controls. Or those of a table or figure.
    data
        Folder that holds the releases (or LEADBOARD_DATA), for the resamples of submissions and the
        labels of a curve.
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts, and of this site's key (or LEADBOARD_CACHE).
    """
    from benchmark.exchange.gathering import is_run
    from benchmark.report import write_report
    from benchmark.report.sets import choose
    from benchmark.run.cohorts import labelled_before, prepared_before

    folders, places = folder or (DEFAULT_RUN,), find_places(data, cache, cohort_file)
    if paper.wanted is not None or paper.given():
        if concept_set is not None:
            raise UsageError("--concept-set is of a ranking; leave it out.")
        return paper.give(folders, out, places, by_commas(cohort), by_commas(concept))
    own = _own_sets()
    within = choose(concept_set, by_commas(concept), by_commas(cohort), own)
    if len(folders) == 1 and out is None and is_run(folders[0]):
        give = prepared_before(places)
        written = write_report(folders[0], rank_by, within, give, labelled_before(places, give), own)
    else:
        written = _joined_board(folders, out or JOINED, rank_by, places, within, own)
    for path in written:
        tell(str(path))
    return 0


def _own_sets() -> OwnSets:
    from benchmark.config import own_sets
    from benchmark.report.sets import OwnSets

    return OwnSets(*own_sets())


def _joined_board(
    folders: Sequence[Path], out: Path, rank_by: Metric, places: Places, within: Within, own: OwnSets
) -> list[Path]:
    from benchmark.exchange.disclosure import find_site_key
    from benchmark.exchange.gathering import gather
    from benchmark.exchange.joining import join
    from benchmark.progress import Reporter
    from benchmark.records.run_folder import run_name
    from benchmark.report import write_board
    from benchmark.run.cohorts import labelled, labelled_before, prepared_before

    here = places.data is not None or places.folders or places.own
    stores = labelled(places, Reporter()) if here else None
    joined = join(gather(folders, stores), run_name(out), find_site_key(places.cache))
    if not (joined.records or joined.told):
        raise UsageError("None of these results can be shown: " + " ".join(joined.plan.warnings))
    for source in joined.sources:
        cells = "1 cell" if source.cells == 1 else f"{source.cells:,} cells"
        tell(f"{source.name}: {source.kind}, {cells}")
    tell(*joined.plan.warnings)
    give = prepared_before(places)
    return write_board(joined, out, rank_by, within, give, labelled_before(places, give), own)
