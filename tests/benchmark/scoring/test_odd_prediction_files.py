"""Predictions that somebody brings, read one file at a time: what is odd is refused in one sentence."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.models.cards import read_card
from benchmark.scoring.prediction_files import PredictionTable, read_prediction_file
from cohorts.errors import UsageError
from cohorts.ontology.ontology import load_ontology
from tests.benchmark.scoring.table_files import write

CONCEPTS = frozenset(map(str, load_ontology().concepts.index))


def read(path: Path) -> PredictionTable:
    return read_prediction_file(path, CONCEPTS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("record_id,AF,AF\nE00001,1,2\n", "has more than one column 'AF'"),
        ("record_id,AF\nE00001,1\nE00002\n", "cannot be read as a table"),
        ("record_id,AF\nE00001,high\n", "has 'high' in column 'AF' of record 'E00001'"),
        ("record_id,AF\nE00001,\n", "that are missing, infinite or too large (1, the first"),
        ('record_id,"AF\nE00001,1\n', 'it has record_id,"AF'),
        ("\0\0\0\0,x\n", "not one line of CSV"),
        (",record_id,AF\n0,E00001,1\n", "Column 1 of"),
    ],
)
def test_odd_csv_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read(path)
    assert words in str(caught.value)


def test_ids_stay_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("record_id;AF\n007;1\n NA ;0.5\n1e3;0\n")
    assert list(read(path).ids) == ["007", "NA", "1e3"]
    np.savez(tmp_path / "scores.npz", record_id=np.array([7, 8]), AF=np.array([True, False]))
    assert list(read(tmp_path / "scores.npz").ids) == ["7", "8"]


def test_scores_that_single_precision_cannot_tell_apart_are_told(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("record_id,AF,LVH\na,0.9999999999,1\nb,0.99999999999,2\n")
    assert read(path).remarks == (
        "Many scores of AF differ by less than single precision keeps, and become ties.",
    )
    path.write_text("record_id,AF,LVH\na,0.1,1\nb,0.2,2\n")
    assert read(path).remarks == ()


def npz(path: Path, **arrays: Any) -> None:
    np.savez(path, **{"record_id": np.array(["a", "b"]), **arrays})


def pickled(path: Path) -> None:
    np.savez(path, record_id=np.array(["a"]), AF=np.array([{"x": 1}], dtype=object))


def bomb(path: Path) -> None:
    """An array whose header promises a terabyte, as a few bytes."""
    npz(path)
    header = str({"descr": "<f8", "fortran_order": False, "shape": (2**37,)}).encode()
    data = b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header + b"\n" + b"\0" * 16
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("AF.npy", data)


def truncated(path: Path) -> None:
    npz(path, AF=np.zeros(2))
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (pickled, "cannot be read as npz of plain arrays"),
        (bomb, "cannot be read as npz of plain arrays"),
        (truncated, "cannot be read as npz of plain arrays"),
        (
            lambda path: path.write_bytes(b"PK\x03\x04" + b"\xff" * 60),
            "cannot be read as npz of plain arrays",
        ),
        (
            lambda path: npz(path, AF=np.zeros(3)),
            "do not all have one number per record: record_id (2,), AF (3,)",
        ),
        (lambda path: npz(path, AF=np.zeros((2, 1))), "do not all have one number per record"),
        (lambda path: npz(path, AF=np.array(["x", "y"])), "The array 'AF' of"),
        (lambda path: npz(path, AF=np.zeros(2, complex)), "The array 'AF' of"),
        (lambda path: npz(path, record_id=np.array([0.5, 1.5]), AF=np.zeros(2)), "are decimal numbers"),
        (lambda path: npz(path, scores=np.zeros((2, 3)), outputs=["AF", "LVH"]), "outputs names 2 concepts"),
        (lambda path: npz(path, scores=np.zeros((2, 2)), outputs=["AF", "AF"]), "outputs names 1 concept"),
        (lambda path: npz(path, scores=np.zeros((2, 2)), outputs=["AF", "PTB"]), "Unknown concept 'PTB'"),
    ],
)
def test_odd_npz_is_refused(tmp_path: Path, make: Callable[[Path], Any], words: str) -> None:
    path = tmp_path / "scores.npz"
    make(path)
    with pytest.raises(UsageError) as caught:
        read(path)
    assert words in str(caught.value)


def test_a_packed_table_is_not_unpacked_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = pd.DataFrame({"record_id": [f"{at:06d}" for at in range(20_000)], "AF": np.zeros(20_000)})
    zeros.to_parquet(tmp_path / "zeros.parquet", compression="zstd")
    np.savez_compressed(tmp_path / "zeros.npz", record_id=np.arange(20_000), AF=np.zeros(20_000))
    for path in (tmp_path / "zeros.parquet", tmp_path / "zeros.npz"):
        assert path.stat().st_size < 280_000 < 2 * 8 * 20_000
        monkeypatch.setattr("benchmark.scoring.tables.MOST_TABLE_BYTES", 280_000)
        monkeypatch.setattr("benchmark.records.parquet.MOST_TABLE_BYTES", 280_000)
        with pytest.raises(UsageError, match="no table of scores has more"):
            read(path)


def answer(path: Path) -> PredictionTable | str:
    """What is read, or the sentence that says why not."""
    try:
        return read(path)
    except UsageError as error:
        return str(error)


@settings(max_examples=60, deadline=None)
@given(start=st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"record_id,AF\n"]), rest=st.binary(max_size=200))
def test_garbage_is_answered_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage"
    path.write_bytes(start + rest)
    found = answer(path)
    assert found.isprintable() if isinstance(found, str) else len(found.ids) == len(found.scores) > 0


@settings(max_examples=60, deadline=None)
@given(at=st.integers(min_value=0), value=st.integers(min_value=0, max_value=255), kind=st.booleans())
def test_a_damaged_byte_is_noticed_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int, kind: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()
    content = pd.DataFrame({"record_id": ["a", "b"], "AF": np.float32([0.25, 0.5])})
    path = write(content, folder, "npz" if kind else "parquet")
    data = bytearray(path.read_bytes())
    data[at % len(data)] = value
    path.write_bytes(data)
    found = answer(path)
    assert found.isprintable() if isinstance(found, str) else found.scores.shape[1] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("trained_on: []", "The model has no name"),
        ("name: other\ntrained_on: []", "The card is of 'other', but --name says 'mine'"),
        ("name: no spaces\ntrained_on: []", "not valid: name"),
        ("name: mine", "not valid: trained_on"),
        ("name: mine\ntrained_on: [gerogia]", "Did you mean 'georgia'"),
        ("name: mine\ntrained_on: []\nauthor: me", "not valid: author"),
        ("name: mine\ntrained_on: []\noutputs: [AF]", "differ in their outputs (LVH)"),
        ("name: mine\ntrained_on: []\ninput: {sampling_rate: fast}", "not valid: input.sampling_rate"),
        ("- name: mine", "has no fields"),
        ("name: [", "is not valid YAML"),
        ("[" * 50_000, "is not valid YAML"),
        ("name: mine\n# " + "x" * 200_000, "a card is a page"),
        ("name: &a [*a]\ntrained_on: []", "is not valid YAML"),
        ("name: &a [x]\nversion: *a\ntrained_on: []", "it has an alias"),
        ("!!python/object/apply:os.system ['true']", "has no fields"),
    ],
)
def test_odd_cards_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_card(path, "mine" if "other" in text else None, ("AF", "LVH"))
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_card_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(
        "name: mine\nversion: 1.10\nprobabilities: true\ntrained_on: undisclosed\noutputs: [LVH, AF]\n"
        "input: {sampling_rate: 250, leads: [I, II]}\n"
    )
    card = read_card(path, None, ("AF", "LVH"))
    assert (card.name, card.version, card.probabilities, card.trained_on) == (
        "mine",
        "1.10",
        True,
        "undisclosed",
    )
    assert (card.input.sampling_rate, card.input.leads, card.outputs) == (250, ("I", "II"), ("AF", "LVH"))
    assert read_card(None, "mine", ("AF",)).trained_on == "undisclosed"
    with pytest.raises(UsageError, match="cannot be read"):
        read_card(tmp_path / "nothing.yaml", None, ("AF",))


@pytest.mark.parametrize("number", [0xD800, 0x11D800])  # half a character; beyond the last one
@pytest.mark.parametrize("where", ["record_id", "fingerprint", "outputs"])
def test_what_is_no_character_in_an_npz_is_refused(tmp_path: Path, where: str, number: int) -> None:
    arrays: dict[str, Any] = {
        "record_id": np.array(["a", "b"]),
        "fingerprint": np.array(["f"]),
        "scores": np.zeros((2, 1)),
        "outputs": np.array(["AF"]),
    }
    arrays[where] = np.array([*arrays[where][:-1], "xx"])
    arrays[where][-1:].view(np.uint32)[-1] = number
    np.savez(tmp_path / "scores.npz", **arrays)
    with pytest.raises(UsageError, match="hold what is no character") as caught:
        read(tmp_path / "scores.npz")
    assert str(caught.value).isprintable()
