from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.secrets import BadEncryptionKey, EncryptionKey, Opener, Place, Sealer, Tampered, UnknownKey

HEX = "6f1e2b9c47d80a35e1f4c29b7d6038a5b2c17e94f05d83a6c9e2417b5f8d0a63"
OTHER_HEX = "a17c05de93b2486fc8d1e09b37f25a64d0b9831e7c46f2a58e1d3b60c794f528"
KEY, OTHER_KEY = EncryptionKey(SecretStr(HEX)), EncryptionKey(SecretStr(OTHER_HEX))
PLACE = Place("accounts", 7, "api_secret", 3)


def sealed(text: str = "a secret") -> bytes:
    return Sealer(KEY).seal(SecretStr(text), PLACE)


@given(st.text(max_size=300))
def test_what_was_sealed_opens_at_its_place(text: str) -> None:
    assert Opener([OTHER_KEY, KEY]).open(sealed(text), KEY.id, PLACE).get_secret_value() == text


@pytest.mark.parametrize(
    "elsewhere",
    [
        PLACE._replace(table="users"),
        PLACE._replace(row=8),
        PLACE._replace(column="api_key"),
        PLACE._replace(owner=4),
        PLACE._replace(row=73, owner=0),
    ],
)
def test_a_ciphertext_moved_to_another_table_row_column_or_owner_does_not_open(elsewhere: Place) -> None:
    with pytest.raises(Tampered):
        Opener([KEY]).open(sealed(), KEY.id, elsewhere)


def test_every_changed_byte_and_every_cut_is_refused() -> None:
    whole, opener = sealed(), Opener([KEY])
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        with pytest.raises(Tampered):
            opener.open(bytes(changed), KEY.id, PLACE)
        with pytest.raises(Tampered):
            opener.open(whole[:place], KEY.id, PLACE)


def test_another_key_is_named_and_a_wrong_key_id_does_not_open() -> None:
    with pytest.raises(UnknownKey, match=KEY.id):
        Opener([OTHER_KEY]).open(sealed(), KEY.id, PLACE)
    with pytest.raises(Tampered):
        Opener([KEY, OTHER_KEY]).open(sealed(), OTHER_KEY.id, PLACE)


def test_salt_and_nonce_never_repeat() -> None:
    heads = {sealed()[1:29] for _ in range(1_000)}
    assert len(heads) == 1_000


def test_the_sealer_cannot_read() -> None:
    assert not [name for name in dir(Sealer) if "open" in name or "crypt" in name]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 64,
        "f" * 64,
        "0123456789abcdef" * 4,
        "your_encryption_key_64_hex_chars",
        HEX[:-1],
        HEX + "00",
        HEX[:-1] + "g",
        "00112233" * 8,
    ],
)
def test_examples_patterns_and_other_lengths_are_refused(text: str) -> None:
    with pytest.raises(BadEncryptionKey, match="64 hexadecimal") as refused:
        EncryptionKey(SecretStr(text))
    assert not text or text not in str(refused.value)


def test_a_key_shows_its_id_only_and_purposes_give_different_keys() -> None:
    assert HEX not in repr(KEY)
    assert KEY.id in repr(KEY)
    assert len({KEY.derive("a"), KEY.derive("b"), OTHER_KEY.derive("a")}) == 3
    assert KEY.id != OTHER_KEY.id
    assert KEY.token("a") == EncryptionKey(SecretStr(HEX.upper())).token("a")
