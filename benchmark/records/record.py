"""The result record: one JSON file a cell, from which every table and figure is made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from benchmark.files import write_atomically
from benchmark.metrics.age import AgeAgreement
from benchmark.metrics.cell.evaluation import Evaluation
from benchmark.metrics.cell.operating_points import Thresholds, no_thresholds
from benchmark.metrics.cell.statistics import CellStatistics
from benchmark.models.contamination import Relation
from benchmark.models.model_card import ModelCard
from benchmark.models.model_files import ModelFile, Origin
from benchmark.records.faults import first_fault
from benchmark.records.migration import migrated
from benchmark.records.overlap import Overlap
from benchmark.records.strict_json import json_bytes, may_have_large_integers, parsed_json
from cohorts.counts import plural
from cohorts.errors import LeadboardError

SCHEMA_VERSION = 3


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CohortFacts(_Schema):
    """The cohort as it was measured.

    ``simulated`` marks synthetic patients everywhere; ``private`` is a hospital's own.
    """

    id: str
    name: str
    version: str
    fingerprint: str
    simulated: bool
    private: bool = False
    release_records: int | None
    """Records of the whole release, where known: tells a partial copy from a complete one."""


class Quarantined(_Schema):
    """Records that cannot be used for one and the same reason."""

    reason: str
    record_ids: Annotated[tuple[str, ...], FailFast()]


class RecordCounts(_Schema):
    """What became of every record of the cohort: ``found = scored + unselected + unusable``."""

    selection: Literal["all", "test"]
    found: int
    scored: int
    unselected: int
    quarantined: tuple[Quarantined, ...]

    @property
    def unusable(self) -> int:
        """How many records are quarantined."""
        return sum(len(group.record_ids) for group in self.quarantined)


class OntologyFacts(_Schema):
    """Which labelling the numbers belong to.

    Attributes
    ----------
    hash
        Of what decides the labels of all outputs of the model in the cohort.
    concepts
        The same for each output. Empty in records of earlier versions, whose hash is of the whole ontology.
    """

    version: str
    hash: str
    concepts: dict[str, str] = Field(default_factory=dict)


class PredictionsFile(_Schema):
    """The Parquet file beside the record; ``sha256`` is of its content, not of its bytes."""

    file: str
    sha256: str
    rows: int


class Training(_Schema):
    """One fit by the suite: a supervised training, a fine-tuning or a linear probe.

    ``percent`` of the source's patients gave their labels, in the training and in the validation fold.
    ``precision`` is that of the training, in the words of PyTorch Lightning.
    """

    source: str
    fingerprint: str
    percent: int
    records: int
    validation_records: int
    seed: int
    key: str
    precision: str = "32-true"


class PretrainingSource(_Schema):
    """A cohort that pairs of signal and text were taken from."""

    cohort: str
    fingerprint: str
    records: int
    validation_records: int


class Pretraining(_Schema):
    """How the suite pre-trained the model; nothing about ``held_out`` concepts was shown to it.

    ``recipe`` has every hyper-parameter that the model states; None where it states none
    and in older records.
    """

    sources: tuple[PretrainingSource, ...]
    held_out: tuple[str, ...]
    seed: int
    precision: str
    recipe: dict[str, Any] | None = None
    key: str


class Rounding(_Schema):
    """How far the scores of a cell that was scored in lower precision lie from those in float32.

    Attributes
    ----------
    records
        How many records were scored both ways, spread over the cell.
    largest, mean
        Of the absolute differences, over these records, all outputs and all fits.
    """

    records: int = Field(ge=1)
    largest: float = Field(ge=0, allow_inf_nan=False)
    mean: float = Field(ge=0, allow_inf_nan=False)

    @property
    def sentence(self) -> str:
        """Say it in a sentence."""
        return (
            f"Scores lie up to {self.largest:.2g} from those in float32, {self.mean:.2g} on average "
            f"({plural(self.records, 'record')} scored both ways)."
        )


class Provenance(_Schema):
    """Where and with what the predictions were made, and where the thresholds of the scores come from.

    ``files`` are those that the model's code has opened, such as weights beside it; empty in older records.
    ``rounding`` belongs to scores in lower precision than float32, and to no others.
    """

    leadboard: str
    commit: str | None
    python: str
    platform: str
    packages: dict[str, str]
    device: str
    dtype: str
    batch_size: int
    seconds: float
    records_per_second: float
    created: str
    files: tuple[ModelFile, ...] = ()
    rounding: Rounding | None = None
    thresholds: Thresholds = no_thresholds("submitted predictions come without those of a validation fold")


class ResultRecord(_Schema):
    """Everything known about one cell: a model under a protocol on a cohort.

    Attributes
    ----------
    weights_sha256
        Of each fit; of the pre-trained or published weights where nothing was fitted; empty for a model
        that comes with its weights.
    overlap
        None where the cohort's card says which others share its recordings, and in older records.
    training
        The fits whose metrics are averaged, each from another subset or seed; empty without one.
    age
        How the age that the model tells compares with the stated one; None for a model that tells none.
    origin
        None for predictions that were made elsewhere, and in older records.
    """

    schema_version: Literal[3] = 3
    key: str
    model: ModelCard
    weights_sha256: tuple[str, ...]
    training: tuple[Training, ...]
    pretraining: Pretraining | None
    protocol: str
    cohort: CohortFacts
    relation: Relation
    records: RecordCounts
    ontology: OntologyFacts
    evaluation: Evaluation
    statistics: CellStatistics
    age: AgeAgreement | None = None
    predictions: PredictionsFile
    provenance: Provenance
    origin: Origin | None = None
    overlap: Overlap | None = None


def learnt_from(record: ResultRecord) -> list[str]:
    """Ids of the cohorts that the suite took labels, reports or thresholds from for a cell."""
    found = [fit.source for fit in record.training]
    found += [source.cohort for source in record.pretraining.sources] if record.pretraining else []
    return [*found, *filter(None, [record.provenance.thresholds.source])]


def cohorts_of(record: ResultRecord) -> list[str]:
    """Ids of the cohorts whose records a cell tells of: its own, and those that the suite learnt from."""
    return [record.cohort.id, *learnt_from(record)]


def save_record(record: ResultRecord, path: Path) -> None:
    """Write a record as JSON, atomically."""
    write_atomically(path, _text_of(record))


def _text_of(record: ResultRecord) -> str:
    return record.model_dump_json(indent=2) + "\n"


def load_record(path: Path) -> ResultRecord:
    """Read one record, which may be a stranger's or of an earlier schema: strict JSON, nothing else.

    Raises
    ------
    LeadboardError
        If the file cannot be read, is not strict JSON or does not follow its schema.
    """
    text = json_bytes(path)
    own = _as_saved(text)
    if own is not None:
        return own
    content = migrated(parsed_json(text, path, long=("record_ids",)))
    try:
        return ResultRecord.model_validate(content)
    except ValidationError as error:
        stated = content.get("schema_version") if isinstance(content, dict) else None
        if type(stated) is int and stated > SCHEMA_VERSION:
            raise LeadboardError(
                f"{path} is a record of schema {stated}, and this version reads up to {SCHEMA_VERSION}; "
                "install a newer one."
            ) from None
        raise LeadboardError(
            f"{path} is not a result record of schema {SCHEMA_VERSION}: {first_fault(error)}; run the cell "
            "again."
        ) from None


def _as_saved(text: bytes) -> ResultRecord | None:
    """Read a record in two thirds of the time if every sign of it is as this version would write it.

    Such a text is strict JSON, has no name twice and needs no migration. None if it is any other.
    """
    if may_have_large_integers(text):
        return None
    try:
        record = ResultRecord.model_validate_json(text)
    except ValidationError:
        return None
    return record if _text_of(record).encode() == text else None
