"""Contrastive pre-training: what it learns, what it reads, and that it can be killed at any time."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from baselines.contrastive.data import PairBatches, gather_pairs
from baselines.training.recipes import PretrainRecipe
from benchmark.models.contract import Pretrainable, PretrainSettings
from cohorts.errors import ModelError
from tests.baselines.pairs import PROMPTS, FakePairs, TinyPictures, TinySignals, pretrain, weights
from tests.baselines.test_resnet1d import Stop
from tests.baselines.tiny_text import write_encoder

EPOCHS = 3


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("uninterrupted")
    return weights(pretrain(TinySignals(), folder / "fit"), folder / "saved")


def zero_shot(model: TinySignals) -> list[float]:
    """AUROC of the prompted concepts on records that the model has not seen."""
    others = FakePairs(100, 9)
    model.set_concepts(PROMPTS)
    scores = model.predict(others.everything)
    return [float(roc_auc_score(others.truth[:, i], scores[:, i])) for i in range(2)]


@pytest.mark.parametrize("kind", [TinySignals, TinyPictures])
def test_what_is_in_signal_and_text_is_learnt(kind: type[TinySignals], tmp_path: Path) -> None:
    model = kind()
    assert isinstance(model, Pretrainable)
    model.pretraining = replace(model.pretraining, epochs=8)
    assert min(zero_shot(pretrain(model, tmp_path))) > 0.85


def test_a_tuned_text_encoder_learns_with_it(tmp_path: Path) -> None:
    """Words without any meaning at first, as its weights are random."""
    words = ["atrial fibrillation of the atria . sinus rhythm left bundle branch block"]
    text = str(write_encoder(tmp_path / "text", words))
    model = TinySignals(text=text, tuned=True)
    model.pretraining = replace(model.pretraining, epochs=8, text_learning_rate=1e-3, whole=0.5)
    model.multilingual = True
    assert min(zero_shot(pretrain(model, tmp_path / "fit"))) > 0.85
    (tmp_path / "saved").mkdir()
    model.save(tmp_path / "saved")
    before = (tmp_path / "text" / "model.safetensors").read_bytes()
    assert (tmp_path / "saved" / "text" / "model.safetensors").read_bytes() != before
    again = TinySignals(text=text, tuned=True)
    again.load(tmp_path / "saved")
    assert zero_shot(again) == zero_shot(model)


@pytest.mark.parametrize("epoch", [1, 3])
def test_an_interrupted_training_ends_with_the_same_weights(
    epoch: int, uninterrupted: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "leadboard")
    log = logging.getLogger("leadboard")
    handler = Stop(epoch)
    log.addHandler(handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            pretrain(TinySignals(), tmp_path / "fit")
    finally:
        log.removeHandler(handler)
    caplog.clear()
    assert weights(pretrain(TinySignals(), tmp_path / "fit"), tmp_path / "saved") == uninterrupted
    epochs = re.findall(r"tiny-signals: epoch (\d) of 3", caplog.text)
    assert epochs == [str(number) for number in range(epoch + 1, EPOCHS + 1)]


@pytest.mark.slow  # in test_resnet1d.py the same loop is killed
def test_a_killed_training_ends_with_the_same_weights(uninterrupted: bytes, tmp_path: Path) -> None:
    code = f"""
import logging, os, signal
from pathlib import Path
import torch
from tests.baselines.pairs import TinySignals, pretrain

class Kill(logging.Handler):
    def emit(self, record):
        if "epoch 2 of" in record.getMessage():
            os.kill(os.getpid(), signal.SIGKILL)

log = logging.getLogger("leadboard")
log.setLevel(logging.INFO)
log.addHandler(Kill())
torch.set_num_threads({torch.get_num_threads()})
pretrain(TinySignals(), Path({str(tmp_path / "fit")!r}))
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    assert weights(pretrain(TinySignals(), tmp_path / "fit"), tmp_path / "saved") == uninterrupted


