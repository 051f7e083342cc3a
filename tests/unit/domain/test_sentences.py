from __future__ import annotations

import json
import pickle

import pytest

from domain.errors import Refused, Transient, unforeseen
from domain.sentences import Sentence, changed, from_words, joined, packed, say, unpacked, without_stop, words_of

CLOSE = say("levels_too_close", "{levels} levels are too close; use fewer.", levels=9, field="levels")
INSIDE = say("edit_the_strategy", "{wrong} Edit the strategy.", wrong=CLOSE)


def test_an_error_gives_its_sentence_back_whole() -> None:
    told = str(Refused(CLOSE))
    assert told == "levels: 9 levels are too close; use fewer."
    assert isinstance(told, Sentence)
    assert (told.code, told.field, told.values) == ("levels_too_close", "levels", {"levels": "9"})
    assert told.alone == "9 levels are too close; use fewer."
    assert told.alone.alone.code == "levels_too_close"


def test_an_error_without_words_has_those_of_its_kind() -> None:
    told = str(Transient())
    assert isinstance(told, Sentence)
    assert (told.code, told) == ("transient", (Transient.__doc__ or "").partition("\n")[0])


def test_an_error_that_nobody_foresaw_is_told_with_its_kind() -> None:
    told = unforeseen(KeyError("price"))
    assert (told, told.code, told.values) == (
        "KeyError: 'price'",
        "unforeseen",
        {"kind": "KeyError", "error": "'price'"},
    )


def test_a_value_that_is_a_sentence_stays_one() -> None:
    inner = {"code": "levels_too_close", "text": str(CLOSE), "field": "levels", "values": {"levels": "9"}}
    assert words_of(INSIDE) == {
        "code": "edit_the_strategy", "text": str(INSIDE), "field": "",
        "values": {"wrong": inner},
    }  # fmt: skip
    assert words_of("of a venue") is None


@pytest.mark.parametrize("sentence", [CLOSE, INSIDE, say("a", "b"), say("umlaut", "{x}", x="ä 价 {y}")])
def test_it_comes_back_from_storage_from_json_and_from_another_process(sentence: Sentence) -> None:
    for again in (
        unpacked(packed(sentence, 500)),
        from_words(json.loads(json.dumps(words_of(sentence)))),
        pickle.loads(pickle.dumps(sentence)),  # noqa: S301 - our own
    ):
        assert again == sentence
        assert words_of(again) == words_of(sentence)


@pytest.mark.parametrize("most", [len(INSIDE), len(INSIDE) + 10, 12])
def test_where_not_everything_fits_the_english_is_kept(most: int) -> None:
    stored = packed(INSIDE, most)
    assert len(stored) <= most
    assert str(INSIDE).startswith(unpacked(stored))
    assert words_of(unpacked(stored)) is None


@pytest.mark.parametrize(
    "stored", ["plain", "", "a\x1f", "a\x1fno json", "a\x1f[]", "a\x1f{}", 'a\x1f{"code":1,"values":3}']
)
def test_what_cannot_be_read_is_plain_text(stored: str) -> None:
    assert unpacked(stored) == stored.partition("\x1f")[0]
    assert words_of(unpacked(stored)) is None


def test_several_stand_in_a_row() -> None:
    assert joined([]) == ""
    assert joined([CLOSE]) is CLOSE
    three = joined([CLOSE, "plain", INSIDE])
    assert three == f"{CLOSE}; plain; {INSIDE}"
    assert isinstance(three, Sentence)


def test_inside_another_sentence_it_has_no_full_stop() -> None:
    assert words_of(without_stop(say("a", "It is so."))) == {"code": "a", "text": "It is so", "field": "", "values": {}}
    assert without_stop("-1022.") == "-1022"


def test_what_is_changed_is_changed_in_its_values_too() -> None:
    told = changed(
        say("no_such_file", "{path}: there is no such file.", path="/box/x/a.csv"),
        lambda text: text.replace("/box/x/", ""),
    )
    assert (told, words_of(told)) == (
        "a.csv: there is no such file.",
        {"code": "no_such_file", "text": "a.csv: there is no such file.", "field": "", "values": {"path": "a.csv"}},
    )
    assert changed("/box/x/a", str.upper) == "/BOX/X/A"
