"""Commands that make or install the weights of a model: pre-train, train, weights."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from benchmark.commands.elsewhere import HERE, ElsewhereOptions
from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    DataOption,
    File,
    ModelName,
    Repeated,
    Seed,
    TrainPrecision,
    Workers,
)
from benchmark.config import find_places
from benchmark.terminal import tell
from cohorts.counts import plural
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.models.model_source import ModelSource
    from benchmark.progress import Reporter
    from benchmark.protocols.hardware import Hardware


def train(
    model: ModelName,
    *,
    source: str = "ptb-xl",
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    seed: Seed = 0,
    device: str = "auto",
    precision: TrainPrecision = "auto",
    workers: Workers | None = None,
    elsewhere: ElsewhereOptions = HERE,
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
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    seed
        Seed of the training.
    device
        Torch device, such as cpu or cuda; "auto" takes a GPU where there is one.
    precision
        Of a model that computes in lower precision: "auto" takes bf16-mixed on a GPU that has it, 32-true
        elsewhere.
    workers
        Threads that prepare signals; one for each processor if not given.
    """
    from benchmark.protocols.hardware import Hardware
    from benchmark.protocols.precision import training_precision
    from benchmark.protocols.training import plan_training
    from benchmark.protocols.training import train as train_model
    from benchmark.run.cohorts import choose_cohorts, prepare_cohort

    hardware = Hardware(device, workers=workers or 0, fit_deadline=elsewhere.fit_deadline)
    places = find_places(data, cache, cohort_file)
    found, reporter = _start(model, hardware, elsewhere)
    if "Trainable" not in found.abilities:
        raise UsageError(f"{model} has no 'fit', 'save' and 'load'; it cannot be trained.")
    if found.abilities & {"Pretrainable", "Encoder"}:
        raise UsageError(
            f"{model} is trained under a protocol: 'leadboard run --model {model} --protocol fine-tune-100'."
        )
    choose_cohorts([source], places)
    used = training_precision(precision, hardware.device)
    store = prepare_cohort(source, places, reporter)
    plan = plan_training(found, store, places.cache, seed, precision=used)
    if plan.artifact.is_whole():
        tell(f"{found.card.name} is trained already: {plan.artifact.folder}")
        return 0
    with reporter.step(plan.label), found.asked(places.cache):
        train_model(plan, hardware.device, hardware.workers)
    learnt = plural(len(plan.concepts), "concept")
    tell(f"{found.card.name}: {learnt} learnt from {source}, {plan.artifact.folder}")
    return 0


def pretrain(
    model: ModelName,
    *,
    source: Repeated = ("ptb-xl",),
    hold_out: Repeated = (),
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    seed: Seed = 0,
    device: str = "auto",
    precision: TrainPrecision = "auto",
    recipe: File | None = None,
    workers: Workers | None = None,
) -> int:
    """Pre-train a model on signals and reports of one or more cohorts; continues where it was interrupted.

    Parameters
    ----------
    model
        Name, path/to/file.py:Class or package.module:Class.
    source
        Cohort to learn from, ptb-xl if not given; may be repeated. Test folds are never looked at.
    hold_out
        Concept of which nothing is to be shown to the model; may be repeated.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    seed
        Seed of the training.
    device
        Torch device, such as cpu or cuda; "auto" takes a GPU where there is one.
    precision
        "auto" takes bf16-mixed on a GPU that has it, 32-true elsewhere.
    recipe
        TOML file with the hyper-parameters that are to differ from the model's own; 'leadboard run' takes
        the same.
    workers
        Threads that prepare signals; one for each processor if not given.
    """
    from benchmark.models.concept_names import unknown_concept
    from benchmark.protocols.hardware import Hardware
    from benchmark.protocols.precision import training_precision
    from benchmark.protocols.pretraining import check_sources, plan_pretraining
    from benchmark.protocols.pretraining import pretrain as pretrain_model
    from benchmark.protocols.recipes import complete_recipe, read_recipe
    from benchmark.run.cohorts import choose_cohorts, prepare_cohort
    from cohorts.ontology.ontology import load_ontology

    hardware = Hardware(device, workers=workers or 0)
    places = find_places(data, cache, cohort_file)
    found, reporter = _start(model, hardware)
    if "Pretrainable" not in found.abilities:
        raise UsageError(f"{model} has no 'pretrain', 'save' and 'load'; it cannot be pre-trained.")
    concepts = list(load_ontology().concepts.index)
    for concept in hold_out:
        if concept not in concepts:
            raise unknown_concept(concept, concepts)
    asked = read_recipe(recipe)
    complete_recipe(found, asked)  # before anything is prepared for it
    check_sources(source)
    choose_cohorts(source, places)
    stores = [prepare_cohort(name, places, reporter) for name in dict.fromkeys(source)]
    used = training_precision(precision, hardware.device)
    plan = plan_pretraining(
        found, stores, places.cache, seed, held_out=hold_out, precision=used, recipe=asked
    )
    if plan.artifact.is_whole():
        tell(f"{found.card.name} is pre-trained already: {plan.artifact.folder}")
    else:
        with reporter.step(plan.label), found.asked(places.cache):
            pretrain_model(plan, hardware.device, hardware.workers)
        tell(f"{found.card.name}: {plan.card.description}", str(plan.artifact.folder))
    if not hold_out:  # such a twin is asked under a protocol of its own
        options = {"--recipe": recipe, "--train-precision": precision, "--device": device}
        options |= {"--data": data, "--cache": cache}
        repeated = {"--pretrain-on": source, "--cohort-file": cohort_file, "--seed": [seed] if seed else []}
        tell(f"Next: {_run_of(model, options, repeated)}")
    return 0


def _run_of(model: str, options: Mapping[str, object], repeated: Mapping[str, Sequence[object]]) -> str:
    """Write the call that evaluates what a model has learnt: another option would mean other weights."""
    given = {name: [value] for name, value in options.items() if value not in (None, "auto")}
    words = ["leadboard", "run", "--model", model]
    for name, values in {**repeated, **given}.items():
        words += [str(word) for value in values for word in (name, value)]
    return shlex.join(words)


def _start(
    model: str, hardware: Hardware, elsewhere: ElsewhereOptions = HERE
) -> tuple[ModelSource, Reporter]:
    """Find the model of a training, and check the device."""
    from benchmark.models.plugins import find_model
    from benchmark.progress import Reporter, log_to

    reporter = Reporter()
    log_to(reporter)
    environment = elsewhere.environment(hardware.deadline, model)
    if environment is None:  # this process cannot tell which devices there are in another one
        hardware.check()
    return find_model(model, environment, deadlines=hardware.deadlines), reporter


def weights(model: ModelName, *, file: str, cache: CacheOption = None) -> int:
    """Install published weights: checked by name and shape, converted, and kept in the cache.

    Parameters
    ----------
    model
        Name of an installed model, path/to/file.py:Class or package.module:Class.
    file
        The published file; for models of a hub, a folder or hub id.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    """
    from benchmark.models.plugins import find_model
    from benchmark.protocols.published import install

    sentence, artifact = install(find_model(model), file, find_places(None, cache).cache)
    tell(sentence, str(artifact.folder))
    return 0
