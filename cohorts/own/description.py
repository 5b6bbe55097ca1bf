"""What ``cohort.toml`` may say.

Nothing is guessed that would make a wrong number: codes of the sexes, axes, units, rates and lead names are
stated.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from cohorts.cohort import Folds
from cohorts.errors import UsageError
from cohorts.own.label_description import DateFormat, LabelsPart, Part

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


def _as_text(value: object) -> object:
    """Codes may be written as numbers: 1 is the code "1"."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_codes(value: object) -> object:
    return [_as_text(code) for code in (value if isinstance(value, list) else [value])]


Codes = Annotated[tuple[str, ...], BeforeValidator(_as_codes)]
HIGHEST_RATE = 100_000.0
"""In Hz."""
Rate = Annotated[float, Field(gt=0, le=HIGHEST_RATE)]


class Sexes(Part):
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


class CohortPart(Part):
    """``[cohort]``: who is in it, and where the recordings are.

    Attributes
    ----------
    index
        Table with one row an ECG: CSV, Parquet or Excel.
    record_id, patient_id, age, birth_year, birth_date, date, year, fold
        Names of its columns.
    sex
        Name of the column, or the column with its codes.
    report
        Name of the column with what was written about each ECG, a line a sentence; a model may be pre-trained
        on it, and no label is made of it.
    report_language
        In two letters, such as ``"de"``; an encoder of English alone is given only what is ``"en"``.
    date_format, birth_date_format
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
    birth_date: str | None = None
    birth_date_format: DateFormat | None = None
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
        said = [name for name in ("age", "birth_year", "birth_date") if getattr(self, name)]
        if len(said) > 1:
            raise ValueError(f"{' and '.join(said)} are ways to say one thing; keep one of them")
        if self.birth_date and not self.date:
            raise ValueError("birth_date gives an age only with the date of the ECG; name its column as date")
        if self.birth_date_format and not self.birth_date:
            raise ValueError("birth_date_format is that of birth_date, which names no column")
        if "%y" in (self.birth_date_format or ""):
            raise ValueError("birth_date_format needs years with their century, %Y: 39 may be 1939 or 2039")
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


class ArrayPart(Part):
    """``[array]``: what arrays and CSV files do not say of themselves.

    With ``format = "auto"`` it is about those files alone that end like one.

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
        if form == "auto":  # some files are tables or arrays, and these are what the table is about
            if one_file:
                raise ValueError('format = "auto" is for a file an ECG; state the format of the one file')
            if self.axes and set(self.axes) != {"leads", "samples"}:
                raise ValueError('array.axes names "leads" and "samples", in the order that they have')
        elif form in ("csv", "parquet"):
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


class Description(Part):
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
        if self.array is None and form in ARRAY_FORMATS:
            raise ValueError(f'format = "{form}" needs a table [array] with unit, rate and leads')
        if self.array is not None and form not in ("auto", *ARRAY_FORMATS):
            raise ValueError(
                f'the table [array] is for format = auto, {", ".join(ARRAY_FORMATS)}, not "{form}"'
            )
        if self.array is not None:
            self.array.check(form, self.cohort.one_file)
        if self.labels.icd10 and not (self.cohort.patient_id and self.cohort.date):
            raise ValueError("labels.icd10 needs patient_id and date in [cohort], to join codes with ECGs")
        return self
