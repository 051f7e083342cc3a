from __future__ import annotations

import asyncio
import re
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any
from uuid import UUID

import pytest

from tests.clients.conftest import Customer
from tests.clients.documented import (
    Answer,
    LocalBook,
    Sign,
    by_private_key,
    by_secret,
    fetch,
    milliseconds,
    signed,
    wired,
    ws_request,
)
from tests.clients.keys import register
from tests.clients.steering import BTC, MINUTE_MS, pass_minute
from tests.simulator_process import SimulatorProcess

MARKET_BUY = {"symbol": BTC, "side": "BUY", "type": "MARKET", "quantity": "0.01"}
NAMES = "btcusdt@trade/ethusdt@kline_1m"


@pytest.fixture(scope="module")
def sign(customer: Customer) -> Sign:
    return by_secret(customer.secret)


def order(stepped: SimulatorProcess, customer: Customer, query: str, body: str | None = None) -> Answer:
    return fetch("POST", f"{stepped.rest}/api/v3/order?{query}", body, customer.key)


def test_an_order_may_be_all_in_the_query_string(stepped: SimulatorProcess, customer: Customer, sign: Sign) -> None:
    query, _ = signed(sign, MARKET_BUY)
    answer = order(stepped, customer, query)
    assert (answer.status, answer.body["status"]) == (200, "FILLED")
    assert {"x-mbx-used-weight-1m", "x-mbx-order-count-10s", "x-mbx-order-count-1d"} <= set(answer.headers)


def test_an_order_may_be_all_in_the_body(stepped: SimulatorProcess, customer: Customer, sign: Sign) -> None:
    whole, _ = signed(sign, MARKET_BUY)
    answer = fetch("POST", f"{stepped.rest}/api/v3/order", whole, customer.key)
    assert answer.body["status"] == "FILLED"


def test_parameters_may_be_split_between_query_and_body(
    stepped: SimulatorProcess, customer: Customer, sign: Sign
) -> None:
    query, body = signed(sign, {"symbol": BTC, "side": "BUY"}, {"type": "MARKET", "quantity": "0.01"})
    assert order(stepped, customer, query, body).body["status"] == "FILLED"


def test_the_query_string_wins_where_both_name_a_parameter(
    stepped: SimulatorProcess, customer: Customer, sign: Sign
) -> None:
    query, body = signed(sign, MARKET_BUY, {"quantity": "0.05"})
    assert order(stepped, customer, query, body).body["origQty"] == "0.01000000"


def test_the_hexadecimal_digits_of_a_signature_may_be_of_either_case(
    stepped: SimulatorProcess, customer: Customer, sign: Sign
) -> None:
    query, _ = signed(lambda payload: mixed(sign(payload)), MARKET_BUY)
    assert order(stepped, customer, query).status == 200
    query, _ = signed(lambda payload: "0" * 64, MARKET_BUY)
    wrong = order(stepped, customer, query)
    assert (wrong.status, wrong.body["code"]) == (400, -1022)


def mixed(digits: str) -> str:
    return "".join(digit.upper() if number % 2 else digit for number, digit in enumerate(digits))


def test_timestamps_may_be_microseconds(stepped: SimulatorProcess, customer: Customer, sign: Sign) -> None:
    text = f"timestamp={milliseconds() * 1000}&recvWindow=5000.125"
    answer = fetch("GET", f"{stepped.rest}/api/v3/account?{text}&signature={sign(text)}", key=customer.key)
    assert answer.status == 200
    late = f"timestamp={milliseconds() - 20_000}"
    refused = fetch("GET", f"{stepped.rest}/api/v3/account?{late}&signature={sign(late)}", key=customer.key)
    assert (refused.status, refused.body["code"]) == (400, -1021)
    assert refused.body["msg"] == "Timestamp for this request is outside of the recvWindow."


@pytest.mark.parametrize("kind", ["RSA", "ED25519"])
@pytest.mark.parametrize("path", ["/api/v3/account", "/fapi/v3/account"])
def test_private_keys_sign_rest_requests(stepped: SimulatorProcess, customer: Customer, kind: str, path: str) -> None:
    name = f"plain-{kind}{path.replace('/', '-')}"
    own = by_private_key(register(stepped, customer.key, kind, name))
    query, _ = signed(own, {})
    assert fetch("GET", f"{stepped.rest}{path}?{query}", key=name).status == 200


