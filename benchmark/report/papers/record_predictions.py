"""Every score of a run beside the label that it was measured against: a row a record and concept."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.records.locations import RecordFiles
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import CellName, name_of
from benchmark.records.scored import measured_cell
from benchmark.report.export import csv_cell
from cohorts.catalogue import measured_cards
from cohorts.labelled import LabelledCohorts

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("model", "protocol", "cohort", "relation", "record_id")),
        ("patient_id", pa.string()),
        ("concept", pa.string()),
        ("fit", pa.int16()),
        ("score", pa.float32()),
        ("label", pa.int8()),
        ("simulated", pa.bool_()),
    ]
)
_TEXT = [field.name for field in SCHEMA if pa.types.is_string(field.type)]


def why_withheld(record: ResultRecord) -> str:
    """Say why single records of a cell's cohort do not leave by themselves; empty where they may."""
    cohort, card = record.cohort, measured_cards().get(record.cohort.id)
    if cohort.private or (card is not None and card.access == "private"):
        return "a hospital's own"
    if cohort.simulated:
        return ""
    if card is None:
        return "not known here"
    return "" if card.access == "open" else f"{card.access}, its records may not be passed on"


def cell_rows(
    record: ResultRecord, files: Mapping[CellName, RecordFiles], labels: LabelledCohorts
) -> pd.DataFrame:
    """Give all scores of a cell with their labels.

    Returns
    -------
    pandas.DataFrame
        Columns as in `SCHEMA`: ``score`` as it was measured, float32; ``label`` 1 or 0, missing where the
        cohort does not annotate the concept; ``fit`` from 1, of which AUROC and AUPRC are the means.

    Raises
    ------
    LeadboardError
        If labels or predictions are not here as they were measured.
    """
    measured = measured_cell(record, files[name_of(record)], labels)
    index = measured.index
    blocks = []
    for concept in record.evaluation.concepts:
        truth = measured.of(concept).labels
        label = pd.array(truth, dtype="Int8")
        label[truth < 0] = pd.NA
        for fit, scores in enumerate(measured.fits, start=1):
            blocks.append(
                pd.DataFrame(
                    {
                        "record_id": index["record_id"].astype(str),
                        "patient_id": index["patient_id"].astype("string"),
                        "concept": concept,
                        "fit": np.int16(fit),
                        "score": scores[concept].to_numpy(np.float32),
                        "label": label,
                    }
                )
            )
    rows = pd.concat(blocks, ignore_index=True)
    rows["model"], rows["protocol"] = record.model.name, record.protocol
    rows["cohort"], rows["relation"] = record.cohort.id, record.relation
    rows["simulated"] = record.cohort.simulated
    return rows[[field.name for field in SCHEMA]]


def as_table(cells: Iterable[pd.DataFrame], suffix: str) -> bytes:
    """Write cells one after another as ``.csv`` or ``.parquet``."""
    buffer = io.BytesIO()
    if suffix == ".parquet":
        with pq.ParquetWriter(buffer, SCHEMA, compression="zstd") as writer:
            for rows in cells:
                writer.write_table(pa.Table.from_pandas(rows, SCHEMA, preserve_index=False))
    else:
        for at, rows in enumerate(cells):
            safe = rows.assign(**{name: rows[name].map(csv_cell, na_action="ignore") for name in _TEXT})
            safe["simulated"] = safe["simulated"].map(csv_cell)
            safe.to_csv(buffer, index=False, header=at == 0, lineterminator="\n")
    return buffer.getvalue()


def chosen_cells(
    records: Sequence[ResultRecord], *, restricted: bool
) -> tuple[list[ResultRecord], dict[str, str]]:
    """Give the cells whose records may be exported, and cohort -> why those of others may not.

    Parameters
    ----------
    restricted
        Take these too.
    """
    why = {record.cohort.id: said for record in records if (said := why_withheld(record))}
    return [r for r in records if restricted or not why_withheld(r)], why
