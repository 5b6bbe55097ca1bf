"""Training of the network: what it learns, where it stops, and that it can be killed at any time."""

from __future__ import annotations

import logging
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_lightning import Trainer
from sklearn.metrics import roc_auc_score

from baselines.minirocket.model import MiniRocket
from baselines.supervised import ResNet1d
from baselines.training.crops import CropClassifier
from baselines.training.recipes import Recipe
from baselines.training.recordings_file import Crops, mean_and_scale, write_recordings
from baselines.training.supervised import cross_entropy, masked_loss
from benchmark.models.contract import FitSettings
from benchmark.models.labels import macro_auroc, targets
from cohorts.errors import LeadboardError, ModelError
from cohorts.interrupts import Terminated
from tests.baselines.fakes import CONCEPTS, FakeRecords
from tests.baselines.narrow import EPOCHS, SPEC, VALIDATION, Narrow, fit


def weights(model: ResNet1d, folder: Path) -> bytes:
    """Everything that the model has learnt, to be compared bit by bit."""
    folder.mkdir()
    model.save(folder)
    (file,) = folder.iterdir()
    return file.read_bytes()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("uninterrupted")
    return weights(fit(folder / "fit"), folder / "saved")


@pytest.mark.parametrize("model", [MiniRocket(), ResNet1d(epochs=5)], ids=lambda model: model.card.name)
def test_what_is_in_the_signal_is_learnt(model: MiniRocket | ResNet1d, tmp_path: Path) -> None:
    settings = FitSettings(CONCEPTS, 0, "cpu", tmp_path)
    model.fit(FakeRecords(80, 1, SPEC), FakeRecords(12, 2, SPEC), settings)
    others = FakeRecords(100, 3, SPEC)
    scores = model.predict(others.everything)
    assert roc_auc_score(others.truth[:, 0], scores[:, 0]) > 0.9
    assert roc_auc_score(others.truth[:, 1], scores[:, 1]) > 0.9
    assert roc_auc_score(others.truth[:, 2], scores[:, 2]) < 0.7  # age is not in the signal


class Stop(logging.Handler):
    """Presses Ctrl-C, or sends another signal, when an epoch is reported."""

    def __init__(self, epoch: int, number: signal.Signals = signal.SIGINT) -> None:
        super().__init__(logging.INFO)
        self.epoch, self.number = epoch, number

    def emit(self, record: logging.LogRecord) -> None:
        if f"epoch {self.epoch} of" in record.getMessage():
            signal.raise_signal(self.number)


def test_sigterm_ends_a_training_though_nobody_but_lightning_listens(tmp_path: Path) -> None:
    handler = Stop(1, signal.SIGTERM)
    log = logging.getLogger("leadboard")
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        with pytest.raises(Terminated):
            fit(tmp_path / "fit")
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_an_interrupted_training_ends_with_the_same_weights(
    epoch: int, uninterrupted: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "leadboard")
    log = logging.getLogger("leadboard")
    handler = Stop(epoch)
    log.addHandler(handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path / "fit")
    finally:
        log.removeHandler(handler)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    caplog.clear()
    assert weights(fit(tmp_path / "fit"), tmp_path / "saved") == uninterrupted
    epochs = re.findall(r"resnet1d: epoch (\d) of 3", caplog.text)
    assert epochs == [str(number) for number in range(epoch + 1, EPOCHS + 1)]