@pytest.mark.parametrize("path", ["/api/v3/order", "/fapi/v1/order"])
def test_cancels_may_carry_their_parameters_in_the_body(
    stepped: SimulatorProcess, customer: Customer, sign: Sign, path: str
) -> None:
    wish = {"symbol": "ETHUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1"}
    best = fetch("GET", f"{stepped.rest}{path.replace('order', 'depth')}?symbol=ETHUSDT&limit=5").body["bids"][0][0]
    low = str((Decimal(best) * Decimal("0.9")).quantize(Decimal("0.1")))
    query, _ = signed(sign, {**wish, "price": low, "newClientOrderId": "in-the-body"})
    placed = fetch("POST", f"{stepped.rest}{path}?{query}", key=customer.key)
    assert (placed.status, placed.body["status"]) == (200, "NEW")
    query, _ = signed(sign, {"symbol": "ETHUSDT", "origClientOrderId": "in-the-body"})
    assert fetch("DELETE", f"{stepped.rest}{path}", query, customer.key).body["status"] == "CANCELED"


def test_requests_may_come_in_every_form_of_http(stepped: SimulatorProcess) -> None:
    address = stepped.rest.removeprefix("http://")
    connection = HTTPConnection(address, timeout=60)
    for target in ("/api/v3/ping", "//api/v3/ping", "/api/v3/%70ing", f"{stepped.rest}/api/v3/ping"):
        for method in ("GET", "HEAD"):
            connection.request(method, target)
            with connection.getresponse() as reply:
                assert (target, reply.status, reply.read()) == (target, 200, b"{}" if method == "GET" else b"")
    connection.close()


def test_symbols_filter_the_rules(stepped: SimulatorProcess) -> None:
    one = fetch("GET", f"{stepped.rest}/api/v3/exchangeInfo?symbol={BTC}").body
    assert [item["symbol"] for item in one["symbols"]] == [BTC]
    two = fetch("GET", f"{stepped.rest}/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D").body
    assert {item["symbol"] for item in two["symbols"]} == {BTC, "ETHUSDT"}
    none = fetch("GET", f"{stepped.rest}/api/v3/exchangeInfo?symbol=NOPE")
    assert (none.status, none.body) == (400, {"code": -1121, "msg": "Invalid symbol."})


def test_what_the_venue_has_taken_away_is_gone(stepped: SimulatorProcess, customer: Customer) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert fetch(method, f"{stepped.rest}/api/v3/userDataStream", key=customer.key).status == 410
    assert fetch("GET", f"{stepped.rest}/api/v3/nothing").status == 404


IDS = [7, -3, "text", "", str(UUID(int=5)), None, 2**62]


@pytest.mark.parametrize("path", ["ws", "ws/0", "stream", "public/ws", "market/stream", "private/stream"])
async def test_streams_answer_with_the_id_they_were_given(stepped: SimulatorProcess, path: str) -> None:
    for request_id in IDS[:4]:
        async with wired(f"{stepped.stream}/{path}") as wire:
            answer = await wire.ask({"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": request_id})
            assert answer == {"result": None, "id": request_id}
            for other in IDS[4:]:
                asked = await wire.ask({"method": "LIST_SUBSCRIPTIONS", "id": other})
                assert asked == {"result": ["btcusdt@bookTicker"], "id": other}


@pytest.mark.parametrize("path", ["ws-api/v3", "ws-fapi/v1"])
async def test_the_websocket_api_answers_with_the_id_it_was_given(stepped: SimulatorProcess, path: str) -> None:
    async with wired(f"{stepped.stream}/{path}") as wire:
        for request_id in IDS:
            answer = await wire.ask({"id": request_id, "method": "depth", "params": {"symbol": BTC, "limit": 5}})
            assert (answer["status"], len(answer["result"]["bids"])) == (200, 5)
            assert answer["rateLimits"][0]["rateLimitType"] == "REQUEST_WEIGHT"
        await wire.socket.send("{nonsense")
        broken = await wire.inbox.first(lambda reply: reply["status"] == 400)
        assert broken["id"] is None


async def test_streams_may_be_named_in_the_address(stepped: SimulatorProcess) -> None:
    async with (
        wired(f"{stepped.stream}/stream?streams={NAMES}") as combined,
        wired(f"{stepped.stream}/ws/{NAMES}") as raw,
    ):
        await asyncio.to_thread(pass_minute, stepped)
        await combined.inbox.until(lambda found: {message["stream"] for message in found} == set(NAMES.split("/")))
        await raw.inbox.until(lambda found: {message["e"] for message in found} == {"trade", "kline"})


async def test_combining_is_a_property_that_may_be_changed(stepped: SimulatorProcess) -> None:
    async with wired(f"{stepped.stream}/ws/btcusdt@trade") as wire:
        await wire.ask({"method": "SET_PROPERTY", "params": ["combined", True], "id": 1})
        assert await wire.ask({"method": "GET_PROPERTY", "params": ["combined"], "id": 2}) == {"result": True, "id": 2}
        await asyncio.to_thread(pass_minute, stepped)
        await wire.inbox.first_of(stream="btcusdt@trade")


