"""A text encoder of two layers with random weights, in the layout of the hub."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import torch
from transformers import BertConfig, BertModel, BertTokenizerFast


def write_encoder(folder: Path, texts: Iterable[str], seed: int = 0) -> Path:
    """Write an encoder that knows the words of these texts."""
    folder.mkdir(exist_ok=True)
    words = sorted({word for text in texts for word in re.findall(r"\w+|[^\w\s]", text.lower())})
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    tokeniser = BertTokenizerFast(str(vocabulary))
    config = BertConfig(
        vocab_size=len(words) + 5,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        network = BertModel(config)
    network.save_pretrained(folder)
    tokeniser.save_pretrained(folder)
    return folder