def test_a_killed_training_ends_with_the_same_weights(uninterrupted: bytes, tmp_path: Path) -> None:
    code = f"""
import logging, os, signal
from pathlib import Path
import torch
from tests.baselines.narrow import fit

class Kill(logging.Handler):
    def emit(self, record):
        if "epoch 2 of" in record.getMessage():
            os.kill(os.getpid(), signal.SIGKILL)

log = logging.getLogger("leadboard")
log.setLevel(logging.INFO)
log.addHandler(Kill())
torch.set_num_threads({torch.get_num_threads()})
fit(Path({str(tmp_path / "fit")!r}))
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    assert weights(fit(tmp_path / "fit"), tmp_path / "saved") == uninterrupted


def test_a_finished_training_is_not_repeated(
    uninterrupted: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fit(tmp_path / "fit")
    caplog.set_level(logging.INFO, "leadboard")
    caplog.clear()
    assert weights(fit(tmp_path / "fit"), tmp_path / "saved") == uninterrupted
    assert "epoch" not in caplog.text


def test_the_epoch_is_the_best_on_the_validation_records(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "leadboard")
    model = fit(tmp_path, epochs=5)
    reported = [float(value) for value in re.findall(r"validation macro AUROC ([\d.]+)", caplog.text)]
    validation = FakeRecords(VALIDATION, 2, SPEC)
    learnt = targets(validation, CONCEPTS[:3])
    best = macro_auroc(learnt, model.predict(validation.everything)[:, :3])
    assert len(reported) == 5
    assert len(set(reported)) > 1
    assert best == pytest.approx(max(reported), abs=5e-5)


def test_without_an_auroc_the_validation_loss_decides(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "leadboard")
    model = Narrow(epochs=4)
    validation = FakeRecords(24, 2, SPEC)
    validation._labels = validation.labels.clip(upper=0)
    model.fit(FakeRecords(40, 1, SPEC), validation, FitSettings(CONCEPTS, 5, "cpu", tmp_path))
    reported = [float(value) for value in re.findall(r"validation loss ([\d.]+)", caplog.text)]
    scores = model.predict(validation.everything)[:, :3]
    assert len(reported) == 4
    assert cross_entropy(targets(validation, CONCEPTS[:3]), scores) == pytest.approx(min(reported), abs=5e-5)


def test_without_a_concept_of_both_classes_no_epoch_is_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As the linear probe does: each concept has its prevalence, and one sentence says why."""
    model, training = ResNet1d(), FakeRecords(40, 1, SPEC)
    with caplog.at_level(logging.INFO, logger="leadboard"):
        model.fit(training, FakeRecords(24, 2, SPEC), FitSettings(("PACE",), 0, "cpu", tmp_path))
    assert caplog.messages == [
        "resnet1d: None of the 1 concept has both a positive and a negative among the 40 training records, "
        "so nothing is learnt: the score of each is its prevalence."
    ]
    annotated = int((training.labels["PACE"] >= 0).sum())
    scores = model.predict(FakeRecords(5, 3, SPEC).everything)
    np.testing.assert_allclose(scores, np.full((5, 1), 1 / (annotated + 2)), rtol=1e-6)
    saved = tmp_path / "saved"
    saved.mkdir()
    model.save(saved)
    again = ResNet1d()
    again.load(saved)
    np.testing.assert_array_equal(again.predict(FakeRecords(5, 3, SPEC).everything), scores)


def test_nothing_is_written_outside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    fit(tmp_path / "fit", epochs=1)
    assert list((tmp_path / "here").iterdir()) == []
    names = sorted(file.name for file in (tmp_path / "fit").iterdir())
    assert names == ["last.ckpt", "training.npy", "validation.npy"]


def test_training_leaves_the_global_random_state_alone(tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    fit(tmp_path, epochs=1)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_training_with_a_damaged_checkpoint_begins_again(
    content: bytes | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = weights(fit(tmp_path / "fit", epochs=1), tmp_path / "first")
    path = tmp_path / "fit" / "last.ckpt"
    path.write_bytes(path.read_bytes()[:-1000] if content is None else content)
    assert weights(fit(tmp_path / "fit", epochs=1), tmp_path / "second") == whole
    assert "last.ckpt is damaged" in caplog.text
    assert "the training begins again" in caplog.text


def test_a_checkpoint_that_does_not_fit_on_the_disk_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "leadboard")
    whole = weights(fit(tmp_path / "undisturbed", epochs=2), tmp_path / "first")
    save = Trainer.save_checkpoint

    def full(trainer: Trainer, path: Path) -> None:
        save(trainer, path)
        if trainer.current_epoch == 1:
            path.write_bytes(path.read_bytes()[:100])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Trainer, "save_checkpoint", full)
    with pytest.raises(OSError, match="No space left"):
        fit(tmp_path / "fit", epochs=2)
    monkeypatch.undo()
    caplog.clear()
    assert weights(fit(tmp_path / "fit", epochs=2), tmp_path / "second") == whole
    assert re.findall(r"epoch (\d) of 2", caplog.text) == ["2"]


def test_the_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    fit(tmp_path, epochs=1)
    with pytest.raises(ModelError, match="its seed differ"):
        fit(tmp_path, epochs=1, seed=6)
    with pytest.raises(ModelError, match="its recipe and training labels differ"):
        fit(tmp_path, epochs=2, records=30)


def test_a_single_training_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="two training records at least"):
        fit(tmp_path, records=1)


def test_lower_precision_trains_too(tmp_path: Path) -> None:
    model = Narrow(epochs=1)
    settings = FitSettings(CONCEPTS, 5, "cpu", tmp_path, "bf16-mixed")
    model.fit(FakeRecords(16, 1, SPEC), FakeRecords(8, 2, SPEC), settings)
    with pytest.raises(ModelError, match="its precision and validation labels differ"):
        fit(tmp_path, epochs=1, records=16)
    scores = model.predict(FakeRecords(8, 3, SPEC).everything)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


def test_the_recipe_is_the_benchmark_s_and_small_sets_still_get_steps() -> None:
    recipe = Recipe("resnet1d")
    assert recipe.steps(17_400) == 136
    assert recipe.steps(276) == 8
    assert recipe.steps(129) == 8
    assert recipe.steps(3) == 1