async def test_malformed_commands_are_refused_and_the_stream_goes_on(stepped: SimulatorProcess) -> None:
    async with wired(f"{stepped.stream}/ws") as wire:
        await wire.socket.send("{")
        await wire.send({"method": "DANCE", "id": 1})
        await wire.inbox.until(lambda found: len(found) == 2)
        assert [message["error"]["code"] for message in wire.inbox.messages] == [3, 2]
        answer = await wire.ask({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 2})
        assert answer == {"result": None, "id": 2}


async def test_times_of_streams_may_be_microseconds(stepped: SimulatorProcess) -> None:
    async with wired(f"{stepped.stream}/ws/btcusdt@trade?timeUnit=MICROSECOND") as wire:
        await asyncio.to_thread(pass_minute, stepped)
        event = await wire.inbox.first_of(e="trade")
        assert re.fullmatch(r"\d{16}", str(event["T"]))


async def test_a_session_is_logged_on_and_hears_wrapped_events(stepped: SimulatorProcess, customer: Customer) -> None:
    pem = await asyncio.to_thread(register, stepped, customer.key, "ED25519", "plain-logon")
    async with wired(f"{stepped.stream}/ws-api/v3") as wire:
        logon = await wire.ask(ws_request("session.logon", "logon", "plain-logon", by_private_key(pem)))
        assert logon["result"]["apiKey"] == "plain-logon"
        subscribed = await wire.ask({"id": None, "method": "userDataStream.subscribe"})
        assert subscribed["result"] == {"subscriptionId": 0}
        place = {"id": "place", "method": "order.place", "params": {**MARKET_BUY, "timestamp": milliseconds()}}
        placed = await wire.ask(place)
        number = placed["result"]["orderId"]
        told = await wire.inbox.first(lambda message: message.get("event", {}).get("i") == number)
        assert told["subscriptionId"] == 0
        again = await wire.ask({"id": 9, "method": "userDataStream.subscribe"})
        assert (again["status"], again["error"]["code"]) == (400, -2035)


async def test_only_ed25519_keys_may_log_on(stepped: SimulatorProcess, customer: Customer, sign: Sign) -> None:
    async with wired(f"{stepped.stream}/ws-api/v3") as wire:
        refused = await wire.ask(ws_request("session.logon", 1, customer.key, sign))
        assert (refused["status"], refused["error"]["code"]) == (400, -4056)
        signature = await wire.ask(ws_request("userDataStream.subscribe.signature", 2, customer.key, sign))
        assert signature["result"] == {"subscriptionId": 0}


@pytest.mark.parametrize("way", ["ws/{key}", "private/ws/{key}", "private/ws?listenKey={key}", "private/stream"])
async def test_futures_user_data_is_heard_on_every_way_in(
    stepped: SimulatorProcess, customer: Customer, sign: Sign, way: str
) -> None:
    listen = f"{stepped.rest}/fapi/v1/listenKey"
    key = (await asyncio.to_thread(fetch, "POST", listen, None, customer.key)).body["listenKey"]
    async with wired(f"{stepped.stream}/{way.format(key=key)}") as wire:
        if way.endswith("stream"):
            await wire.ask({"method": "SUBSCRIBE", "params": [key], "id": 1})
        for side in ("BUY", "SELL"):
            query, _ = signed(sign, {**MARKET_BUY, "side": side})
            address = f"{stepped.rest}/fapi/v1/order?{query}"
            placed = (await asyncio.to_thread(fetch, "POST", address, None, customer.key)).body
            await wire.inbox.first(lambda message: whole(message).get("o", {}).get("i") == placed["orderId"])  # noqa: B023


