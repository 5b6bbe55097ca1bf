"""Sentences as vectors, and reports as sets of sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers.utils import logging as notes

from baselines.text import encoders
from baselines.text.encoders import TextEncoder, packaged_encoder, packaged_folder
from baselines.text.reports import Reports, normalised
from cohorts.errors import ModelError
from tests.baselines.tiny_text import write_encoder

SENTENCES = (
    "sinus rhythm",
    "Atrial fibrillation with rapid ventricular response.",
    "ST depression; suggests ischaemia in V4-V6",
    "vorhofflimmern",
    "left bundle branch block, " * 90,  # longer than is read
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("tiny"), SENTENCES)


def test_the_packaged_encoder_agrees_with_sentence_transformers() -> None:
    library = pytest.importorskip("sentence_transformers", reason="the oracle is not installed")
    bars = notes.is_progress_bar_enabled()
    notes.disable_progress_bar()
    try:
        oracle = library.SentenceTransformer(str(packaged_folder()), device="cpu", local_files_only=True)
    finally:
        if bars:
            notes.enable_progress_bar()
    expected = oracle.encode(list(SENTENCES), normalize_embeddings=True, show_progress_bar=False)
    encoder = packaged_encoder("cpu")
    found = encoder.embed(SENTENCES)
    assert encoder.width == 384
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(encoder(SENTENCES).numpy(), expected, rtol=0, atol=1e-5)
    assert packaged_encoder("cpu") is encoder


def test_another_file_in_the_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"another")
    monkeypatch.setattr(encoders.resources, "files", lambda package: tmp_path)
    packaged_folder.cache_clear()
    with pytest.raises(ModelError, match=r"is not the text encoder that is expected.*install the package"):
        packaged_folder()
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="is not there"):
        packaged_folder()
    monkeypatch.undo()
    packaged_folder()


def test_a_vector_is_the_mean_over_the_words_that_are_there(tiny: Path) -> None:
    encoder = TextEncoder(tiny)
    tokens = encoder.tokeniser("sinus rhythm", return_tensors="pt")
    with torch.no_grad():
        mean = encoder.network(**tokens).last_hidden_state[0].mean(dim=0)
    found = encoder(["sinus rhythm", SENTENCES[1]])[0]  # padded to the longer one
    torch.testing.assert_close(found, mean / mean.norm(), rtol=0, atol=1e-6)


def test_a_frozen_encoder_reads_a_text_once_and_for_itself(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, read = TextEncoder(tiny), []
    forward = encoder.forward
    monkeypatch.setattr(encoder, "forward", lambda texts: read.append(list(texts)) or forward(texts))
    first = encoder.embed([SENTENCES[0], SENTENCES[1], SENTENCES[0]])
    again = encoder.embed([SENTENCES[1]])
    assert read == [[SENTENCES[0]], [SENTENCES[1]]]
    assert torch.equal(first[1], again[0])
    assert torch.equal(first[0], first[2])
    assert encoder.embed([]).shape == (0, 32)
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not encoder.train().training


def test_a_tuned_encoder_learns_and_is_asked_anew(tiny: Path) -> None:
    encoder = TextEncoder(tiny, tuned=True)
    before = encoder.embed(SENTENCES[:1])
    assert encoder.training
    encoder(SENTENCES[:2])[:, 0].sum().backward()
    learnt = {name: parameter.grad is not None for name, parameter in encoder.named_parameters()}
    assert {name for name, got in learnt.items() if not got} == {
        name
        for name in learnt
        if ".pooler." in name  # not used, so it must not wait for a gradient
    }
    torch.optim.SGD(encoder.parameters(), 0.1).step()
    assert not torch.allclose(encoder.embed(SENTENCES[:1]), before)


def test_a_saved_encoder_reads_the_same(tiny: Path, tmp_path: Path) -> None:
    encoder = TextEncoder(tiny)
    encoder.save(tmp_path)
    assert torch.equal(TextEncoder(tmp_path).embed(SENTENCES), encoder.embed(SENTENCES))


@pytest.mark.parametrize("missing", ["model.safetensors", "config.json", "everything"])
def test_what_is_no_encoder_is_refused_in_one_sentence(missing: str, tiny: Path, tmp_path: Path) -> None:
    TextEncoder(tiny).save(tmp_path)
    for file in tmp_path.iterdir():
        if missing in (file.name, "everything"):
            file.unlink()
    with pytest.raises(ModelError, match="give a folder with config") as caught:
        TextEncoder(tmp_path)
    assert "\n" not in str(caught.value)


def test_weights_that_could_run_code_are_not_opened(tiny: Path, tmp_path: Path) -> None:
    encoder = TextEncoder(tiny)
    encoder.save(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(encoder.network.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be read"):
        TextEncoder(tmp_path)


@pytest.mark.parametrize("bars", [True, False])
def test_opening_is_silent_and_leaves_the_library_as_it_was(
    bars: bool, tiny: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = notes.get_verbosity(), notes.is_progress_bar_enabled()
    switch = notes.enable_progress_bar if bars else notes.disable_progress_bar
    switch()
    notes.set_verbosity_info()
    try:
        TextEncoder(tiny)
        assert notes.get_verbosity() == notes.INFO
        assert notes.is_progress_bar_enabled() == bars
        assert capfd.readouterr() == ("", "")
    finally:
        notes.set_verbosity(before[0])
        (notes.enable_progress_bar if before[1] else notes.disable_progress_bar)()


def test_reports_are_sets_of_sentences() -> None:
    reports = Reports.of(
        [
            ("Sinus rhythm.", "LBBB"),
            ("lbbb", "sinus  rhythm", "LBBB"),
            (),
            ("sinus rhythm",),
            (" ", "LVH."),
            ("", "..."),
        ]
    )
    assert reports.sentences == ("Sinus rhythm.", "LBBB", "LVH.")
    assert [reports.of_record(row).tolist() for row in range(6)] == [[0, 1], [0, 1], [], [0], [2], []]
    assert reports.lengths.tolist() == [2, 2, 0, 1, 1, 0]
    groups = reports.groups.tolist()
    assert groups[0] == groups[1]
    assert groups[2] == groups[5]
    assert len(set(groups)) == 4
    assert len(reports) == 6
    assert normalised("  Sinus\n RHYTHM. ") == "sinus rhythm"
    assert Reports.of([("b",), ("a",)]).digest != Reports.of([("a",), ("b",)]).digest
    assert Reports.of([("a", "b"), ()]).digest != Reports.of([("a",), ("b",)]).digest


def test_a_part_of_a_report_is_never_empty_and_every_size_as_likely() -> None:
    reports = Reports.of([tuple("abcd"), ("a",)])
    rng = np.random.default_rng(0)
    parts = [reports.some(0, 0.0, rng) for _ in range(4000)]
    sizes = np.bincount([len(part) for part in parts], minlength=5)
    assert sizes[0] == 0
    np.testing.assert_allclose(sizes[1:] / 4000, 0.25, atol=0.03)
    assert all(len(set(part.tolist())) == len(part) for part in parts)
    whole = np.mean([len(reports.some(0, 0.5, rng)) == 4 for _ in range(4000)])
    assert whole == pytest.approx(0.5 + 0.5 / 4, abs=0.03)
    assert reports.some(1, 0.0, rng).tolist() == [0]
