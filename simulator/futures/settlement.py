"""What a trade does to one party: position, wallet, fee, history, events, tape."""

from __future__ import annotations

from simulator.futures.lifecycle import Lifecycle
from simulator.futures.order_store import OrderStore
from simulator.futures.positions import Outcome, PositionBook
from simulator.futures.settings import Settings
from simulator.futures.state import Core, ceiling
from simulator.futures.types import ExecutionType, Fill, FuturesOrder, Position
from simulator.futures.wallets import Wallets
from simulator.market.types import Trade
from simulator.units import ONE

BURN_DISCOUNT = ONE * 9 // 10
"""Share of a fee that is paid when it is paid in BNB."""


class Settlement:
    """Settles fills one party at a time."""

    def __init__(
        self,
        core: Core,
        wallets: Wallets,
        positions: PositionBook,
        orders: OrderStore,
        settings: Settings,
        lifecycle: Lifecycle,
    ) -> None:
        self._core = core
        self._wallets = wallets
        self._positions = positions
        self._orders = orders
        self._settings = settings
        self._lifecycle = lifecycle

    def settle(self, order: FuturesOrder, trade: Trade, is_maker: bool, execution: ExecutionType = "TRADE") -> Fill:
        """Settle the half of a trade that belongs to `order`, whose `executed` counts it already.

        A liquidation (execution CALCULATED) pays no commission: its fee is the liquidation fee, taken at its end.
        """
        now = self._core.now()
        quote = self._core.listing(order.symbol).instrument.quote
        fee, fee_asset = (0, quote) if execution == "CALCULATED" else self._fee(order, trade.quote, is_maker)
        position = self._positions.get(order.account_id, order.symbol, order.position_side)
        held = abs(position.quantity)
        in_quote = fee if fee_asset == quote else 0
        outcome = self._positions.fill(position, order.side, trade.quantity, trade.quote, in_quote)
        position.update_ms = now
        fill = self._fill(order, trade, fee, fee_asset, outcome.realized, is_maker)
        self._post(position, fill, outcome, held, quote, keeps_margin=execution == "CALCULATED")
        self._book(order, fill)
        assets = [quote] if fee_asset == quote else [quote, fee_asset]
        self._wallets.announce(order.account_id, "ORDER", assets, self._shown(position), order.symbol)
        self._lifecycle.tell(order, execution, fill)
        if not order.remaining:
            self._lifecycle.filled(order)
        self._core.touched_accounts[order.account_id] = None
        if outcome.closed:
            self._lifecycle.fit_reduce_only(order.account_id, order.symbol, order.position_side)
        return fill

    def _fee(self, order: FuturesOrder, quote: int, is_maker: bool) -> tuple[int, str]:
        account = self._core.accounts.account(order.account_id)
        rate = account.futures_maker_fee if is_maker else account.futures_taker_fee
        fee = quote * rate // ONE
        bnb = self._core.listings.get("BNBUSDT")
        if bnb is not None and self._settings.fee_burn(order.account_id):
            in_bnb = fee * BURN_DISCOUNT // bnb.mark
            if self._wallets.cross(order.account_id, "BNB") >= in_bnb:
                return in_bnb, "BNB"
        return fee, self._core.listing(order.symbol).instrument.quote

    def _fill(self, order: FuturesOrder, trade: Trade, fee: int, fee_asset: str, realized: int, is_maker: bool) -> Fill:
        return Fill(
            trade.trade_id,
            order.order_id,
            order.symbol,
            order.side,
            order.position_side,
            trade.price,
            trade.quantity,
            trade.quote,
            fee,
            fee_asset,
            realized,
            trade.time_ms,
            is_maker,
        )

    def _post(
        self, position: Position, fill: Fill, outcome: Outcome, held: int, quote: str, keeps_margin: bool
    ) -> None:
        account, symbol, reference = position.account_id, position.symbol, f"{fill.symbol}:{fill.trade_id}"
        isolated = self._settings.margin_type(account, symbol) == "ISOLATED"
        wallets = self._wallets
        before = position.isolated_wallet
        wallets.post(
            account, quote, outcome.realized, "market", "REALIZED_PNL", reference, position if isolated else None
        )
        wallets.post(account, fill.commission_asset, -fill.commission, "fees", "COMMISSION", reference)
        wallets.earn(account, symbol, "REALIZED_PNL", outcome.realized, quote, str(fill.trade_id))
        wallets.earn(account, symbol, "COMMISSION", -fill.commission, fill.commission_asset, str(fill.trade_id))
        if isolated and not (keeps_margin and outcome.closed < held):
            self._move_isolated(position, outcome, held, before, quote, reference)

    def _move_isolated(
        self, position: Position, outcome: Outcome, held: int, before: int, quote: str, reference: str
    ) -> None:
        """Give back the margin of what was closed (with its profit, or less its loss) and take that of what opened.

        A loss beyond the closed share stays in the isolated wallet: the cross wallet never pays for it. A liquidation
        gives nothing back before its last fill.
        """
        if outcome.closed:
            whole = outcome.closed == held
            share = before if whole else before * outcome.closed // held
            freed = share + outcome.realized
            if not whole:
                freed = max(0, min(freed, position.isolated_wallet))
            if freed < 0:
                lost = -freed
                self._wallets.post(
                    position.account_id, quote, lost, "insurance", "INSURANCE_CLEAR", reference, position
                )
                self._wallets.earn(position.account_id, position.symbol, "INSURANCE_CLEAR", lost, quote)
                freed = 0
            self._wallets.isolate(position, quote, -freed, "MARGIN", reference)
        if outcome.opened_quote:
            leverage = self._settings.of(position.account_id, position.symbol).leverage
            needed = ceiling(outcome.opened_quote, leverage)
            free = max(0, self._wallets.cross(position.account_id, quote))
            self._wallets.isolate(position, quote, min(needed, free), "MARGIN", reference)

    def _book(self, order: FuturesOrder, fill: Fill) -> None:
        order.executed_quote += fill.quote
        order.realized_pnl += fill.realized_pnl
        order.status = "PARTIALLY_FILLED" if order.remaining else "FILLED"
        order.fills.append(fill)
        self._orders.add_fill(order.account_id, fill)

    def _shown(self, position: Position) -> list[Position]:
        """What ACCOUNT_UPDATE shows of the symbol: all its sides in hedge mode."""
        if not self._settings.hedge_mode(position.account_id):
            return [position]
        account, symbol = position.account_id, position.symbol
        return [self._positions.get(account, symbol, side) for side in ("BOTH", "LONG", "SHORT")]
