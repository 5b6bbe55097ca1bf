"""A small hospital of its own: WFDB records, a table and a description, as somebody without code has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.catalogue import forget, open_cohort, register
from cohorts.labelled import LabelledIndex
from cohorts.own.cohort import OwnCohort, home_of, own_cohort

ID = "my-hospital"
HEAD = """\
[cohort]
id = "my-hospital"
name = "My hospital"
index = "ecgs.csv"
record_id = "ecg_id"
"""
PEOPLE = """\
patient_id = "patient"
age = "age"
sex = { column = "sex", female = "W", male = "M" }
"""
FILES = """\
signals = "ecg/{file}"
"""
COLUMNS = """
[labels]
columns = { AF = "af", LBBB = "lbbb" }
"""


def table(records: int = 6) -> pd.DataFrame:
    """What stands in the hospital's table: every cell is text."""
    numbers = range(1, records + 1)
    return pd.DataFrame(
        {
            "ecg_id": [f"E{number:03d}" for number in numbers],
            "patient": [str(100 + (number + 1) // 2) for number in numbers],
            "age": [str(40 + number) for number in numbers],
            "sex": ["W" if number % 2 else "M" for number in numbers],
            "recorded": [f"2020-01-{number % 28 + 1:02d}" for number in numbers],
            "file": [f"{number:03d}.hea" for number in numbers],
            "af": [["1", "0", ""][number % 3] for number in numbers],
            "lbbb": ["1" if number == 2 else "0" for number in numbers],
        },
        dtype="str",
    )


def write(folder: Path, rows: pd.DataFrame, description: str, *, name: str = "ecgs.csv") -> Path:
    """Write table and description; the description's path is given."""
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_csv(folder / name, index=False)
    file = folder / "cohort.toml"
    file.write_text(description, encoding="utf-8")
    return file


def write_hospital(folder: Path, write_record: Callable[..., Path]) -> Path:
    """Write six records with their table and description."""
    for number, counts in enumerate(beats(6), start=1):
        write_record(folder / f"ecg/{number:03d}.hea", counts)
    return write(folder, table(), HEAD + PEOPLE + FILES + COLUMNS)


def write_array_description(axes: Sequence[str], unit: str, **more: object) -> str:
    """The table [array] for twelve leads at 500 Hz."""
    leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    facts: Mapping[str, object] = {"axes": list(axes), "unit": unit, "rate": 500, "leads": leads, **more}
    lines = [f"{key} = {value!r}" for key, value in facts.items() if value not in ([], None)]
    return "\n[array]\n" + "\n".join(lines).replace("'", '"') + "\n"


@contextmanager
def known(file: Path) -> Iterator[OwnCohort]:
    """Register the cohort that a file describes, and open it; it is forgotten at the end."""
    kind = own_cohort(file)
    register(kind, home_of(kind))
    try:
        cohort = open_cohort(kind.card.id, None)
        assert isinstance(cohort, OwnCohort)
        yield cohort
    finally:
        forget(kind.card.id)


def beats(records: int, samples: int = 1000, leads: int = 12) -> npt.NDArray[np.int16]:
    """Signals of whole microvolts as high as an ECG, ``[records, leads, samples]``."""
    rng = np.random.default_rng(5)
    signal = rng.integers(-40, 41, (records, leads, samples))
    signal[:, :, 100::400] += rng.integers(600, 1400, (records, leads, 1))
    return signal.astype(np.int16)


def labelled(folder, rows: pd.DataFrame, description: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Labels by record, and warnings."""
    with known(write(folder, rows, description)) as cohort:
        found = LabelledIndex(cohort)
        return found.labels.set_axis(found.index["record_id"]), cohort.warnings()


def annotated(labels: pd.DataFrame) -> set[str]:
    """Concepts that some record has a label for."""
    return set(labels.columns[(labels >= 0).any()])
