"""The weights that a model starts from where they are not its constructor's: pre-trained, or published."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from benchmark.models.cards import card_of
from benchmark.models.contract import Model, Published
from benchmark.models.guard import guarded
from benchmark.models.model_card import ModelCard
from benchmark.models.model_source import ModelSource
from benchmark.protocols.artifacts import Artifact, DamagedError, WeightsFacts, sha256_of_folder
from cohorts.errors import LeadboardError, ModelError, UsageError


class StartingWeights(Protocol):
    """What pre-trained and published weights have in common."""

    @property
    def key(self) -> str:
        """Hash of everything that made them."""

    @property
    def card(self) -> ModelCard:
        """Of the model with these weights."""

    @property
    def made_here(self) -> bool:
        """Whether the suite makes them; then a model's name says nothing about what they have seen."""

    @property
    def label(self) -> str:
        """For progress lines while they are made."""

    def make(self, device: str, workers: int) -> None:
        """Make them, unless they are there."""

    @property
    def artifact(self) -> Artifact:
        """Where they lie or will lie."""


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """Published weights that the user has put here with ``leadboard weights``."""

    key: str
    card: ModelCard
    artifact: Artifact
    made_here: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """For progress lines."""
        return f"Published weights of {self.card.name}"

    def make(self, device: str, workers: int) -> None:
        """Do nothing: they are there."""


def published_folder(name: str, cache: Path) -> Artifact:
    """Say where the published weights of a model lie, or would."""
    return Artifact(cache / "weights" / name)


def find_published(source: ModelSource, cache: Path) -> PublishedWeights | None:
    """Find the published weights of a model, or give None.

    Raises
    ------
    LeadboardError
        If they are damaged: nobody but the user can bring them again.
    """
    artifact = published_folder(source.card.name, cache)
    if "Published" not in source.abilities or not artifact.done:
        return None
    try:
        about, sha256 = artifact.read()
    except DamagedError as error:
        raise LeadboardError(f"{error}; bring them again with: {command_for_weights(source)}") from error
    return PublishedWeights(sha256, about.card, artifact)


def command_for_weights(source: ModelSource) -> str | None:
    """Give the command that brings the published weights of a model, None for a model without any."""
    if "Published" not in source.abilities:
        return None
    file = getattr(source.model_class, "weights_file", "FILE")
    return f"leadboard weights {shlex.quote(source.spec)} --file {file}"


def install(source: ModelSource, file: str, cache: Path) -> tuple[str, Artifact]:
    """Check weights that somebody published, and convert them into the cache; replaces earlier ones.

    Parameters
    ----------
    file
        A file, a folder or a hub id; what of these, the model knows.

    Returns
    -------
    One sentence about what was found, and where it lies now.

    Raises
    ------
    ModelError
        If they do not fit, saying exactly what does not.
    """
    name = source.card.name
    model = source.build("cpu")
    if not isinstance(model, Published):
        raise UsageError(f"{name} takes no published weights.")
    artifact = published_folder(name, cache)

    def convert(_: Path, weights: Path) -> WeightsFacts:
        sentence = guarded(f"{name}.convert", lambda: model.convert(file, weights))
        guarded(f"{name}.load", lambda: model.load(weights))
        card = card_of(model)
        if card.name != name:
            raise ModelError(f"With these weights the card of {name} calls itself {card.name}.")
        return WeightsFacts(card=card, origin=f"{sentence} SHA-256 {sha256_of_folder(weights)}.")

    artifact.make(convert, again=True)
    return artifact.read()[0].origin or "", artifact


def build(source: ModelSource, base: StartingWeights | None, device: str) -> Model:
    """Make a model with the weights that it starts from.

    Raises
    ------
    LeadboardError
        If they are damaged.
    """
    model = source.build(device)
    if base is None:
        return model
    base.artifact.read()
    loading = getattr(model, "load", None)
    if not callable(loading):
        raise ModelError(f"{source.card.name} has no 'load'.")
    guarded(f"{source.card.name}.load", lambda: loading(base.artifact.weights))
    return model
