"""How the model of a finished run is asked again: options of the commands that look behind its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cyclopts import Parameter

from benchmark.commands.elsewhere import ElsewhereOptions
from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    DataOption,
    ModelName,
    Seconds,
    Windows,
)
from benchmark.config import find_places
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.progress import Reporter
    from benchmark.records.record import ResultRecord
    from benchmark.run.reopening import OpenedCell


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class AgainOptions:
    """How a model of a finished run is asked again.

    Attributes
    ----------
    spec
        Where the model is, if it is not an installed one: path/to/file.py:Class.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    device
        Torch device, such as cpu or cuda; "auto" takes a GPU where there is one.
    batch_size
        Windows per batch; "auto" takes 64, and on a GPU as many as its memory holds.
    deadline
        Seconds that the model may take for a batch.
    """

    spec: ModelName | None = None
    data: DataOption = None
    cohort_file: CohortFiles = ()
    cache: CacheOption = None
    device: str = "auto"
    batch_size: Windows = "auto"
    deadline: Seconds = 300.0

    def reopen(
        self, records: Sequence[ResultRecord], elsewhere: ElsewhereOptions, reporter: Reporter
    ) -> list[OpenedCell]:
        """Find the model and the cohorts of some cells again."""
        from benchmark.models.plugins import installed_models
        from benchmark.protocols.hardware import Hardware
        from benchmark.run.reopening import reopen

        name = records[0].model.name
        if self.spec is None and name not in installed_models():
            raise UsageError(
                f"{name} is no installed model; say where it is with --spec path/to/file.py:Class."
            )
        hardware = Hardware(self.device, self.batch_size, 0, self.deadline, elsewhere.fit_deadline)
        environment = elsewhere.environment(self.deadline)
        if environment is None:  # this process cannot tell which devices there are in another one
            hardware.check()
        places = find_places(self.data, self.cache, self.cohort_file)
        return [
            reopen(record, self.spec or record.model.name, places, hardware, reporter, environment)
            for record in records
        ]


AGAIN = AgainOptions()
