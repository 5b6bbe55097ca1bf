"""Command about a second reader of PTB-XL: how far two readers agree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from benchmark.commands.options import DataOption, Folder, JsonOption, Resamples, Seed, print_json
from benchmark.config import find_places
from benchmark.terminal import tell
from cohorts.counts import plural
from cohorts.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

COHORT = "ptb-xl"
FIGURES = ("positive_agreement", "negative_agreement", "kappa")


def agreement(
    ptb_xl_plus: Folder,
    *,
    data: DataOption = None,
    resamples: Resamples = 1_000,
    seed: Seed = 0,
    as_json: JsonOption = False,
) -> int:
    """Compare PTB-XL's labels with a second reader's: the 12SL programme's statements in PTB-XL+.

    Neither reader is taken for the truth. No signal is needed.

    Parameters
    ----------
    ptb_xl_plus
        Folder of PTB-XL+, the one that holds 'labels'.
    data
        Folder that holds the releases, PTB-XL among them (or LEADBOARD_DATA).
    resamples
        Bootstrap resamples.
    seed
        Seed of the bootstrap.
    as_json
        Print JSON.
    """
    from benchmark.commands.printing import print_table
    from benchmark.metrics.agreement import agreement_table
    from benchmark.metrics.bootstrap import group_records
    from benchmark.run.cohorts import labelled_index
    from cohorts.families.ptb_xl_plus import second_reader

    ours = labelled_index(COHORT, find_places(data))
    ids = ours.index["record_id"]
    theirs = second_reader(ptb_xl_plus, ids.tolist())
    patients = group_records(ours.index["patient_id"])
    table = agreement_table(ours.labels.set_axis(ids), theirs, patients, resamples=resamples, seed=seed)
    if not len(table):
        raise UsageError(
            f"No record of {COHORT} here has a label of both readers; is {ptb_xl_plus} complete?"
        )
    if as_json:
        print_json(
            {
                "cohort": COHORT,
                "records": len(ours),
                "resamples": resamples,
                "seed": seed,
                "concepts": _rows(table),
            }
        )
        return 0
    print_table([_printed(row) for row in _rows(table)])
    tell(
        f"PTB-XL's labels and those of the 12SL programme in PTB-XL+, {plural(len(ours), 'record')} here. n: "
        "labelled by both; then the positives of each, and of both.",
        f"[low, high]: 95% percentile bootstrap over patients, {plural(resamples, 'resample')}, seed {seed}.",
    )
    return 0


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the table with None for what is undefined."""
    return [
        {
            str(name): None if isinstance(value, float) and math.isnan(value) else value
            for name, value in row.items()
        }
        for row in table.to_dict("records")
    ]


def _printed(row: dict[str, Any]) -> dict[str, Any]:
    shown = {
        "concept": row["concept"],
        "n": row["records"],
        "PTB-XL": row["first"],
        "12SL": row["second"],
        "both": row["both"],
    }
    for name in FIGURES:
        value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
        interval = "[–]" if low is None or high is None else f"[{low:.3f}, {high:.3f}]"
        shown[name.replace("_", " ")] = "–" if value is None else f"{value:.3f} {interval}"
    return shown
