"""A first look at whole cohorts: what is counted, what is doubtful about people, and which are drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import find_cohort, open_cohort
from cohorts.first_look.look import _sheets, _spread, first_look
from cohorts.ontology import load_ontology
from cohorts.recording import DigitalRecording

PTB_XL = find_cohort("ptb-xl")


@pytest.fixture
def table(write_release):
    """Write PTB-XL with some columns replaced, and look at it."""
    folder = write_release("ptb-xl") / PTB_XL.card.folder

    def look(**columns):
        path = folder / "ptbxl_database.csv"
        pd.read_csv(path, dtype=str).assign(**columns).to_csv(path, index=False)
        return first_look(PTB_XL(folder))

    return look


def told(look):
    """Findings about people: what, records, of, examples."""
    return [(one.what, one.records, one.of, one.examples) for one in look.findings if one.of == look.records]


def people(look):
    kinds = ("Ages", "Sexes", "Records", "Recordings of", "One patient")
    return [finding for finding in told(look) if finding[0].startswith(kinds)]


def test_what_is_there_is_counted(table):
    look = table()
    assert (look.records, look.patients, look.sampled, look.read) == (6, 3, 6, 6)
    assert look.rates == {500.0: 6}
    assert look.seconds == {1.0: 6}
    assert look.ages == (51, 54.5, 90)
    assert look.sexes == {"male": 3, "female": 3}
    ontology = load_ontology()
    assert look.concepts.loc["AF"].tolist() == [3, 3, 0], "every other record is one of fibrillation"
    assert look.concepts.loc["NORM"].tolist() == [3, 3, 0]
    assert (look.concepts.sum(axis=1) == 6).all()
    assert set(look.concepts.index) == set(ontology.coverage("ptb-xl").loc[lambda s: s == "annotated"].index)


def test_patients_in_two_folds_are_told(table):
    (found,) = people(table())
    assert found == ("Recordings of 3 patients lie in more than one fold", 6, 6, ("1", "2", "3"))
    assert people(table(strat_fold=["1", "1", "2", "2", "3", "3"])) == []


def test_ages_and_sexes_that_nobody_has_are_told(table):
    folds = {"strat_fold": ["1", "1", "2", "2", "3", "3"]}
    found = people(
        table(age=["-3", "299", "50", "299", "", "60"], sex=["7", "0", "1", "0", "1", "0"], **folds)
    )
    assert found == [
        ("Ages that nobody has, such as -3, 299 years, are taken as unknown", 3, 6, ()),
        ("Sexes that are not understood are taken as unknown", 1, 6, ()),
        ("Records without an age", 4, 6, ("1", "2", "4")),
    ]


def test_a_patient_with_very_many_recordings_is_told(write_release):
    folder = write_release("ptb-xl", records=30) / PTB_XL.card.folder
    path = folder / "ptbxl_database.csv"
    rows = pd.read_csv(path, dtype=str)
    rows["strat_fold"] = "1"
    for many, expected in ((21, [("One patient has very many recordings", 21, 30)]), (20, [])):
        rows["patient_id"] = ["1"] * many + [str(number) for number in range(2, 32 - many)]
        rows.to_csv(path, index=False)
        assert [finding[:3] for finding in people(first_look(PTB_XL(folder)))] == expected


def looked(shared, change):
    """First look at real recordings of Georgia, each as ``change`` gives it back."""
    georgia = open_cohort("georgia", shared / "data")

    def read(self, path):
        return change(path.stem, find_cohort("georgia")._read_signal(self, path))

    card = georgia.card.model_copy(update={"id": "oslo"})
    attributes = {"card": card, "_read_signal": read, "__module__": "elsewhere"}
    return first_look(type("Oslo", (find_cohort("georgia"),), attributes)(georgia.root))


def test_one_signal_under_two_ids_is_told(shared):
    georgia = open_cohort("georgia", shared / "data")
    origin = str(georgia.index()["record_id"][0])
    first = georgia.read(origin)
    look = looked(shared, lambda name, recording: first if name in ("E07506", "E07509") else recording)
    (found,) = [one for one in look.findings if one.what == "The same signal under several ids"]
    assert found.examples == (origin, "E07506", "E07509")
    assert found.records == 3


@pytest.mark.parametrize(("factor", "heart"), [(2, "fast"), (0.5, "slow")])
def test_a_rate_that_is_wrong_for_all_is_told(shared, factor, heart):
    def change(name, recording):
        return DigitalRecording(
            recording.counts,
            recording.gain,
            recording.baseline,
            recording.sampling_rate * factor,
            recording.leads,
        )

    look = looked(shared, change)
    (found,) = [one for one in look.findings if one.what.startswith("The usual heart rate of the sample is ")]
    usual = float(found.what.split()[8])
    assert usual > 120 if heart == "fast" else usual < 48


def test_what_cannot_be_read_is_told_and_the_others_are_looked_at(shared):
    def change(name, recording):
        if name == "E00001":
            raise ValueError("of a patient")
        return recording

    look = looked(shared, change)
    assert look.read == look.sampled - 1
    assert not [one for one in look.findings if "usual heart rate" in one.what], "nothing is wrong with it"
    (found,) = [one for one in look.findings if one.what == "The recording cannot be read"]
    assert (found.records, found.examples) == (1, ("E00001",))
    assert "raised ValueError" in found.to_do
    assert "of a patient" not in found.to_do


def test_the_sample_is_spread_over_the_index_and_seeded():
    chosen = [_spread(1003, seed) for seed in (0, 0, 1)]
    assert chosen[0].tolist() == chosen[1].tolist() != chosen[2].tolist()
    gaps = np.diff(chosen[0])
    assert gaps.min() >= 1
    assert gaps.max() <= 41, "one of each of 50 stretches of 20 or 21"
    assert len(set(chosen[2])) == 50
    assert chosen[2].max() < 1003
    assert _spread(7, 3).tolist() == list(range(7))
    assert _spread(0, 3).tolist() == []


def test_the_sheets_are_seeded_and_of_different_recordings():
    recordings = dict.fromkeys(map(str, range(50)))
    ids = [[record for record, _ in _sheets(recordings, seed)] for seed in (0, 0, 1)]
    assert ids[0] == ids[1] != ids[2]
    assert len(set(ids[0])) == 3
    assert len(_sheets({"a": None}, 0)) == 1
