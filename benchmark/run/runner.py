"""A whole run: prepare, train, plan, execute what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.config import Places
from benchmark.models.contamination import unstated_training
from benchmark.models.plugins import ModelSource
from benchmark.models.worker.remote import Elsewhere
from benchmark.progress import Reporter
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.pretraining import check_sources
from benchmark.protocols.protocol import find_protocol
from benchmark.protocols.scorer import Scorer
from benchmark.records.comparability import why_not_of
from benchmark.records.measuring import RunSettings
from benchmark.records.provenance import package_versions, platform_name, source_commit
from benchmark.records.record import load_record
from benchmark.records.run_folder import (
    AbsentCohort,
    AbsentModel,
    PlannedCell,
    RunFile,
    cell_path,
    load_run_file,
    save_run,
)
from benchmark.run.cohorts import choose_cohorts, is_here, prepare_cohort, size_in_words, why_empty
from benchmark.run.entries import Lineup, LineupSettings, find_models, line_up
from benchmark.run.execution import former_predictions, measure_and_save, predict_and_save
from benchmark.run.plan import Cell, plan_cells
from benchmark.run.thresholds import Validation, find_source
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
        The cohort that labels are learnt from, and that thresholds are chosen on.
    protocols
        Names of protocols; empty for each model's usual ones.
    pretrain_on
        Cohorts that models are pre-trained on; empty for ``source``.
    precision
        Of pre-training.
    elsewhere
        The environment of models that are named by file or module; None for this process.
    """

    folder: Path
    places: Places
    settings: RunSettings
    hardware: Hardware
    reporter: Reporter
    models: Sequence[str] = ()
    cohorts: Sequence[str] = ()
    source: str = "ptb-xl"
    protocols: Sequence[str] = ()
    pretrain_on: Sequence[str] = ()
    precision: str = "32-true"
    elsewhere: Elsewhere | None = None

    def __call__(self) -> Outcome:
        """Do it all, going on past every model or cohort that fails.

        Raises
        ------
        UsageError
            If a name is unknown or there is nothing to evaluate.
        """
        if self.elsewhere is None:  # what devices there are elsewhere, this process cannot tell
            self.hardware.check()
        chosen, absent = choose_cohorts(self.cohorts, self.places)
        check_sources(self.pretrain_on)
        sources, unusable = find_models(self.models, self.elsewhere)
        for protocol in self.protocols:
            find_protocol(protocol)
        stores = self._prepare(chosen, absent)
        lineup = self._line_up(sources, stores)
        lineup.broken.update(unusable)
        for name, reason in lineup.broken.items():
            self.reporter.say(f"FAILED {name}: {reason}")
        models = lineup.models
        if not models and not lineup.broken:
            raise UsageError(_nobody(lineup, self.protocols))
        source = find_source(
            self.source,
            self.source in stores or is_here(self.source, self.places),
            lambda: self._store(self.source, stores),
        )
        cells = plan_cells(models, list(stores.values()), self.settings, self.folder, source)
        to_do = [cell for cell in cells if not cell.is_done()]
        states = {id(cell): _state(cell, "done") for cell in cells}
        states.update({id(cell): _state(cell, "planned") for cell in to_do})
        self._show_plan(lineup, stores, cells, to_do, absent)
        lost = [_lost(name, cohort, reason) for name, reason in lineup.broken.items() for cohort in stores]
        kept = self._kept([*states.values(), *lost], stores)

        def save() -> None:
            self._save((*kept, *states.values(), *lost), absent, lineup.absent, stores)

        save()
        scorer = Scorer(self.places.cache, self.hardware, self.reporter)
        validation = Validation(source, scorer, self.reporter)
        for cell in to_do:
            states[id(cell)] = self._execute(cell, scorer, validation)
            save()
        failed = sum(state.status == "failed" for state in states.values()) + len(lost)
        return Outcome(len(cells) + len(lost), len(to_do), failed)

    def _prepare(self, chosen: Sequence[str], absent: list[AbsentCohort]) -> dict[str, Store]:
        stores: dict[str, Store] = {}
        for name in chosen:
            try:
                store = prepare_cohort(name, self.places, self.reporter)
                if not len(store):
                    raise LeadboardError(why_empty(store))
                stores[name] = store
            except LeadboardError as error:
                self.reporter.say(f"Left out: {name}: {error}")
                absent.append(AbsentCohort(cohort=name, reason=str(error)))
        if not stores:
            raise UsageError("No cohort could be prepared; the reasons are above.")
        return stores

    def _line_up(self, sources: Sequence[ModelSource], stores: dict[str, Store]) -> Lineup:
        """Plan what each model is asked, and what it has to learn before."""
        settings = LineupSettings(
            cache=self.places.cache,
            seed=self.settings.seed,
            protocols=self.protocols,
            source=lambda: self._store(self.source, stores),
            pretraining=lambda: [self._store(name, stores) for name in self.pretrain_on or (self.source,)],
            precision=self.precision,
        )
        return line_up(sources, settings)

    def _store(self, name: str, stores: dict[str, Store]) -> Store:
        if name in stores:
            return stores[name]
        if not is_here(name, self.places):
            raise UsageError(f"it has to learn from {name} first, which is not on this machine.")
        return prepare_cohort(name, self.places, self.reporter)

    def _execute(self, cell: Cell, scorer: Scorer, validation: Validation) -> PlannedCell:
        try:
            predicted = former_predictions(cell)
            if predicted is None:
                with self.reporter.step(cell.label, quiet_without_work=True) as progress:
                    predicted = predict_and_save(cell, scorer, progress)
            measure_and_save(cell, predicted, validation.thresholds(cell), self.settings)
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
            try:
                record = load_record(cell_path(self.folder, cell.model, cell.protocol, cell.cohort))
            except LeadboardError as error:
                self.reporter.say(f"Left out of the table: {cell.model} on {cell.cohort}: {error}")
                continue
            store = stores.get(cell.cohort)
            bootstrap = record.evaluation.bootstrap
            if (store is None or not why_not_of(record, store)) and (bootstrap.seed, bootstrap.resamples) == (
                self.settings.seed,
                self.settings.resamples,
            ):
                kept.append(cell)
            else:
                self.reporter.say(
                    f"Left out of the table: {cell.model} on {cell.cohort}, from other data or settings; "
                    f"name it with --model to run it again."
                )
        return kept

    def _save(
        self,
        cells: Sequence[PlannedCell],
        absent: Sequence[AbsentCohort],
        absent_models: Mapping[str, str],
        stores: dict[str, Store],
    ) -> None:
        commit = source_commit()
        content = RunFile(
            name=self.folder.name,
            seed=self.settings.seed,
            resamples=self.settings.resamples,
            cells=tuple(cells),
            absent=tuple(absent),
            absent_models=tuple(
                AbsentModel(model=name, reason=reason) for name, reason in absent_models.items()
            ),
            warnings=tuple(f"{name}: {text}" for name, store in stores.items() for text in store.warnings),
            environment={**package_versions(), "platform": platform_name(), "commit": commit or "unknown"},
        )
        save_run(self.folder, content)

    def _show_plan(
        self,
        lineup: Lineup,
        stores: dict[str, Store],
        cells: Sequence[Cell],
        to_do: Sequence[Cell],
        absent: Sequence[AbsentCohort],
    ) -> None:
        say = self.reporter.say
        say(
            f"Plan: {len(lineup.models)} models and protocols x {len(stores)} cohorts = {len(cells)} cells, "
            f"{len(to_do)} to compute."
        )
        for name, store in stores.items():
            say(f"  {name}: {size_in_words(store)}")
            for warning in store.warnings:
                say(f"    warning: {warning}")
        for reason in dict.fromkeys(item.reason for item in absent):
            say(f"  left out: {', '.join(item.cohort for item in absent if item.reason == reason)}: {reason}")
        for name, reason in lineup.absent.items():
            say(f"  left out: {name}: {reason}")
        for evaluated in lineup.models:
            internal = [c.store.card.id for c in cells if c.model is evaluated and c.relation == "internal"]
            seen = f"; internal: {', '.join(internal)} (test fold)" if internal else ""
            say(f"  {in_words(evaluated)}{seen}")
            made_here = evaluated.base is not None and evaluated.base.made_here
            silent = unstated_training(evaluated.card, pretrained_here=made_here)
            if silent:
                say(f"    warning: {silent}")


def in_words(evaluated: EvaluatedModel) -> str:
    """Say what is evaluated, and what has to be made first."""
    base, fits = evaluated.base, evaluated.fits
    parts = [f"{evaluated.card.name}, {evaluated.protocol.name}: {len(evaluated.card.outputs)} concepts"]
    if base is not None and base.made_here:
        parts.append("pre-trained" if base.artifact.done else "to be pre-trained")
    if fits:
        done = all(fit.artifact.done for fit in fits)
        times = "" if len(fits) == 1 else f" {len(fits)} times"
        parts.append(f"{'trained' if done else 'to be trained'}{times} on {fits[0].store.card.id}")
    return ", ".join(parts)


def _nobody(lineup: Lineup, protocols: Sequence[str]) -> str:
    """Say why a run has no model at all."""
    if lineup.absent:
        name, reason = next(iter(lineup.absent.items()))
        return f"No model can be evaluated: {name}: {reason}."
    return f"None of the models can be asked under {', '.join(protocols)}."


def _state(cell: Cell, status: str, reason: str | None = None) -> PlannedCell:
    return PlannedCell.model_validate(
        {
            "model": cell.model.card.name,
            "protocol": cell.model.protocol.name,
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
