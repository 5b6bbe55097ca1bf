"""``run.json``: the cells of a run and what became of each, who was absent, and the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from benchmark.files import write_atomically
from benchmark.models.contamination import Relation
from benchmark.records.resamples import CellName
from benchmark.records.strict_json import read_json
from benchmark.text import printable, readable
from cohorts.errors import LeadboardError, UsageError

RUN = "run.json"

RUN_SCHEMA: Literal[2] = 2


class PlannedCell(BaseModel):
    """One line of the plan, and what became of it.

    Attributes
    ----------
    files
        SHA-256 of each file of a finished cell by its name, when all of them were last found whole.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    protocol: str
    cohort: str
    relation: Relation
    key: str
    status: Literal["planned", "done", "failed"]
    reason: str | None = None
    files: dict[str, str] = Field(default_factory=dict)

    @property
    def name(self) -> CellName:
        """Model, protocol, cohort."""
        return self.model, self.protocol, self.cohort


class AbsentCohort(BaseModel):
    """A known cohort that took no part, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cohort: str
    reason: str


class AbsentModel(BaseModel):
    """A model whose weights are not on this machine, and how to get them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    reason: str


class RunFile(BaseModel):
    """The cells of the table, and the environment of the latest call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[2] = RUN_SCHEMA
    name: Annotated[str, AfterValidator(readable)]
    seed: int
    resamples: int
    cells: tuple[PlannedCell, ...]
    absent: tuple[AbsentCohort, ...]
    absent_models: tuple[AbsentModel, ...] = ()
    warnings: tuple[str, ...]
    environment: dict[str, str]

    @property
    def drawn(self) -> tuple[int, int]:
        """Seed and number of the resamples of its cells."""
        return self.seed, self.resamples


def save_run(run: Path, content: RunFile) -> None:
    """Write ``run.json``, atomically."""
    write_atomically(run / RUN, content.model_dump_json(indent=2) + "\n")


def read_run_file(run: Path) -> RunFile:
    """Read ``run.json`` as it is: strict JSON, nothing else.

    Raises
    ------
    UsageError
        If the folder is not a run.
    LeadboardError
        If the file is damaged or of another schema.
    """
    path = run / RUN
    if not path.is_file():
        raise UsageError(f"No {RUN} in {run}; make a run there first with 'leadboard run --out {run}'.")
    content = read_json(path)
    try:
        return RunFile.model_validate(content)
    except ValidationError as error:
        first: Any = error.errors()[0]
    stated = content.get("schema_version", 1) if isinstance(content, dict) else RUN_SCHEMA
    wrong = f"is damaged ({first['msg']})"
    if stated != RUN_SCHEMA:
        wrong = f"is of schema {printable(str(stated), 20)}, and this version reads schema {RUN_SCHEMA}"
    raise LeadboardError(f"{path} {wrong}; 'leadboard run --out {run}' makes it again.")
