"""Compiling with numba, keeping the machine code for the next process where there is a place for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba.core.caching import FunctionCache

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile without the interpreter lock; for this process alone where the result cannot be kept."""
    dispatcher: Any = numba.njit(nogil=True)(function)
    with contextlib.suppress(RuntimeError, OSError):  # neither the package's nor the user's folder can be had
        dispatcher._cache = _Cache(function)  # type: ignore[no-untyped-call]
    found: Function = dispatcher
    return found


class _Cache(FunctionCache):
    """Kept machine code: one that cannot be read is compiled again, one that cannot be saved is used once."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception:  # noqa: BLE001  # a damaged pickle can raise anything
            with contextlib.suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except Exception:  # noqa: BLE001  # a full disk, or a damaged index, which is read before
            self.disable()  # type: ignore[no-untyped-call]
