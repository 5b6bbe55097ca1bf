"""The plan of a run in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmark.models.contamination import unstated_training
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.run.cohorts import size_in_words
from benchmark.run.entries import WITHOUT_WEIGHTS
from benchmark.run.overlaps import overlap_lines
from benchmark.run.states import Plan, RunOptions
from cohorts.counts import plural

IN_FLOAT32 = (
    "asked in float32: --precision bf16 is for networks of torch that run in this process and say that they "
    "compute in bfloat16"
)
"""What follows the names of models that lower precision does not apply to."""


def plan_lines(plan: Plan) -> Iterator[str]:
    """Say what takes part, what does not and why, and what is to be computed."""
    evaluated = plan.entries.evaluated
    yield (
        f"Plan: {plural(len(evaluated), 'model and protocol', 'models and protocols')} x "
        f"{plural(len(plan.stores), 'cohort')} = {plural(len(plan.tasks), 'cell')}, "
        f"{len(plan.to_do)} to compute."
    )
    for name, store in plan.stores.items():
        yield f"  {name}: {size_in_words(store)}"
        for warning in store.warnings:
            yield f"    warning: {warning}"
    yield f"  {_where(plan.options)}"
    yield from overlap_lines(plan.overlaps, plan.entries.trained_on)
    for reason in dict.fromkeys(item.reason for item in plan.absent):
        names = ", ".join(item.cohort for item in plan.absent if item.reason == reason)
        yield f"  left out: {names}: {reason}"
    yield from _absent_models(plan.entries.absent)
    for model in evaluated:
        internal: dict[str, list[str]] = {}
        for task in plan.tasks:
            if task.cell.model is model and task.state.relation == "internal":
                internal.setdefault(task.cell.selection, []).append(task.state.cohort)
        which = {"test": "test fold", "all": "all records"}
        seen = "; internal: " if internal else ""
        seen += ", ".join(f"{', '.join(names)} ({which[part]})" for part, names in internal.items())
        yield f"  {model_in_words(model)}{seen}"
        made_here = model.base is not None and model.base.made_here
        silent = unstated_training(model.card, pretrained_here=made_here)
        if silent:
            yield f"    warning: {silent}"
    whole = dict.fromkeys(model.card.name for model in evaluated if model.precision == "float32")
    if plan.options.precision != "float32" and whole:
        yield f"  {', '.join(whole)} {IN_FLOAT32}"
    for task in plan.to_do:
        if task.reason:
            yield f"  computed again: {task.cell.label}: {task.reason}"


def _where(options: RunOptions) -> str:
    """Say what the cells are computed on."""
    device, threads = options.hardware.device, options.hardware.workers
    if options.elsewhere:
        return f"on {device}, by the machines of the Ray cluster"
    return f"on {device}; {plural(threads, 'thread prepares', 'threads prepare')} signals"


def _absent_models(absent: Mapping[str, str]) -> Iterator[str]:
    """Name the models without weights together: each has its command, which would fill a screen."""
    without = [name for name, reason in absent.items() if reason.startswith(WITHOUT_WEIGHTS)]
    for name, reason in absent.items():
        if name not in without or len(without) == 1:
            yield f"  left out: {name}: {reason}"
    if len(without) > 1:
        yield f"  left out: {', '.join(without)}: {WITHOUT_WEIGHTS}; 'leadboard models' says how to get them"


def model_in_words(evaluated: EvaluatedModel) -> str:
    """Say what is evaluated, and what has to be made first."""
    base, fits = evaluated.base, evaluated.fits
    parts = [
        f"{evaluated.card.name}, {evaluated.protocol.name}: {plural(len(evaluated.card.outputs), 'concept')}"
    ]
    if base is not None and base.made_here:
        parts.append("pre-trained" if base.artifact.done else "to be pre-trained")
    if fits:
        lacking = sum(not fit.artifact.done for fit in fits)
        times = "" if len(fits) == 1 else f" {len(fits)} times"
        lower = "" if fits[0].precision == "32-true" else f" in {fits[0].precision}"
        learnt = "to be trained" if lacking else "trained"
        parts.append(f"{learnt}{times} on {fits[0].store.card.id}{lower}")
        if 0 < lacking < len(fits):
            parts.append(f"{len(fits) - lacking} of them done")
    return ", ".join(parts)
