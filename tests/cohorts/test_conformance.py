"""`problems`: each rule that the rest relies on, broken on purpose, is one sentence; a good one has none."""

from __future__ import annotations

import pytest

from cohorts.catalogue import find_cohort
from cohorts.cohort import Folds
from cohorts.conformance import problems
from cohorts.release import Release

REASON = "Every record was read for it."
GEORGIA = find_cohort("georgia")


@pytest.fixture
def broken(write_release):
    """Problems of a Georgia of six records in which some attributes, or facts of the card, are others."""
    folder = write_release("georgia") / GEORGIA.card.folder

    def find(card=None, **attributes):
        facts = {"id": "oslo", "vocabulary": "snomed"} | (card or {})
        new = {
            "card": GEORGIA.card.model_copy(update=facts),
            "annotates": {"AF": REASON},
            "__module__": __name__,
        }
        return problems(type("Oslo", (GEORGIA,), new | attributes)(folder))

    return find


def test_a_good_cohort_has_none(broken):
    assert broken() == []


@pytest.mark.parametrize(
    ("card", "attributes", "sentence"),
    [
        ({"url": "http://physionet.org/content/challenge-2021/1.0.3/"}, {}, "with https://"),
        ({"overlaps": ("georgia", "gorgia")}, {}, "shares recordings with gorgia, no cohorts"),
        ({"copy_of": "gorgia"}, {}, "shares recordings with gorgia, no cohorts"),
        ({"citation": " "}, {}, "has no citation"),
        ({"folds": Folds(training=(1, 2), validation=(2,), test=(3,))}, {}, "one fold in two parts"),
        ({"folds": Folds(training=(1,), validation=(2,), test=())}, {}, "no test fold"),
        ({"folds": Folds(training=(1,), validation=(2,), test=(3,))}, {}, "Records have folds exactly where"),
        ({"url": "https://example.org/x"}, {}, "is no page of PhysioNet, Zenodo or figshare"),
        ({"folder": "elsewhere"}, {}, "does not end with the release's subfolder training/georgia"),
        ({"access": "credentialed"}, {}, "exactly where the card's access is 'credentialed'"),
        ({}, {"release": Release(size=5)}, "size is 5 bytes"),
        ({"records": 5}, {}, "6 records, more than the 5 of its card"),
        ({"sampling_rates": (250.0,)}, {}, "Signals have 500 Hz, but its card names 250 Hz"),
        ({"vocabulary": "scp"}, {}, "2 of its codes are in no table"),
        ({}, {"annotates": {}}, "It annotates no concept"),
        ({}, {"annotates": {"AF": "yes"}}, "the reason 'yes'"),
        ({"vocabulary": "code"}, {"annotates": {"PVC": REASON}}, "annotates PVC, but no code says yes"),
        ({}, {"sexes": {}, "_read_index": lambda self: iter(())}, "No record could be indexed"),
        ({}, {"_read_index": lambda self: {}["x"]}, "raised KeyError at test_conformance.py:"),
        (
            {},
            {"_read_signal": lambda self, path: {}["x"]},
            "6 of 6 signals cannot be used; the first reason:",
        ),
    ],
)
def test_what_is_broken_is_one_sentence(broken, card, attributes, sentence):
    found = [text for text in broken(card, **attributes) if sentence in text]
    assert len(found) == 1
    assert found[0].endswith(".")


def test_an_index_in_another_order_each_time_is_found(broken):
    calls = []

    def read(self):
        calls.append(1)
        rows = list(GEORGIA._read_index(self))
        return iter(rows if len(calls) % 2 else rows[:-1])

    (found,) = broken(_read_index=read)
    assert "another one when it is read again" in found


def test_signals_that_change_are_found(broken):
    def read(self, path):
        recording = GEORGIA._read_signal(self, path)
        calls.append(1)
        recording.counts[0, 0] = len(calls)
        return recording

    calls = []
    (found,) = broken(_read_signal=read)
    assert found == "6 of 6 signals are others when they are read again; correct _read_signal."


def test_folds_that_the_card_does_not_name_and_records_without_one_are_found(write_release):
    card = find_cohort("ptb-xl").card
    odd = card.model_copy(update={"folds": Folds(training=(11,), validation=(12,), test=(13,))})
    folder = write_release("ptb-xl") / card.folder
    kind = type("Odd", (find_cohort("ptb-xl"),), {"card": odd})
    (found,) = problems(kind(folder))
    assert found.startswith("No record is in a fold that the card names")
    table = folder / "ptbxl_database.csv"
    table.write_text(table.read_text().replace(",2,records", ",,records"))
    (found,) = problems(find_cohort("ptb-xl")(folder))
    assert found == "1 record has no fold; give each record one."


def test_what_cannot_be_indexed_and_sexes_that_nobody_understands_are_found(broken, write_release):
    folder = write_release("georgia") / GEORGIA.card.folder
    header = folder / "g1/X0001.hea"
    header.write_text(header.read_text().replace("#Dx", "#Ex").replace("Female", "2"))
    header = folder / "g1/X0002.hea"
    header.write_text(header.read_text().replace("Male", "weiblich"))
    unreadable, sexes = broken()
    assert "1 record cannot be indexed" in unreadable
    assert "X0001.hea states no diagnosis (#Dx)." in unreadable
    assert "the sexes 'weiblich'" in sexes
