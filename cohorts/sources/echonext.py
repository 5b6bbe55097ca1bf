"""EchoNext: 100,000 recordings of 36,286 patients, with what an echocardiogram found of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from cohorts.cohort import Cohort, CohortCard, Folds, IndexRow, Unreadable, parse_age
from cohorts.errors import RecordError, UnknownNameError, UsageError
from cohorts.formats.array_files import reading
from cohorts.formats.csv_rows import csv_rows
from cohorts.recording import STANDARD_LEADS, DigitalRecording, Recording
from cohorts.release import Release

_TABLE = "echonext_metadata_100k.csv"
_SPLITS = {"train": 1, "val": 2, "test": 3, "no_split": 4}
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

_EJECTION = "lvef_value"
_EJECTION_LIMITS = (50, 40, 35)  # in %; the flag has the limit of 45
SEVERE = {
    **{f"{valve}_value": "severe" for valve in _VALVES if valve != "pulmonary_regurgitation"},
    "rv_systolic_function_value": "severely_reduced",
}
_LESSER = {"none", "mild", "moderate", "normal", "mildly_reduced", "moderately_reduced"}
_NOT_MEASURED = {"", "nan"}
_PRESUMED = "presumed none"

# How the publisher standardised the leads, in counts of the electrocardiograph: clipped to limits, mean
# subtracted, divided by the deviation. From the code that the publisher's own model of this release runs on:
# https://github.com/PierreElias/IntroECG, "7-EchoNext Minimodel", waveform_normalization_params.json.
COUNT = 0.00488  # mV: MUSE's step. With it the leads' medians of peak to peak are 0.8 to 1.7 mV.
MEAN = (
    *(5.438902932045533, 4.386144027595723, -0.8828521117626768, -4.901228423594343),
    *(3.179303315626078, 1.718962497412901, -4.3853678923766815, -1.4991789389444636),
    *(-0.2390101635046568, 3.622168549154881, 5.396823627457744, 5.660982479475681),
)
DEVIATION = (
    *(32.4283237955487, 31.37262367036232, 30.155474930762434, 28.126380180199195),
    *(27.097711990189254, 26.148743373957526, 37.739210938823206, 52.792504469040814),
    *(56.75138860280555, 49.90223860158139, 45.001427330308026, 39.06606103398455),
)
LOWEST = (-140.0, -206.0, -324.0, -247.0, -153.0, -249.0, -369.0, -522.0, -554.0, -411.0, -290.0, -209.0)
HIGHEST = (287.0, 297.0, 236.0, 118.5, 270.0, 245.5, 219.0, 297.0, 366.0, 450.0, 451.0, 396.0)
_ROUNDING = 0.5  # counts: arrays that were rounded, or written as float16, are still the publisher's
_COLUMNS = ("ecg_key", "patient_key", "split", "age_at_ecg", "sex", _COMPOSITE, *FLAGS, *_VALUES)


class EchoNext(Cohort):
    """The publisher's arrays ``[recordings, 1, 2500, 12]`` of z-scores at 250 Hz, one for each split.

    Their leads, in the standard order, were filtered (running medians of 0.2 and 0.6 s subtracted), clipped
    and standardised. The last step is undone, so signals are in mV, but flattened at the limits of the
    clipping (lead I at -0.68 and 1.40 mV). A recording beyond them was standardised otherwise and is refused.

    A flag is 0 where its value is missing, or only presumed. Such a 0 is -1 here; the publisher's reading
    counts it as negative, as the published figures of the release do. The rows of a split in the table, in
    their order, are the rows of its array.
    Fold 4 holds the earlier recordings of patients of validation and test ("no_split"), for neither
    training nor testing. Ages above 90 are given as 90.

    Parameters
    ----------
    root
        The release's folder.
    reading
        ``"publisher"`` for the publisher's reading of the flags; the cohort's own if not given.
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
        signal_note="filtered and clipped by their publisher, so that the largest deflections are cut and "
        "slow changes of the ST segment are weakened",
        readings={"publisher": "echonext_publisher"},
    )
    release = Release(
        size=24_000_000_000,  # 100,000 recordings of 2,500 samples, 12 leads, 8 bytes
        agreement="the PhysioNet Restricted Health Data Use Agreement 1.5.0",
    )

    sexes = MappingProxyType({"0": "female", "1": "male"})

    def __init__(self, root: Path, reading: str | None = None) -> None:
        super().__init__(root)
        self.reading = reading
        if reading is not None:
            if reading not in self.card.readings:
                raise UnknownNameError("reading", reading, self.card.readings)
            # Shadows the class's card on purpose: the labels of a store are those of its card's vocabulary.
            self.card = self.card.model_copy(update={"vocabulary": self.card.readings[reading]})

    @property
    def variant(self) -> str:
        """The reading, where it is not the cohort's own."""
        return self.reading or ""

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
                    sex=cells["sex"],
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
            scores = np.array(waveforms[int(path.name), 0].T, np.float32, order="C")
        signal = _millivolts(scores)
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


def _millivolts(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Undo the standardisation of a recording ``[12, samples]``."""
    mean, deviation, lowest, highest = (
        np.array(numbers, np.float64)[:, np.newaxis] for numbers in (MEAN, DEVIATION, LOWEST, HIGHEST)
    )
    with np.errstate(invalid="ignore", over="ignore"):  # missing samples stay missing
        counts = scores.astype(np.float64) * deviation + mean
        beyond = np.isfinite(counts) & ((counts < lowest - _ROUNDING) | (counts > highest + _ROUNDING))
    if beyond.any():
        raise RecordError("Its z-scores lie beyond the publisher's clipping: standardised in another way.")
    return np.asarray(counts * COUNT, np.float32)


def _statements(cells: dict[str, str]) -> tuple[str, ...]:
    """Flags that are set, those whose 0 is no finding (nothing measured, or only presumed), and grades."""
    found = []
    for flag, values in {_COMPOSITE: (), **FLAGS}.items():
        if _number(cells[flag]) == 1:
            found.append(flag)
        elif _number(cells[flag]) != 0:
            found.append(f"{flag}:missing")
        elif any(cells[value].lower() in _NOT_MEASURED for value in values):
            found.append(f"{flag}:unmeasured")
        elif any(cells[value].lower() == _PRESUMED for value in values):
            found.append(f"{flag}:presumed")
    return (*found, *_grades(cells))


def _grades(cells: dict[str, str]) -> Iterator[str]:
    """What the values say beyond the flags: how low the ejection fraction is, and what is severe."""
    ejection = _number(cells[_EJECTION])
    if ejection is None or not 0 < ejection <= 100:
        yield f"{_EJECTION}:unmeasured"
    else:
        yield from (f"{_EJECTION}:{limit}" for limit in _EJECTION_LIMITS if ejection <= limit)
    for value, severe in SEVERE.items():
        grade = cells[value].lower()
        if grade == severe:
            yield f"{value}:severe"
        elif grade == _PRESUMED:
            yield f"{value}:presumed"
        elif grade not in _LESSER:
            yield f"{value}:unmeasured"


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
