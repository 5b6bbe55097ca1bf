"""All checks, in an order in which each needs only those before it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.conformance import abilities, behaviour
from benchmark.conformance.behaviour import in_every_mode
from benchmark.conformance.declared import input_as_declared
from benchmark.conformance.habits import Habits
from benchmark.conformance.outcome import CheckReport, CheckResult
from benchmark.conformance.resources import memory_and_speed
from benchmark.conformance.subject import SkippedError, Subject
from benchmark.models.model_source import ModelSource
from benchmark.models.plugins import find_model
from cohorts.errors import LeadboardError, ModelError


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    run
        Gives what it saw; raises `SkippedError` if there is nothing to see, any other `LeadboardError`
        for a failure.
    needs
        Checks whose failure this one would only repeat.
    """

    name: str
    run: Callable[[Subject], str]
    needs: tuple[str, ...] = ()


LOADING = "loading"
WEIGHTS = ("published weights", "pre-training")
ANSWERS = ("answers",)
STEADY = ("answers", "asked twice", "earlier batches")

CHECKS = (
    Check("card", abilities.card),
    Check("published weights", abilities.published_weights),
    Check("pre-training", abilities.pretraining),
    Check("fit", abilities.fit, WEIGHTS),
    Check("gaps in labels", abilities.gaps_in_labels, ("fit",)),
    Check("answers", in_every_mode(behaviour.answers), WEIGHTS),
    Check("asked twice", in_every_mode(behaviour.asked_twice), ANSWERS),
    Check("earlier batches", in_every_mode(behaviour.earlier_batches), (*ANSWERS, "asked twice")),
    Check("order of records", in_every_mode(behaviour.order), STEADY),
    Check("one record", in_every_mode(behaviour.one_record), ANSWERS),
    Check("batch size", in_every_mode(behaviour.batch_size), (*STEADY, "order of records", "one record")),
    Check("another instance", in_every_mode(behaviour.another_instance), STEADY),
    Check("save and load", abilities.save_and_load, ("fit", *STEADY)),
    Check("columns", abilities.columns, ("fit", *ANSWERS)),
    Check("prompts", abilities.prompts, (*WEIGHTS, *STEADY)),
    Check("probabilities", in_every_mode(behaviour.probabilities), ANSWERS),
    Check("input as declared", input_as_declared, (*ANSWERS, "one record")),
    Check("input left alone", in_every_mode(behaviour.input_left_alone), ANSWERS),
    Check("flat signals", in_every_mode(behaviour.flat_signals), ANSWERS),
    Check("huge amplitudes", in_every_mode(behaviour.huge_amplitudes), ANSWERS),
    Check("unknown age and sex", in_every_mode(behaviour.unknown_people), ANSWERS),
    Check("process left alone", abilities.process_left_alone),
    Check("memory and speed", in_every_mode(memory_and_speed), ANSWERS),
)

Before = Callable[[str], None]
After = Callable[[CheckResult], None]


def check_model(
    spec: str,
    *,
    device: str = "cpu",
    cache: Path | None = None,
    pretrain: bool = False,
    deadline: float = 300.0,
    find: Callable[[str], ModelSource] = find_model,
    before: Before = lambda name: None,
    after: After = lambda result: None,
) -> CheckReport:
    """Try a model's whole contract on a mock cohort; no data are needed.

    Parameters
    ----------
    spec
        Name, ``path/to/file.py:Class`` or ``package.module:Class``.
    device
        Torch device.
    cache
        Where ``leadboard weights`` has put published weights; None to look for none.
    pretrain
        Whether to pre-train a model that does not call itself small.
    deadline
        Seconds that an answer may take.
    find
        Finds the model; another one finds it elsewhere, such as in another interpreter.
    before, after
        Told the name of each check before it runs, and its result.

    Raises
    ------
    UsageError
        If there is no such model.
    """
    results: dict[str, CheckResult] = {}
    habits = Habits.now()

    def tell(result: CheckResult) -> None:
        results[result.name] = result
        after(result)

    found = _found(spec, find)
    before(LOADING)
    if isinstance(found, CheckResult):
        tell(found)
    else:
        tell(CheckResult(name=LOADING, outcome="pass", reason=_described(found)))
        with tempfile.TemporaryDirectory(prefix="leadboard-check-") as name:
            folder = Path(name)
            where = folder / "nothing" if cache is None else cache
            subject = Subject(found, device, folder, where, habits, pretrain, deadline)
            try:
                for check in CHECKS:
                    before(check.name)
                    tell(_result(check, subject, results))
            finally:
                habits.restore()  # a model may go on changing them after it was asked about that
    labels = () if isinstance(found, CheckResult) else found.card.labels
    return CheckReport(model=spec, device=device, checks=tuple(results.values()), labels=labels)


def _found(spec: str, find: Callable[[str], ModelSource]) -> ModelSource | CheckResult:
    try:
        return find(spec)
    except ModelError as error:
        return CheckResult(name=LOADING, outcome="fail", reason=str(error))


def _described(source: ModelSource) -> str:
    card, abilities = source.card, ", ".join(sorted(source.abilities))
    return f"{card.name} {card.version}, {abilities or 'predict and no more'}"


def _result(check: Check, subject: Subject, results: Mapping[str, CheckResult]) -> CheckResult:
    """Run a check, unless one that it needs has failed."""
    try:
        for need in check.needs:
            if results[need].outcome == "fail":
                raise SkippedError(f"'{need}' failed")
        return CheckResult(name=check.name, outcome="pass", reason=check.run(subject))
    except SkippedError as error:
        return CheckResult(name=check.name, outcome="skipped", reason=str(error))
    except LeadboardError as error:
        return CheckResult(name=check.name, outcome="fail", reason=str(error))
