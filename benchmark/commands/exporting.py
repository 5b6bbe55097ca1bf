"""Figures of a run, and its predictions, for other programs: export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    DataOption,
    Flag,
    Folder,
    NewFile,
    Repeated,
    by_commas,
)
from benchmark.config import find_places
from benchmark.terminal import tell
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pandas import DataFrame

    from benchmark.exchange.joining import Joined
    from benchmark.records.record import ResultRecord


def export(
    run: Folder,
    *,
    tidy: Flag = False,
    predictions: Flag = False,
    model: str | None = None,
    cohort: Repeated = (),
    restricted: Flag = False,
    out: NewFile,
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
) -> int:
    """Write every figure of a run as one long table, or every prediction beside its label.

    Parameters
    ----------
    run
        Folder of the run.
    tidy
        AUROC, AUPRC, Brier scores and operating points with intervals, n, positives, seed and rank, as CSV: a
        row an estimate, nothing of a single record.
    predictions
        Score and label of each record and concept, with record and patient ids as the release has them, as
        .csv or .parquet. Of open cohorts alone.
    model
        Of the predictions: MODEL, or MODEL/PROTOCOL where the model was evaluated under several.
    cohort
        Predictions on these cohorts alone, separated by commas or repeated.
    restricted
        Also write the predictions on cohorts that are credentialed or a hospital's own, with their ids. You
        answer for where that file goes.
    out
        The file to write.
    data
        Folder that holds the releases (or LEADBOARD_DATA), for the labels.
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts (or LEADBOARD_CACHE).
    """
    from benchmark.exchange.joining import one_run
    from benchmark.files import write_atomically
    from benchmark.report.papers.record_predictions import as_table, cell_rows, chosen_cells
    from benchmark.report.papers.tidy import tidy as as_tidy

    if tidy == predictions:
        raise UsageError(
            "Say what to export: --tidy writes all figures as one table, --predictions each score with its "
            "label; one of the two."
        )
    if tidy:
        if model is not None or cohort or restricted:
            raise UsageError("--model, --cohort and --restricted belong to --predictions; leave them out.")
        joined = one_run(run)
        write_atomically(out, as_tidy(joined))
        if any(record.cohort.simulated for record in joined.records):
            tell("Some of these figures are of simulated data; the column 'simulated' says which.")
        tell(str(out))
        return 0
    if out.suffix not in (".parquet", ".csv"):
        raise UsageError(f"--out {out} is neither a .parquet nor a .csv file; name one.")
    from benchmark.progress import Reporter
    from benchmark.run.cohorts import labelled

    joined = one_run(run)
    records, withheld = chosen_cells(_asked(joined, model, by_commas(cohort)), restricted=restricted)
    _say_withheld(withheld, restricted, out)
    if not records:
        raise UsageError(
            "Nothing may be exported by itself; --restricted does it all the same, where you may."
        )
    reporter = Reporter()
    labels = labelled(find_places(data, cache, cohort_file), reporter)

    def cells() -> Iterator[DataFrame]:
        for done, record in enumerate(records, start=1):
            yield cell_rows(record, joined.files, labels)
            progress(done, len(records))

    with reporter.step("Exporting predictions", "cells") as progress:
        content = as_table(cells(), out.suffix)
    write_atomically(out, content)
    if any(record.cohort.simulated for record in records):
        tell("Some of these predictions are of simulated data; the column 'simulated' says which.")
    tell(str(out))
    return 0


def _asked(joined: Joined, model: str | None, cohorts: Sequence[str]) -> list[ResultRecord]:
    """Cells of a model and of cohorts, or of all."""
    from benchmark.records.naming import named
    from benchmark.report.papers.tables import chosen_cohorts

    there = chosen_cohorts(joined.records, cohorts)
    wanted = None if model is None else named(model, joined.records)
    return [
        record
        for record in joined.records
        if record.cohort.id in there and wanted in (None, (record.model.name, record.protocol))
    ]


def _say_withheld(withheld: dict[str, str], restricted: bool, out: Path) -> None:
    for name, why in withheld.items():
        if restricted:
            tell(f"CAUTION: {out} holds single records of {name} ({why}). Do not pass it on.")
        else:
            tell(f"Left out: {name} ({why}).")
