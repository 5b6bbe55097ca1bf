"""SaMi-Trop: the first recordings of 1,631 people with chronic Chagas cardiomyopathy in Minas Gerais."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cohorts.cohort import CohortCard, IndexRow, Unreadable, parse_age
from cohorts.errors import RecordError, UsageError
from cohorts.families.code import SAMPLING_RATE, CodeCohort, flag
from cohorts.formats.csv_rows import csv_rows
from cohorts.recording import STANDARD_LEADS
from cohorts.release import Release, Unpack

_TABLE = "exams.csv"
_TRACINGS = "exams.hdf5"


class SamiTrop(CodeCohort):
    """Arrays like those of CODE, from the same network, in which line i of the table is tracing i.

    The file of tracings has no ids, so a table with another number of lines is refused, never cut. The one
    label is ``normal_ecg``, given for every recording; a normal ECG is not a healthy person, because all of
    them have the disease. One recording a person. None of the ids is one of CODE-15 %'s; whether the
    recordings are among those of CODE that are not public is not known.
    """

    card = CohortCard(
        id="sami-trop",
        name="SaMi-Trop",
        version="1.0.0",
        licence="CC-BY-4.0",
        url="https://zenodo.org/records/4905618",
        citation="Lima et al., Deep neural network-estimated electrocardiographic age as a mortality "
        "predictor, Nature Communications 12:5117, 2021, doi:10.1038/s41467-021-25351-7; "
        "data doi:10.5281/zenodo.4905618",
        vocabulary="code",
        folder="sami-trop",
        records=1_631,
        sampling_rates=(SAMPLING_RATE,),
        country="Brazil",
    )
    release = Release(
        size=642_000_000,  # 1,631 rows of 4,096 samples, 12 leads, 8 bytes
        unpack=(Unpack(name="exams.zip"),),
        sums={
            "exams.csv": "md5:6c9007a0427f7c3d9e1b6fb091231a67",
            "exams.zip": "md5:a7b65f115b0222ad2ecbc6a422496fdd",
        },
    )
    leads = STANDARD_LEADS

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether both files are there: a folder of CODE-15 % has a table of the same name."""
        return all((Path(root) / name).is_file() for name in (_TABLE, _TRACINGS))

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        rows = list(csv_rows(self.root / _TABLE, ("exam_id", "age", "is_male", "normal_ecg")))
        with suppress(RecordError):  # then every recording is quarantined when it is read, for this reason
            tracings = len(self._tracings(self.root / _TRACINGS))
            if tracings != len(rows):
                raise UsageError(
                    f"{self.root / _TABLE} has {len(rows):,} rows and {_TRACINGS} has {tracings:,} tracings; "
                    "they belong together line by line, so download the release again."
                )
        for number, (line, row) in enumerate(rows):
            exam_id, normal, male = row["exam_id"].strip(), flag(row["normal_ecg"]), flag(row["is_male"])
            if not exam_id:
                yield Unreadable(f"line-{line}", f"The row at line {line} of {_TABLE} has no exam_id.")
            elif normal is None:
                yield Unreadable(exam_id, f"normal_ecg is neither True nor False in {_TABLE}.")
            else:
                yield IndexRow(
                    record_id=exam_id,
                    path=f"{_TRACINGS}/{number}",
                    statements=("normal_ecg",) if normal else (),
                    patient_id=exam_id,
                    age=parse_age(row["age"]),
                    sex=None if male is None else "male" if male else "female",
                )
