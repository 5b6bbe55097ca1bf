"""MIMIC-IV-ECG: 800,035 recordings of 10 s from Boston, with what the ECG carts wrote of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable
from cohorts.errors import UsageError
from cohorts.release import Release

_RECORDS, _REPORTS = "record_list.csv", "machine_measurements.csv"
_LINES = tuple(f"report_{number}" for number in range(18))
_WORD = re.compile(r"[a-z0-9]+(?:[/:'][a-z0-9]+)*")
_HEDGE = re.compile(r"(probable|possible|consider|borderline|cannot rule out|suspect) (?!ecg)(.+)")
_WALL = (
    r"(?:anterior|anteroseptal|anterolateral|anterolat|ant/septal|ant lat|septal|lateral|inferior/lateral"
    r"|inferior|inferolateral|inferolat|posterior|extensive|widespread|diffuse)"
)
_WALLS = rf"{_WALL}(?: (?:and )?{_WALL})*"
_CHANGE_OF_WALL = re.compile(rf"\b{_WALLS} (?=(?:st|st t|t|t wave) changes|t wave inversion|stj? depression)")
_CHANGE_IN_LEADS = re.compile(rf"((?:.* )?(?:st|t|repol) .*?) {_WALLS}(?: leads| lds)?")
_CONCLUSION = re.compile(
    r"(summary )?((ab)?normal|borderline)( ecg.*)?|(summary .*)?otherwise normal ecg|within normal limits"
)


class MimicIvEcg(Cohort):
    """Labels are machine statements, not readings by a cardiologist.

    A statement is a line of the report in lower case without punctuation. The carts put a rhythm line
    together from parts ("Sinus rhythm with PAC(s) with 1st degree A-V block"), so a line is taken
    apart at "with". A hedge that it begins with becomes a modifier ("inferior infarct+possible"), and
    where the ST segment or the T wave is changed, which no concept asks, is left out. A report without
    a conclusion ("Normal ECG", "Abnormal ECG") says so in a statement of its own, because it leaves
    open whether the ECG is normal.

    Leads stand in the order aVR aVF aVL; the release holds neither age nor sex. Its open licence covers
    recordings and reports, not the rest of MIMIC-IV (https://physionet.org/content/mimic-iv-ecg/1.0/).
    """

    card = CohortCard(
        id="mimic-iv-ecg",
        name="MIMIC-IV-ECG",
        version="1.0",
        licence="ODbL-1.0",
        url="https://physionet.org/content/mimic-iv-ecg/1.0/",
        citation="Gow et al., MIMIC-IV-ECG: Diagnostic Electrocardiogram Matched Subset (version 1.0), "
        "PhysioNet, 2023, doi:10.13026/4nqg-sb35",
        vocabulary="mimic",
        folder="mimic-iv-ecg",
        records=800_035,
        sampling_rates=(500.0,),
        country="United States",
        english_reports=True,
    )
    # 90.4 GiB on its page, which names the project "Open Access"; the MIMIC-IV records that it can be linked
    # to are credentialed, the ECGs are not.
    release = Release(size=97_017_195_666)
    declared_gain = 200.0

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the list of records is there."""
        return (Path(root) / _RECORDS).is_file()

    def source_paths(self) -> tuple[Path, ...]:
        """Name the two tables and the recordings."""
        return (self.root / _RECORDS, self.root / _REPORTS, self.root / "files")

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        broken: list[str] = []
        records = _table(self.root / _RECORDS, ("subject_id", "study_id", "path"), broken)
        reports = _table(self.root / _REPORTS, ("study_id", *_LINES), broken)
        for number, text in enumerate(broken):
            yield Unreadable(f"broken-row-{number}", f"A row has another number of cells: {text[:200]}.")
        lines, codes = _report_lines(reports)
        statements = [_statements(line) for line in lines]
        conclusions = {code for code, own in enumerate(statements) if any(map(_CONCLUSION.fullmatch, own))}
        found = pc.index_in(records["study_id"], reports["study_id"].combine_chunks())
        columns = (records[name].to_pylist() for name in ("study_id", "subject_id", "path"))
        for study, subject, path, row in zip(*columns, found.to_pylist(), strict=True):
            if row is None:
                yield Unreadable(study, f"{_REPORTS} has no row for this record.")
                continue
            said = [code for code in codes[row].tolist() if lines[code]]
            if not said or not path:
                yield Unreadable(study, "Its report is empty." if path else f"{_RECORDS} gives no path.")
                continue
            yield IndexRow(
                record_id=study,
                path=f"{path}.hea",
                statements=(
                    *(statement for code in said for statement in statements[code]),
                    *(("no conclusion",) if conclusions.isdisjoint(said) else ()),
                ),
                patient_id=subject,
                report="\n".join(lines[code] for code in said),
            )


def _table(path: Path, columns: tuple[str, ...], broken: list[str]) -> pa.Table:
    """Read some columns of a table as text, report lines as codes of the few texts that there are."""
    types = {
        name: pa.dictionary(pa.int32(), pa.string()) if name in _LINES else pa.string() for name in columns
    }

    def skip(row: csv.InvalidRow) -> str:
        broken.append(f"{path.name}: {row.text}")
        return "skip"

    try:
        return csv.read_csv(
            path,
            parse_options=csv.ParseOptions(invalid_row_handler=skip),
            convert_options=csv.ConvertOptions(include_columns=list(columns), column_types=types),
        )
    except KeyError as error:
        raise UsageError(f"{path} lacks a column ({error.args[0]}); is it MIMIC-IV-ECG's?") from None
    except pa.ArrowInvalid as error:
        raise UsageError(f"{path} cannot be read as a table ({error}).") from None


def _report_lines(reports: pa.Table) -> tuple[list[str], npt.NDArray[np.int32]]:
    """All different lines, the first of them empty, and their numbers, int32 ``[rows, 18]``."""
    numbers: dict[str, int] = {"": 0}
    codes = np.zeros((reports.num_rows, len(_LINES)), np.int32)
    for column, name in enumerate(_LINES):
        texts = reports[name].combine_chunks()
        texts = texts.chunk(0) if isinstance(texts, pa.ChunkedArray) else texts
        own = [
            numbers.setdefault((text or "").strip(), len(numbers)) for text in texts.dictionary.to_pylist()
        ]
        indices = pc.fill_null(texts.indices, len(own)).to_numpy(zero_copy_only=False)
        codes[:, column] = np.array([*own, 0], np.int32)[indices]
    return list(numbers), codes


def _statements(line: str) -> tuple[str, ...]:
    """Normalise a line, and take it apart where "with" joins statements."""
    words = " ".join(_WORD.findall(re.sub(r"[()]", "", line.lower())))
    return tuple(map(_statement, filter(None, words.split(" with "))))


def _statement(words: str) -> str:
    """Drop where the ST segment or the T wave is changed; write a hedge as a modifier behind the rest."""
    hedge = _HEDGE.fullmatch(words)
    if hedge:
        words = hedge[2]
    words = _CHANGE_OF_WALL.sub("", words)
    words = _CHANGE_IN_LEADS.sub(r"\1", words) if _CHANGE_IN_LEADS.fullmatch(words) else words
    return f"{words}+{hedge[1]}" if hedge else words
