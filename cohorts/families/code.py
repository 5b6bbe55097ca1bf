"""What CODE-15 % and CODE-test have in common: tracings as rows of HDF5 arrays, six classes.

The arrays are float ``[tracings, 4096, 12]`` at 400 Hz in mV. CODE-test's read-me speaks of "1e-4 V" and of
a factor of 1000 to V, which contradict each other; those who measured the files found a median R wave of
1.5 to 1.8 in lead II, so the unit is mV. Shorter recordings have as many zeros before as after. The read-me
knows recordings of 7 and 10 s; in CODE-15 % most have been found to have 2,934 or all 4,096 samples.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import ClassVar, Self

import h5py
import numpy as np

from cohorts.cohort import Cohort
from cohorts.errors import RecordError
from cohorts.formats.array_files import reading
from cohorts.formats.wfdb_header import MAX_VALUES
from cohorts.recording import DigitalRecording, Floats, Recording

CLASSES = ("1dAVb", "RBBB", "LBBB", "SB", "AF", "ST")
"""ST is sinus tachycardia."""

SAMPLING_RATE = 400.0
CITATION = (
    "Ribeiro et al., Automatic diagnosis of the 12-lead ECG using a deep neural network, "
    "Nature Communications 11:1760, 2020, doi:10.1038/s41467-020-15432-4"
)
_LOOKED_AT = 20


class CodeCohort(Cohort):
    """Recordings whose ``path`` is a file, a slash and the row of the tracing in it.

    Every file is opened once and stays open; a tracing is read alone.
    """

    leads: ClassVar[tuple[str, ...]]
    """Leads in the order of the arrays; the augmented limb leads are the fourth to the sixth."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._arrays: dict[Path, h5py.Dataset] = {}

    def anew(self) -> Self:
        """Give the release without its open files."""
        other = super().anew()
        other._arrays = {}
        return other

    def warnings(self) -> tuple[str, ...]:
        """Warn if the augmented limb leads of most tracings follow from I and II in another order only.

        The releases differ in this order, and CODE-test's has been read as the usual one more than once.
        """
        paths = self.index()["path"]
        found = []
        for path in paths.iloc[:: len(paths) // _LOOKED_AT + 1]:
            try:
                found.append(fitting_order(self.read_path(path).to_recording()))
            except RecordError:
                continue  # it is in quarantine, with its reason
        stated = self.leads[3:6]
        other = [order for order in found if order != stated]
        if 2 * len(other) <= len(found):
            return ()
        return (
            f"In {len(other)} of {len(found)} tracings looked at, the leads that {self.card.name} stores as "
            f"{', '.join(stated)} follow from I and II as {', '.join(other[0])}; is it another release?",
        )

    def _tracings(self, file: Path) -> h5py.Dataset:
        """Open the array of a file, or give the one that is open.

        Raises
        ------
        RecordError
            If the file is not there, damaged, or holds no such array.
        """
        if file in self._arrays:
            return self._arrays[file]
        with reading(file):
            tracings = h5py.File(file, "r", locking=False).get("tracings")
            if not isinstance(tracings, h5py.Dataset) or tracings.dtype.kind != "f":
                raise RecordError(f"{file.name} holds no array of tracings.")
            shape = tracings.shape
        if len(shape) != 3 or shape[2] != 12 or not 0 < shape[1] * 12 <= MAX_VALUES:
            raise RecordError(f"The tracings of {file.name} are {shape}, not [tracings, 4096, 12].")
        self._arrays[file] = tracings
        return tracings

    def _read_signal(self, path: Path) -> DigitalRecording:
        file, row = path.parent, path.name
        tracings = self._tracings(file)
        if not row.isdecimal() or int(row) >= len(tracings):
            raise RecordError(f"{file.name} has no row {row}.")
        # What no float32 can hold is infinite, and so missing.
        with reading(file), np.errstate(over="ignore"):
            tracing: Floats = np.asarray(tracings[int(row)], np.float32)
        signal = np.ascontiguousarray(without_padding(tracing).T)
        return DigitalRecording.from_recording(Recording(signal, SAMPLING_RATE, self.leads))


def without_padding(tracing: Floats) -> Floats:
    """Cut the zeros that were added before and after a recording ``[samples, leads]``.

    As many were added before as after, or one more after. Where one end has more all-zero samples, they
    are the recording's own (a lead-off at its start, for example) and stay.

    Raises
    ------
    RecordError
        If there is nothing but zeros.
    """
    recorded = np.flatnonzero(tracing.any(axis=1))
    if not len(recorded):
        raise RecordError("All samples are zero.")
    before, after = int(recorded[0]), len(tracing) - 1 - int(recorded[-1])
    if after != before + 1:
        before = after = min(before, after)
    return tracing[before : len(tracing) - after]


def fitting_order(recording: Recording) -> tuple[str, ...]:
    """Name the fourth to the sixth row as they follow from the first two, leads I and II (Goldberger)."""
    one, two = recording.signal[0], recording.signal[1]
    derived = {"aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    rows = recording.signal[3:6]

    def misfit(order: tuple[str, ...]) -> float:
        return float(np.nansum((rows - np.stack([derived[lead] for lead in order])) ** 2))

    stated = recording.leads[3:6]
    return min([stated, *permutations(derived)], key=misfit)


def flag(cell: str) -> bool | None:
    """Read True or 1, False or 0; None for anything else."""
    return {"true": True, "1": True, "false": False, "0": False}.get(cell.strip().lower())