def whole(message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = message.get("data", message)
    return found


@pytest.mark.parametrize(
    ("stream", "api"),
    [("ws/btcusdt@depth@100ms", "api/v3"), ("public/ws/btcusdt@depth@100ms", "fapi/v1")],
)
async def test_a_local_book_equals_the_venues_after_a_hundred_diffs(
    stepped: SimulatorProcess, customer: Customer, sign: Sign, stream: str, api: str
) -> None:
    def depth(limit: int) -> dict[str, Any]:
        found: dict[str, Any] = fetch("GET", f"{stepped.rest}/{api}/depth?symbol={BTC}&limit={limit}").body
        return found

    def rest_at_the_best(side: str) -> Answer:
        levels = depth(5)["bids" if side == "BUY" else "asks"]
        wish = {"symbol": BTC, "side": side, "type": "LIMIT", "timeInForce": "GTC", "quantity": "3"}
        query, _ = signed(sign, {**wish, "price": levels[0][0]})
        return fetch("POST", f"{stepped.rest}/{api}/order?{query}", None, customer.key)

    async with wired(f"{stepped.stream}/{stream}") as wire:
        await asyncio.to_thread(pass_minute, stepped)
        await wire.inbox.first_of(e="depthUpdate")
        book = LocalBook.of(await asyncio.to_thread(depth, 1000), api == "api/v3")
        for side in ("BUY", "SELL"):
            assert (await asyncio.to_thread(rest_at_the_best, side)).status == 200
            await asyncio.to_thread(pass_minute, stepped, 3)
        end = await asyncio.to_thread(depth, 100)
        found = await wire.inbox.until(lambda messages: messages[-1]["u"] >= end["lastUpdateId"])
        for event in found:
            book.apply(event)
        assert book.applied >= 100
        assert book.update_id == end["lastUpdateId"]
        shown = [[(Decimal(price), Decimal(quantity)) for price, quantity in end[side]] for side in ("bids", "asks")]
        assert list(book.top(100)) == shown


@pytest.mark.parametrize(
    ("stream", "api"), [("ws/btcusdt@depth@100ms", "api/v3"), ("public/ws/btcusdt@depth@100ms", "fapi/v1")]
)
async def test_one_update_id_never_stands_for_two_books(stepped: SimulatorProcess, stream: str, api: str) -> None:
    def depth() -> dict[str, Any]:
        answer = fetch("GET", f"{stepped.rest}/{api}/depth?symbol=BNBUSDT&limit=1000")
        return {name: answer.body[name] for name in ("lastUpdateId", "bids", "asks")}

    unheard = await asyncio.to_thread(depth)
    await asyncio.to_thread(pass_minute, stepped)
    before = await asyncio.to_thread(depth)
    assert before["lastUpdateId"] > unheard["lastUpdateId"]
    async with wired(f"{stepped.stream}/{stream.replace('btc', 'bnb')}") as wire:
        await wire.ask({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        book = LocalBook.of(before, api == "api/v3")
        await asyncio.to_thread(pass_minute, stepped)
        end = LocalBook.of(await asyncio.to_thread(depth), api == "api/v3")
        events = await wire.inbox.until(lambda found: found[-1].get("u", 0) >= end.update_id)
        for event in events[1:]:
            book.apply(event)
        assert book.top(100) == end.top(100)


@pytest.mark.parametrize(
    ("stream", "api"), [("ws/btcusdt@depth@100ms", "api/v3"), ("public/ws/btcusdt@depth@100ms", "fapi/v1")]
)
async def test_a_local_book_begun_in_a_moving_market_has_no_gap_and_never_crosses(
    venue: SimulatorProcess, stream: str, api: str
) -> None:
    async with wired(f"{venue.stream}/{stream}") as wire:
        await wire.inbox.first_of(e="depthUpdate")
        snapshot = await asyncio.to_thread(fetch, "GET", f"{venue.rest}/{api}/depth?symbol={BTC}&limit=1000")
        book = LocalBook.of(snapshot.body, api == "api/v3")
        seen = 0
        while book.applied < 100:
            for event in (await wire.inbox.until(lambda found: len(found) > seen))[seen:]:  # noqa: B023
                seen += 1
                book.apply(event)
                bids, asks = book.top(1)
                assert bids[0][0] < asks[0][0]


@pytest.mark.parametrize(
    ("stream", "klines"),
    [("ws/btcusdt@kline_1m", "api/v3/klines"), ("market/ws/btcusdt@kline_1m", "fapi/v1/klines")],
)
async def test_closed_bars_of_the_stream_have_no_gap_and_equal_those_of_rest(
    swift: SimulatorProcess, stream: str, klines: str
) -> None:
    async with wired(f"{swift.stream}/{stream}") as wire:
        found = await wire.inbox.until(lambda messages: sum(event["k"]["x"] for event in messages) >= 6, 15)
    bars = [event["k"] for event in found if event["k"]["x"]]
    starts = [bar["t"] for bar in bars]
    assert starts == list(range(starts[0], starts[-1] + 1, MINUTE_MS))
    query = f"symbol={BTC}&interval=1m&startTime={starts[0]}&endTime={starts[-1]}"
    answer = await asyncio.to_thread(fetch, "GET", f"{swift.rest}/{klines}?{query}")
    told = [[bar[name] for name in ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q")] for bar in bars]
    assert told == [row[:11] for row in answer.body]
