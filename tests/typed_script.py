"""A script as a user writes it: `make lint` checks that the package types it completely."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmark import Auroc, LeadboardError, Run, ScoredTable, bootstrap_auroc, evaluate, load_run, score


def main() -> None:
    run: Run = evaluate(["cart", "my.py:Net"], Path("data"), cohorts="georgia")
    table: pd.DataFrame = load_run(run.folder).to_frame(macro=True)
    one: Auroc = bootstrap_auroc([0, 1], np.array([0.1, 0.2]), ["a", "b"], seed=1)
    found: ScoredTable = score(table, "labels.csv")
    print(one.value + one.low, found.to_frame(), [record.cohort.id for record in run])
    try:
        evaluate("x", resamples=5)
    except LeadboardError as error:
        print(error)
