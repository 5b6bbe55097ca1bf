"""Tiny CLIP and SigLIP with random weights, in folders as somebody might have published them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from baselines.clip_image.hub import quiet

MEAN, STD = [0.48, 0.46, 0.41], [0.27, 0.26, 0.28]
WORDS = (
    "a an ecg 12 lead showing electrocardiogram with tracing normal atrial fibrillation af without p waves"
)


def clip(folder: Path, image_size: int = 224) -> None:
    """Write a tiny CLIP with the byte-pair tokenizer of CLIP, its vocabulary without any merges."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    CLIPTokenizer(vocab={token: at for at, token in enumerate(tokens)}, merges=[]).save_pretrained(folder)
    body = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    text = {
        "vocab_size": len(tokens),
        "max_position_embeddings": 77,
        "bos_token_id": 512,
        "eos_token_id": 513,
    }
    config = CLIPConfig(
        text_config=body | text,
        vision_config=body | {"image_size": image_size, "patch_size": 32},
        projection_dim=24,
    )
    CLIPModel(config).save_pretrained(folder)
    prepare(folder, {"size": {"shortest_edge": image_size}, "crop_size": image_size})


def siglip(folder: Path, image_size: int = 256) -> None:
    """Write a tiny SigLIP with a tokenizer of whole words."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, SiglipConfig, SiglipModel

    vocabulary = {token: at for at, token in enumerate(["<pad>", "<unk>", *WORDS.split()])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_input_names=["input_ids"]
    ).save_pretrained(folder)
    body = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = SiglipConfig(
        text_config=body | {"vocab_size": len(vocabulary), "max_position_embeddings": 64},
        vision_config=body | {"image_size": image_size, "patch_size": 32},
    )
    SiglipModel(config).save_pretrained(folder)
    prepare(folder, {"size": {"height": image_size, "width": image_size}})


def prepare(folder: Path, sizes: dict[str, Any]) -> None:
    facts = sizes | {"image_mean": MEAN, "image_std": STD, "do_rescale": True, "do_normalize": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(facts))


MAKERS: dict[str, Callable[..., None]] = {"clip": clip, "siglip": siglip}


def publish(root: Path) -> Path:
    """Write folders ``clip`` and ``siglip``."""
    for name, maker in MAKERS.items():
        with torch.random.fork_rng([]), quiet():
            torch.manual_seed(8)
            maker(root / name)
    return root
