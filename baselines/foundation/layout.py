"""How an official file is laid out, as plain facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Layout:
    """What an official file has besides, or calls otherwise than, the tensors of our network.

    Attributes
    ----------
    file
        Name of the file on the hub or in a folder, for a user who gives one of these.
    wrappers
        Keys under which the tensors may lie; without any of them they are the top level.
    parts
        Keys of the file under which the parts of the model lie, all of them needed; the names of a part's
        tensors begin with its key. ``wrappers`` are not looked at then.
    prefix
        Of the names of all tensors that belong to the network; others are left out.
    renamed
        Regular expression -> replacement, applied to each name in this order.
    aliases
        Regular expression -> replacement, which make of one name of a tensor its other name. Both are in a
        file of the authors and hold the same values; if ever they did not, the name that sorts last counts.
    ignored
        Regular expressions of whole names, as they are after renaming, that nobody needs.
    sha256
        Name of a file -> its digest, where the authors have published one.
    """

    file: str = ""
    wrappers: tuple[str, ...] = ("state_dict", "model_state_dict", "model")
    parts: tuple[str, ...] = ()
    prefix: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
