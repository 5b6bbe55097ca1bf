"""Reading published image-text models with transformers: whole, from safetensors only, and without noise."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmark.files import write_atomically
from benchmark.protocols.artifacts import sha256_of_folder
from cohorts.counts import plural
from cohorts.errors import ModelError

FAMILIES = ("clip", "siglip")
"""Kinds of model, by the ``model_type`` of their configuration."""

Triple = tuple[float, float, float]


class Facts(BaseModel):
    """``card.json``: where weights came from, and how their pictures and sentences are prepared.

    Attributes
    ----------
    source, revision
        The folder or hub id, and the commit there.
    family
        One of `FAMILIES`.
    size
        Side of a picture in pixels.
    mean, std
        Of a picture's red, green and blue, on a scale from 0 to 1.
    tokens
        Length to which sentences are padded or cut.
    sha256
        Of the folder with the weights and the tokenizer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    revision: str | None
    family: Literal["clip", "siglip"]
    size: int = Field(ge=16, le=2048)
    mean: Triple
    std: Triple
    tokens: int = Field(ge=1)
    sha256: str


class Loaded(NamedTuple):
    """A whole image-text model: ``transformers``' network in evaluation mode and its tokenizer."""

    facts: Facts
    network: Any
    tokenizer: Any


def fetch(file: str) -> Loaded:
    """Read published weights from a folder in the Hugging Face layout or from the hub.

    Parameters
    ----------
    file
        The folder, or a hub id, optionally with ``@revision``.

    Raises
    ------
    ModelError
        If it cannot be reached, or is not a whole CLIP or SigLIP model in safetensors.
    """
    source, _, revision = (file, "", "") if Path(file).exists() else file.partition("@")
    if Path(source).is_file():
        raise ModelError(f"{file} is a file; give the folder with config.json and model.safetensors.")
    if Path(source).is_dir() and not list(Path(source).glob("*.safetensors")):
        raise ModelError(f"{file} holds no .safetensors file, and weights in pickle files are not opened.")
    if not Path(source).is_dir() and not re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", source):
        raise ModelError(
            f"{file} is neither a folder here nor a hub id such as openai/clip-vit-large-patch14."
        )
    where: dict[str, Any] = {"local_files_only": Path(source).is_dir(), "trust_remote_code": False}
    if revision:
        where["revision"] = revision
    if not Path(source).is_dir():
        _reach(file, source, revision or None)
    return _read(file, source, where)


def keep(loaded: Loaded, folder: Path) -> Facts:
    """Write a model into a folder of its own, for `restore`; gives the facts with the final hash."""
    weights = folder / "model"
    with quiet():
        loaded.network.save_pretrained(weights)
        loaded.tokenizer.save_pretrained(weights)
    facts = loaded.facts.model_copy(update={"sha256": sha256_of_folder(weights)})
    write_atomically(folder / "card.json", facts.model_dump_json(indent=2) + "\n")
    return facts


def restore(folder: Path) -> Loaded:
    """Read what `keep` wrote.

    Raises
    ------
    ModelError
        If it is not whole, or was changed.
    """
    path, weights = folder / "card.json", folder / "model"
    try:
        facts = Facts.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ModelError(f"{path} is missing or damaged: convert the published weights again.") from error
    if sha256_of_folder(weights) != facts.sha256:
        raise ModelError(f"The files in {weights} are not those that were converted: convert them again.")
    return _read(str(folder), str(weights), {"local_files_only": True, "trust_remote_code": False}, facts)


def _reach(file: str, source: str, revision: str | None) -> None:
    """Raise `ModelError` if neither the hub nor what was downloaded from it earlier can be read."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        with quiet():
            hf_hub_download(source, "config.json", revision=revision)
    except LocalEntryNotFoundError as error:
        raise ModelError(
            f"{file}: the hub cannot be reached from here; download the model elsewhere and give its folder."
        ) from error
    except (EntryNotFoundError, RepositoryNotFoundError) as error:
        raise ModelError(
            f"{file}: the hub has no such model, or shows it to nobody without a login."
        ) from error


def _read(file: str, source: str, where: dict[str, Any], facts: Facts | None = None) -> Loaded:
    """Read network and tokenizer, and work out the facts if they are not known yet."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    with readable_errors(file, "configuration"):
        config = AutoConfig.from_pretrained(source, **where)
    if config.model_type not in FAMILIES:
        raise ModelError(f"{file} is a model of type {config.model_type}, not one of {', '.join(FAMILIES)}.")
    commit = getattr(config, "_commit_hash", None)
    if commit:  # everything else from there too, however the hub may change in between
        where = where | {"revision": commit}
    with readable_errors(file, "picture preprocessing"):
        facts = facts or _facts(file, source, where, config)
    with readable_errors(file, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(source, **where)
    with readable_errors(file, "network"):
        network, report = AutoModel.from_pretrained(
            source,
            config=config,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            **where,
        )
    absent = sorted(report["missing_keys"])
    if absent:  # they would be random numbers
        raise ModelError(f"{file}: its weights lack {plural(len(absent), 'tensor')}, {absent[0]} for one.")
    if len(tokenizer) > config.text_config.vocab_size:
        raise ModelError(
            f"{file}: its tokenizer has more words than its network, so they do not belong together."
        )
    return Loaded(facts, network.eval(), tokenizer)


def _facts(file: str, source: str, where: dict[str, Any], config: Any) -> Facts:
    """Read how pictures are prepared, without the class that would prepare them."""
    from transformers import ImageProcessingMixin

    found, _ = ImageProcessingMixin.get_image_processor_dict(source, **where)
    mean, std = found["image_mean"], found["image_std"]
    if not len(mean) == len(std) == 3:
        raise ValueError(
            f"it has {plural(len(mean), 'mean')} and {plural(len(std), 'deviation')} for three colours"
        )
    if not (found.get("do_rescale", True) and found.get("do_normalize", True)):
        raise ValueError("it leaves the pixels as they are, which no CLIP or SigLIP model does")
    size = config.vision_config.image_size
    stated = found.get("crop_size") or found["size"]
    if (set(stated.values()) if isinstance(stated, dict) else {stated}) != {size}:
        raise ValueError(f"it makes pictures of {stated}, the network wants {size} pixels a side")
    return Facts(
        source=file,
        revision=where.get("revision"),
        family=config.model_type,
        size=size,
        mean=mean,
        std=std,
        tokens=config.text_config.max_position_embeddings,
        sha256="",
    )


@contextmanager
def readable_errors(file: str, part: str) -> Iterator[None]:
    """Keep transformers quiet, and say what it raises in one sentence."""
    try:
        with quiet():
            yield
    except Exception as error:  # it and the libraries below it raise anything, Exception itself included
        first = re.split(r"(?<=[.!?])\s", " ".join(str(error).split()))[0][:200].rstrip(".")
        raise ModelError(f"{file}: its {part} cannot be used ({type(error).__name__}: {first}).") from error


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, log lines or warnings of transformers and of the hub, here and now only."""
    from huggingface_hub.utils import logging as untyped_hub
    from transformers.utils import logging as untyped_library

    hub: Any = untyped_hub
    library: Any = untyped_library
    before, hub_before, bars = library.get_verbosity(), hub.get_verbosity(), library.is_progress_bar_enabled()
    library.set_verbosity_error()
    hub.set_verbosity_error()
    library.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        library.set_verbosity(before)
        hub.set_verbosity(hub_before)
        if bars:
            library.enable_progress_bar()
