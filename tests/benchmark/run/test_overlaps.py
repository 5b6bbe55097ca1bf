"""A hospital whose recordings the models have seen under other names is found out; one that is new is not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.signal import resample_poly

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.records.record import load_record
from benchmark.records.verification import verify
from benchmark.report.facts import overlap_text
from benchmark.report.writing import write_report
from benchmark.run import entries
from benchmark.run.cohorts import labelled, prepare_cohort
from benchmark.run.fingerprints import read_fingerprints, take_fingerprints, write_fingerprints
from benchmark.run.runner import run as run_cells
from benchmark.run.states import RunOptions
from benchmark.scoring.on_cohort import read_submitted
from cohorts import catalogue
from cohorts.cohort import Cohort, CohortCard, IndexRow
from cohorts.errors import UsageError
from cohorts.ontology.ontology import Ontology
from tests.releases import write_record

HOSPITAL = "city-hospital"

MODEL = """
class Seen:
    card = {{"name": "{name}", "description": "d", "outputs": ["AF", "LVH"], "trained_on": {trained_on}}}

    def predict(self, batch):
        return batch.signals[:, :2, 0] + batch.signals.std(axis=2)[:, :2]
"""


class CityHospital(Cohort):
    """What a stranger may register."""

    card = CohortCard(
        id=HOSPITAL,
        name="City hospital",
        version="1",
        licence="none",
        url="https://example.org",
        citation="none",
        vocabulary="scp",
        folder=HOSPITAL,
        records=60,
        sampling_rates=(250,),
        country="Nowhere",
    )

    def _read_index(self) -> Iterator[IndexRow]:
        for number, header in enumerate(sorted(self.root.glob("*.hea"))):
            codes = ("AFIB",) if number % 3 == 0 else ("NORM", "SR")
            yield IndexRow(header.stem, header.name, codes, header.stem, 60.0, "female")


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hospital in the catalogue, annotated as PTB-XL is."""
    cohorts = MappingProxyType({**catalogue.all_cohorts(), HOSPITAL: CityHospital})
    monkeypatch.setattr(catalogue, "all_cohorts", lambda: cohorts)
    monkeypatch.setattr(entries, "all_cohorts", lambda: cohorts)
    coverage = Ontology.coverage
    monkeypatch.setattr(
        Ontology,
        "coverage",
        lambda self, cohort: coverage(self, "ptb-xl" if cohort == HOSPITAL else cohort),
    )


