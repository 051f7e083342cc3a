"""The one shim between the law and the compiler.

A helper that a decision or a risk rule calls is marked `@lawful`. Marking only takes its name down: the backtester
hands the marked functions to the compiler when it starts, and nodes that never compile need no compiler.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

#: Every marked function, in the order of marking.
LAWFUL: list[Callable[..., Any]] = []


def lawful(function: F) -> F:
    """Mark a helper of the law as callable from compiled code; gives it back unchanged."""
    LAWFUL.append(function)
    return function
