"""Commands about models: which there are, and how good they are."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    DataOption,
    File,
    FingerprintFiles,
    Flag,
    JsonOption,
    by_commas,
    print_json,
)
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
from benchmark.terminal import tell
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.report.sets import OwnSets
    from benchmark.run.states import RunOptions


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
    study = replace(
        study,
        cohorts=tuple(by_commas(study.cohorts)),
        protocols=tuple(by_commas(study.protocols)),
        concepts=tuple(by_commas(study.concepts)),
        pretrain_on=tuple(by_commas(study.pretrain_on)),
    )
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
    from benchmark.protocols.pretraining import check_sources
    from benchmark.records.report_stamp import is_current
    from benchmark.report.sets import OwnSets, choose
    from benchmark.run.cohorts import choose_cohorts, labelled_before, prepared_before
    from benchmark.run.ray_engine import RayEngine
    from benchmark.run.runner import run as run_cells
    from benchmark.run.states import Plan
    from cohorts.catalogue import find_cohort

    if study.task is not None and (
        study.cohorts or study.records is not None or study.source != DEFAULT_SOURCE
    ):
        raise UsageError("--task brings its own cohort, folds and source; leave out what names others.")
    if study.address is not None and study.engine != "ray":
        raise UsageError("--address is of a Ray cluster; add --engine ray.")
    ray = RayEngine(study.address or "") if study.engine == "ray" else None
    own = OwnSets(sets["concept_sets"], sets["cohort_sets"])
    within = choose(study.concept_set, study.concepts, (), own)
    reporter = Reporter()
    log_to(reporter)
    find_cohort(study.source)
    check_sources(study.pretrain_on)
    if study.pretrain_on:
        choose_cohorts(study.pretrain_on, places)  # before anything is prepared for them
    options = _options(study, places, own)
    folder = options.folder
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


def _options(study: Study, places: Places, own: OwnSets) -> RunOptions:
    """Give a study as the runner takes it: this machine's devices, and cohorts in place of their sets."""
    from benchmark.protocols.hardware import Hardware
    from benchmark.protocols.precision import training_precision
    from benchmark.protocols.recipes import read_recipe
    from benchmark.records.measuring import RunSettings
    from benchmark.run.states import RunOptions

    hardware = Hardware(
        study.device, study.batch_size, study.workers or 0, study.deadline, study.elsewhere.fit_deadline
    )
    return RunOptions(
        folder=study.out.absolute(),  # a model may change the working folder
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
