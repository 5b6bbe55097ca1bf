"""Checkpoints that others have published: read without running them, kept with a card.

A checkpoint is a file of a stranger. It is read as tensors and nothing else.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load_file, save

from baselines.memory import limited_memory
from baselines.states import State, few
from benchmark.files import refusing, regular_size, sha256_of, write_atomically
from benchmark.text import printable
from cohorts.errors import LeadboardError, ModelError, UsageError

WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Where training scripts put the tensors if not at the top."""

WEIGHTS, CARD = "model.safetensors", "card.json"

_ROOM = 2**30
"""Bytes that reading a checkpoint may take besides twice its size: fifty bytes can ask for a hundred GB."""


class _Skipped:
    """Takes the place of numpy's numbers and arrays, such as a best score, and of a training's settings.

    It keeps nothing of them. The libraries' own functions are not let near the file: they trust what they are
    given.
    """

    def __init__(self, *ignored: object) -> None:
        pass

    def __setstate__(self, ignored: object) -> None:
        pass


def _plain(*ignored: object) -> dict[object, object]:
    """Take the place of a mapping with defaults; only a plain one may be filled from a file."""
    return {}


# The module was called core before numpy 2.
_MULTIARRAY = ("scalar", "_reconstruct")
# What Lightning saves as hyper-parameters where a training was set up with OmegaConf.
_NODES = (
    "AnyNode",
    "BooleanNode",
    "BytesNode",
    "EnumNode",
    "FloatNode",
    "IntegerNode",
    "PathNode",
    "StringNode",
)
_SETTINGS = (
    "builtins.dict",
    "builtins.list",
    "builtins.int",
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    *(f"omegaconf.nodes.{node}" for node in _NODES),
    "typing.Any",
)
_SKIPPED: list[Any] = [
    (_Skipped, "numpy.dtype"),
    (_Skipped, "numpy.ndarray"),
    *((_Skipped, f"numpy.core.multiarray.{name}") for name in _MULTIARRAY),
    *((_Skipped, f"numpy._core.multiarray.{name}") for name in _MULTIARRAY),
    *((_Skipped, name) for name in _SETTINGS),
    (_plain, "collections.defaultdict"),
]


class WeightsCard(BaseModel):
    """Where the weights in a folder come from.

    Attributes
    ----------
    model, size
        For example ``"ecgclip"`` and ``"resnet34"``.
    source_file, source_sha256
        The file that the user gave, and its digest.
    repository, licence
        Of the authors, as far as they are known.
    note
        One sentence about the file.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    size: str
    source_file: str
    source_sha256: str
    repository: str
    licence: str
    note: str


def read_checkpoint(
    path: Path, *, wrappers: Sequence[str] = WRAPPERS, ignore: Collection[str] = ()
) -> dict[str, torch.Tensor]:
    """Read the tensors of a checkpoint, to the processor; no code in it is run.

    Parameters
    ----------
    path
        A ``.safetensors`` file, or whatever ``torch.save`` has written.
    wrappers
        Keys under which the tensors may lie, the first that is there; without any they are the top level.
    ignore
        Names that older versions of a library saved and nobody needs.

    Returns
    -------
    Tensors by name, without the prefix ``module.`` that DataParallel leaves.

    Raises
    ------
    UsageError
        If there is no such file.
    ModelError
        If it is damaged, unpacks to more than it is, holds other objects than tensors, numbers and
        containers, or no state dict.
    """
    try:
        size = regular_size(path)
    except (OSError, ValueError) as error:
        name, folder = printable(str(path), 200), isinstance(error, IsADirectoryError)
        what = f"{name} is a folder" if folder else f"There is no file {name}"
        raise UsageError(f"{what}: give the checkpoint that the authors published.") from None
    _check_unpacked(path, size)
    content = _load(path)
    if isinstance(content, dict):
        content = next((content[key] for key in wrappers if isinstance(content.get(key), dict)), content)
    if not isinstance(content, dict) or not content or not all(map(_is_named_tensor, content.items())):
        found = f"the keys {few(map(str, content))}" if isinstance(content, dict) else type(content).__name__
        raise ModelError(
            f"{path} holds no state dict, neither at its top nor under {', '.join(wrappers)}, but {found}: "
            "give the file with the model's weights."
        )
    prefix = "module." if all(name.startswith("module.") for name in content) else ""
    named = {name.removeprefix(prefix): tensor.detach() for name, tensor in content.items()}
    return {name: tensor for name, tensor in named.items() if name not in ignore}


def _check_unpacked(path: Path, size: int) -> None:
    """Refuse an archive that unpacks to more than it is: torch reads all of it into memory.

    ``torch.save`` stores tensors as they are, so that nothing genuine is refused.
    """
    try:
        with refusing(LeadboardError), zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except LeadboardError:
        return  # no archive; an older checkpoint, or what is said when it is read
    if unpacked > size:
        raise ModelError(
            f"{path} has {size:,} bytes and unpacks to {unpacked:,}, which no file of torch.save does: give "
            "the file as its authors published it."
        )


def _load(path: Path) -> Any:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        allowed = limited_memory(2 * path.stat().st_size + _ROOM)
        with allowed, torch.serialization.safe_globals(_SKIPPED), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch's notes on old formats are for their authors
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        refused = re.search(r"GLOBAL (\S+)", str(error))
        if refused and isinstance(error, pickle.UnpicklingError):
            raise ModelError(
                f"{path} holds Python objects besides tensors ({printable(refused[1], 100)}), which are not "
                "loaded because they can run any code: ask its authors for a plain state dict or safetensors."
            ) from None
        raise ModelError(
            f"{path} is damaged or no checkpoint at all ({type(error).__name__}): download it again, whole."
        ) from error


def _is_named_tensor(item: tuple[object, object]) -> bool:
    name, tensor = item
    if not (isinstance(name, str) and isinstance(tensor, torch.Tensor)):
        return False
    # A few bytes on disk can claim to be a tensor of any size, with strides of 0 or without data.
    plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
    return plain and tensor.nbytes <= tensor.untyped_storage().nbytes()


def write_weights(
    folder: Path, state: State, source: Path, *, model: str, size: str, repository: str, licence: str
) -> WeightsCard:
    """Write checked tensors and the card that says whose they are; the card comes last.

    Returns
    -------
    The card.
    """
    # Copies: a checkpoint's tensors may share memory, which safetensors does not write.
    whole = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}
    write_atomically(folder / WEIGHTS, save(whole))
    card = WeightsCard(
        model=model,
        size=size,
        source_file=source.name,
        source_sha256=sha256_of(source),
        repository=repository,
        licence=licence,
        note=f"Weights of the file {source.name} as the user gave it.",
    )
    write_atomically(folder / CARD, card.model_dump_json(indent=2) + "\n")
    return card


def read_weights(folder: Path, model: str) -> tuple[WeightsCard, dict[str, torch.Tensor]]:
    """Read what `write_weights` wrote.

    Raises
    ------
    ModelError
        If nothing is there, or it belongs to another model.
    """
    try:
        card = WeightsCard.model_validate_json((folder / CARD).read_bytes())
        (folder / WEIGHTS).stat()
    except (OSError, ValidationError) as error:
        raise ModelError(
            f"{folder} holds no weights of {model} ({type(error).__name__}): convert the authors' file first."
        ) from error
    if card.model != model:
        raise ModelError(f"{folder} holds weights of {card.model}, not of {model}: convert the right file.")
    return card, read_checkpoint(folder / WEIGHTS)
