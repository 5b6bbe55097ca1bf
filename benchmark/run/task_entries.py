"""Who can be asked for the classes of a published task, and why the others cannot."""

from __future__ import annotations

from benchmark.models.model_card import ModelCard
from benchmark.protocols.protocol import Protocol
from benchmark.text import some
from cohorts.counts import plural
from cohorts.ontology.ontology import load_ontology
from cohorts.tasks import PublishedTask, find_task


def why_not_asked(name: str, protocol: Protocol, card: ModelCard) -> str:
    """Say why a model takes no part in a task under a protocol; empty where it does.

    Parameters
    ----------
    name
        Of the task; empty where a run is of cohorts.
    card
        Of the model with the weights that it starts from.
    """
    if not name:
        return ""
    task = find_task(name)
    if protocol.kind == "zero-shot":
        return _why_not_prompted(task, protocol)
    if protocol.kind == "as-is" and card.outputs:
        lacking = [output for output in task.classes if output not in card.outputs]
        return (
            f"its outputs lack {plural(len(lacking), 'class', 'classes')} of {name} ({some(lacking)})"
            if lacking
            else ""
        )
    if not task.folds.training:
        return f"it learns from labels, and {name} has no training fold"
    return ""


def _why_not_prompted(task: PublishedTask, protocol: Protocol) -> str:
    if protocol.unseen:
        return f"concepts are kept from it, and {task.name} asks for its own classes"
    own = [name for name in task.classes if name not in load_ontology().concepts.index]
    return (
        f"there are no words for {plural(len(own), 'class', 'classes')} of {task.name} ({some(own)})"
        if own
        else ""
    )
