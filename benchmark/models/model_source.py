"""A model that was found: how it is made again, and what tells that it is another one since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.models.cards import card_of
from benchmark.models.contract import ABILITIES, Model
from benchmark.models.guard import guarded
from benchmark.models.model_card import ModelCard
from benchmark.models.model_files import ModelFiles, notes_of
from benchmark.models.worker.standalone import construct, lacking
from cohorts.errors import ModelError


@dataclass(frozen=True)
class ModelSource:
    """A model class, with what is needed to make it again and to tell whether it changed.

    Attributes
    ----------
    spec
        How the user named it.
    code_hash
        Hash of the Python files that define it and of the data files that these opened, as far as is known.
    abilities
        Names of the optional abilities of `benchmark.models` that it has.
    small
        Whether a run may pre-train it without being asked to.
    on_request
        Whether a run has it only when it is named: it takes hours, or is the control of one that does.
    usual_protocols
        Names of the protocols that it confines itself to unless others are asked for, None for all.
    environment
        Versions of Python and of packages where it runs, if that is not this process.
    files
        The data files that it opens, such as weights beside it.
    bfloat16
        Whether it runs in this process and computes in lower precision where that is asked for.
    """

    spec: str
    model_class: Any = field(repr=False)
    code_hash: str
    card: ModelCard
    abilities: frozenset[str] = frozenset()
    small: bool = False
    on_request: bool = False
    usual_protocols: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = ()
    files: ModelFiles = field(default_factory=ModelFiles, compare=False, repr=False)
    bfloat16: bool = False

    @classmethod
    def of(cls, spec: str, make: Any, hashed: str, model: Any) -> ModelSource:
        """Read the card and the abilities of a model that ``make`` has made.

        Raises
        ------
        ModelError
            If it breaks the contract.
        """
        if absent := guarded(spec, lambda: lacking(model)):
            raise ModelError(f"{spec} has {absent}.")
        card = guarded(f"The card of {spec}", lambda: card_of(model))
        abilities = frozenset(ability.__name__ for ability in ABILITIES if isinstance(model, ability))
        if not card.outputs and not abilities & {"Trainable", "Encoder", "Published"}:
            raise ModelError(f"The card of {spec} names no outputs.")
        if card.outputs == "any" and "Prompted" not in abilities:
            raise ModelError(f"The card of {spec} has outputs 'any', but it has no 'set_concepts'.")
        usual = getattr(model, "protocols", None)
        small = bool(getattr(model, "small", False))
        return cls(
            spec,
            make,
            hashed,
            card,
            abilities,
            small,
            bool(getattr(model, "on_request", False)),
            None if usual is None else tuple(usual),
            bfloat16=bool(getattr(model, "bfloat16", False)),
        )

    def build(self, device: str) -> Model:
        """Make an instance; ``device`` is handed over if the constructor has such a parameter."""
        with self.files.watched():
            model = guarded(f"{self.spec}()", lambda: construct(self.model_class, device))
        if not isinstance(model, Model):
            raise ModelError(f"{self.spec} has {lacking(model)}.")
        return model

    @contextmanager
    def asked(self, cache: Path) -> Iterator[None]:
        """Note in the cache which files the model opens while it learns or is asked."""
        try:
            with self.files.watched(cache):
                yield
        finally:  # what it has learnt may be kept though it failed later
            self.files.note_later_ones(notes_of(notes_in(cache, self.card.name), self.code_hash))


def notes_in(cache: Path, model: str) -> Path:
    """Where a cache has what is known of the files that a model opens."""
    return cache / "model-files" / model