@pytest.fixture(scope="module")
def home(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Real PTB-XL and LUDB, prepared."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "data").mkdir()
    for name in ("ptb-xl", "ludb"):
        (folder / "data" / name).symlink_to(shared / "data" / name)
    places = Places(folder / "data", folder / "cache")
    for name in ("ptb-xl", "ludb"):
        prepare_cohort(name, places, Reporter())
    return places


def write_hospital(places: Places, records: Mapping[str, Sequence[int]]) -> None:
    """Write recordings of other cohorts as an electrocardiograph does: 8 leads in 4.88 uV, 250 Hz, 9 s."""
    assert places.data is not None
    folder = places.data / HOSPITAL
    for old in folder.glob("*"):
        old.unlink()
    number = 0
    for cohort, positions in records.items():
        store = prepare_cohort(cohort, places, Reporter())
        for position in positions:
            signal = np.nan_to_num(store.recording(position).signal[[0, 1, *range(6, 12)], 250:4750])
            steps = np.rint(resample_poly(signal, 1, 2, axis=1) / 0.00488) * 4.88
            one, two = steps[:2]
            limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
            counts = np.rint(np.stack([*limb, *steps[2:]])).astype(np.int16)
            write_record(folder, f"P{number:03d}", counts, 250)
            number += 1


def run(places: Places, folder: Path, *names: tuple[str, list[str]], cohort: str = HOSPITAL) -> Any:
    """Evaluate models that were trained on some cohorts; gives their records and what was said."""
    files = []
    for name, trained_on in names:
        file = folder / f"{name.replace('-', '_')}.py"
        file.write_text(MODEL.format(name=name, trained_on=trained_on))
        files.append(f"{file}:Seen")
    said: list[str] = []
    reporter = Reporter()
    reporter.say = said.append  # type: ignore[method-assign]
    options = RunOptions(
        folder / "run", places, RunSettings(resamples=20), Hardware(), models=files, cohorts=[cohort]
    )
    outcome = run_cells(options, reporter)
    assert not outcome.failures
    records = {name: load_record(folder / "run" / name / "as-is" / f"{cohort}.json") for name, _ in names}
    return records, said, outcome


def ranked(folder: Path) -> str:
    write_report(folder / "run", "auroc")
    return (folder / "run" / "leaderboard.md").read_text()


@pytest.mark.usefixtures("registered")
def test_the_training_data_in_disguise_is_internal_and_not_ranked(home: Places, tmp_path: Path) -> None:
    write_hospital(home, {"ptb-xl": range(0, 240, 4)})
    records, said, _ = run(home, tmp_path, ("seen-it", ["ptb-xl"]), ("saw-a-copy", ["challenge-ptb-xl"]))

    for record in records.values():
        assert record.relation == "internal"
        assert record.overlap is not None
        assert record.overlap.records == 60
        shared = {one.cohort: (one.shared, one.records, one.by) for one in record.overlap.cohorts}
        assert shared == {"ptb-xl": (60, 400, "signals"), "ludb": (0, 150, "signals")}
    assert any("60 of 60 records of city-hospital shared with ptb-xl" in line for line in said)
    page = ranked(tmp_path)
    assert "60 of 60 shared with ptb-xl (400 records, by signals)" in page
    board = json.loads((tmp_path / "run" / "leaderboard.json").read_text())
    assert not [row for row in json.dumps(board).split('"rank": ')[1:] if row[0].isdigit()]

    found = verify(tmp_path / "run", labelled(home, Reporter()))
    assert not found.differences

    again = run(home, tmp_path, ("seen-it", ["ptb-xl"]), ("saw-a-copy", ["challenge-ptb-xl"]))
    assert again[2].computed == 0
    assert not any("compared by their signals" in line for line in again[1])


@pytest.mark.usefixtures("registered")
def test_five_shared_recordings_are_enough_and_said(home: Places, tmp_path: Path) -> None:
    write_hospital(home, {"ptb-xl": range(7, 12), "ludb": range(55)})
    records, said, _ = run(
        home, tmp_path, ("seen-it", ["ptb-xl"]), ("new-to-it", ["georgia"]), ("ecg-fm", [])
    )

    assert {name: record.relation for name, record in records.items()} == {
        "seen-it": "internal",
        "new-to-it": "external",
        "ecg-fm": "internal",  # known to have seen the Challenge's copy of PTB-XL, whatever its card says
    }
    warning = next(line for line in said if "shared with ptb-xl" in line)
    assert "5 of 60 records of city-hospital shared with ptb-xl" in warning
    assert "take these records out" in warning
    assert records["seen-it"].overlap is not None
    assert "5 of 60 shared with ptb-xl (400 records, by signals)" in overlap_text(records["seen-it"].overlap)
    unseen = next(line for line in said if "could not be compared with" in line)
    assert "georgia" in unseen
    assert "ptb-xl" not in unseen


@pytest.mark.usefixtures("registered")
def test_recordings_that_no_model_has_seen_stay_external(home: Places, tmp_path: Path) -> None:
    write_hospital(home, {"ludb": range(60)})
    records, said, _ = run(home, tmp_path, ("seen-ptb-xl", ["ptb-xl"]), ("seen-ludb", ["ludb"]))

    assert {name: record.relation for name, record in records.items()} == {
        "seen-ptb-xl": "external",
        "seen-ludb": "internal",
    }
    assert not any("could not be compared" in line for line in said)


@pytest.mark.usefixtures("registered")
def test_a_release_is_internal_to_a_model_trained_on_its_recordings_in_disguise(
    home: Places, tmp_path: Path
) -> None:
    write_hospital(home, {"ludb": range(10), "ptb-xl": range(10)})
    records, _, _ = run(
        home, tmp_path, ("learnt-there", [HOSPITAL]), ("elsewhere", ["ptb-xl"]), cohort="ludb"
    )
    assert {name: record.relation for name, record in records.items()} == {
        "learnt-there": "internal",
        "elsewhere": "external",
    }
    assert records["elsewhere"].overlap is not None
    assert [one.cohort for one in records["elsewhere"].overlap.cohorts] == [HOSPITAL]


@pytest.mark.usefixtures("registered")
def test_fingerprints_stand_for_a_release_that_is_not_here(home: Places, tmp_path: Path) -> None:
    file = tmp_path / "ptb-xl.fingerprints"
    store = prepare_cohort("ptb-xl", home, Reporter())
    write_fingerprints([take_fingerprints(store, home.cache, Reporter())], file)
    write_hospital(home, {"ptb-xl": range(20, 25), "ludb": range(55)})
    assert home.data is not None
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / HOSPITAL).symlink_to(home.data / HOSPITAL)
    away = Places(tmp_path / "data", tmp_path / "cache", fingerprints=(file,))
    records, said, _ = run(away, tmp_path, ("seen-it", ["ptb-xl"]))

    assert records["seen-it"].relation == "internal"
    assert records["seen-it"].overlap is not None
    (one,) = records["seen-it"].overlap.cohorts
    assert (one.cohort, one.shared, one.records, one.by) == ("ptb-xl", 5, 400, "fingerprints")
    assert any("leadboard overlap city-hospital FILE" in line for line in said)
    assert not any("could not be compared" in line for line in said)

    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(UsageError, match=r"ptb-xl.fingerprints cannot be used \(it is not complete\)"):
        run(away, tmp_path, ("seen-it", ["ptb-xl"]))


