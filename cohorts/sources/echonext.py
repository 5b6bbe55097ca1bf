"""EchoNext: 100,000 recordings of 36,286 patients, with what an echocardiogram found of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cohorts.cohort import Cohort, CohortCard, Folds, IndexRow, Unreadable, parse_age
from cohorts.errors import RecordError, UsageError
from cohorts.formats.array_files import reading
from cohorts.formats.csv_rows import csv_rows
from cohorts.recording import STANDARD_LEADS, DigitalRecording, Recording
from cohorts.release import Release

_TABLE = "echonext_metadata_100k.csv"
_SPLITS = {"train": 1, "val": 2, "test": 3, "no_split": 4}
_SEX: dict[str, Literal["female", "male"]] = {"female": "female", "male": "male", "0": "female", "1": "male"}
_COMPOSITE = "shd_moderate_or_greater_flag"
_VALVES = (
    "aortic_stenosis",
    *(f"{valve}_regurgitation" for valve in ("aortic", "mitral", "tricuspid", "pulmonary")),
)

# Each flag, and the values that it was made from. The flag is 0 where a value is missing.
FLAGS = {
    "lvef_lte_45_flag": ("lvef_value",),
    "lvwt_gte_13_flag": ("ivs_measurement", "lvpw_measurement"),
    **{f"{valve}_moderate_or_greater_flag": (f"{valve}_value",) for valve in _VALVES},
    "rv_systolic_dysfunction_moderate_or_greater_flag": ("rv_systolic_function_value",),
    "pericardial_effusion_moderate_large_flag": ("pericardial_effusion_value",),
    "pasp_gte_45_flag": ("pasp_value",),
    "tr_max_gte_32_flag": ("tr_max_velocity_value",),
}
_VALUES = tuple(value for values in FLAGS.values() for value in values)
_COLUMNS = ("ecg_key", "patient_key", "split", "age_at_ecg", "sex", _COMPOSITE, *FLAGS, *_VALUES)


class EchoNext(Cohort):
    """The publisher's arrays ``[recordings, 1, 2500, 12]`` of z-scores at 250 Hz, one for each split.

    Their leads were filtered, clipped and standardised with a mean and deviation that are not published,
    so there are no millivolts. The order of the leads is not stated; it is the standard one by Einthoven's
    and Goldberger's equations. The rows of a split in the table, in their order, are the rows of its array.
    Fold 4 holds the earlier recordings of patients of validation and test ("no_split"), for neither
    training nor testing. Ages above 90 are given as 90.
    """

    card = CohortCard(
        id="echonext",
        name="EchoNext",
        version="1.1.0",
        licence="PhysioNet Restricted Health Data License 1.5.0",
        access="credentialed",
        url="https://physionet.org/content/echonext/1.1.0/",
        citation="Poterucha et al., Detecting structural heart disease from electrocardiograms using AI, "
        "Nature, 2025, doi:10.1038/s41586-025-09227-0",
        vocabulary="echonext",
        folder="echonext",
        records=100_000,
        sampling_rates=(250.0,),
        country="United States",
        folds=Folds(training=(1,), validation=(2,), test=(3,)),
        signal_unit="z-score",
    )
    release = Release(
        size=24_000_000_000,  # 100,000 recordings of 2,500 samples, 12 leads, 8 bytes
        agreement="the PhysioNet Restricted Health Data Use Agreement 1.5.0",
    )

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the table of the release is there."""
        return (Path(root) / _TABLE).is_file()

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        rows: Counter[str] = Counter()
        for line, row in csv_rows(self.root / _TABLE, _COLUMNS):
            cells = {column: cell.strip() for column, cell in row.items()}
            record_id, split = cells["ecg_key"], cells["split"]
            position = rows[split]
            rows[split] += 1
            if not record_id:
                yield Unreadable(f"line-{line}", f"The row at line {line} of {_TABLE} has no ecg_key.")
            elif split not in _SPLITS:
                yield Unreadable(record_id, f"{_TABLE} names none of the release's splits for this record.")
            else:
                yield IndexRow(
                    record_id=record_id,
                    path=f"{_file(split)}/{position}",
                    statements=_statements(cells),
                    patient_id=cells["patient_key"] or None,
                    age=parse_age(cells["age_at_ecg"]),
                    sex=_SEX.get(cells["sex"].lower()),
                    fold=_SPLITS[split],
                )
        for split in _SPLITS:
            self._check_rows(self.root / _file(split), split, rows[split])

    def _check_rows(self, file: Path, split: str, rows: int) -> None:
        try:
            recordings = len(_waveforms(file))
        except RecordError:
            return  # its recordings are quarantined when they are read, for this reason
        if recordings != rows:
            raise UsageError(
                f"{file} holds {recordings:,} recordings, but {_TABLE} has {rows:,} rows of the split "
                f"'{split}'; they belong together row by row, so download the release again."
            )

    def _read_signal(self, path: Path) -> DigitalRecording:
        waveforms = _waveforms(path.parent)
        if not path.name.isdecimal() or int(path.name) >= len(waveforms):
            raise RecordError(f"{path.parent.name} has no row {path.name}.")
        # What no float32 can hold is infinite, and so missing.
        with reading(path.parent), np.errstate(over="ignore"):
            signal = np.array(waveforms[int(path.name), 0].T, np.float32, order="C")
        return DigitalRecording.from_recording(Recording(signal, 250.0, STANDARD_LEADS))


def _file(split: str) -> str:
    return f"EchoNext_{split}_waveforms.npy"


def _waveforms(file: Path) -> npt.NDArray[np.floating[Any]]:
    """Map the array of one split; mapped anew for every recording, so that no page of it is kept."""
    with reading(file):
        waveforms = np.load(file, mmap_mode="r", allow_pickle=False)
    if not isinstance(waveforms, np.ndarray) or waveforms.dtype.kind != "f":
        raise RecordError(f"{file.name} holds no array of numbers.")
    if waveforms.ndim != 4 or waveforms.shape[1] != 1 or waveforms.shape[3] != len(STANDARD_LEADS):
        raise RecordError(f"{file.name} is {waveforms.shape}, not [recordings, 1, 2500, 12].")
    return waveforms


def _statements(cells: dict[str, str]) -> tuple[str, ...]:
    """Flags that are set, and those whose 0 is not a finding: nothing was measured, or only presumed."""
    found = []
    for flag, values in {_COMPOSITE: (), **FLAGS}.items():
        if _number(cells[flag]) == 1:
            found.append(flag)
        elif _number(cells[flag]) != 0 or any(cells[value].lower() in {"", "nan"} for value in values):
            found.append(f"{flag}:unmeasured")
        elif any(cells[value].lower() == "presumed none" for value in values):
            found.append(f"{flag}:presumed")
    return tuple(found)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