def test_a_finished_training_is_not_repeated_and_another_seed_is_another(
    uninterrupted: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    pretrain(TinySignals(), tmp_path / "fit")
    assert torch.equal(torch.rand(2), expected)
    caplog.set_level(logging.INFO, "leadboard")
    caplog.clear()
    assert weights(pretrain(TinySignals(), tmp_path / "fit"), tmp_path / "first") == uninterrupted
    assert "epoch" not in caplog.text
    with pytest.raises(ModelError, match="its seed differ"):
        pretrain(TinySignals(), tmp_path / "fit", seed=6)
    names = sorted(file.name for file in (tmp_path / "fit").iterdir())
    numbered = [f"{part}-{number}.npy" for part in ("training", "validation") for number in range(2)]
    assert names == sorted(["last.ckpt", *numbered])
    assert weights(pretrain(TinySignals(), tmp_path / "6", seed=6), tmp_path / "second") != uninterrupted


def test_the_epoch_is_the_best_on_the_validation_records(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "leadboard")
    model = TinySignals()
    model.pretraining = replace(model.pretraining, epochs=5, learning_rate=0.1)
    pretrain(model, tmp_path)
    losses = [float(value) for value in re.findall(r"validation loss ([\d.]+)", caplog.text)]
    best = [int(value) for value in re.findall(r"best epoch (\d)", caplog.text)]
    assert len(losses) == 5
    assert best[-1] == len(losses) - int(np.argmin(losses[::-1]))
    assert "84 training records with a report, 6 without one are left out" in caplog.text
    assert "36 validation records with a report, 6 without one" in caplog.text
    assert len(re.findall(r"recall@1/5/10 of texts (?:\d\.\d{3}/?){3}, of signals", caplog.text)) == 5
    assert len(re.findall(r"zero-shot macro AUROC 0\.\d{4}", caplog.text)) == 5


@pytest.mark.parametrize(("changes", "precision"), [({"parts": 2}, "32-true"), ({}, "bf16-mixed")], ids=str)
def test_other_ways_to_train(changes: dict[str, int], precision: str, tmp_path: Path) -> None:
    model = TinySignals()
    model.pretraining = replace(model.pretraining, epochs=8, **changes)
    pretrain(model, tmp_path, precision=precision)
    assert min(zero_shot(model)) > 0.8
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 8 * model.pretraining.steps(84)
    assert model.predict(FakePairs(5, 1).everything).dtype == np.float32


def test_too_few_pairs_are_refused(tmp_path: Path) -> None:
    model = TinySignals()
    settings = PretrainSettings(PROMPTS, 0, "cpu", "32-true", tmp_path)
    some, none = FakePairs(20, 1), FakePairs(3, 1)
    with pytest.raises(ModelError, match="2 training records with a report at least and was given 0"):
        model.pretrain([none], [some], settings)
    with pytest.raises(ModelError, match="1 validation records with a report at least and was given 0"):
        model.pretrain([some], [none], settings)


def test_without_prompts_the_training_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "leadboard")
    model = TinySignals()
    model.pretraining = replace(model.pretraining, epochs=1)
    settings = PretrainSettings({}, 0, "cpu", "32-true", tmp_path)
    model.pretrain([FakePairs(20, 1)], [FakePairs(20, 2)], settings)
    assert "epoch 1 of 1" in caplog.text
    assert "AUROC" not in caplog.text


def test_an_epoch_has_every_pair_once_and_a_process_its_share(tmp_path: Path) -> None:
    cohorts = [FakePairs(50, 1), FakePairs(3, 2), FakePairs(23, 3)]
    pairs = gather_pairs(cohorts, ("AF", "absent"), lambda batch: batch.signals, tmp_path, "training")
    assert (len(pairs), pairs.left_out, pairs.bounds) == (67, 9, (47, 67))
    assert [table.shape for table in pairs.labels] == [(47, 2), (20, 2)]
    assert (pairs.labels[0][:, 1] == -1).all()
    kept = np.concatenate([cohorts[0].everything.signals[:47], cohorts[2].everything.signals[:20]])
    sentences = [*cohorts[0].sentences[:47], *cohorts[2].sentences[:20]]

    batches = list(PairBatches(pairs, 8, 1.0, (1, 0)))
    assert [len(batch[0]) for batch in batches] == [9, 9, 9, 8, 8, 8, 8, 8]
    seen = []
    for signals, ids, offsets, groups in batches:
        reports = torch.tensor_split(ids, offsets[1:])
        for heard, report, group in zip(signals.numpy(), reports, groups, strict=True):
            (row,) = np.flatnonzero((kept == heard).all(axis=(1, 2)))
            seen.append(row)
            said = [pairs.reports.sentences[number].rstrip(".").lower() for number in report.tolist()]
            assert sorted(said) == sorted(text.rstrip(".").lower() for text in sentences[row])
            assert group == pairs.reports.groups[row]
    assert sorted(seen) == list(range(67))

    shares = [list(PairBatches(pairs, 8, 0.2, (1, 0), process, 2)) for process in range(2)]
    whole = list(PairBatches(pairs, 8, 0.2, (1, 0)))
    for together, first, second in zip(whole, *shares, strict=True):
        assert len(first[0]) == len(second[0]) == len(together[0]) // 2
        both = 2 * len(first[0])
        assert torch.equal(torch.stack([first[0], second[0]], dim=1).flatten(0, 1), together[0][:both])
        assert torch.equal(torch.stack([first[3], second[3]], dim=1).flatten(), together[3][:both])
    other = list(PairBatches(pairs, 8, 0.2, (1, 1)))
    assert not torch.equal(other[0][0], whole[0][0])


def test_no_batch_leaves_a_process_with_less_than_two_pairs() -> None:
    recipe = PretrainRecipe("x", epochs=1, batch_size=64, learning_rate=1e-3)
    assert [recipe.steps(records) for records in (2, 3, 64, 65, 770)] == [1, 1, 1, 2, 13]
    assert replace(recipe, processes=4).steps(800) == 4
    assert replace(recipe, batch_size=1).steps(9) == 4
