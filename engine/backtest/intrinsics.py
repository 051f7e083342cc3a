"""What the kernel does where it is compiled in the machine's own words; the interpreted forms stand in the kernel."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from engine.backtest.kernel import layout as lay


@cache
def address() -> Any:
    """`loop.address`, compiled."""
    from numba import types
    from numba.extending import intrinsic
    from numba.np import arrayobj

    make_array: Any = arrayobj.make_array
    pointer: Any = types.CPointer
    tuple_type: Any = types.BaseTuple

    def of_array(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return make_array(signature.args[0])(context, builder, given[0]).data

    def of_each(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        arrays = [
            make_array(kind)(context, builder, builder.extract_value(given[0], place))
            for place, kind in enumerate(signature.args[0])
        ]
        return context.make_tuple(builder, signature.return_type, [array.data for array in arrays])

    def form(typing_context: Any, given: Any) -> Any:
        del typing_context
        if isinstance(given, tuple_type):
            pointers = [pointer(array.dtype) for array in given]
            return tuple_type.from_types(pointers, getattr(given, "instance_class", None))(given), of_each
        return pointer(given.dtype)(given), of_array

    return intrinsic(form)


@cache
def reached() -> Any:
    """`lanes.reached`, compiled: all lanes are compared at once, in as many bits as the prices have."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    short, byte = ir.IntType(32), ir.IntType(lay.LANES)

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        del context, signature
        prices, at, column, width, lane, down, up = given
        kind = prices.type.pointee
        four: Any = ir.VectorType(kind, lay.FOUR)
        numbers: Any = ir.VectorType(kind, lay.LANES)

        def four_of(place: Any) -> Any:
            first = builder.bitcast(builder.gep(prices, [place]), four.as_pointer())
            return builder.load(first, align=kind.width // 8)

        def eight_of(place: Any) -> Any:
            order = ir.Constant(ir.VectorType(short, lay.LANES), list(range(lay.LANES)))
            return builder.shuffle_vector(four_of(place), four_of(builder.add(place, width)), order)

        def in_all(number: Any) -> Any:
            if kind.width < number.type.width:
                # Whatever is beyond 32 bits is beyond every price that is kept in them.
                beyond = ir.Constant(number.type, lay.NARROW)
                is_within = builder.icmp_signed("<", number, beyond)
                number = builder.trunc(builder.select(is_within, number, beyond), kind)
            one = builder.insert_element(ir.Constant(numbers, ir.Undefined), number, ir.Constant(short, 0))
            first = ir.Constant(ir.VectorType(short, lay.LANES), [0] * lay.LANES)
            return builder.shuffle_vector(one, ir.Constant(numbers, ir.Undefined), first)

        is_down = builder.icmp_signed("<=", eight_of(at), in_all(down))
        is_up = builder.icmp_signed(">=", eight_of(builder.add(at, column)), in_all(up))
        found = builder.bitcast(builder.or_(is_down, is_up), byte)
        # Lanes before the first do not count, and one behind the last stands for none.
        counts = builder.shl(ir.Constant(byte, -1), builder.trunc(lane, byte))
        bits = builder.zext(builder.and_(found, counts), ir.IntType(64))
        bits = builder.or_(bits, ir.Constant(ir.IntType(64), 1 << lay.LANES))
        return builder.cttz(bits, ir.Constant(ir.IntType(1), 1))

    def form(typing_context: Any, prices: Any, at: Any, column: Any, width: Any, lane: Any, down: Any, up: Any) -> Any:
        del typing_context
        return types.int64(prices, *[types.int64] * 6), code

    return intrinsic(form)


#: What lies so many bytes ahead is brought near, in lines of as many as the machine fetches at once. What is nearer was
#: brought when the replay stood before it.
_NEAR: Final = 512
_AHEAD: Final = 1_280
_LINE: Final = 64


@cache
def fetch() -> Any:
    """`lanes.fetch`, compiled."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    byte: Any = ir.IntType(8)
    short: Any = ir.IntType(32)

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        del signature
        prices, at = given
        start = builder.bitcast(builder.gep(prices, [at]), byte.as_pointer())
        name, kind = "llvm.prefetch.p0", ir.FunctionType(ir.VoidType(), [byte.as_pointer(), short, short, short])
        prefetch = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        for ahead in range(_NEAR, _AHEAD, _LINE):
            place = builder.gep(start, [ir.Constant(ir.IntType(64), ahead)])
            # To be read, near to the core, of data.
            builder.call(prefetch, [place, *(ir.Constant(short, value) for value in (0, 3, 1))])
        return context.get_dummy_value()

    def form(typing_context: Any, prices: Any, at: Any) -> Any:
        del typing_context
        return types.none(prices, types.int64), code

    return intrinsic(form)
