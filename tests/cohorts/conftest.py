"""Tiny releases in the native layouts of the real ones, written by the tests themselves."""

from __future__ import annotations

import csv
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

with warnings.catch_warnings():  # pandas 3 deprecates what wfdb does while it is imported
    warnings.simplefilter("ignore", DeprecationWarning)
    import wfdb  # noqa: F401

from cohorts.catalogue import find_cohort, open_cohort
from cohorts.cohort import Cohort
from cohorts.families.challenge import ChallengeCohort
from cohorts.recording import STANDARD_LEADS
from tests.cohorts import array_releases, wfdb_releases

Counts = npt.NDArray[np.int16]
Write = Callable[..., Path]


def ecg_counts(seed: int, samples: int = 500, leads: int = 12) -> Counts:
    """A wandering signal of whole microvolts; of twelve leads the limb leads belong together."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.integers(-9, 10, (leads, samples)), axis=1)
    if leads == 12:
        first, second = 2 * walk[0], 2 * walk[1]
        walk[:6] = [
            first,
            second,
            second - first,
            -(first + second) // 2,
            first - second // 2,
            second - first // 2,
        ]
    return walk.astype(np.int16)


def write_wfdb(
    header: Path,
    counts: Counts,
    *,
    rate: float = 500,
    leads: Sequence[str] = STANDARD_LEADS,
    form: str = "16",
    gain: str = "1000/mV",
    extension: str = "dat",
    record_line: str | None = None,
    comments: Sequence[str] = (),
) -> Path:
    """One record: its header at ``header`` and its interleaved samples beside it."""
    header.parent.mkdir(parents=True, exist_ok=True)
    offset = int(form.partition("+")[2] or 0)
    file = f"{header.stem}.{extension}"
    (header.parent / file).write_bytes(b"M" * offset + counts.T.astype("<i2").tobytes())
    sums = counts.sum(axis=1, dtype=np.int64) % 65536
    lines = [record_line or f"{header.stem} {len(counts)} {rate:g} {counts.shape[1]}"]
    lines += [
        f"{file} {form} {gain} 16 0 {row[0]} {total} 0 {lead}"
        for row, total, lead in zip(counts, sums, leads, strict=True)
    ]
    header.write_text("\n".join([*lines, *(f"#{comment}" for comment in comments)]) + "\n", encoding="utf-8")
    return header


def write_challenge(root: Path, cohort_id: str, records: int = 6, samples: int = 500) -> Path:
    """A Challenge folder: sub-folders, one record line with a file name, one `# Dx:` with a blank."""
    card = find_cohort(cohort_id).card
    folder = root / card.folder
    for number in range(1, records + 1):
        blank = " " if number == 3 else ""
        write_wfdb(
            folder / f"g{1 + number // 4}" / f"X{number:04d}.hea",
            ecg_counts(number, samples),
            rate=card.sampling_rates[0],
            form="16x1+24" if number == 2 else "16+24",
            gain="1000.0(0)/mv" if number == 2 else "1000/mV",
            extension="mat",
            record_line=f"X{number:04d}.mat 12 {card.sampling_rates[0]:g} {samples} 05-May-2020 09:49:17"
            if number == 3
            else None,
            comments=[
                f"{blank}Age: {'NaN' if number == 4 else 40 + number}",
                f"{blank}Sex: {'Female' if number % 2 else 'Male'}",
                f"{blank}Dx: 426783006" + (",164889003,426783006" if number == 5 else ""),
                f"{blank}Rx: Unknown",
            ],
        )
    return folder


def write_ptb_xl(root: Path, cohort_id: str = "ptb-xl", records: int = 6, samples: int = 500) -> Path:
    """PTB-XL with both rates; patients have two records each, written like 15709.0 as early copies do."""
    folder = root / find_cohort(cohort_id).card.folder
    rows = []
    for number in range(1, records + 1):
        names = {}
        for key, rate, length in (("lr", 100, samples // 5), ("hr", 500, samples)):
            names[key] = f"records{rate}/00000/{number:05d}_{key}"
            leads = [lead.upper() for lead in STANDARD_LEADS]
            write_wfdb(
                folder / f"{names[key]}.hea",
                ecg_counts(number, length),
                rate=rate,
                leads=leads,
                gain="1000.0(0)/mV",
            )
        rows.append(
            {
                "ecg_id": number,
                "patient_id": f"{1000 + (number + 1) // 2}.0",
                "age": "300.0" if number == 2 else f"{50 + number}.0",
                "sex": number % 2,
                "report": "sinusrhythmus, normales ekg",
                "scp_codes": "{'NORM': 100.0, 'SR': 0.0}" if number % 2 else "{'AFIB': 0.0}",
                "strat_fold": 1 + number % 10,
                "filename_lr": names["lr"],
                "filename_hr": names["hr"],
            }
        )
    with (folder / "ptbxl_database.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, fieldnames=list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder


WRITERS: dict[str, Callable[..., Path]] = {
    "ptb-xl": write_ptb_xl,
    **array_releases.WRITERS,
    **wfdb_releases.WRITERS,
}


class StubOntology:
    """Stands in for the ontology where a test is about the store and not about labels."""

    version = "0"

    def __init__(self, digest: str = "one", value: int = 0, unknown: dict[str, int] | None = None) -> None:
        self.digest = digest
        self.value = value
        self.unknown = unknown or {}

    def labels(self, cohort: str, vocabulary: str, statements: Sequence[Sequence[str]]) -> pd.DataFrame:
        return pd.DataFrame(np.full((len(statements), 2), self.value, np.int8), columns=["AF", "NORM"])

    def label_hashes(self, cohort: str, vocabulary: str) -> dict[str, str]:
        return {"AF": self.digest, "NORM": self.digest}

    def unknown_codes(
        self, vocabulary: str, statements: Sequence[Sequence[str]], cohort: str = ""
    ) -> dict[str, int]:
        return self.unknown


@pytest.fixture
def stub_ontology(monkeypatch: pytest.MonkeyPatch) -> Callable[[StubOntology], None]:
    """Labels from a stub; call it to change the stub."""

    def use(ontology: StubOntology) -> None:
        monkeypatch.setattr("cohorts.preparing.load_ontology", lambda: ontology)

    use(StubOntology())
    return use


@pytest.fixture
def counts_of() -> Callable[..., Counts]:
    return ecg_counts


@pytest.fixture
def write_record() -> Write:
    return write_wfdb


@pytest.fixture
def write_release(tmp_path: Path) -> Write:
    """Write the tiny release of a cohort below a data root and give that root."""

    def write(cohort_id: str, root: Path | None = None, **settings: int) -> Path:
        data = root or tmp_path / "data"
        writer = WRITERS.get(cohort_id)
        if writer is None:
            of_challenge = issubclass(find_cohort(cohort_id), ChallengeCohort)
            assert of_challenge, f"Nothing writes a release of {cohort_id}: give it a function in WRITERS."
            writer = write_challenge
        writer(data, cohort_id, **settings)
        return data

    return write


@pytest.fixture
def new_stub() -> type[StubOntology]:
    return StubOntology


@pytest.fixture
def georgia(write_release: Write) -> Callable[[], Cohort]:
    """A tiny Georgia; call it to open it again, as a new process would."""
    root = write_release("georgia")

    def open_again() -> Cohort:
        cohort = open_cohort("georgia", root)
        assert cohort is not None
        return cohort

    return open_again


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The cache folder, which does not exist yet."""
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the tests of downloads a disk with room: releases are large, the machine's disk may be full."""
    if "download" in request.module.__name__:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**14, 0, 10**14))
