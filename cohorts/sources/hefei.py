"""Hefei: 20,036 recordings with eight leads, the training set of round two of a competition."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable, parse_age
from cohorts.errors import RecordError, UsageError
from cohorts.formats.array_files import reading
from cohorts.formats.wfdb_header import MAX_VALUES, lines_of
from cohorts.recording import DigitalRecording

_LISTS = ("hf_round2_train.txt", "hf_round2_label.txt")  # one list under two names, as it was passed on
_FOLDER = "hf_round2_train"
_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
_PER_MILLIVOLT = 1000 / 4.88
_RHYTHMS = {"窦性心律", "窦性心动过缓", "窦性心动过速", "窦性心律不齐", "心房颤动", "起搏心律"}


class Hefei(Cohort):
    """A list of 34 events in Chinese; recordings are text, one sample of the eight leads a line.

    The page of the competition speaks of 40,000 recordings in all, of which the labels of the test sets were
    kept. Round one is left out: it holds recordings twice, and its 55 events are not those of round two.
    A unit is 4.88 µV; III, aVR, aVL and aVF follow from I and II. A record without one of the six
    events that name a rhythm says so in a statement of its own. There are no patients and no folds, and no
    licence is stated: nobody may take it for an open one. A research centre of Hangzhou Normal University
    gave the recordings.
    """

    card = CohortCard(
        id="hefei",
        name="Hefei Hi-tech Cup, round 2",
        version="2019",
        licence="not stated",
        url="https://tianchi.aliyun.com/competition/entrance/231754/introduction",
        citation="'Hefei Hi-tech Cup' ECG Human-Machine Intelligence Competition, Tianchi, 2019",
        vocabulary="hefei",
        folder="hefei",
        records=20_036,
        sampling_rates=(500.0,),
        country="China",
    )

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the list of round two is there."""
        return any((Path(root) / name).is_file() for name in _LISTS)

    def source_paths(self) -> tuple[Path, ...]:
        """Name the list and the recordings."""
        return (self._list(), self.root / _FOLDER)

    def _list(self) -> Path:
        return next(path for name in _LISTS if (path := self.root / name).is_file())

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        path = self._list()
        try:
            lines = lines_of(path.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError:
            raise UsageError(f"{path} is not UTF-8 text; is it the list of this release?") from None
        for number, line in enumerate(lines, start=1):
            file, age, sex, *events = (cell.strip() for cell in f"{line}\t\t".split("\t"))
            record_id, stated = file.removesuffix(".txt"), tuple(filter(None, events))
            if not line.strip():
                continue
            if record_id == file or not record_id:
                yield Unreadable(f"line-{number}", f"Line {number} of {path.name} names no file.")
            elif not stated:
                yield Unreadable(record_id, f"{path.name} names no event for this record.")
            else:
                yield IndexRow(
                    record_id=record_id,
                    path=f"{_FOLDER}/{file}",
                    statements=stated if _RHYTHMS & {*stated} else (*stated, "no rhythm stated"),
                    age=parse_age(age),
                    sex=sex,
                )

    def _read_signal(self, path: Path) -> DigitalRecording:
        with reading(path):
            head, *rows = path.read_text(encoding="ascii").splitlines()
            if tuple(head.split()) != _LEADS:
                raise RecordError(f"{path.name} does not begin with the names of the eight leads.")
            if not 0 < len(rows) * len(_LEADS) <= MAX_VALUES:
                raise RecordError(f"{path.name} has {len(rows):,} samples.")
            values = np.array([row.split() for row in rows], dtype=np.int64)
            if values.shape[1:] != (len(_LEADS),) or np.abs(values).max() > np.iinfo(np.int16).max:
                raise RecordError(f"{path.name} does not hold eight numbers of 16 bits a line.")
        gain = np.full(len(_LEADS), _PER_MILLIVOLT)
        counts = np.ascontiguousarray(values.T.astype(np.int16))
        return DigitalRecording(counts, gain, np.zeros(len(_LEADS)), 500.0, _LEADS)
