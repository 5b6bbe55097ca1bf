"""What a model says of itself: the signal that it wants, what its scores mean, what it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from benchmark.models.label_map import OwnLabel, check_labels, own_names, scored_concepts
from benchmark.text import some
from cohorts.recording import STANDARD_LEADS


class InputSpec(BaseModel):
    """The signal a model wants to be given.

    Attributes
    ----------
    sampling_rate
        In Hz.
    leads
        Lead names, in the order of the rows of the signal.
    seconds
        Length of one window. Shorter records are zero-padded at the end.
    unit
        ``"mV"``, ``"uV"`` or ``"V"``.
    long_records
        What to do with longer records: the ``"first"`` or ``"centre"`` window, or consecutive
        ``"windows"`` over the record (a remainder of half a window or more is padded, a shorter
        one left out) whose scores are averaged.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    sampling_rate: float = Field(default=500.0, gt=0, le=10_000)
    leads: tuple[str, ...] = STANDARD_LEADS
    seconds: float = Field(default=10.0, gt=0, le=86_400)
    unit: Literal["mV", "uV", "V"] = "mV"
    long_records: Literal["first", "centre", "windows"] = "first"

    @field_validator("leads")
    @classmethod
    def _known_leads(cls, leads: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [lead for lead in leads if lead not in STANDARD_LEADS]
        if unknown or not leads or len(set(leads)) != len(leads):
            wrong = f", and {some(unknown)} {'is' if len(unknown) == 1 else 'are'} not" if unknown else ""
            raise ValueError(f"leads must be distinct names out of {', '.join(STANDARD_LEADS)}{wrong}")
        return leads

    @property
    def samples(self) -> int:
        """Samples of one window."""
        return round(self.seconds * self.sampling_rate)


class ModelCard(BaseModel):
    """What a model says of itself.

    Attributes
    ----------
    name
        Letters, digits, ``.``, ``_`` and ``-``: it names folders and rows of tables.
    outputs
        Concept ids in the order of the columns of the scores, or ``"any"`` for a model that is
        prompted with concepts. With ``labels`` they may be left out: every concept that these score.
    labels
        For a model that scores under names of its own: what these mean, one row for each of its labels and
        concepts (see `benchmark.models.label_map`). Its scores then have one column for each label, in
        the order in which the rows first name them.
    probabilities
        Whether the scores claim to be probabilities.
    trained_on
        Ids of all cohorts that the weights have seen, ``()`` for none, or ``"undisclosed"``.
    control_for
        Name of the model that this one is the control of, for example the same network before any training;
        ``"any"`` for a control of every model; None for a model that is no control.
    parameters
        How many numbers its weights are, if it says so.
    licence
        Of code and weights; ``license`` is read as well.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    version: str = "0"
    description: str = ""
    licence: str = Field(default="", validation_alias=AliasChoices("licence", "license"))
    citation: str = ""
    input: InputSpec = InputSpec()
    outputs: tuple[str, ...] | Literal["any"]
    labels: tuple[OwnLabel, ...] = ()
    probabilities: bool = False
    trained_on: tuple[str, ...] | Literal["undisclosed"]
    control_for: str | None = None
    parameters: int | None = Field(default=None, ge=0)

    @field_validator("outputs")
    @classmethod
    def _distinct(cls, outputs: tuple[str, ...] | Literal["any"]) -> tuple[str, ...] | Literal["any"]:
        if outputs != "any" and len(set(outputs)) != len(outputs):
            raise ValueError("outputs names a concept twice")
        return outputs

    @field_validator("labels")
    @classmethod
    def _consistent(cls, labels: tuple[OwnLabel, ...]) -> tuple[OwnLabel, ...]:
        check_labels(labels)
        return labels

    @model_validator(mode="before")
    @classmethod
    def _outputs_of_labels(cls, fields: Any) -> Any:
        if not isinstance(fields, Mapping) or "outputs" in fields or not fields.get("labels"):
            return fields
        labels = _LABELS.validate_python(fields["labels"])
        return {**fields, "labels": labels, "outputs": scored_concepts(labels)}

    @model_validator(mode="after")
    def _every_output_has_a_label(self) -> ModelCard:
        if self.labels:
            scored = scored_concepts(self.labels)
            without = [output for output in self.outputs if output not in scored]
            if self.outputs == "any" or without:
                raise ValueError(
                    "outputs must be concepts that labels score"
                    + (f"; {without[0]} has no label that is the same or narrower" if without else "")
                )
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that ``predict`` gives: the model's own labels, or concepts."""
        if self.labels:
            return own_names(self.labels)
        return () if self.outputs == "any" else self.outputs

    def with_outputs(self, concepts: tuple[str, ...]) -> ModelCard:
        """Give the card of the same model once its columns are these concepts."""
        return self.model_copy(update={"outputs": concepts, "labels": ()})


_LABELS = TypeAdapter(tuple[OwnLabel, ...])
