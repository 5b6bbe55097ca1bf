"""`leadboard new-labels`: what is certain of a model's own names is filled in, and nothing is guessed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmark.models.label_map import read_labels
from benchmark.models.label_start import read_names, start_map
from cohorts.errors import ModelError, UsageError
from tests.commands import command

BY_HAND = Path(__file__).parents[3] / "baselines/foundation/labels/ptbxl.csv"
MODEL = '''\
class Flat:
    """Says the same of everybody."""

    def predict(self, batch):
        return [[0.5] * 3 for _ in batch.signals]
'''
CARD = "name: flat\nversion: '1'\ntrained_on: []\ninput: {sampling_rate: 100, seconds: 10}\n"


def test_the_statements_of_ptb_xl_are_what_the_map_by_hand_has() -> None:
    """All of its 138 rows, but for those that only a physician can decide, which are left open."""
    by_hand = read_labels(BY_HAND)
    start = start_map(tuple(dict.fromkeys(row.label for row in by_hand)), "scp")
    stated = {(label, concept, relation) for label, concept, relation, _ in start.rows if relation}
    wanted = {(row.label, row.concept, row.relation) for row in by_hand}
    undecided = {(label, concept) for label, concept, _, _ in start.undecided}
    assert stated < wanted
    assert {(label, concept) for label, concept, _ in wanted - stated} == undecided - {("SBRAD", "Brady")}
    assert {concept for _, concept in undecided} == {"MI", "Brady"}
    assert len(wanted) == 138
    assert len(undecided) == 10
    assert all(note for *_, relation, note in start.rows if relation in ("", "unmapped"))


def test_the_vocabulary_is_told_where_it_may_be_meant() -> None:
    names = ("NORM", "IMI", "CLBBB", "LAO/LAE", "mine")
    assert "scp" in start_map(names).vocabularies
    assert not start_map(names, "scp").vocabularies
    assert start_map(names, "scp").undecided[-1][0] == "mine"
    with pytest.raises(UsageError, match="Did you mean 'scp'"):
        start_map(names, "scpp")


def test_plain_names_in_english() -> None:
    rows = start_map(
        ("Atrial Fibrillation", "atrial_flutter", "Atrial fibrillation with RVR", "gout", "T wave inverson")
    ).rows
    assert rows == (
        ("Atrial Fibrillation", "AF", "same", ""),
        ("Atrial Fibrillation", "AF_AFL", "narrower", ""),
        ("atrial_flutter", "AFL", "same", ""),
        ("atrial_flutter", "AF_AFL", "narrower", ""),
        ("Atrial fibrillation with RVR", "", "", "perhaps AF or AF_AFL"),
        ("gout", "", "", "nothing near is known"),
        ("T wave inverson", "", "", "perhaps TInv"),
    )


def test_one_kind_is_no_score_of_what_stands_above_it() -> None:
    (flutter, above) = start_map(("atrial flutter",)).rows
    assert flutter[1:3] == ("AFL", "same")
    assert above[1:3] == ("AF_AFL", "")
    assert "(none for AF)" in above[3]
    both = start_map(("atrial flutter", "atrial fibrillation or atrial flutter")).rows
    assert ("atrial flutter", "AF_AFL", "narrower", "") in both


def test_check_says_in_one_sentence_that_rows_are_undecided(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "names.txt").write_text("AFIB\nIMI\nwide QRS\n", "utf-8")
    made = command(tmp_path, "new-labels", "names.txt")
    assert "labels.csv: 3 labels, " in made.out
    told = command(tmp_path, "check", "model.py:Flat", code=1)
    assert "rows without a relation, the first in line 3 for 'AFIB'" in told.out + told.err
    with (tmp_path / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["relation"]]
    rows.append({"label": "wide QRS", "concept": "", "relation": "unmapped", "note": "several findings"})
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    labels = read_labels(tmp_path / "labels.csv")
    assert [row.label for row in labels] == ["AFIB", "IMI", "wide QRS"]
    told = command(tmp_path, "new-labels", "names.txt", code=2)
    assert "labels.csv is there already" in told.err


@pytest.mark.parametrize("relation", ["", "  "])
def test_a_map_with_an_undecided_row_is_refused(tmp_path: Path, relation: str) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(f"label,concept,relation,note\nA,AF,same,\nB,,{relation},perhaps AF\n")
    with pytest.raises(ModelError, match=r"1 of 2 rows without a relation, the first in line 3 for 'B'"):
        read_labels(file)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"A\nB\nA\n", "has 'A' twice"),
        (b"A" * 201, "more than 200 characters"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"A\n" * 600_000, "more than 1024 kB"),
    ],
)
def test_what_is_no_list_of_names_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_names(tmp_path / "names.txt")


def test_names_with_commas_and_quotes_survive(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes('\ufeffMI, old\r\n"so called" AF\r\n'.encode())
    names = read_names(tmp_path / "names.txt")
    assert names == ("MI, old", '"so called" AF')
    rows = list(csv.reader(start_map(names).text().splitlines()))
    assert rows[0] == ["label", "concept", "relation", "note"]
    assert [row[0] for row in rows[1:]] == list(names)
