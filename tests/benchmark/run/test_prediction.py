"""Any recordings are scored as they would be in a run, and nothing is guessed about them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cyclopts import CycloptsError

from benchmark.cli import app
from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.run.runner import run
from benchmark.run.states import RunOptions
from cohorts.errors import RecordError, UsageError
from cohorts.recording import STANDARD_LEADS, DigitalRecording
from tests.benchmark.tiny_run import NOISY, make_places
from tests.cohorts.formats.every_format import write_every_format
from tests.releases import LEADS, make_signal, write_record

EMBEDDER = """
class Embedder:
    card = {"name": "embedder", "outputs": [], "trained_on": [], "input": {"sampling_rate": 100}}

    def embed(self, batch):
        return batch.signals.std(axis=2)

    def predict(self, batch):
        raise RuntimeError("it has no outputs")
"""

TWO_LEADS = """
class Two:
    card = {"name": "two", "outputs": ["AF", "LVH"], "trained_on": [], "input": {"leads": ["II", "V1"]}}

    def predict(self, batch):
        return batch.signals.std(axis=2)
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("places"))


@pytest.fixture(scope="module")
def plugin(places: Places) -> str:
    assert places.data is not None
    (places.data.parent / "noisy.py").write_text(NOISY)
    return f"{places.data.parent / 'noisy.py'}:Noisy"


def leadboard(places: Places, *words: object) -> None:
    options = ["--data", str(places.data), "--cache", str(places.cache)]
    app(["predict", *map(str, words), *options], exit_on_error=False, result_action="return_value")


def test_a_cohort_and_its_files_have_the_scores_of_a_run(places: Places, plugin: str, tmp_path: Path) -> None:
    assert places.data is not None
    settings = RunSettings(resamples=20)
    options = RunOptions(
        tmp_path / "run", places, settings, Hardware(), models=(plugin,), cohorts=("georgia",)
    )
    run(options, Reporter())
    expected = pd.read_parquet(tmp_path / "run/noisy/as-is/georgia.parquet")
    leadboard(places, plugin, "--cohort", "georgia", "--out", tmp_path / "cohort.parquet")
    leadboard(
        places,
        plugin,
        "--signals",
        places.data / "challenge-2021/training/georgia",
        "--out",
        tmp_path / "files.csv",
    )
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "cohort.parquet"), expected)
    files = pd.read_csv(tmp_path / "files.csv")
    files["record_id"] = files["record_id"].str.rpartition("/")[2]
    files = files.set_index("record_id").loc[expected["record_id"]].reset_index()
    pd.testing.assert_frame_equal(files, expected, check_dtype=False, rtol=1e-6)


def test_a_single_header_an_array_and_what_cannot_be_used(
    places: Places, plugin: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = make_signal(3, 5000, 1.0)
    write_record(tmp_path / "in", "one", counts, 500, ["# Age: 51"])
    write_record(tmp_path / "in", "flat", np.zeros_like(counts), 500)
    (tmp_path / "in/broken.hea").write_text("nothing to see")
    leadboard(places, plugin, "--signals", tmp_path / "in", "--out", tmp_path / "all.csv")
    said = capsys.readouterr().out
    assert "Left out: flat: All leads are flat." in said
    assert "Left out: broken: " in said
    assert "1 recording, 2 concepts, 2 left out" in said
    leadboard(places, plugin, "--signals", tmp_path / "in/one.hea", "--out", tmp_path / "one.csv")
    np.save(tmp_path / "array.npy", np.stack([counts * 1e-3, np.zeros(counts.shape), counts * 1e-3])[:, :8])
    shape = ["--rate", 500, "--unit", "mV", "--leads", "I,II,III,aVR,aVL,aVF,V1,V2"]
    with pytest.raises(RecordError, match="V3"):
        leadboard(places, plugin, "--signals", tmp_path / "array.npy", "--out", tmp_path / "a.csv", *shape)
    order = [0, 1, *range(6, 12)]
    np.save(
        tmp_path / "array.npy",
        np.stack([counts, np.zeros(counts.shape), counts])[:, order],
    )
    eight = ["--rate", 500, "--unit", "uV", "--leads", ",".join(LEADS[at] for at in order)]
    leadboard(places, plugin, "--signals", tmp_path / "array.npy", "--out", tmp_path / "array.csv", *eight)
    whole, one, array = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("all", "one", "array"))
    pd.testing.assert_frame_equal(whole, one)
    assert array["record_id"].tolist() == [0, 2]
    np.testing.assert_allclose(array.loc[[0]].iloc[:, 1:], one.iloc[:, 1:], rtol=1e-4)