@pytest.mark.usefixtures("registered")
def test_predictions_made_elsewhere_are_internal_too(home: Places, tmp_path: Path) -> None:
    from benchmark.run.overlaps import find_overlap_of
    from benchmark.scoring.on_cohort import score_submitted

    write_hospital(home, {"ptb-xl": range(30)})
    store = prepare_cohort(HOSPITAL, home, Reporter())
    scores = pd.DataFrame({"record_id": store.index["record_id"], "AF": np.linspace(0, 1, len(store))})
    scores.to_csv(tmp_path / "scores.csv", index=False)
    (tmp_path / "card.yaml").write_text("name: mine\ntrained_on: [ptb-xl]\n")
    submitted = read_submitted(tmp_path / "scores.csv", card=tmp_path / "card.yaml")
    overlap = find_overlap_of(store, submitted.card, home, Reporter())
    record = score_submitted(
        submitted, store, tmp_path / "run", RunSettings(resamples=20), print, overlap=overlap
    )
    assert record.relation == "internal"
    assert not verify(tmp_path / "run", labelled(home, Reporter())).differences


def test_the_fingerprints_of_a_cohort_are_taken_once(home: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    store = prepare_cohort("ludb", home, Reporter())
    first = take_fingerprints(store, home.cache, Reporter())
    path = next((home.cache / "fingerprints").glob("ludb-*.bin"))
    monkeypatch.setattr("benchmark.run.fingerprints.fingerprints_of", None)  # it would fail
    again = take_fingerprints(store, home.cache, Reporter())
    assert np.array_equal(again.fingerprints.marks, first.fingerprints.marks)
    monkeypatch.undo()
    path.write_bytes(path.read_bytes()[:-1])
    made_again = take_fingerprints(store, home.cache, Reporter())
    assert np.array_equal(made_again.fingerprints.marks, first.fingerprints.marks)
    assert read_fingerprints([path])[0].facts == first.facts
