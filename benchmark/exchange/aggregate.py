"""The aggregate of one cell, as it leaves a hospital: a schema that has no place for a record."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from benchmark.exchange.disclosure import LEAST_MINIMUM, MOST_MINIMUM, Count, Figure
from benchmark.metrics.estimates import Result
from benchmark.models.contamination import Relation
from benchmark.models.model_files import Origin
from benchmark.records.faults import first_fault
from benchmark.records.manifest import Manifest, folder_name
from benchmark.records.record import OntologyFacts
from benchmark.records.strict_json import read_json
from cohorts.errors import LeadboardError

CELLS = "cells"

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

MOST_CELL_BYTES = 4 * 2**20
"""A cell of a hundred concepts in seven subgroups has a tenth of it."""

GROUPINGS = ("sex", "age")

RULE = "youden"
"""The only rule whose threshold is measured: of two, the difference is a few patients."""


class AggregateManifest(Manifest):
    """``manifest.json`` of an aggregate submission."""

    kind: Literal["aggregate"] = "aggregate"

    @property
    def folder(self) -> str:
        """Name of the folder: of the model, of what it is, and a hash of all that is in it."""
        return folder_name(f"{self.model}-aggregate", self.files)


class AggregateCohort(Result):
    """The cohort.

    Attributes
    ----------
    version
        Of a release; empty for a private cohort, where it may be a date.
    private
        Whether it is a hospital's own, whatever layout its recordings have.
    state
        The fingerprint of a release. Of a private cohort a pseudonym of it, the same for the same data at
        the same site, from which nobody without the site's key can check a guess.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)
    name: str = Field(max_length=200)
    version: str = Field(max_length=64)
    simulated: bool
    private: bool
    state: str = Field(max_length=100)


class AggregateCounts(Result):
    """Records of the cell, and the patients that those scored are of, where the release knows them.

    Whose the records are that were not scored is not known: ten of them may be those of one patient.
    """

    selection: Literal["all", "test"]
    scored: Count
    patients: Count | None
    unselected: Count
    unusable: Count


class AggregateBootstrap(Result):
    """How the intervals were made."""

    resamples: int
    seed: int
    level: float
    unit: Literal["patients", "records"]


class AggregateTraining(Result):
    """A fit by the suite; how many records it had is not said."""

    source: str
    percent: int
    seed: int


class AggregatePretraining(Result):
    """How the suite pre-trained the model; without sizes and recipe."""

    sources: tuple[str, ...]
    held_out: tuple[str, ...]
    seed: int


class AggregateCalibration(Result):
    """Calibration of a concept, rounded."""

    brier: float
    mean_probability: float
    slope: float | None
    intercept: float | None
    ece_equal_width: float
    ece_equal_mass: float


class AggregateCall(Result):
    """Rates at the threshold of `RULE`; each None where a count that it is made of is too small.

    Attributes
    ----------
    threshold
        To three digits; None unless the cohort that it was chosen on is open.
    """

    threshold: float | None
    sensitivity: Figure | None
    specificity: Figure | None
    ppv: Figure | None
    npv: Figure | None


class AggregateConcept(Result):
    """One concept. Without its figures, too few are positive or negative."""

    n: Count
    positives: Count
    auroc: Figure | None = None
    auprc: Figure | None = None
    auprc_at_reference: Figure | None = None
    calibration: AggregateCalibration | None = None
    call: AggregateCall | None = None


class AggregateGroupConcept(Result):
    """One concept in one group."""

    n: Count
    positives: Count
    auroc: Figure | None


class AggregateGroup(Result):
    """One group of the records; ``macro`` is over the common concepts of its grouping."""

    records: Count
    macro: Figure | None
    concepts: dict[str, AggregateGroupConcept]


class AggregateGrouping(Result):
    """Records by sex or by age band."""

    common: tuple[str, ...]
    groups: dict[str, AggregateGroup]


class AggregateMacro(Result):
    """Means over the concepts that are given and eligible.

    Attributes
    ----------
    minimum
        Positives, and negatives, that made a concept eligible.
    """

    auroc: Figure | None
    auprc: Figure | None
    concepts: tuple[str, ...]
    minimum: int


class AggregateCell(Result):
    """Everything that is told of one cell.

    Attributes
    ----------
    identity
        Of the model: the same in every place and under every protocol (see `benchmark.exchange.identity`).
    minimum_count
        Smallest count that is given; all counts are multiples of it.
    fits
        Of the model, whose figures are averaged.
    signals_read
        Whether the signals were looked at, or the annotation files alone.
    """

    schema_version: Literal[1] = 1
    model: str = Field(pattern=NAME)
    identity: str = Field(pattern=r"^[0-9a-f]{12}$")
    protocol: str = Field(pattern=NAME)
    relation: Relation
    cohort: AggregateCohort
    minimum_count: int = Field(ge=LEAST_MINIMUM, le=MOST_MINIMUM, multiple_of=LEAST_MINIMUM)
    records: AggregateCounts
    signals_read: bool
    ontology: OntologyFacts
    bootstrap: AggregateBootstrap
    reference_prevalence: float
    fits: int
    weights_sha256: tuple[str, ...]
    training: tuple[AggregateTraining, ...]
    pretraining: AggregatePretraining | None
    thresholds_from: str | None
    origin: Origin | None = None
    macro: AggregateMacro
    concepts: dict[str, AggregateConcept]
    subgroups: dict[Literal["sex", "age"], AggregateGrouping]
    software: dict[str, str]


def load_aggregate(path: Path) -> AggregateCell:
    """Read one cell, which is a stranger's: strict JSON, nothing else.

    Raises
    ------
    LeadboardError
        If the file cannot be read, is not strict JSON or does not follow the schema.
    """
    content: Any = read_json(path, most=MOST_CELL_BYTES)
    try:
        return AggregateCell.model_validate(content)
    except ValidationError as error:
        raise LeadboardError(f"{path} is not an aggregate of a cell: {first_fault(error)}.") from None
