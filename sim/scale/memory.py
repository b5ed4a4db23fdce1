"""Ask the memory for what will be needed soon: at 100,000 hosts nearly every look at a neighbour is a cache miss."""

from typing import Any

import llvmlite.ir as ir  # type: ignore[import-untyped]  # llvmlite has no types
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import arrayobj

_arrays: Any = arrayobj
_pointers: Any = cgutils


def _prefetch(typing_context: Any, table: Any, row: Any, column: Any) -> Any:
    """prefetch(table, row, column): begin to load that item of a 2-D array into the cache. Changes nothing else."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        array = _arrays.make_array(kind)(context, builder, arguments[0])
        item = _pointers.get_item_pointer(context, builder, kind, array, list(arguments[1:]))
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = _pointers.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte, word, word, word]), "llvm.prefetch.p0i8"
        )
        read, keep, data = ir.Constant(word, 0), ir.Constant(word, 3), ir.Constant(word, 1)
        builder.call(function, [builder.bitcast(item, byte), read, keep, data])
        return context.get_dummy_value()

    return types.void(table, types.intp, types.intp), generate


prefetch: Any = intrinsic(_prefetch)
