"""`leadboard prepare --check`: what is printed, written and returned."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.commands.data import prepare
from cohorts.own.vocabulary import read_vocabulary
from tests.cohorts.own_hospital import FILES, HEAD, ID, PEOPLE, beats, known, table, write
from tests.releases import write_record

ROOT = Path(__file__).parents[3]


def call(*words):
    command = [sys.executable, "-m", "benchmark", "prepare", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_it_is_pleasant_to_read_and_writes_three_sheets(shared, tmp_path, capsys):
    assert prepare("ludb", check=True, data=shared / "data", out=tmp_path / "sheets") == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100
    assert "  records    150 in the index; 50 of a sample of 50 can be read\n" in text
    assert "  sexes      90 male, 60 female\n" in text
    assert "  ages       15 to 90 years, median 60; 0 unknown\n" in text
    assert "contradict each other" in text
    sheets = sorted(path.name for path in (tmp_path / "sheets").iterdir())
    assert sheets == ["ludb-1.png", "ludb-2.png", "ludb-3.png"], "no id of a record is in a name"
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (tmp_path / "sheets").iterdir())


def test_json_has_all_of_it(shared, tmp_path, capsys):
    assert prepare("ludb", "cpsc-2018", check=True, data=shared / "data", out=tmp_path, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["ludb", "cpsc-2018"]
    look = found["ludb"]
    assert (look["records"], look["sampled"], look["read"], look["patients"]) == (150, 50, 50, None)
    assert look["sampling_rates"] == [{"hz": 500.0, "records": 50}]
    assert look["concepts"]["AF"] == {"positive": 14, "negative": 136, "open": 0}
    (laws,) = [one for one in look["findings"] if "contradict" in one["what"]]
    assert laws["of"] == 50
    assert len(laws["examples"]) == 3
    assert laws["to_do"]
    assert [Path(path).name for path in look["sheets"].values()] == ["ludb-1.png", "ludb-2.png", "ludb-3.png"]


def test_nothing_that_can_be_read_is_a_failure(shared, tmp_path, capsys):
    """The tables of CODE-test are here, its signals are not."""
    assert prepare("code-test", check=True, data=shared / "data", out=tmp_path / "sheets") == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "0 of a sample of 50 can be read" in text
    assert "The recording cannot be read (50 of 50: " in text
    assert not (tmp_path / "sheets").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["georgia", "--out", "x"], "--out belongs to --check"),
        (["georgia", "--json"], "--json belongs to --check"),
        (["gorgia", "--check"], "Did you mean 'georgia'"),
    ],
)
def test_wrong_calls_are_one_sentence(tmp_path, words, sentence):
    done = call(*words, "--data", str(tmp_path))
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_codes_that_the_vocabulary_lacks_become_rows_to_fill_in(tmp_path, capsys):
    """They are read back as a vocabulary only when somebody has said what they mean."""
    folder = tmp_path / "hospital"
    for number, counts in enumerate(beats(6), start=1):
        write_record(folder / "ecg", f"{number:03d}", counts, 500)
    (folder / "codes.csv").write_text("code,concept,relation\nSR,NSR,same\n")
    rows = table().assign(dx=["SR", "AFIB;SR", "AFIB", 'Verdacht auf "X"', "SR", "SR"])
    labels = '\n[labels.statements]\ncolumn = "dx"\nvocabulary = "codes.csv"\n'
    out = tmp_path / "look"
    with known(write(folder, rows, HEAD + PEOPLE + FILES + labels)):
        assert prepare(ID, check=True, out=out) == 0
    written = out / f"{ID}-codes.csv"
    assert f"does not know are in {written}" in " ".join(capsys.readouterr().out.split())
    lines = written.read_text().splitlines()
    assert lines == ["code,concept,relation,note", "AFIB,AF,,in 2 ECGs", '"Verdacht auf ""X""",,,in 1 ECG']
    assert read_vocabulary(out, written.name).empty, "a row without a relation is not decided"
    written.write_text(written.read_text().replace("AF,,", "AF,same,").replace(",,,", ",,unmapped,"))
    assert list(read_vocabulary(out, written.name)["concept"]) == ["AF", ""]
