"""What an account has chosen: leverage, margin type, position mode, multi-assets mode, fees in BNB."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.futures.types import MarginType, SymbolSettings


@dataclass(slots=True)
class AccountSettings:
    """Choices for the whole account."""

    hedge_mode: bool = False
    multi_assets: bool = False
    fee_burn: bool = False


class Settings:
    """The choices as they are; `simulator.futures.choices` checks and changes them."""

    def __init__(self) -> None:
        self._accounts: dict[int, AccountSettings] = {}
        self._symbols: dict[tuple[int, str], SymbolSettings] = {}

    def account(self, account_id: int) -> AccountSettings:
        """Choices of an account, at their defaults until changed."""
        return self._accounts.setdefault(account_id, AccountSettings())

    def of(self, account_id: int, symbol: str) -> SymbolSettings:
        """Choices for a symbol: leverage 20 and cross margin until changed."""
        key = (account_id, symbol)
        found = self._symbols.get(key)
        if found is None:
            found = self._symbols[key] = SymbolSettings()
        return found

    def hedge_mode(self, account_id: int) -> bool:
        """Whether LONG and SHORT are held side by side."""
        found = self._accounts.get(account_id)
        return found is not None and found.hedge_mode

    def multi_assets(self, account_id: int) -> bool:
        """Whether all assets back all positions."""
        found = self._accounts.get(account_id)
        return found is not None and found.multi_assets

    def fee_burn(self, account_id: int) -> bool:
        """Whether fees are paid in BNB while it lasts."""
        found = self._accounts.get(account_id)
        return found is not None and found.fee_burn

    def isolated_symbols(self, account_id: int) -> list[str]:
        """Symbols the account trades with isolated margin."""
        return [
            symbol
            for (owner, symbol), chosen in self._symbols.items()
            if owner == account_id and chosen.margin_type == "ISOLATED"
        ]

    def margin_type(self, account_id: int, symbol: str) -> MarginType:
        """Margin type of a symbol."""
        return self.of(account_id, symbol).margin_type
