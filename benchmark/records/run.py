"""A run for a program: its cells, and their estimates as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.records import run_folder
from benchmark.records.long_table import COLUMNS, frame_of, rows_of
from benchmark.records.record import ResultRecord
from benchmark.records.run_file import PlannedCell, RunFile

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Run:
    """The finished cells of a run.

    Attributes
    ----------
    folder
        Where it lies.
    plan
        Its ``run.json``: every cell with its state, who was absent, and the warnings.
    records
        The result record of every finished cell, in the order of the plan.
    """

    folder: Path
    plan: RunFile
    records: tuple[ResultRecord, ...]

    @property
    def failures(self) -> tuple[PlannedCell, ...]:
        """The cells that have no result, each with the reason."""
        return tuple(cell for cell in self.plan.cells if cell.status == "failed")

    def to_frame(self, *, macro: bool = False) -> pd.DataFrame:
        """Give every estimate as one tidy table, the same as ``leaderboard.csv`` of the run.

        Parameters
        ----------
        macro
            Whether the means over the eligible concepts are in it too, as concept ``macro``.

        Returns
        -------
        pandas.DataFrame
            One row for each model, protocol, cohort, concept and metric (``auroc``, ``auprc``) with
            ``value``, ``low`` and ``high`` (the 95 % interval), ``n`` and ``positives``. What is undefined is
            NaN, with a ``reason``. ``eligible`` says whether a concept has the ten positives and ten
            negatives that it needs to rank; ``relation`` whether the cohort is external to the model;
            ``unit``, ``groups``, ``resamples`` and ``seed`` how the interval was drawn; ``simulated`` that
            nobody in it is a patient.
        """
        rows = (row for record in self.records for row in rows_of(record))
        return frame_of(rows, COLUMNS, macro=macro)

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[ResultRecord]:
        return iter(self.records)

    def __repr__(self) -> str:
        said = f"<Run {self.plan.name}: {len(self.records)} of {len(self.plan.cells)} cells"
        simulated = any(record.cohort.simulated for record in self.records)
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"{said}{failed}{', SIMULATED' if simulated else ''}>"


def load_run(path: Path | str) -> Run:
    """Read a run that ``leadboard run`` or `evaluate` has made.

    Parameters
    ----------
    path
        Its folder.

    Returns
    -------
    Run

    Raises
    ------
    UsageError
        If the folder is not a run.

    Examples
    --------
    The folder is of the example of `evaluate`:

    >>> run = load_run(folder / "run")
    >>> table = run.to_frame()
    >>> table.query("metric == 'auprc'")[["cohort", "concept", "n", "positives", "eligible"]]
      cohort concept   n  positives  eligible
    1   ludb      AF  27          4     False
    3   ludb    LBBB  27          2     False
    """
    plan, records = run_folder.load_run(Path(path))
    return Run(Path(path), plan, tuple(records))
