"""PTB Diagnostic, native: 549 recordings of 32 to 120 s at 1000 Hz from Berlin, with patients."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable, parse_age
from cohorts.errors import RecordError
from cohorts.families.challenge import header_files
from cohorts.formats.wfdb_header import comment_fields, read_header
from cohorts.release import Release

_INFARCTS = {"acute": "acute infarction (localization)", "former": "former infarction (localization)"}
_NO_WALL = {"no", "unknown", "n/a"}


class Ptbdb(Cohort):
    """The release with its patients, one folder each; the three Frank leads are not used.

    Headers state why the patient came and where infarcts are. A localisation is read word by word:
    "infero-postero-lateral" names three walls, and the release misspells ("infero-latera"). The
    additional diagnoses are the patient's other diseases and are not read.
    """

    card = CohortCard(
        id="ptbdb",
        name="PTB Diagnostic (native)",
        version="1.0.0",
        licence="ODC-By-1.0",
        url="https://physionet.org/content/ptbdb/1.0.0/",
        citation="Bousseljot et al., Nutzung der EKG-Signaldatenbank CARDIODAT der PTB über das Internet, "
        "Biomedizinische Technik 40, 1995, doi:10.13026/C28C71",
        vocabulary="ptbdb",
        folder="ptbdb",
        records=549,
        sampling_rates=(1000.0,),
        country="Germany",
        overlaps=("ptb",),
    )
    release = Release(size=1_980_000_000)  # at most: 549 recordings of at most 120 s
    declared_gain = 2000.0

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        for path in header_files(self.root):
            try:
                fields = comment_fields(read_header(path).comments)
            except RecordError as error:
                yield Unreadable(path.stem, str(error))
                continue
            if "reason for admission" not in fields:
                yield Unreadable(path.stem, f"{path.name} has no line 'Reason for admission'.")
                continue
            yield IndexRow(
                record_id=path.stem,
                path=path.relative_to(self.root).as_posix(),
                statements=_statements(fields),
                patient_id=path.parent.name,
                age=parse_age(fields.get("age", "")),
                sex=fields.get("sex"),
            )


def _statements(fields: Mapping[str, str]) -> tuple[str, ...]:
    """Codes like ``reason: myocardial infarction`` and ``acute: infero``, one a wall."""
    reason = fields["reason for admission"].lower() or "n/a"
    walls = [
        f"{when}: {word}"
        for when, field in _INFARCTS.items()
        for word in re.findall(r"n/a|\w+", fields.get(field, "n/a").lower())
    ]
    if reason == "myocardial infarction" and {wall.partition(": ")[2] for wall in walls} <= _NO_WALL:
        walls.append("infarction of unstated wall")
    return (f"reason: {reason}", *walls)
