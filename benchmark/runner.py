"""A whole run: prepare, train, plan, execute what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.config import Places
from benchmark.environment import package_versions, platform_name, source_commit
from benchmark.execution import Hardware, LoadedModel, evaluate_and_save, former_scores, load, score
from benchmark.plan import Cell, EvaluatedModel, RunSettings, check_outputs, plan_cells
from benchmark.plugins import ModelSource
from benchmark.progress import Reporter
from benchmark.results import load_record
from benchmark.run_folder import AbsentCohort, PlannedCell, RunFile, cell_path, load_run_file, save_run
from benchmark.selection import choose_cohorts, find_models, is_here, prepare_cohort, size_in_words
from benchmark.training import plan_training, train
from cohorts.catalogue import all_cohorts
from cohorts.errors import LeadboardError, UsageError
from cohorts.store import Store


@dataclass(frozen=True)
class Outcome:
    """How many cells a run has, how many of them were computed now, and how many failed."""

    cells: int
    computed: int
    failed: int


@dataclass
class Run:
    """One call of ``leadboard run``.

    Attributes
    ----------
    folder
        Where records, predictions and the report go.
    models, cohorts
        What was asked for; empty for everything there is.
    source
        The cohort that trainable models learn from.
    """

    folder: Path
    places: Places
    settings: RunSettings
    hardware: Hardware
    reporter: Reporter
    models: Sequence[str] = ()
    cohorts: Sequence[str] = ()
    source: str = "ptb-xl"

    def __call__(self) -> Outcome:
        """Do it all, going on past every model or cohort that fails.

        Raises
        ------
        UsageError
            If a name is unknown or there is nothing to evaluate.
        """
        self.hardware.check()
        chosen, absent = choose_cohorts(self.cohorts, self.places)
        sources, broken = find_models(self.models)
        stores = self._prepare(chosen, absent)
        models = self._models(sources, stores, broken)
        cards = {name: cohort.card for name, cohort in all_cohorts().items()}
        cells = plan_cells(models, list(stores.values()), cards, self.settings, self.folder)
        to_do = [cell for cell in cells if not cell.is_done()]
        states = {id(cell): _state(cell, "done") for cell in cells}
        states.update({id(cell): _state(cell, "planned") for cell in to_do})
        self._show_plan(models, stores, cells, to_do, absent)
        lost = [_lost(name, cohort, reason) for name, reason in broken.items() for cohort in stores]
        kept = self._kept([*states.values(), *lost], stores)

        def save() -> None:
            self._save((*kept, *states.values(), *lost), absent, stores)

        save()
        for evaluated in models:
            ready = Ready(self, evaluated)
            for cell in (cell for cell in to_do if cell.model is evaluated):
                states[id(cell)] = self._execute(cell, ready)
                save()
        failed = sum(state.status == "failed" for state in states.values()) + len(lost)
        return Outcome(len(cells) + len(lost), len(to_do), failed)

    def _prepare(self, chosen: Sequence[str], absent: list[AbsentCohort]) -> dict[str, Store]:
        stores: dict[str, Store] = {}
        for name in chosen:
            try:
                store = prepare_cohort(name, self.places, self.reporter)
                if not len(store):
                    raise LeadboardError(_why_empty(store))
                stores[name] = store
            except LeadboardError as error:
                self.reporter.say(f"Left out: {name}: {error}")
                absent.append(AbsentCohort(cohort=name, reason=str(error)))
        if not stores:
            raise UsageError("No cohort could be prepared; the reasons are above.")
        return stores

    def _models(
        self, sources: Sequence[ModelSource], stores: dict[str, Store], broken: dict[str, str]
    ) -> list[EvaluatedModel]:
        """Plan the training of each model that needs it; what cannot work joins ``broken``."""
        models: list[EvaluatedModel] = []
        concepts = list(next(iter(stores.values())).labels.columns)
        for source in sources:
            name = source.card.name
            try:
                if source.trainable and not source.card.outputs:
                    plan = plan_training(
                        source, self._source_store(stores), self.places.cache, self.settings.seed
                    )
                    models.append(EvaluatedModel(source, plan.card, plan))
                else:
                    check_outputs(source.card, concepts)
                    models.append(EvaluatedModel(source, source.card, None))
            except LeadboardError as error:
                broken[name] = str(error)
        for name, reason in broken.items():
            self.reporter.say(f"FAILED {name}: {reason}")
        return models

    def _source_store(self, stores: dict[str, Store]) -> Store:
        if self.source in stores:
            return stores[self.source]
        if not is_here(self.source, self.places):
            raise UsageError(f"it has to learn from {self.source} first, which is not on this machine.")
        return prepare_cohort(self.source, self.places, self.reporter)

    def _execute(self, cell: Cell, ready: Ready) -> PlannedCell:
        try:
            scored = former_scores(cell)
            if scored is None:
                loaded = ready()
                with self.reporter.step(cell.label) as progress:
                    scored = score(cell, loaded, self.hardware, progress)
            evaluate_and_save(cell, scored, self.settings)
        except LeadboardError as error:
            self.reporter.say(f"FAILED {cell.label}: {error}")
            return _state(cell, "failed", str(error))
        return _state(cell, "done")

    def _kept(self, now: Sequence[PlannedCell], stores: dict[str, Store]) -> list[PlannedCell]:
        """Finished cells of earlier calls that may stand beside this call's in one table.

        They may not where the release, the labelling or the resamples have changed since.
        """
        planned = {(cell.model, cell.protocol, cell.cohort) for cell in now}
        kept = []
        for cell in load_run_file(self.folder).cells if (self.folder / "run.json").is_file() else ():
            if cell.status != "done" or (cell.model, cell.protocol, cell.cohort) in planned:
                continue
            record = load_record(cell_path(self.folder, cell.model, cell.protocol, cell.cohort))
            store = stores.get(cell.cohort)
            bootstrap = record.evaluation.bootstrap
            if (
                (store is None or store.fingerprint == record.cohort.fingerprint)
                and record.ontology.hash == next(iter(stores.values())).ontology_hash
                and (bootstrap.seed, bootstrap.resamples) == (self.settings.seed, self.settings.resamples)
            ):
                kept.append(cell)
            else:
                self.reporter.say(
                    f"Left out of the table: {cell.model} on {cell.cohort}, from other data or settings; "
                    f"name it with --model to run it again."
                )
        return kept

    def _save(
        self, cells: Sequence[PlannedCell], absent: Sequence[AbsentCohort], stores: dict[str, Store]
    ) -> None:
        commit = source_commit()
        content = RunFile(
            name=self.folder.name,
            seed=self.settings.seed,
            resamples=self.settings.resamples,
            cells=tuple(cells),
            absent=tuple(absent),
            warnings=tuple(f"{name}: {text}" for name, store in stores.items() for text in store.warnings),
            environment={**package_versions(), "platform": platform_name(), "commit": commit or "unknown"},
        )
        save_run(self.folder, content)

    def _show_plan(
        self,
        models: Sequence[EvaluatedModel],
        stores: dict[str, Store],
        cells: Sequence[Cell],
        to_do: Sequence[Cell],
        absent: Sequence[AbsentCohort],
    ) -> None:
        say = self.reporter.say
        say(
            f"Plan: {len(models)} models x {len(stores)} cohorts = {len(cells)} cells, "
            f"{len(to_do)} to compute."
        )
        for name, store in stores.items():
            say(f"  {name}: {size_in_words(store)}")
            for warning in store.warnings:
                say(f"    warning: {warning}")
        for reason in dict.fromkeys(item.reason for item in absent):
            say(f"  left out: {', '.join(item.cohort for item in absent if item.reason == reason)}: {reason}")
        for evaluated in models:
            plan = evaluated.training
            trained = (
                ""
                if plan is None
                else (", trained" if plan.done else f", to be trained on {plan.store.card.id}")
            )
            internal = [c.store.card.id for c in cells if c.model is evaluated and c.relation == "internal"]
            seen = f"; internal: {', '.join(internal)} (test fold)" if internal else ""
            say(f"  {evaluated.card.name}: {len(evaluated.card.outputs)} concepts{trained}{seen}")


class Ready:
    """Trains (if that is still to be done) and loads a model when it is first needed.

    A model that failed once is not tried again for each of its cells.
    """

    def __init__(self, run: Run, evaluated: EvaluatedModel) -> None:
        self.run = run
        self.evaluated = evaluated
        self.loaded: LoadedModel | None = None
        self.error: LeadboardError | None = None

    def __call__(self) -> LoadedModel:
        """Give the model, or raise what went wrong the first time."""
        if self.error is not None:
            raise self.error
        if self.loaded is None:
            try:
                self.loaded = self._load()
            except LeadboardError as error:
                self.error = error
                raise
        return self.loaded

    def _load(self) -> LoadedModel:
        plan, hardware = self.evaluated.training, self.run.hardware
        if plan is not None and not plan.done:
            with self.run.reporter.step(f"Training {self.evaluated.card.name} on {plan.store.card.id}"):
                train(plan, hardware.device, hardware.workers)
        return load(self.evaluated, hardware.device)


def _why_empty(store: Store) -> str:
    """Say why a cohort that is here has no record to evaluate."""
    reasons = store.quarantine["reason"].value_counts()
    most = f" ({reasons.index[0]})" if len(reasons) else ""
    return f"none of its {len(store.quarantine):,} records can be used{most}"


def _state(cell: Cell, status: str, reason: str | None = None) -> PlannedCell:
    return PlannedCell.model_validate(
        {
            "model": cell.model.card.name,
            "protocol": cell.protocol,
            "cohort": cell.store.card.id,
            "relation": cell.relation,
            "key": cell.key,
            "status": status,
            "reason": reason,
        }
    )


def _lost(model: str, cohort: str, reason: str) -> PlannedCell:
    """A cell of a model that could not even be planned."""
    return PlannedCell(
        model=model,
        protocol="as-is",
        cohort=cohort,
        relation="unknown",
        key="",
        status="failed",
        reason=reason,
    )