def test_leads_that_a_model_does_not_ask_for_may_be_missing(places: Places, tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(TWO_LEADS)
    counts = make_signal(3, 5000, 1.0)
    write_record(tmp_path / "in", "one", counts, 500)
    write_record(tmp_path / "in", "few", counts[[1, 6]], 500, leads=("II", "V1"))
    np.save(tmp_path / "array.npy", counts[None, [6, 1]])
    model, two = f"{tmp_path / 'two.py'}:Two", ["--rate", 500, "--unit", "uV", "--leads", "V1,II"]
    leadboard(places, model, "--signals", tmp_path / "in", "--out", tmp_path / "files.csv")
    leadboard(places, model, "--signals", tmp_path / "array.npy", "--out", tmp_path / "array.csv", *two)
    files = pd.read_csv(tmp_path / "files.csv").set_index("record_id")
    np.testing.assert_array_equal(files.loc["few"], files.loc["one"])
    np.testing.assert_allclose(pd.read_csv(tmp_path / "array.csv").iloc[0, 1:], files.loc["one"], rtol=1e-6)
    assert files.loc["one", "AF"] != files.loc["one", "LVH"]


def test_files_of_electrocardiographs_and_whatever_else_lies_there(
    places: Places, plugin: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, counts = tmp_path / "in", make_signal(3, 5000, 1.0)
    sent = DigitalRecording(counts, np.full(12, 1000.0), np.zeros(12), 500.0, STANDARD_LEADS)
    (folder / "devices").mkdir(parents=True)
    write_record(folder, "one", counts, 500, ["# Age: 51"])
    (folder / "one.atr").write_bytes(b"marks of beats, which belong to the header")
    kinds = write_every_format(folder / "devices", sent)
    (folder / "notes.txt").write_text("Nothing to see.\n")
    (folder / "cut.dcm").write_bytes(kinds["dicom"].read_bytes()[:5000])
    os.mkfifo(folder / "pipe.edf")
    leadboard(places, plugin, "--signals", folder, "--out", tmp_path / "all.csv")
    said = capsys.readouterr().out
    assert "Left out: notes.txt: 'notes.txt' is none of the files that are read: wfdb, muse," in said
    assert "Left out: cut.dcm: 'cut.dcm' holds a waveform that cannot be read: it has 2,1" in said
    assert "Left out: pipe.edf: 'pipe.edf' is not a file." in said
    assert f"{len(kinds) + 1} recordings, 2 concepts, 3 left out" in said
    scores = pd.read_csv(tmp_path / "all.csv").set_index("record_id")
    assert set(scores.index) == {"one", *(f"devices/{path.name}" for path in kinds.values())}
    for name in scores.index:
        np.testing.assert_allclose(scores.loc[name], scores.loc["one"], rtol=1e-3)
    leadboard(places, plugin, "--signals", kinds["dicom"], "--out", tmp_path / "one.csv")
    alone = pd.read_csv(tmp_path / "one.csv").set_index("record_id")
    pd.testing.assert_series_equal(alone.loc["plain.dcm"], scores.loc["devices/plain.dcm"], check_names=False)
    with pytest.raises(UsageError, match="None of the recordings can be used"):
        leadboard(places, plugin, "--signals", folder / "notes.txt", "--out", tmp_path / "none.csv")


def test_a_probe_is_fitted_to_be_asked(places: Places, tmp_path: Path) -> None:
    assert places.data is not None
    (tmp_path / "embedder.py").write_text(EMBEDDER)
    leadboard(
        places,
        f"{tmp_path / 'embedder.py'}:Embedder",
        "--signals",
        places.data / "challenge-2021/training/georgia",
        "--out",
        tmp_path / "s.parquet",
    )
    table = pd.read_parquet(tmp_path / "s.parquet")
    assert len(table) == 40
    assert {"AF", "LVH"} <= set(table)
    assert table.drop(columns="record_id").to_numpy().min() >= 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--out", "s.csv"], "one of the two"),
        (["--cohort", "georgia", "--signals", ".", "--out", "s.csv"], "one of the two"),
        (["--signals", "nowhere", "--out", "s.csv"], "No such file"),
        (["--signals", ".", "--out", "a.npy/s.csv"], "not a folder"),
        (["--signals", ".", "--out", "s.csv"], "None of the recordings can be used"),
        (["--signals", "empty", "--out", "s.csv"], "There is no file in empty"),
        (["--signals", ".", "--out", "s.txt"], r"neither a \.parquet nor a \.csv"),
        (["--signals", ".", "--rate", "500", "--out", "s.csv"], "--rate belong to a .npy array"),
        (["--signals", "a.npy", "--rate", "500", "--out", "s.csv"], "give --unit, --leads too"),
        (["--cohort", "georgia", "--out", "s.csv", "--protocol", "linear-probe-10"], "cannot be asked"),
    ],
)
def test_wrong_calls(
    places: Places, plugin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npy").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises((UsageError, CycloptsError), match=why):
        leadboard(places, plugin, *words)
