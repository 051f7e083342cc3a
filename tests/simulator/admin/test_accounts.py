from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.simulator.admin.harness import SECRET, desk


async def test_a_new_account_trades_with_its_key_and_its_money() -> None:
    async with desk() as at:
        status, account = await at.post("/accounts", name="second", key="k2", secret="s2", balances={"USDT": "500.5"})
        assert (status, account["account_id"], account["keys"][0]["key"]) == (200, 2, "k2")
        status, body = await at.trade("GET", "/api/v3/account", key="k2", secret="s2")
        assert status == 200
        assert next(item for item in body["balances"] if item["asset"] == "USDT")["free"] == "500.50000000"
        shown = await at.get("/accounts/2")
        assert shown["spot"]["USDT"] == {"free": "500.5", "locked": "0"}
        assert shown["futures"] == {"USDT": "500.5"}


async def test_an_ed25519_key_signs() -> None:
    async with desk() as at:
        private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        assert (await at.post("/accounts/1/keys", key="ed", kind="ED25519", public_key=pem))[0] == 200
        text = urlencode({"timestamp": at.simulator.venue.protocol.now_ms()})
        signature = quote(base64.b64encode(private.sign(text.encode())).decode(), safe="")
        url = f"{at.simulator.rest_url}/api/v3/account?{text}&signature={signature}"
        async with at.session.get(url, headers={"X-MBX-APIKEY": "ed"}) as answer:
            assert answer.status == 200


async def test_a_made_up_key_is_told_once_and_works() -> None:
    async with desk() as at:
        _, made = await at.post("/accounts/1/keys")
        assert (await at.trade("GET", "/api/v3/account", key=made["key"], secret=made["secret"]))[0] == 200
        assert made["secret"] not in str(await at.get("/accounts"))


async def test_a_revoked_key_is_refused_until_it_is_taken_back() -> None:
    async with desk() as at:
        await at.post("/keys/trader", revoked=True)
        assert (await at.trade("GET", "/api/v3/account"))[1]["code"] == -2015
        await at.post("/keys/trader", revoked=False)
        assert (await at.trade("GET", "/api/v3/account"))[0] == 200


async def test_permissions_are_changed() -> None:
    async with desk() as at:
        _, key = await at.post("/keys/trader", permissions=["READING"])
        assert key["permissions"] == ["READING"]
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        assert (await at.trade("POST", "/api/v3/order", **order))[1]["code"] == -2015


async def test_money_comes_and_goes() -> None:
    async with desk() as at:
        await at.post("/accounts/1/deposit", asset="USDT", amount="0.00000001")
        await at.post("/accounts/1/withdraw", market="futures", asset="USDT", amount="1")
        assert await at.get("/totals") == {
            "spot": {"USDT": "100000.00000001", "BTC": "1"},
            "futures": {"USDT": "99999", "BTC": "1"},
        }


async def test_fees_and_rights_of_an_account_are_set() -> None:
    async with desk() as at:
        _, account = await at.post("/accounts/1/settings", maker_fee="0", taker_fee="0.0005", pay_fees_in_bnb=True)
        assert (account["maker_fee"], account["taker_fee"], account["pay_fees_in_bnb"]) == ("0", "0.0005", True)


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/accounts", {"key": "k"}, 400, "secret"),
        ("/accounts", {"secret": "s"}, 400, "key"),
        ("/accounts", {"key": "trader", "secret": "s"}, 400, "key"),
        ("/accounts", {"balances": {"USDT": 1.5}}, 400, "balances.USDT"),
        ("/accounts", {"balances": {"usdt": "1"}}, 400, "balances"),
        ("/accounts", {"surprise": 1}, 400, "surprise"),
        ("/accounts/9/deposit", {"asset": "USDT", "amount": "1"}, 404, ""),
        ("/accounts/1/deposit", {"asset": "USDT", "amount": "-1"}, 400, "amount"),
        ("/accounts/1/deposit", {"asset": "USDT", "amount": "0.000000001"}, 400, "amount"),
        ("/accounts/1/deposit", {"amount": "1"}, 400, "asset"),
        ("/accounts/1/deposit", {"account": 2, "asset": "USDT", "amount": "1"}, 400, "account"),
        ("/accounts/1/withdraw", {"asset": "USDT", "amount": "100000.00000001"}, 400, "amount"),
        ("/accounts/1/withdraw", {"market": "options", "asset": "USDT", "amount": "1"}, 400, "market"),
        ("/accounts/1/keys", {"kind": "RSA", "public_key": "nonsense"}, 400, "public_key"),
        ("/accounts/1/keys", {"permissions": ["EVERYTHING"]}, 400, "permissions"),
        ("/accounts/1/settings", {"taker_fee": "0.2"}, 400, "taker_fee"),
        ("/accounts/1/settings", {"can_trade": "maybe"}, 400, "can_trade"),
        ("/keys/nobody", {"revoked": True}, 404, ""),
    ],
)
async def test_what_does_not_fit_is_refused_and_changes_nothing(
    path: str, body: dict[str, Any], status: int, field: str
) -> None:
    async with desk() as at:
        before = [await at.get("/accounts"), await at.get("/accounts/1"), await at.get("/totals")]
        given, answer = await at.post(path, **body)
        assert (given, answer["field"]) == (status, field)
        assert answer["reason"]
        assert [await at.get("/accounts"), await at.get("/accounts/1"), await at.get("/totals")] == before


async def test_no_secret_is_in_any_answer_or_on_the_tape() -> None:
    async with desk() as at:
        await at.post("/accounts", name="x", key="k9", secret="a-second-secret", balances={"USDT": "1"})
        await at.post("/accounts", key="trader", secret="a-third-secret")
        await at.trade("GET", "/api/v3/account")
        seen = [await at.get(path) for path in ("/accounts", "/accounts/2", "/faults", "/limits", "/time", "/symbols")]
        text = str(seen) + b"".join(at.simulator.venue.tape.lines()).decode()
        for secret in (SECRET, "a-second-secret", "a-third-secret"):
            assert secret not in text
