"""Checks of the card and of what a model can do beside scoring.

Each takes the model under test, gives what it saw, and raises `ModelError` for a failure and
`SkippedError` where there is nothing to see.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.conformance import modes
from benchmark.conformance.differences import compared
from benchmark.conformance.habits import check_unchanged
from benchmark.conformance.mock import CONCEPTS, FINDINGS, NEVER, UNANNOTATED
from benchmark.conformance.subject import SkippedError, Subject
from benchmark.models.cards import card_of, check_outputs, named_cohorts
from benchmark.models.contract import Floats, Model, Published
from benchmark.models.guard import guarded
from benchmark.models.model_card import ModelCard
from benchmark.protocols.protocol import find_protocol
from benchmark.protocols.published import find_published
from cohorts.catalogue import all_cohorts
from cohorts.counts import plural
from cohorts.errors import LeadboardError, ModelError
from cohorts.ontology.ontology import load_ontology

RECOGNISED = 0.9
"""AUROC from which on a column is said to recognise a finding: the planted ones are hard to miss."""
LEARNT = {"outputs", "labels", "trained_on", "description"}
"""What a card may say differently after a fit."""
CLEARLY = 0.2
"""By how much another column must recognise a finding better than its own: a weak model mixes them up."""


def card(subject: Subject) -> str:
    """Outputs are concepts, ``trained_on`` names cohorts, and every instance has the same card.

    Outputs that are no concepts are scored against nothing; an unknown cohort makes an internal result
    look external.
    """
    stated = subject.source.card
    check_outputs(stated, list(load_ontology().concepts.index))
    if stated.trained_on != "undisclosed":
        unknown = [cohort for cohort in stated.trained_on if cohort not in all_cohorts()]
        if unknown:
            raise ModelError(
                f"trained_on names {named_cohorts(unknown, all_cohorts())}, which 'leadboard cohorts' "
                "does not list; say in the description what else the weights have seen."
            )
    for protocol in subject.source.usual_protocols or ():
        find_protocol(protocol)
    instance = subject.source.build(subject.device)
    for _ in range(3):
        again = guarded("The card", lambda: card_of(instance))
        if again != stated:
            raise ModelError(f"The card of a second instance differs in {_changed(again, stated)}.")
    missing = [name for name in ("description", "licence", "citation") if not getattr(stated, name).strip()]
    complete = f"complete but for {', '.join(missing)}" if missing else "complete"
    own = f"; {plural(len(stated.columns), 'label')} of its own for {plural(len(stated.outputs), 'concept')}"
    return complete + (own if stated.labels else "")


def published_weights(subject: Subject) -> str:
    """Garbage is refused, and published weights that are here can be loaded.

    A model that takes any file for weights is scored with weights that it does not have.
    """
    model = subject.source.build(subject.device)
    if not isinstance(model, Published):
        raise SkippedError("it takes no published weights")
    for number, content in enumerate((b"", b"These are no weights.\n" * 100)):
        file, folder = subject.folder / f"garbage-{number}", subject.folder / f"converted-{number}"
        file.write_bytes(content)
        folder.mkdir()
        try:
            guarded("convert", lambda file=file, folder=folder: model.convert(str(file), folder))  # type: ignore[misc]
        except LeadboardError:
            continue
        raise ModelError(f"convert takes {'text' if content else 'an empty file'} for weights.")
    if find_published(subject.source, subject.cache) is None:
        raise SkippedError(
            f"'leadboard weights {subject.source.spec} --file FILE' installs them, which was not done; "
            "garbage is refused"
        )
    subject.make()
    return "loaded; garbage is refused"


def pretraining(subject: Subject) -> str:
    """Pre-training runs, and its weights can be saved and loaded.

    What ``save`` forgets is random again when the model is scored.
    """
    if not subject.has("Pretrainable"):
        raise SkippedError("it has no 'pretrain'")
    if not (subject.source.small or subject.pretrain):
        raise SkippedError("it does not call itself small; '--pretrain' tries it")
    model = subject.pretrained()
    loaded = subject.load(subject.save(model, "kept"))
    if subject.has("Prompted") and subject.source.card.outputs == "any":
        mode = modes.prompted_for(subject, CONCEPTS)
        model, loaded = (subject.prompt(instance, CONCEPTS) for instance in (model, loaded))
    elif subject.has("Encoder"):
        mode = modes.embedding(subject)
    else:
        return "runs, saves and loads"
    expected, found = mode.ask(subject.batch, model), mode.ask(subject.batch, loaded)
    difference = compared(mode, expected, found, "after load")
    return f"runs; {difference} after save and load"


def fit(subject: Subject) -> str:
    """The model learns from labels, and its card then names what it has learnt.

    Other outputs on the card put scores under the wrong names.
    """
    fitted = subject.fitted()
    now = fitted.card.model_copy(update={name: getattr(subject.source.card, name) for name in LEARNT})
    if now != subject.source.card:
        raise ModelError(f"fit changes the card in {_changed(now, subject.source.card)}.")
    return f"learns {plural(len(fitted.card.outputs), 'concept')}, and its card says which"


def gaps_in_labels(subject: Subject) -> str:
    """Labels that are not annotated, of one class, or all missing are survived.

    With 1 % of the labels there are such concepts, and -1 taken for a class teaches nonsense.
    """
    trouble = subject.fitted().trouble
    if trouble is not None:
        raise ModelError(
            f"fit works with complete labels, but not with -1, {NEVER} always 0 and {UNANNOTATED} always -1: "
            f"{trouble}"
        )
    return "-1, a single class and no label at all are survived"


def save_and_load(subject: Subject) -> str:
    """A fitted model that was saved and loaded gives the same scores.

    A run scores what it has loaded: something that ``save`` forgets changes every number.
    """
    fitted = subject.fitted()
    mode = modes.fitted(subject)
    loaded = subject.load(subject.saved())
    outputs, learnt = card_of(loaded).outputs, fitted.card.outputs
    if outputs != learnt:
        raise ModelError(f"After load its card has the outputs {outputs} instead of {learnt}.")
    expected, found = mode.ask(subject.batch, fitted.model), mode.ask(subject.batch, loaded)
    return compared(mode, expected, found, "after load")


def columns(subject: Subject) -> str:
    """Each column scores its own concept, and higher is more likely.

    In the wrong order every AUROC belongs to another concept; upside down it is one minus itself.
    """
    if not subject.has("Trainable"):
        raise SkippedError("what a column means cannot be seen from outside; it is not trained here")
    mode = modes.fitted(subject)
    areas = _aurocs(mode.ask(subject.batch), subject.others.truth)
    learnt = {}
    for finding, best in zip(FINDINGS, _assigned(areas), strict=True):
        of_all = areas[:, FINDINGS.index(finding)]
        own = of_all[mode.card.outputs.index(finding)]
        if of_all[best] >= max(RECOGNISED, own + CLEARLY):
            raise ModelError(
                f"{finding} is recognised by column {mode.card.outputs[best]} (AUROC {of_all[best]:.2f}), "
                f"not by its own (AUROC {own:.2f})."
            )
        if own <= 1 - RECOGNISED:
            raise ModelError(f"{finding} is upside down (AUROC {own:.2f}): higher is for more likely.")
        learnt[finding] = own
    numbers = ", ".join(f"{finding} {own:.2f}" for finding, own in learnt.items())
    if max(learnt.values()) < RECOGNISED:
        raise SkippedError(f"it has not learnt what was planted (AUROC {numbers}): its columns look alike")
    return f"AUROC of what was planted, each in its own column: {numbers}"


def _assigned(areas: Any) -> Any:
    """Give each finding a column of its own, so that the sum of their AUROC is highest."""
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment(areas.T, maximize=True)[1]


def process_left_alone(subject: Subject) -> str:
    """Nothing is changed that others in the process rely on.

    Where the working folder has changed, whatever has a relative path is looked for elsewhere; another usual
    type makes other numbers of the models that come after.
    """
    return check_unchanged(subject.habits)


def prompts(subject: Subject) -> str:
    """A prompted model has one column for each concept, in the order asked for, and each for itself.

    Otherwise a concept's AUROC depends on which other concepts a run asks for.
    """
    mode = modes.prompted(subject)
    model = subject.prompt(subject.make(), CONCEPTS)
    expected = mode.ask(subject.batch, model)
    differences = [
        _asked_again(subject, model, expected, concepts, what)
        for concepts, what in (
            (CONCEPTS[::-1], "with the concepts in another order"),
            (CONCEPTS[1:4], "with fewer concepts"),
            (("RBBB", *CONCEPTS[:2]), "with another concept before it"),
            (CONCEPTS, "with the first concepts again"),
        )
    ]
    return f"each concept has a column of its own; {differences[-1]} when asked again"


def _asked_again(
    subject: Subject, model: Model, expected: Floats, concepts: tuple[str, ...], what: str
) -> str:
    """Compare the columns of the concepts that were asked for before."""
    found = modes.prompted_for(subject, concepts).ask(subject.batch, subject.prompt(model, concepts))
    both = tuple(concept for concept in concepts if concept in CONCEPTS)
    return compared(
        modes.prompted_for(subject, both),
        expected[:, [CONCEPTS.index(concept) for concept in both]],
        found[:, [concepts.index(concept) for concept in both]],
        what,
    )


def _aurocs(scores: Floats, truth: Any) -> Any:
    """AUROC of every column for every planted finding."""
    from sklearn.metrics import roc_auc_score

    return np.array([[roc_auc_score(finding, column) for finding in truth.T] for column in scores.T])


def _changed(one: ModelCard, other: ModelCard) -> str:
    """Name the fields in which two cards differ."""
    return ", ".join(name for name in ModelCard.model_fields if getattr(one, name) != getattr(other, name))
