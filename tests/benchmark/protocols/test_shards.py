"""A pass that is killed goes on where its last whole shard ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.models.model_files import ModelFiles
from benchmark.models.worker.standalone import OpenedFiles
from benchmark.protocols import shards
from benchmark.protocols.embeddings import embed_store
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.shards import Shards
from tests.benchmark.protocols.test_inputs import RECORDS, SPEC, Counted

SIZE = 3


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SIZE", SIZE)


class Pass:
    """Computes the first sample of each record's mean, and may be killed before a shard."""

    def __init__(self, folder: Path | None, files: ModelFiles | None = None, gain: float = 1.0) -> None:
        self.shards = Shards(folder, files or ModelFiles())
        self.records = PreparedRecords(Counted(), np.arange(RECORDS), SPEC)
        self.gain = gain
        self.computed: list[list[str]] = []
        self.told: list[tuple[int, int]] = []

    def compute(self, part: PreparedRecords, progress: object) -> dict[str, np.ndarray]:
        self.computed.append(list(part.record_ids))
        progress(len(part), len(part))  # type: ignore[operator]
        firsts = [part.batch([row]).signals[0, 0, 0] for row in range(len(part))]
        return {"scores": self.gain * np.array(firsts, np.float32)}

    def run(self, killed_after: int | None = None) -> np.ndarray:
        found = []
        for shard in self.shards.of(
            self.records, self.compute, lambda done, of: self.told.append((done, of))
        ):
            found.append(shard["scores"])
            if len(found) == killed_after:
                raise KeyboardInterrupt
        return np.concatenate(found)


def killed(tmp_path: Path, **more: object) -> None:
    with pytest.raises(KeyboardInterrupt):
        Pass(tmp_path / "key", **more).run(killed_after=2)  # type: ignore[arg-type]


def test_what_was_computed_is_not_computed_again(tmp_path: Path) -> None:
    whole = Pass(None).run()
    killed(tmp_path)
    again = Pass(tmp_path / "key")
    np.testing.assert_array_equal(again.run(), whole)
    assert again.computed == [["r6"]]
    assert again.told == [(3, 7), (6, 7), (7, 7)]


def test_a_small_cohort_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SIZE", RECORDS)
    Pass(tmp_path / "key").run()
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_shard_is_computed_again(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    killed(tmp_path)
    path = tmp_path / "key" / "3.npz"
    content = bytearray(path.read_bytes())
    position = content.index(np.float32(Pass(None).run()[3]).tobytes())
    content[position] ^= 1
    path.write_bytes({"cut": content[:-40], "flipped": content, "empty": b"", "text": b"no"}[damage])
    again = Pass(tmp_path / "key")
    np.testing.assert_array_equal(again.run(), Pass(None).run())
    assert again.computed == [["r3", "r4", "r5"], ["r6"]]
    assert "damaged" in caplog.text


def test_other_weights_share_no_shard(tmp_path: Path) -> None:
    weights = tmp_path / "weights.bin"

    def opened() -> ModelFiles:
        files = ModelFiles(tmp_path, OpenedFiles(tmp_path, ()))
        with files.watched():
            weights.read_bytes()
        return files

    weights.write_bytes(b"old")
    killed(tmp_path, files=opened())
    same = Pass(tmp_path / "key", opened())
    same.run()
    assert same.computed == [["r6"]]
    weights.write_bytes(b"new")
    other = Pass(tmp_path / "key", opened(), gain=2.0)
    np.testing.assert_array_equal(other.run(), 2 * Pass(None).run())


def test_features_go_on_too(tmp_path: Path) -> None:
    asked: list[int] = []

    class Encoder:
        def __init__(self, patience: int) -> None:
            self.patience = patience

        def embed(self, batch: object) -> np.ndarray:
            self.patience -= 1
            if self.patience < 0:
                raise KeyboardInterrupt
            asked.append(len(batch))  # type: ignore[arg-type]
            return batch.signals.mean(axis=2)  # type: ignore[attr-defined]

    records = PreparedRecords(Counted(), np.arange(RECORDS), SPEC)
    hardware = Hardware("cpu", batch_size=64)
    alone = embed_store(lambda: Encoder(99), records, tmp_path / "alone", hardware)  # type: ignore[arg-type, return-value]
    asked.clear()
    with pytest.raises(KeyboardInterrupt):
        embed_store(lambda: Encoder(2), records, tmp_path / "killed", hardware)  # type: ignore[arg-type, return-value]
    found = embed_store(lambda: Encoder(99), records, tmp_path / "killed", hardware)  # type: ignore[arg-type, return-value]
    assert asked == [4, 5, 1], "windows of records 0-2, 3-5 and, in the second call, of 6 alone"
    np.testing.assert_array_equal(found.features, alone.features)
    np.testing.assert_array_equal(found.starts, alone.starts)
    assert not (tmp_path / "killed" / "shards").exists()
