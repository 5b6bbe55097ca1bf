"""Features of a cohort are computed once, checked, and the same in whatever batches."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.models.model_card import InputSpec, ModelCard
from benchmark.protocols.embeddings import Embeddings, embed_store
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.linear_probe import Probe
from cohorts import locks
from cohorts.catalogue import open_cohort
from cohorts.errors import ModelError
from cohorts.preparing import prepare
from cohorts.store import Store
from tests.releases import write_ptb_xl

SPEC = InputSpec(sampling_rate=100, seconds=3, leads=("II", "V1"), long_records="windows")


class Spread:
    """Two features a window; counts how often it is asked."""

    card = None

    def __init__(self) -> None:
        self.asked = 0

    def predict(self, batch: Any) -> Any:
        raise AssertionError("a probe needs features only")

    def embed(self, batch: Any) -> Any:
        self.asked += 1
        return batch.signals.std(axis=2)


class Nan(Spread):
    def embed(self, batch: Any) -> Any:
        return np.full((len(batch), 2), np.nan)


class Narrowing(Spread):
    def embed(self, batch: Any) -> Any:
        self.asked += 1
        return np.ones((len(batch), 3 - min(self.asked, 2)))


class Words(Spread):
    def embed(self, batch: Any) -> Any:
        return np.array([["a"]] * len(batch))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("data")
    write_ptb_xl(root, records=60)
    cohort = open_cohort("ptb-xl", root)
    assert cohort is not None
    return prepare(cohort, root / "cache")


def embed(store: Store, folder: Path, model: Any, batch_size: int = 7) -> Embeddings:
    records = PreparedRecords(store, np.arange(len(store)), SPEC, workers=2)
    return embed_store(lambda: model, records, folder, Hardware(batch_size=batch_size))


def test_every_window_is_there_once_and_belongs_to_its_record(store: Store, tmp_path: Path) -> None:
    found = embed(store, tmp_path, Spread())
    records = PreparedRecords(store, np.arange(len(store)), SPEC)
    owners = np.concatenate([rows for _, rows in records.window_batches(1000)])
    np.testing.assert_array_equal(np.diff(found.starts), np.bincount(owners))
    signals = np.concatenate([batch.signals for batch, _ in records.window_batches(1000)])
    np.testing.assert_array_equal(found.features, signals.std(axis=2))
    np.testing.assert_array_equal(found.first_windows(np.array([5, 0])), found.features[found.starts[[5, 0]]])


def test_progress_ends_where_the_records_do(store: Store, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    records = PreparedRecords(store, np.arange(len(store)), SPEC)
    embed_store(Spread, records, tmp_path, Hardware(batch_size=7), lambda done, of: told.append((done, of)))
    assert told[-1] == (len(store), len(store))


def test_computed_once(store: Store, tmp_path: Path) -> None:
    model = Spread()
    first = embed(store, tmp_path, model)
    asked = model.asked
    second = embed(store, tmp_path, model, batch_size=64)
    assert model.asked == asked
    np.testing.assert_array_equal(first.features, second.features)


def test_one_call_waits_for_the_other_and_computes_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, waiting = threading.Event(), threading.Event()
    monkeypatch.setattr(locks, "MOMENT", 0.01)
    monkeypatch.setattr(locks.logger, "warning", lambda *_: waiting.set())

    class Patient(Spread):
        def embed(self, batch: Any) -> Any:
            begun.set()
            assert waiting.wait(60)
            return super().embed(batch)

    first = threading.Thread(target=embed, args=(store, tmp_path, Patient()))
    first.start()
    assert begun.wait(60)
    idle = Spread()
    found = embed(store, tmp_path, idle)
    first.join()
    assert idle.asked == 0
    assert len(found.starts) == len(store) + 1


def test_a_call_that_was_cut_off_leaves_nothing_that_is_taken_for_whole(store: Store, tmp_path: Path) -> None:
    embed(store, tmp_path / "a", Spread())
    (tmp_path / "a" / "made.json").unlink()
    model = Spread()
    embed(store, tmp_path / "a", model)
    assert model.asked > 0


@pytest.mark.parametrize(
    ("model", "words"),
    [(Nan, "NaN or infinite"), (Narrowing, "instead of"), (Words, "instead of real numbers")],
)
def test_bad_features_are_refused(store: Store, tmp_path: Path, model: type[Spread], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        embed(store, tmp_path, model())
    assert not (tmp_path / "made.json").exists()
    assert not (tmp_path / "features.partial").exists()


@pytest.mark.parametrize("name", ["features.npy", "starts.npy", "made.json"])
@pytest.mark.parametrize("how", ["one bit", "cut off", "gone"])
def test_damaged_features_are_made_again_and_that_is_said(
    name: str, how: str, store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = Spread()
    first = np.array(embed(store, tmp_path, model).features)
    asked, path = model.asked, tmp_path / name
    content = bytearray(path.read_bytes())
    if how == "gone":
        path.unlink()
    elif how == "cut off":
        path.write_bytes(content[: len(content) // 2])
    else:
        content[-9] ^= 1
        path.write_bytes(content)
    np.testing.assert_array_equal(embed(store, tmp_path, model).features, first)
    assert model.asked == 2 * asked
    if (name, how) != ("made.json", "gone"):  # which nobody can tell from features that were never whole
        assert re.search(r"The features in .* are damaged \(.+\); they are made again\.", caplog.text)


def test_a_probe_averages_the_windows_of_a_record(store: Store, tmp_path: Path) -> None:
    found = embed(store, tmp_path, Spread())
    rng = np.random.default_rng(0)
    probe = Probe(*(rng.random(shape, dtype=np.float32) + 0.5 for shape in (2, 2, (2, 3), 3)))
    positions = np.array([4, 17, 3])
    scores = probe.scores(found, positions)
    for row, position in enumerate(positions):
        windows = found.features[found.starts[position] : found.starts[position + 1]].astype(np.float64)
        logits = (windows - probe.mean) / probe.scale @ probe.weights + probe.intercepts
        np.testing.assert_allclose(scores[row], (1 / (1 + np.exp(-logits))).mean(axis=0), rtol=1e-5)
    alone = np.concatenate([probe.scores(found, positions[i : i + 1]) for i in range(3)])
    np.testing.assert_array_equal(alone, scores)


def test_a_probe_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(80, 5)).astype(np.float32)
    labels = (features[:, :2] + rng.normal(size=(80, 2)) > 0).astype(np.int8)
    probe = Probe.fit(features, labels, features, labels, "cpu")
    card = ModelCard(name="x", outputs=("AF", "LVH"), trained_on=())
    probe.save(tmp_path, card)
    again = Probe.load(tmp_path, card)
    for name in ("mean", "scale", "weights", "intercepts"):
        np.testing.assert_array_equal(getattr(probe, name), getattr(again, name))


def test_a_feature_that_hardly_varied_does_not_explode_elsewhere() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(scale=0.5, size=(20, 3)).astype(np.float32)
    features[:, 2] = 1.0
    labels = (features[:, :1] > 0).astype(np.int8)
    probe = Probe.fit(features, labels, features, labels, "cpu")
    np.testing.assert_allclose(probe.scale[:2], features[:, :2].std(axis=0), rtol=1e-5)
    assert probe.scale[2] >= 0.01 * np.median(features.std(axis=0)) * 0.99
    assert np.isfinite(probe.scale).all()
    assert (probe.scale > 0).all()
    constant = np.ones((20, 3), np.float32)
    assert Probe.fit(constant, labels, constant, labels, "cpu").scale.tolist() == [1, 1, 1]
