"""Commands about models: list, run, report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.commands.options import (
    DEFAULT_RUN,
    CacheOption,
    CohortFiles,
    DataOption,
    File,
    FingerprintFiles,
    Flag,
    Folder,
    JsonOption,
    Repeated,
    by_commas,
    print_json,
)
from benchmark.commands.papers import NOTHING, PaperOptions
from benchmark.commands.study import (
    DEFAULT_SOURCE,
    NOTHING_ASKED,
    Sets,
    Study,
    goes_before,
    in_force,
    keep,
    text_of,
)
from benchmark.config import Places, find_places
from benchmark.metrics.names import Metric
from benchmark.terminal import tell
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.report.board import Within
    from benchmark.report.kept import Kept
    from benchmark.report.sets import OwnSets

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
    study: Study = NOTHING_ASKED,
    config: File | None = None,
    dump_config: Flag = False,
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    fingerprints: FingerprintFiles = (),
) -> int:
    """Evaluate models on cohorts, and write the leaderboard; what is done is not computed again.

    Parameters
    ----------
    config
        Configuration file of the run instead of leadboard.toml; what is typed goes before what it says.
    dump_config
        Print the configuration that is in force, and do no more.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    fingerprints
        File of fingerprints in which a hospital's recordings are looked for; may be repeated.
    """
    from benchmark.config import own_sets, read_config

    file = read_config(config)
    study, said = in_force(study, file, config)
    for option, typed, stated in (("--data", data, file.data), ("--cache", cache, file.cache)):
        if None not in (typed, stated) and typed != stated:
            said.append(goes_before(option, config, typed, stated))
    tell(*said, error=True)
    places = find_places(data, cache, cohort_file, fingerprints, config)
    concept_sets, cohort_sets = own_sets(config)
    sets = {"concept_sets": concept_sets, "cohort_sets": cohort_sets}
    if dump_config:
        tell(*text_of(study, sets, places).splitlines())
        return 0
    return _run(study, places, sets)


def _run(study: Study, places: Places, sets: Sets) -> int:
    from benchmark.commands.mid_run import MidRun
    from benchmark.progress import Reporter, log_to
    from benchmark.protocols.hardware import Hardware
    from benchmark.protocols.precision import training_precision
    from benchmark.protocols.pretraining import check_sources
    from benchmark.protocols.recipes import read_recipe
    from benchmark.records.measuring import RunSettings
    from benchmark.records.report_stamp import is_current
    from benchmark.report.sets import OwnSets, choose
    from benchmark.run.cohorts import choose_cohorts, labelled_before, prepared_before
    from benchmark.run.ray_engine import RayEngine
    from benchmark.run.runner import run as run_cells
    from benchmark.run.states import Plan, RunOptions
    from cohorts.catalogue import find_cohort

    if study.task is not None and (
        study.cohorts or study.records is not None or study.source != DEFAULT_SOURCE
    ):
        raise UsageError("--task brings its own cohort, folds and source; leave out what names others.")
    if study.address is not None and study.engine != "ray":
        raise UsageError("--address is of a Ray cluster; add --engine ray.")
    ray = RayEngine(study.address or "") if study.engine == "ray" else None
    own = OwnSets(sets["concept_sets"], sets["cohort_sets"])
    within = choose(study.concept_set, by_commas(study.concepts), (), own)
    reporter = Reporter()
    log_to(reporter)
    find_cohort(study.source)
    check_sources(study.pretrain_on)
    if study.pretrain_on:
        choose_cohorts(study.pretrain_on, places)  # before anything is prepared for them
    hardware = Hardware(
        study.device, study.batch_size, study.workers or 0, study.deadline, study.elsewhere.fit_deadline
    )
    folder = study.out.absolute()  # a model may change the working folder
    options = RunOptions(
        folder=folder,
        places=places,
        settings=RunSettings(study.seeds[0], study.resamples, study.records, study.subgroups),
        hardware=hardware,
        models=study.models,
        cohorts=[cohort for one in study.cohorts for cohort in own.cohorts.get(one, (one,))],
        source=study.source,
        protocols=study.protocols,
        pretrain_on=study.pretrain_on,
        training_precision=training_precision(study.train_precision, hardware.device),
        precision=study.precision,
        recipe=read_recipe(study.recipe),
        environment=study.elsewhere.environment(study.deadline),
        task=study.task or "",
        elsewhere=study.engine == "ray",
        more_seeds=study.seeds[1:],
    )
    mid_run = MidRun(folder, study.rank_by, reporter, within, own)
    kept = False

    def after_cell(plan: Plan) -> None:
        nonlocal kept
        if not kept:  # from the first call on, which is before the first cell
            used = options.training_precision  # on another machine "auto" may be another one
            keep(replace(study, train_precision=used), sets, folder)
            kept = True
        mid_run(plan)

    with ray or nullcontext() as engine:
        outcome = run_cells(options, reporter, after_cell, engine)
    give = prepared_before(places)
    labels = labelled_before(places, give)
    if not is_current(folder, study.rank_by, within.key + own.key, labels):
        from benchmark.report.writing import write_report

        with reporter.step("Writing the report"):
            write_report(folder, study.rank_by, within, give, labels, own)
    tell(outcome.sentence, f"Leaderboard: {study.out / 'leaderboard.html'}")
    return 1 if outcome.failed else 0


def report(
    *folder: Folder,
    out: Folder | None = None,
    rank_by: Metric = "auroc",
    concept_set: str | None = None,
    concept: Repeated = (),
    cohort: Repeated = (),
    protocol: str | None = None,
    only: Repeated = (),
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
        Rank by these concepts alone, separated by commas or repeated; also of a macro table, curve or heat
        map.
    cohort
        Rank over these cohorts, or those of a set of [cohort_sets] in leadboard.toml; separated by commas or
        repeated. By default those that are external to the controls. Or those of a table or figure.
    protocol
        Rank models under this protocol alone, over the same cohorts and concepts as all. The page has a
        choice of them.
    only
        Write these files alone, separated by commas or repeated, such as leaderboard.html or the folder
        figures. The page has no links to others.
    data
        Folder that holds the releases (or LEADBOARD_DATA), for the resamples of submissions and the
        labels of a curve.
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts, and of this site's key (or LEADBOARD_CACHE).
    """
    from benchmark.exchange.gathering import is_run
    from benchmark.report.kept import Kept
    from benchmark.report.sets import choose
    from benchmark.report.writing import write_report
    from benchmark.run.cohorts import labelled_before, prepared_before

    folders, places = folder or (DEFAULT_RUN,), find_places(data, cache, cohort_file)
    if paper.wanted is not None or paper.given():
        if concept_set is not None:
            raise UsageError("--concept-set is of a ranking; leave it out.")
        if only:
            raise UsageError("--only is of the files of a report; leave it out.")
        if protocol is not None:
            raise UsageError("--protocol is of a ranking; name the model as MODEL/PROTOCOL with --model.")
        return paper.give(folders, out, places, by_commas(cohort), by_commas(concept))
    own = _own_sets()
    within = choose(concept_set, by_commas(concept), by_commas(cohort), own, protocol)
    kept = Kept(tuple(by_commas(only)))
    if len(folders) == 1 and out is None and is_run(folders[0]):
        give = prepared_before(places)
        written = write_report(folders[0], rank_by, within, give, labelled_before(places, give), own, kept)
    else:
        written = _joined_board(folders, out or JOINED, rank_by, places, within, own, kept)
    for path in written:
        tell(str(path))
    return 0


def _own_sets() -> OwnSets:
    from benchmark.config import own_sets
    from benchmark.report.sets import OwnSets

    return OwnSets(*own_sets())


def _joined_board(
    folders: Sequence[Path],
    out: Path,
    rank_by: Metric,
    places: Places,
    within: Within,
    own: OwnSets,
    kept: Kept,
) -> list[Path]:
    from benchmark.exchange.disclosure import find_site_key
    from benchmark.exchange.gathering import gather
    from benchmark.exchange.joining import join
    from benchmark.progress import Reporter
    from benchmark.records.run_folder import run_name
    from benchmark.report.writing import write_board
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
    return write_board(joined, out, rank_by, within, give, labelled_before(places, give), own, kept)
