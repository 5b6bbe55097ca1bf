"""What is evaluated in a run: every model under every protocol that it can be asked under."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmark.models.cards import check_outputs, check_training
from benchmark.models.contamination import all_training_of
from benchmark.models.model_source import ModelSource
from benchmark.models.plugins import find_model, installed_models
from benchmark.models.worker.environments import Deadlines, WorkerEnvironment
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.protocols.held_out import HELD_OUT
from benchmark.protocols.precision import ScoringPrecision, TrainingPrecision
from benchmark.protocols.pretraining import PretrainingPlan, plan_pretraining
from benchmark.protocols.protocol import Protocol, chosen, possible
from benchmark.protocols.published import StartingWeights, command_for_weights, find_published
from benchmark.protocols.training import learnable_concepts, plan_training
from benchmark.records.fit_seeds import fit_seeds
from benchmark.run.task_entries import why_not_asked
from cohorts.catalogue import all_cohorts
from cohorts.errors import LeadboardError, ModelError, UsageError
from cohorts.ontology.ontology import load_ontology
from cohorts.store import Store
from cohorts.tasks import find_task

WITHOUT_WEIGHTS = "weights not found"


@dataclass
class Entries:
    """What is evaluated in a run, and what cannot be.

    Attributes
    ----------
    evaluated
        Models, each under one protocol.
    broken
        Name of a model -> what is wrong with it.
    absent
        Name of a model whose weights are not on this machine -> how to get them; or of one that cannot be
        asked for the classes of a published task -> why.
    """

    evaluated: list[EvaluatedModel] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def trained_on(self) -> set[str]:
        """Cohorts that any of the evaluated models has seen."""
        return {
            cohort
            for model in self.evaluated
            for cohort in all_training_of(
                model.card, pretrained_here=model.base is not None and model.base.made_here
            )
        }


class NotAskedError(ModelError):
    """A model cannot be asked for the classes of a published task; the message says why."""


class WeightsNotFoundError(ModelError):
    """The weights of a model are not on this machine; the message says how to get them."""


@dataclass(frozen=True)
class EntrySettings:
    """What decides which models are evaluated, and how.

    Attributes
    ----------
    seeds
        Everything that is learnt is fitted once, or as often as its protocol says, from each; pre-training
        is done once, from the first.
    protocols
        Names that were asked for; empty for each model's usual ones.
    source
        Gives the cohort that labels are learnt from; raises `UsageError` where it is not here.
    pretraining
        Gives the cohorts of the pre-training, likewise.
    training_precision
        Of pre-trainings, and of trainings by models that compute in lower precision.
    precision
        In which such models are asked for scores.
    recipe
        Of the pre-training, as the user wrote it; empty for each model's own.
    task
        Name of the published task that the run is of; its store is the source.
    """

    cache: Path
    seeds: Sequence[int]
    protocols: Sequence[str]
    source: Callable[[], Store]
    pretraining: Callable[[], Sequence[Store]]
    training_precision: TrainingPrecision = "32-true"
    precision: ScoringPrecision = "float32"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    task: str = ""


def plan_entries(sources: Sequence[ModelSource], settings: EntrySettings) -> Entries:
    """Plan what each model is to be asked, and what it has to learn before; nothing is trained here."""
    planned = Entries()
    known = {*map(str, load_ontology().concepts.index), *_classes(settings)}
    for source in sources:
        name = source.card.name
        try:
            found = _entries(source, settings)
            for entry in found:
                check_outputs(entry.card, known)
                check_training(entry.card, all_cohorts())
            planned.evaluated += found
        except (WeightsNotFoundError, NotAskedError) as error:
            planned.absent[name] = str(error)
        except LeadboardError as error:
            planned.broken[name] = str(error)
    return planned


def _entries(source: ModelSource, settings: EntrySettings) -> list[EvaluatedModel]:
    base = starting_weights(source, settings)
    card = source.card if base is None else base.card
    pretrainable = source.small and "Pretrainable" in source.abilities
    candidates = possible(source.abilities, card.outputs, may_pretrain=pretrainable)
    protocols = chosen(candidates, settings.protocols, source.usual_protocols)
    if not protocols and not settings.protocols:
        raise ModelError(f"{card.name} has no outputs and no ability that a protocol could use.")
    reasons = [why_not_asked(settings.task, protocol, card) for protocol in protocols]
    protocols = [protocol for protocol, why in zip(protocols, reasons, strict=True) if not why]
    if reasons and not protocols:
        raise NotAskedError("; ".join(dict.fromkeys(reasons)))
    asked_in = settings.precision if source.bfloat16 else "float32"
    entries = [_entry(source, protocol, base, settings) for protocol in protocols]
    return [replace(entry, precision=asked_in) for entry in entries]


def _entry(
    source: ModelSource, protocol: Protocol, base: StartingWeights | None, settings: EntrySettings
) -> EvaluatedModel:
    if protocol.kind == "zero-shot":
        if protocol.unseen:
            base = _pretraining(source, settings, HELD_OUT)
        card = source.card if base is None else base.card
        outputs = HELD_OUT if protocol.unseen else _prompted_concepts(settings)
        return EvaluatedModel(source, protocol, card.with_outputs(outputs), base)
    if protocol.kind == "as-is" and (base.card if base else source.card).outputs:
        return EvaluatedModel(source, protocol, base.card if base else source.card, base)
    fits = tuple(
        plan_training(
            source,
            settings.source(),
            settings.cache,
            seed,
            protocol=protocol,
            base=base,
            precision=settings.training_precision,
        )
        for seed in fit_seeds(protocol.percent, settings.seeds)
    )
    return EvaluatedModel(source, protocol, fits[0].card, base, fits)


def _classes(settings: EntrySettings) -> tuple[str, ...]:
    return find_task(settings.task).classes if settings.task else ()


def _prompted_concepts(settings: EntrySettings) -> tuple[str, ...]:
    """Concepts that a prompted model is asked for.

    Those that a model could have learnt from the source cohort, so that all stand in one ranking; every
    concept where there is no source, and the classes of a published task.
    """
    if settings.task:
        return _classes(settings)
    try:
        return learnable_concepts(settings.source())
    except UsageError:
        return tuple(str(concept) for concept in load_ontology().concepts.index)


def starting_weights(source: ModelSource, settings: EntrySettings) -> StartingWeights | None:
    """Find the weights that a model starts from: published ones before pre-trained ones.

    Returns
    -------
    The weights, or None for a model that needs none but its constructor's.

    Raises
    ------
    WeightsNotFoundError
        If there are none here and the run is not to make them.
    """
    published = find_published(source, settings.cache)
    if published is not None and settings.recipe:
        raise UsageError(
            f"{source.card.name} starts from published weights here, which no recipe changes; leave out "
            "--recipe."
        )
    if published is not None:
        return published
    commands = []
    if "Pretrainable" in source.abilities:
        plan = _pretraining(source, settings, ())
        if source.small or plan.artifact.done:
            return plan
        sources = " ".join(f"--source {store.card.id}" for store in plan.stores)
        more = f"--precision {settings.training_precision}{' --recipe FILE' if settings.recipe else ''}"
        commands.append(f"leadboard pretrain {shlex.quote(source.spec)} {sources} {more}")
    if (command := command_for_weights(source)) is not None:
        commands.append(command)
    if commands:
        raise WeightsNotFoundError(f"{WITHOUT_WEIGHTS}; make or bring them with: {' or: '.join(commands)}")
    return None


def _pretraining(source: ModelSource, settings: EntrySettings, held_out: Sequence[str]) -> PretrainingPlan:
    return plan_pretraining(
        source,
        settings.pretraining(),
        settings.cache,
        settings.seeds[0],
        held_out=held_out,
        precision=settings.training_precision,
        recipe=settings.recipe,
    )


def find_models(
    asked: Sequence[str | ModelSource],
    environment: WorkerEnvironment | None = None,
    cache: Path | None = None,
    deadlines: Deadlines | None = None,
) -> tuple[list[ModelSource], dict[str, str]]:
    """Models of a run, and those that are installed or named but broken, with the reason.

    Parameters
    ----------
    asked
        As for `find_model`, or found already; empty for all installed ones but those that a run has only on
        request.
    environment
        Where models that are named by file or module run; None for this process.
    cache, deadlines
        As for `find_model`.

    Raises
    ------
    UsageError
        If a name is unknown, or two models have the same name.
    """
    found: list[ModelSource] = []
    broken: dict[str, str] = {}
    folder = Path.cwd()  # which a model may change
    for spec in dict.fromkeys(asked) or installed_models():
        if isinstance(spec, ModelSource):
            found.append(spec)
            continue
        try:
            source = find_model(spec, environment, cache, deadlines, folder)
        except ModelError as error:
            broken[spec] = str(error)
        else:
            if asked or not source.on_request:
                found.append(source)
    names = [source.card.name for source in found]
    for name in names:
        if names.count(name) > 1:
            specs = " and ".join(source.spec for source in found if source.card.name == name)
            raise UsageError(f"{specs} both call themselves '{name}'; change the name in one card.")
    return found, broken
