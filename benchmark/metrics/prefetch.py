"""Ask memory for what a compiled loop will read soon. Importing this module imports numba."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LINE = 64
"""Bytes that come together."""


def _fetch(typing_context: Any, table: Any, row: Any, column: Any) -> tuple[Any, Any]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        array = context.make_array(kind)(context, builder, arguments[0])
        place = cgutils.get_item_pointer(context, builder, kind, array, arguments[1:])  # type: ignore[no-untyped-call]
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        shape = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer], shape)
        to_read, near, data = number(0), number(3), number(1)
        builder.call(function, [builder.bitcast(place, pointer), to_read, near, data])
        return context.get_dummy_value()

    return types.void(table, types.intp, types.intp), generate


fetch: Any = intrinsic(_fetch)
"""In compiled code: ``fetch(table, row, column)`` begins to bring the line of this element near."""
