"""Handing records to learn from to a worker: a part of a cohort as files, read and written a batch at a time.

Files rather than the pipe, because a model asks for its records in any order and as often as it has epochs.
`benchmark.models.worker.handed` reads them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmark.models.contract import Records
from benchmark.models.model_card import InputSpec
from benchmark.models.worker.handed import FILES
from cohorts.errors import LeadboardError

AT_ONCE = 256

FOLDER = ".training."
"""How the names of folders of such files begin; they are deleted after the training."""


def hand_over(records: Records, folder: Path, spec: InputSpec) -> dict[str, Any]:
    """Write what a model is given of some records into a new folder.

    Parameters
    ----------
    spec
        What the model asks for.

    Returns
    -------
    What the worker makes the records of.

    Raises
    ------
    LeadboardError
        If a recording cannot be read, or the folder cannot be written to.
    """
    shape = (len(records), len(spec.leads), spec.samples)
    ages, sexes = [np.empty(0, "<f4")], [np.empty(0, "<U6")]
    signals, labels, age, sex = (folder / name for name in FILES)
    try:
        folder.mkdir()
        with signals.open("wb") as file:
            for batch in records.batches(AT_ONCE):
                file.write(np.ascontiguousarray(batch.signals, "<f4").data)
                ages.append(batch.age.astype("<f4"))
                sexes.append(batch.sex.astype("<U6"))
        np.save(labels, records.labels.to_numpy(np.int8), allow_pickle=False)
        np.save(age, np.concatenate(ages), allow_pickle=False)
        np.save(sex, np.concatenate(sexes), allow_pickle=False)
    except OSError as error:
        raise LeadboardError(
            f"The recordings to learn from cannot be written to {folder.parent} ({error.strerror}); free "
            "some space, or choose another cache folder with LEADBOARD_CACHE."
        ) from error
    return {"folder": str(folder), "shape": shape, "concepts": [str(name) for name in records.labels.columns]}
