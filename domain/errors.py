"""The one tree of errors, cut by what the caller may do next.

`Refused`: tell the user. `Transient`: try again. `Unknown`: ask the venue. `Broken`: stop this instance.
A class's docstring is its default message, so an error raised without words still says what was wrong. A message that
people on the page may read is a `Sentence`, which knows its code.
"""

from __future__ import annotations

import inspect
import re
from typing import ClassVar

from domain.sentences import Sentence, say


class AresError(Exception):
    """Something went wrong in Ares."""

    #: Stable, machine-readable name; derived from the class name unless a class sets its own.
    code: ClassVar[str] = "ares_error"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" not in cls.__dict__:
            cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or sentence_of(type(self)))


class Refused(AresError):
    """The request was refused and nothing was changed."""


class Transient(AresError):
    """A part was not available for a moment; the same call may be made again."""


class Unknown(AresError):
    """The request left and its outcome is not known; ask the venue before doing anything else."""


class Broken(AresError):
    """A rule this program relies on does not hold; the instance has to stop."""


def sentence_of(error: type[AresError]) -> Sentence:
    """The default message of an error as a sentence, whose code is the error's."""
    return Sentence(default_message(error), error.code)


def default_message(error: type[AresError]) -> str:
    """First line of the class's own docstring, or of the nearest ancestor that has one."""
    return (inspect.getdoc(error) or "").partition("\n")[0]


def unforeseen(error: BaseException) -> Sentence:
    """What is said of an error that nobody foresaw: its kind and its own words."""
    return say("unforeseen", "{kind}: {error}", kind=type(error).__name__, error=error)
