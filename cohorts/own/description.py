"""What ``cohort.toml`` may say.

Nothing is guessed that would make a wrong number: codes of the sexes, axes, units, rates and lead names are
stated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cohorts.cohort import Folds
from cohorts.errors import UsageError

ARRAY_FORMATS = ("npy", "hdf5", "csv", "parquet")
Format = Literal[
    "auto",
    "wfdb",
    "muse",
    "philips",
    "dicom",
    "hl7-aecg",
    "cardiosoft",
    "edf",
    "npy",
    "hdf5",
    "csv",
    "parquet",
]
LONGEST_WINDOW = 36_500
"""Days: a hundred years."""


def _as_text(value: object) -> object:
    """Codes may be written as numbers: 1 is the code "1"."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_codes(value: object) -> object:
    return [_as_text(code) for code in (value if isinstance(value, list) else [value])]


def _as_date_format(value: str) -> str:
    """Refuse a format that `strptime` would not take, or that leaves open what day it is."""
    try:
        datetime.strptime("", value)
    except (ValueError, re.error) as error:
        if "does not match" not in str(error) and "unconverted" not in str(error):
            raise ValueError("it is no format of dates; write it like %d.%m.%Y") from None
    if re.search("%Z|%z.", value):
        raise ValueError("a time zone may only stand at its end, as %z")
    if not re.search(r"%[yY].*%[mbBj]|%[mbBj].*%[yY]", value):
        raise ValueError("it needs the year and the month, like %d.%m.%Y")
    return value


