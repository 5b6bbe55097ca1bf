"""Which protocols there are, and which of them a model can take part in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from cohorts.errors import UnknownNameError

Kind = Literal["as-is", "zero-shot", "linear-probe", "fine-tune"]

PERCENTS = (1, 10, 100)


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a model is asked.

    Attributes
    ----------
    name
        Names folders and rows of tables.
    kind
        ``"as-is"`` (its own outputs, trained by the suite if it comes untrained), ``"zero-shot"`` (told in
        words what to look for), ``"linear-probe"`` (logistic regression on its features) or
        ``"fine-tune"`` (all of it is trained further).
    percent
        Share of the source's training and validation patients whose labels are given.
    unseen
        Whether the model knows nothing of the concepts that it is asked for.
    """

    name: str
    kind: Kind
    percent: int = 100
    unseen: bool = False


AS_IS = Protocol("as-is", "as-is")
ZERO_SHOT = Protocol("zero-shot", "zero-shot")
UNSEEN = Protocol("zero-shot-unseen", "zero-shot", unseen=True)
PROBES = tuple(Protocol(f"linear-probe-{percent}", "linear-probe", percent) for percent in PERCENTS)
FINE_TUNINGS = tuple(Protocol(f"fine-tune-{percent}", "fine-tune", percent) for percent in PERCENTS)

PROTOCOLS = {p.name: p for p in (AS_IS, ZERO_SHOT, UNSEEN, *PROBES, *FINE_TUNINGS)}
ON_REQUEST = frozenset({"fine-tune-1", "fine-tune-100"})
"""Costly and seldom compared: only when asked for by name."""


def find_protocol(name: str) -> Protocol:
    """Look a protocol up.

    Raises
    ------
    UnknownNameError
        With the nearest name that exists.
    """
    if name not in PROTOCOLS:
        raise UnknownNameError("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def possible(
    abilities: Collection[str], outputs: Sequence[str] | Literal["any"], *, may_pretrain: bool
) -> list[Protocol]:
    """List the protocols that a model can take part in.

    Parameters
    ----------
    abilities
        Names of the abilities in `benchmark.models` that it has.
    outputs
        Of its card, with the weights that it starts from.
    may_pretrain
        Whether the suite pre-trains it, so that concepts can be kept from it.
    """
    found = []
    if outputs == "any" and "Prompted" in abilities:
        found += [ZERO_SHOT, *([UNSEEN] if may_pretrain else [])]
    elif outputs or ("Trainable" in abilities and "Encoder" not in abilities):
        found.append(AS_IS)
    if "Encoder" in abilities:
        found += PROBES
        if "Trainable" in abilities:
            found += FINE_TUNINGS
    return found


def missing_for(protocol: Protocol) -> str:
    """Say what a model has to have to be asked under a protocol."""
    pretrained = ", and a small 'pretrain'" if protocol.unseen else ""
    return {
        "as-is": "outputs on its card, or 'fit', 'save' and 'load'",
        "zero-shot": f"'set_concepts' and outputs 'any'{pretrained}",
        "linear-probe": "'embed'",
        "fine-tune": "'embed', 'fit', 'save' and 'load'",
    }[protocol.kind]


def chosen(
    candidates: Sequence[Protocol], asked: Collection[str], usual: Collection[str] | None
) -> list[Protocol]:
    """Choose among the possible protocols of a model.

    Parameters
    ----------
    asked
        Names that the user gave; empty for the usual ones.
    usual
        Names that the model itself confines the usual ones to, None where it does not.
    """
    if asked:
        return [protocol for protocol in candidates if protocol.name in asked]
    return [
        protocol
        for protocol in candidates
        if protocol.name not in ON_REQUEST and (usual is None or protocol.name in usual)
    ]