def test_an_epoch_of_crops_has_every_record_once() -> None:
    samples = np.arange(1000, dtype=np.float32)
    signals = 10_000 * np.arange(9, dtype=np.float32)[:, None, None] + np.tile(samples, (9, 2, 1))
    labels = np.arange(9, dtype=np.int8)[:, None]
    epoch = Crops(signals, labels, 250, 2, (1, 0))
    batches = list(epoch)
    crops, rows = (torch.cat(parts).numpy() for parts in zip(*batches, strict=True))
    assert [len(batch[0]) for batch in batches] == [5, 4]
    assert len(epoch) == 2
    assert sorted(rows[:, 0]) == list(range(9))
    starts = crops[:, 0, 0] - 10_000 * rows[:, 0].astype(np.float32)
    assert len(set(starts)) > 5
    assert ((starts >= 0) & (starts <= 750)).all()
    np.testing.assert_array_equal(crops - crops[:, :1, :1], np.tile(samples[:250], (9, 2, 1)))
    again, other = Crops(signals, labels, 250, 2, (1, 0)), Crops(signals, labels, 250, 2, (1, 1))
    assert all(torch.equal(a[0], b[0]) for a, b in zip(batches, again, strict=True))
    assert not all(torch.equal(a[0], b[0]) for a, b in zip(batches, other, strict=True))


def test_a_recording_gets_the_highest_score_of_its_windows() -> None:
    class First(torch.nn.Module):
        """Answers with the first sample of two leads."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, :2, 0]

    signals = np.random.default_rng(1).standard_normal((11, 12, 1000)).astype(np.float32)
    classifier = CropClassifier(First(), 250, 125)
    classifier.mean.fill_(0.5)
    classifier.scale.fill_(2)
    heard = (signals[:, :2, 0:751:125] - 0.5) / 2
    np.testing.assert_allclose(classifier.scores(signals), 1 / (1 + np.exp(-heard.max(axis=2))), rtol=1e-6)
    assert classifier.training


def test_the_loss_is_the_mean_over_what_is_annotated() -> None:
    logits = torch.tensor([[0.0, 5.0], [1.0, -9.0]])
    labels = torch.tensor([[1, -1], [0, -1]], dtype=torch.int8)
    expected = (np.log(2) + np.log1p(np.e)) / 2
    assert masked_loss(logits, labels).item() == pytest.approx(expected)
    assert masked_loss(logits, torch.full_like(labels, -1)).item() == 0
    probabilities = torch.sigmoid(logits).numpy()
    assert cross_entropy(labels.numpy(), probabilities) == pytest.approx(expected)


def test_recordings_are_written_once_and_completely(tmp_path: Path) -> None:
    records = FakeRecords(5, 1, SPEC)
    path = tmp_path / "training.npy"
    (tmp_path / "training.partial").write_bytes(b"left by a killed process")
    mapped = write_recordings(records, path)
    np.testing.assert_array_equal(mapped, records.everything.signals)
    written = path.stat().st_mtime_ns
    write_recordings(records, path)
    assert path.stat().st_mtime_ns == written
    others = FakeRecords(5, 2, SPEC)
    np.testing.assert_array_equal(write_recordings(others, path), others.everything.signals)
    assert [file.name for file in tmp_path.iterdir()] == ["training.npy"]


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    records = FakeRecords(5, 1, SPEC)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))  # as where the disk ends
    try:
        with pytest.raises(LeadboardError, match=r"training\.npy cannot be written \(.+\); free some space"):
            write_recordings(records, tmp_path / "training.npy")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_recordings_that_was_cut_off_is_written_again(tmp_path: Path) -> None:
    records, path = FakeRecords(5, 1, SPEC), tmp_path / "training.npy"
    write_recordings(records, path)
    os.truncate(path, path.stat().st_size // 2)
    np.testing.assert_array_equal(write_recordings(records, path), records.everything.signals)


def test_a_flipped_bit_in_a_file_of_recordings_is_no_other_training(tmp_path: Path) -> None:
    records, path = FakeRecords(5, 1, SPEC), tmp_path / "training.npy"
    write_recordings(records, path)
    whole = path.read_bytes()
    for place in (len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 8]) + whole[place + 1 :])
        np.testing.assert_array_equal(write_recordings(records, path), records.everything.signals)
        assert path.read_bytes() == whole


def test_the_scaling_is_that_of_all_samples() -> None:
    signals = np.random.default_rng(1).normal(0.3, 2, (600, 2, 50)).astype(np.float32)
    assert mean_and_scale(signals) == pytest.approx((signals.mean(), signals.std()), rel=1e-5)
    assert mean_and_scale(np.full((3, 2, 50), 0.25, dtype=np.float32)) == (0.25, 1.0)
