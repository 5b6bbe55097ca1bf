"""What the cohorts of the PhysioNet/CinC Challenge 2021 training data have in common."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable, parse_age
from cohorts.errors import RecordError
from cohorts.formats.wfdb_header import comment_fields, read_header
from cohorts.release import Release
from cohorts.release_files import ReleaseFiles

_TREE = "challenge-2021"


def challenge_card(folder: str, **facts: Any) -> CohortCard:
    """Make the card of one folder of the Challenge tree, with the facts that all of them share."""
    shared: dict[str, Any] = {
        "version": "1.0.3",
        "licence": "CC-BY-4.0",
        "url": f"https://physionet.org/content/{_TREE}/1.0.3/",
        "citation": "Reyna et al., Will Two Do? Varying Dimensions in Electrocardiography: The PhysioNet/"
        "Computing in Cardiology Challenge 2021, Computing in Cardiology 48, 2021, doi:10.13026/34va-7q14",
        "vocabulary": "snomed",
        "folder": f"{_TREE}/training/{folder}",
        "sampling_rates": (500.0,),
    }
    return CohortCard.model_validate(shared | facts)


def challenge_release(card: CohortCard, size: int) -> Release:
    """Say how one folder of the Challenge tree is fetched; the eight sizes add up to its 12.6 GiB."""
    return Release(size=size, subfolder=card.folder.removeprefix(f"{_TREE}/"), beside=("LICENSE.txt",))


class ChallengeCohort(Cohort):
    """One database of the Challenge tree: every header below its folder, at any depth.

    Age, sex and SNOMED CT codes stand in the headers' comments. There are no patient ids, no reports
    and no folds. A header without a code that can be read (``#Dx: Unknown``, codes in quotes, or with
    something else than commas between them) says nothing about its record and is not indexed. What
    stands beside readable codes is a statement too, which no vocabulary knows.
    """

    declared_gain = 1000.0

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        for path in header_files(self.root):
            relative = path.relative_to(self.root).as_posix()
            try:
                fields = comment_fields(read_header(path).comments)
            except RecordError as error:
                yield Unreadable(path.stem, str(error))
                continue
            codes = tuple(code.strip() for code in fields.get("dx", "").split(",") if code.strip())
            if not any(code.isdecimal() for code in codes):
                what = "no diagnosis that can be read" if codes else "no diagnosis"
                yield Unreadable(path.stem, f"{path.name} states {what} (#Dx).")
                continue
            yield IndexRow(
                record_id=path.stem,
                path=relative,
                statements=codes,
                age=parse_age(fields.get("age", "")),
                sex=fields.get("sex"),
            )


def header_files(folder: Path) -> Iterator[Path]:
    """All header files below a folder, in the same order on every machine; links are followed."""
    for name, _ in ReleaseFiles(folder):
        if name.endswith(".hea"):
            yield folder / name
