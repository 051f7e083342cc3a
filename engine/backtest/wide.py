"""`domain.proportion.scaled` for compiled code: exact although the product may need 128 bits."""

from __future__ import annotations

from typing import Any, Final

from domain.proportion import scaled

#: Below this the product is taken as it is: a float that says so is right to 53 bits.
PLAIN: Final = 9.0e18
#: Below this one estimate and one correction are exact: what is left over fits 64 bits.
CLOSE: Final = 2.0**110


def by_estimate(amount: int, times: int, over: int) -> int:
    """The quotient by floats, put right by what is left over; that is small, so it is right although products wrap."""
    estimate = int(float(amount) * float(times) / float(over))
    rest = amount * times - estimate * over
    return estimate + rest // over


def by_bits(amount: int, times: int, over: int) -> int:
    """Bit by bit: slow, and always right."""
    whole = amount // over
    part = amount - whole * over
    quotient = rest = 0
    for bit in range(62, -1, -1):
        quotient, rest = 2 * quotient, 2 * rest
        if rest >= over:
            quotient, rest = quotient + 1, rest - over
        if (times >> bit) & 1:
            rest += part
            if rest >= over:
                quotient, rest = quotient + 1, rest - over
    return whole * times + quotient


def register() -> None:
    """Make the compiler use these forms."""
    from numba.extending import overload, register_jitable

    estimate, bits = register_jitable(by_estimate), register_jitable(by_bits)

    def compiled(amount: int, times: int, over: int) -> int:
        product = abs(float(amount) * float(times))
        if product < PLAIN:
            return amount * times // over
        if product < CLOSE:
            return estimate(amount, times, over)
        return bits(amount, times, over)

    def form(amount: int, times: int, over: int) -> Any:
        del amount, times, over
        return compiled

    # The names of the arguments must be those of the function.
    overload(scaled, strict=False)(form)
