"""Sentences for people that a page can say in another language: the English, and beside it a stable code and values.

A sentence is text like any other: it is stored, compared and printed as its English. What knows its code and values
looks for a translation by the code; what does not has the English. `str(error)` of an error that was raised with one
gives it back whole; a part of it is plain text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

#: Between the English and the rest, where a sentence is stored as one text.
_MARK: Final = "\x1f"


class Sentence(str):
    """A sentence in English with its stable code, its values as text, and the field that it is about, if it is."""

    __slots__ = ("code", "field", "values")

    code: str
    field: str
    values: Mapping[str, str]

    def __new__(cls, text: str, code: str, values: Mapping[str, str] | None = None, field: str = "") -> Sentence:
        """The sentence; of a `field` the text begins with its name."""
        made = super().__new__(cls, text)
        made.code, made.values, made.field = code, values or {}, field
        return made

    def __str__(self) -> str:
        """Itself: text made of an error keeps what it knows."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """What another process makes it from again."""
        return Sentence, (str.__str__(self), self.code, dict(self.values), self.field)

    @property
    def alone(self) -> Sentence:
        """The same without the name of its field, for where the field is shown."""
        if not self.field:
            return self
        return Sentence(self[len(self.field) + 2 :], self.code, self.values)

    def capitalised(self) -> Sentence:
        """The same, beginning with a capital letter."""
        return Sentence(self[:1].upper() + self[1:], self.code, self.values, self.field)


def say(code: str, template: str, *, field: str = "", **values: object) -> Sentence:
    """The sentence that a template gives with these values; a value that is a sentence stays one.

    `field` is put before it, as `field: sentence`.
    """
    text = template.format(**values)
    kept = {name: value if isinstance(value, Sentence) else str(value) for name, value in values.items()}
    return Sentence(f"{field}: {text}" if field else text, code, kept, field)


def changed(text: str, change: Callable[[str], str]) -> str:
    """A sentence whose English and values have been changed, as by leaving something out."""
    if not isinstance(text, Sentence):
        return change(text)
    values = {name: changed(value, change) for name, value in text.values.items()}
    return Sentence(change(str.__str__(text)), text.code, values, text.field)


def without_stop(text: str) -> str:
    """The same without the full stop at its end, to stand inside another sentence."""
    bare = text.rstrip(".")
    return Sentence(bare, text.code, text.values, text.field) if isinstance(text, Sentence) else bare


def joined(sentences: Sequence[str]) -> str:
    """Several in a row, with semicolons; one that is alone as it is."""
    if len(sentences) < 2:
        return sentences[0] if sentences else ""
    return say("both", "{first}; {rest}", first=sentences[0], rest=joined(sentences[1:]))


def words_of(text: str) -> dict[str, Any] | None:
    """Code, English, field and values for JSON, sentences among the values likewise; None for text without a code."""
    if not isinstance(text, Sentence):
        return None
    values = {name: words_of(value) or value for name, value in text.values.items()}
    return {"code": text.code, "text": str.__str__(text), "field": text.field, "values": values}


def read_words(text: str) -> dict[str, Any] | None:
    """Words that were written as JSON; None where there are none or they make no sense: the English stands beside."""
    try:
        found = json.loads(text) if text else None
        return None if found is None else words_of(from_words(found))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def from_words(words: Mapping[str, Any]) -> Sentence:
    """What `words_of` was made from."""
    values = {name: from_words(value) if isinstance(value, Mapping) else str(value)
              for name, value in words.get("values", {}).items()}  # fmt: skip
    return Sentence(str(words["text"]), str(words["code"]), values, str(words.get("field", "")))


def packed(text: str, most: int) -> str:
    """A sentence as one text of at most `most` characters: where not everything fits, the English alone, cut."""
    words = words_of(text)
    if words is not None:
        rest = {name: value for name, value in words.items() if name != "text" and value}
        whole = f"{text}{_MARK}{json.dumps(rest, separators=(',', ':'), ensure_ascii=False)}"
        if len(whole) <= most:
            return whole
    return str.__str__(text)[:most]


def unpacked(stored: str) -> str:
    """What `packed` was given; text that has no code, and text that cannot be read, as it is."""
    text, mark, rest = stored.partition(_MARK)
    if not mark:
        return stored
    try:
        return from_words({**json.loads(rest), "text": text})
    except (ValueError, KeyError, TypeError, AttributeError):
        return text