Codes = Annotated[tuple[str, ...], BeforeValidator(_as_codes)]
DateFormat = Annotated[str, AfterValidator(_as_date_format)]
HIGHEST_RATE = 100_000.0
"""In Hz."""
Rate = Annotated[float, Field(gt=0, le=HIGHEST_RATE)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sexes(_Part):
    """The column of the sex and its codes; without codes, the words in English or their first letters."""

    column: str
    female: Codes = ()
    male: Codes = ()

    @model_validator(mode="after")
    def _both(self) -> Self:
        if bool(self.female) != bool(self.male):
            raise ValueError("it needs the codes of both sexes, female and male")
        if set(self.female) & set(self.male):
            raise ValueError("one code stands for both sexes")
        return self


def _as_column(value: object) -> object:
    """The name of a column alone is a column without codes of its own."""
    return {"column": value} if isinstance(value, str) else value


class CohortPart(_Part):
    """``[cohort]``: who is in it, and where the recordings are.

    Attributes
    ----------
    index
        Table with one row an ECG: CSV, Parquet or Excel.
    record_id, patient_id, age, birth_year, date, year, fold
        Names of its columns.
    sex
        Name of the column, or the column with its codes.
    report
        Name of the column with what was written about each ECG, a line a sentence; a model may be pre-trained
        on it, and no label is made of it.
    report_language
        In two letters, such as ``"de"``; an encoder of English alone is given only what is ``"en"``.
    date_format
        As of `strptime`; ISO 8601 where it is not stated.
    first_ecg_only
        Whether only the first ECG of each patient takes part.
    root
        Folder that nothing may lead out of, relative to the description; its own folder by default.
    signals
        Path below the root, with names of columns in braces; without any, one file with all recordings.
    separator, encoding, sheet
        Of the tables: found out from the header, UTF-8, and the only sheet, where they are not stated.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)
    name: str = ""
    version: str = "1"
    country: str = ""
    licence: str = "private"
    access: Literal["private", "open", "credentialed"] = "private"
    url: str = ""
    citation: str = ""
    index: str
    sheet: str | None = None
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str = "utf-8"
    record_id: str
    patient_id: str | None = None
    age: str | None = None
    birth_year: str | None = None
    date: str | None = None
    date_format: DateFormat | None = None
    year: str | None = None
    sex: Annotated[Sexes | None, BeforeValidator(_as_column)] = None
    fold: str | None = None
    folds: Folds | None = None
    report: str | None = None
    report_language: str | None = Field(default=None, pattern="^[a-z]{2}$")
    first_ecg_only: bool = False
    root: str = "."
    signals: str
    format: Format = "auto"

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.age and self.birth_year:
            raise ValueError("age and birth_year are two ways to say one thing; keep one of them")
        if self.birth_year and not (self.date or self.year):
            raise ValueError(
                "birth_year gives an age only with the year of the ECG; name its column as date or year"
            )
        if self.first_ecg_only and not (self.patient_id and self.date):
            raise ValueError(
                "first_ecg_only needs patient_id and date, to tell which ECG is a patient's first"
            )
        if (self.report is None) != (self.report_language is None):
            raise ValueError('report (the column) and report_language (such as "en" or "de") go together')
        if (self.fold is None) != (self.folds is None):
            raise ValueError(
                "fold (the column) and folds (which of them are training, validation, test) go together"
            )
        if self.folds is not None:
            numbers = [*self.folds.training, *self.folds.validation, *self.folds.test]
            if len(set(numbers)) < len(numbers):
                raise ValueError(
                    "folds has one fold in two of its parts, so that a model would be tested on "
                    "what it was trained on"
                )
        return self

    def template(self) -> list[tuple[str, str | None]]:
        """Take the path template apart: text, and the name of the column that follows it.

        Raises
        ------
        UsageError
            If it is no template of column names.
        """
        try:
            parts = list(Formatter().parse(self.signals))
        except ValueError as error:
            raise UsageError(
                f"signals = {self.signals!r} is no path with columns in braces ({error})."
            ) from None
        if re.search(r"^[/~]|^[A-Za-z]:|(^|/)\.\.(/|$)|\\", "{}".join(text for text, *_ in parts)):
            raise UsageError(
                f"signals = {self.signals!r} leads out of the folder of the cohort, or has a backslash; "
                "write a path "
                "below it with /, and name another folder as root."
            )
        for _, column, spec, conversion in parts:
            if spec or conversion or column == "":
                raise UsageError(
                    f"signals = {self.signals!r} has something else than a column's name in braces; write "
                    "{column}, and nothing behind it."
                )
        return [(text, column) for text, column, _, _ in parts]

    @property
    def one_file(self) -> bool:
        """Whether one file holds all recordings."""
        return all(column is None for _, column in self.template())


class ArrayPart(_Part):
    """``[array]``: what arrays and CSV files do not say of themselves.

    Attributes
    ----------
    axes
        Order of the axes, such as ``["records", "leads", "samples"]``; without ``"records"`` where each
        recording has a file of its own.
    rate
        In Hz, or the name of the column that has it.
    leads
        Names along the axis of the leads, or of the columns of a table.
    dataset
        Name of the array in HDF5 and npz.
    row
        Column with the position of each recording in a file of all, from 0; the order of the index if none.
    """

    axes: tuple[Literal["records", "leads", "samples"], ...] = ()
    unit: Literal["mV", "uV", "V"]
    rate: Rate | str
    leads: tuple[str, ...] = Field(min_length=1)
    dataset: str | None = None
    row: str | None = None

    def check(self, form: str, one_file: bool) -> None:
        """Compare with the format of the files, and whether one holds all.

        Raises
        ------
        ValueError
            Saying what does not go together.
        """
        if form in ("csv", "parquet"):
            if self.axes or self.dataset:
                raise ValueError(
                    f"array.axes and array.dataset are not for {form}, whose columns are the leads"
                )
            if one_file and form == "csv":
                raise ValueError("a CSV holds one recording; name the columns of its path in signals")
        else:
            wanted = {"leads", "samples"} | ({"records"} if one_file else set())
            if set(self.axes) != wanted or len(self.axes) != len(wanted):
                raise ValueError(
                    "array.axes names the order of the array's axes: "
                    + ", ".join(f'"{axis}"' for axis in sorted(wanted))
                    + " in the order that they have"
                )
            if form == "hdf5" and not self.dataset:
                raise ValueError("array.dataset names the array in the HDF5 file")
        if self.row and not one_file:
            raise ValueError("array.row is for one file with all recordings")


class StatementsPart(_Part):
    """``[labels.statements]``: native codes, and the vocabulary that says what they mean.

    Attributes
    ----------
    vocabulary
        CSV beside the description (code, concept, relation, and name and note if wanted), or the name of one
        that is there already, such as ``"snomed"``.
    empty
        ``"negative"``: an ECG without a code is one on which nothing was found. ``"open"``: nothing is known.
    annotated
        Concepts that every ECG was read for, whatever their number; found out from the numbers if not stated.
    """

    column: str
    separator: str = Field(default=";", min_length=1)
    vocabulary: str
    empty: Literal["open", "negative"] = "open"
    annotated: tuple[str, ...] | None = None


class Icd10Part(_Part):
    """``[labels.icd10]``: a table of diagnoses, one row a code.

    Attributes
    ----------
    window_days
        From and to, of the date of the code less that of the ECG.
    encoding
        Of a CSV; that of the index if not stated.
    """

    table: str
    patient_id: str = "patient_id"
    code: str = "code"
    date: str = "date"
    date_format: DateFormat | None = None
    window_days: tuple[int, int]
    sheet: str | None = None
    encoding: str | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.window_days[0] > self.window_days[1]:
            raise ValueError(
                "window_days begins after its end; write the earlier day first, such as [-30, 30]"
            )
        if max(map(abs, self.window_days)) > LONGEST_WINDOW:
            raise ValueError(f"window_days is of more than {LONGEST_WINDOW:,} days")
        return self


class LabelsPart(_Part):
    """``[labels]``: three ways to say what an ECG shows, together if wanted.

    Attributes
    ----------
    columns
        Concept -> column of 1, 0 or nothing.
    """

    columns: Mapping[str, str] = Field(default_factory=dict)
    statements: StatementsPart | None = None
    icd10: Icd10Part | None = None

    def read_columns(self) -> tuple[str, ...]:
        """Columns of the index that labels are made of."""
        return (*self.columns.values(), *((self.statements.column,) if self.statements else ()))


class Description(_Part):
    """A whole ``cohort.toml``."""

    cohort: CohortPart
    array: ArrayPart | None = None
    labels: LabelsPart = Field(default_factory=LabelsPart)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        form, said = self.cohort.format, self.labels
        if not (said.columns or said.statements or said.icd10 or self.cohort.report):
            raise ValueError(
                "[labels] says nothing; give columns, statements or icd10, or a report in [cohort] to "
                "pre-train on"
            )
        if self.array is None and self.cohort.one_file:
            raise ValueError(
                f'cohort.signals names one file for all ECGs, and a file of format = "{form}" holds one; '
                "name the column of its path in braces, such as ecg/{file}"
            )
        if (form in ARRAY_FORMATS) != (self.array is not None):
            raise ValueError(
                f'format = "{form}" needs a table [array] with unit, rate and leads'
                if self.array is None
                else f'the table [array] is for format = {", ".join(ARRAY_FORMATS)}, not "{form}"'
            )
        if self.array is not None:
            self.array.check(form, self.cohort.one_file)
        if self.labels.icd10 and not (self.cohort.patient_id and self.cohort.date):
            raise ValueError("labels.icd10 needs patient_id and date in [cohort], to join codes with ECGs")
        return self
