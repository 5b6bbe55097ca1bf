"""What ``cohort.toml`` may say of labels: columns, statements, ICD-10 codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

LONGEST_WINDOW = 36_500
"""Days: a hundred years."""


class Part(BaseModel):
    """A table of ``cohort.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


DateFormat = Annotated[str, AfterValidator(_as_date_format)]


class StatementsPart(Part):
    """``[labels.statements]``: native codes, and the vocabulary that says what they mean.

    Attributes
    ----------
    separator
        Between codes; ``";"`` where it is not stated.
    free_text
        The column holds sentences, which are taken apart into phrases; a phrase is a code.
    vocabulary
        CSV beside the description (code, concept, relation, and name and note if wanted), or the name of one
        that is there already, such as ``"snomed"``.
    empty
        ``"negative"``: an ECG without a code is one on which nothing was found. ``"open"``: nothing is known.
    annotated
        Concepts that every ECG was read for, whatever their number; found out from the numbers if not stated.
    """

    column: str
    separator: str | None = Field(default=None, min_length=1)
    free_text: bool = False
    vocabulary: str
    empty: Literal["open", "negative"] = "open"
    annotated: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.free_text and self.separator is not None:
            raise ValueError("free_text is taken apart into phrases without a separator; leave it out")
        return self


class Icd10Part(Part):
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


class LabelsPart(Part):
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
