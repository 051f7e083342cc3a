"""The USD-M futures exchange: one door to its parts.

What each part answers (every method raises `VenueError` with the venue's code and text; a refusal changes nothing):

`FuturesExchange(clock, bus, tape, accounts, schedule=None)`
    list_symbol(instrument, market), instruments, instrument(symbol), set_instrument(instrument), book(symbol),
    market(symbol), mark_price(symbol), on_print(symbol, print), on_time(now_ms), on_protocol_time(now_ms),
    next_timer_ms(now_ms), is_hot(symbol), deposit(account_id, asset, amount), withdraw(...), totals(),
    place(account_id, new), test(account_id, new), cancel(account_id, symbol, order_id, client_order_id),
    cancel_all(account_id, symbol) -> list[FuturesOrder],
    modify(account_id, symbol, order_id, client_order_id, side, quantity, price, price_match=None) -> FuturesOrder,
    place_batch(account_id, list[NewOrder]) -> list[FuturesOrder | VenueError],
    cancel_batch(account_id, symbol, order_ids, client_order_ids) -> list[FuturesOrder | VenueError].
    `modify` is its own batch piece: call it once per order and catch VenueError.
`.history` (`simulator.futures.history`)
    order(account_id, symbol, order_id, client_order_id), open_order(same), open_orders(account_id, symbol=None),
    all_orders(account_id, symbol, order_id=None, start_ms=None, end_ms=None, limit=500),
    trades(account_id, symbol, order_id=None, start_ms=None, end_ms=None, from_id=None, limit=500) -> list[Fill],
    amendments(account_id, symbol, order_id=None, client_order_id=None, start_ms=None, end_ms=None, limit=50),
    force_orders(account_id, symbol=None, kind=None, start_ms=None, end_ms=None, limit=50) -> list[FuturesOrder].
`.algo` (`simulator.futures.algo`)
    place(account_id, new), cancel(account_id, algo_id, client_algo_id), cancel_all(account_id, symbol),
    order(account_id, algo_id, client_algo_id), open_orders(account_id, symbol=None, algo_id=None),
    all_orders(account_id, symbol, algo_id=None, start_ms=None, end_ms=None, limit=500).
`.settings` (`simulator.futures.settings`)
    set_leverage(account_id, symbol, leverage) -> LeverageChange, set_margin_type(account_id, symbol, margin_type),
    set_hedge_mode(account_id, hedge), set_multi_assets(account_id, on), set_fee_burn(account_id, on),
    hedge_mode(account_id), multi_assets(account_id), fee_burn(account_id), of(account_id, symbol) -> SymbolSettings,
    adjust_margin(account_id, symbol, position_side, amount, kind) -> MarginChange (kind 1 adds, 2 reduces),
    margin_changes(account_id, symbol, kind=None, start_ms=None, end_ms=None, limit=500).
`.wallets` (`simulator.futures.wallets`)
    balance(account_id, asset), assets(account_id), totals(),
    income(account_id, symbol=None, income_type=None, start_ms=None, end_ms=None, limit=100) -> list[Income].
`.funding` (`simulator.futures.funding`)
    rate(symbol), next_ms(now_ms), history(symbol=None, start_ms=None, end_ms=None, limit=100) -> list[FundingRate],
    info() -> list[FundingInfo], schedule (`FundingSchedule`, `read_schedule(path)` reads a CSV of rates).
`.reports` (`simulator.futures.queries`)
    account(account_id) -> AccountSummary, balances(account_id) -> list[BalanceLine],
    positions(account_id, symbol=None) -> list[PositionRisk] (all listed symbols, flat ones too),
    brackets(symbol) -> list[Bracket], adl_quantiles(account_id, symbol=None) -> list[AdlQuantiles],
    premium(symbol) -> Premium, open_interest(symbol) -> OpenInterest, commission(account_id, symbol) -> Commission,
    symbol_config(account_id, symbol=None) -> list[SymbolConfig], account_config(account_id) -> AccountConfig.
`.countdown` (`simulator.futures.countdown`)
    set(account_id, symbol, countdown_ms, now_ms): cancel all after so much protocol time; 0 stops it.
"""

from __future__ import annotations
