"""What a model in a worker is given: batches to answer, and records to learn from.

Python 3.8 or newer and its standard library; the worker takes this file from beside itself. NumPy and pandas
are those of the model's environment, and are imported where they are needed.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILES = ("signals", "labels.npy", "age.npy", "sex.npy")
"""The files of a part: float32 signals ``[records, leads, samples]`` without a header, and NumPy arrays."""


class Batch:
    """What ``predict`` and ``embed`` are given, as the plugin contract of the suite describes it."""

    def __init__(self, signals: Any, age: Any, sex: Any) -> None:
        self.signals = signals
        self.age = age
        self.sex = sex

    def __len__(self) -> int:
        return len(self.signals)


class Settings:
    """How to train, as the plugin contract of the suite describes it."""

    def __init__(self, concepts: Any, seed: int, device: str, folder: str, precision: str) -> None:
        self.concepts = tuple(concepts)
        self.seed = seed
        self.device = device
        self.folder = Path(folder)
        self.precision = precision


class Records:
    """Records to learn from, read from files when they are asked for; memory holds one batch of signals.

    Nothing is mapped into memory: a map of a whole cohort would count as address space, which may be limited.

    Parameters
    ----------
    folder
        Of the `FILES`.
    shape
        Of the signals.
    concepts
        Names of the columns of the labels.
    """

    def __init__(self, folder: str, shape: Any, concepts: Any) -> None:
        numpy = importlib.import_module("numpy")
        self._paths = [Path(folder, name) for name in FILES]
        self._shape = tuple(shape)
        self._concepts = list(concepts)
        self._labels: Any = None
        self._age, self._sex = (numpy.load(path, allow_pickle=False) for path in self._paths[2:])

    def __len__(self) -> int:
        return int(self._shape[0])

    @property
    def labels(self) -> Any:
        """int8 ``[records, concepts]`` as a DataFrame of pandas, which the environment has to have."""
        if self._labels is None:
            try:
                pandas = importlib.import_module("pandas")
            except ImportError as error:
                raise ImportError(
                    f"labels are a DataFrame, and pandas cannot be imported there ({error}); install it there"
                ) from error
            numpy = importlib.import_module("numpy")
            table = numpy.load(self._paths[1], allow_pickle=False)
            self._labels = pandas.DataFrame(table, columns=self._concepts)
        return self._labels

    def batch(self, positions: Any) -> Batch:
        """Records at these positions, one window each."""
        numpy = importlib.import_module("numpy")
        rows = numpy.arange(len(self))[numpy.asarray(positions, dtype=numpy.intp)]
        signals = numpy.empty((len(rows), *self._shape[1:]), dtype="<f4")
        with self._paths[0].open("rb", buffering=0) as file:  # one of its own: a model may fork
            for at, signal in enumerate(signals):
                file.seek(int(rows[at]) * signal.nbytes)
                if file.readinto(signal.data) != signal.nbytes:
                    raise OSError("the file of the recordings to learn from has become shorter")
        return Batch(signals, self._age[rows], self._sex[rows])

    def batches(self, size: int) -> Iterator[Batch]:
        """All records in order."""
        for start in range(0, len(self), size):
            yield self.batch(range(start, min(start + size, len(self))))


def leave_to_the_owner(folder: Path) -> None:
    """Give what the superuser, as whom a container runs, has written to whom the folder belongs."""
    if os.geteuid() != 0:
        return
    found = folder.stat()
    for place, folders, files in os.walk(str(folder)):
        for name in (*folders, *files):
            with contextlib.suppress(OSError):  # the suite says what it cannot read or delete
                os.chown(Path(place, name), found.st_uid, found.st_gid, follow_symlinks=False)
