"""Accounts, keys, deposits and withdrawals."""

from __future__ import annotations

import secrets
from typing import get_args

from simulator.accounts import Account, ApiKey, KeyKind, Permission
from simulator.admin.context import MARKETS, Context, verb
from simulator.admin.fields import BadField, Fields, Missing, parse_amount
from simulator.admin.views import account_view, key_view
from simulator.errors import VenueError
from simulator.instruments import Market
from simulator.wire.auth import load_public_key

KINDS: tuple[KeyKind, ...] = get_args(KeyKind)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)
_FEES = ("maker_fee", "taker_fee", "futures_maker_fee", "futures_taker_fee")
_HIGHEST_FEE = 10_000_000


@verb("GET", "/accounts")
def list_accounts(context: Context, fields: Fields) -> object:
    """Every account with its keys."""
    fields.done()
    book = context.venue.accounts
    return [account_view(account, book.keys_of(account.account_id)) for account in book.all()]


@verb("POST", "/accounts")
def create_account(context: Context, fields: Fields) -> object:
    """A new account, with an HMAC key and amounts if they are given; `balances` go to spot and USD-M alike."""
    name = fields.optional_text("name")
    balances = {
        asset: parse_amount(f"balances.{asset}", amount) for asset, amount in fields.mapping("balances").items()
    }
    for asset in balances:
        _check_asset("balances", asset)
    key_text, secret = fields.optional_text("key"), fields.optional_text("secret")
    if (key_text is None) != (secret is None):
        raise BadField("secret" if secret is None else "key", "key and secret come together")
    if key_text is not None:
        _check_free(context, key_text)
    fields.done()
    venue = context.venue
    account = venue.accounts.create(name or f"account-{len(venue.accounts.all()) + 1}")
    if key_text is not None and secret is not None:
        venue.accounts.add_key(ApiKey(key_text, secret, account.account_id, created_ms=venue.clock.now_ms()))
    for asset, amount in balances.items():
        for market in MARKETS:
            venue.exchange(market).deposit(account.account_id, asset, amount)
    return account_view(account, venue.accounts.keys_of(account.account_id))


@verb("POST", "/accounts/{account}/keys")
def add_key(context: Context, fields: Fields) -> object:
    """A further key: HMAC with a secret (one is made up and told once when none is given), or a public key as PEM."""
    account = context.account(fields)
    kind = fields.choice("kind", KINDS, "HMAC")
    text = fields.optional_text("key") or secrets.token_urlsafe(48)
    permissions = _permissions(fields)
    addresses = tuple(fields.texts("ip_addresses") or ())
    told: dict[str, object] = {}
    if kind == "HMAC":
        secret = fields.optional_text("secret")
        if secret is None:
            secret = told["secret"] = secrets.token_urlsafe(48)
    else:
        secret = fields.text("public_key")
        try:
            load_public_key(kind, secret)
        except ValueError as error:
            raise BadField("public_key", str(error)) from None
    _check_free(context, text)
    fields.done()
    key = ApiKey(text, secret, account.account_id, kind, permissions, addresses, context.venue.clock.now_ms())
    context.venue.accounts.add_key(key)
    return key_view(key) | told


@verb("POST", "/keys/{key}")
def change_key(context: Context, fields: Fields) -> object:
    """Other permissions or addresses, or revoke it (`revoked` may be taken back)."""
    text = fields.text("key")
    keys = [
        key for account in context.venue.accounts.all() for key in context.venue.accounts.keys_of(account.account_id)
    ]
    key = next((item for item in keys if item.key == text), None)
    if key is None:
        raise Missing("there is no such key")
    permissions = _permissions(fields) if fields.has("permissions") else key.permissions
    addresses = fields.texts("ip_addresses")
    revoked = fields.boolean("revoked", key.revoked)
    fields.done()
    key.permissions, key.revoked = permissions, revoked
    if addresses is not None:
        key.ip_addresses = tuple(addresses)
    return key_view(key)


@verb("POST", "/accounts/{account}/deposit")
def deposit(context: Context, fields: Fields) -> object:
    """Money from outside into spot or USD-M."""
    return _transfer(context, fields, "deposit")


@verb("POST", "/accounts/{account}/withdraw")
def withdraw(context: Context, fields: Fields) -> object:
    """Money out of spot or USD-M; refused when there is not so much free."""
    return _transfer(context, fields, "withdraw")


@verb("POST", "/accounts/{account}/settings")
def change_settings(context: Context, fields: Fields) -> object:
    """Fees (fractions such as "0.001"), whether commission is paid in BNB, whether the account may trade."""
    account = context.account(fields)
    fees = {name: _fee(fields, name) for name in _FEES if fields.has(name)}
    pays_in_bnb = fields.boolean("pay_fees_in_bnb", account.pay_fees_in_bnb)
    can_trade = fields.boolean("can_trade", account.can_trade)
    fields.done()
    for name, fee in fees.items():
        setattr(account, name, fee)
    account.pay_fees_in_bnb, account.can_trade = pays_in_bnb, can_trade
    return account_view(account, context.venue.accounts.keys_of(account.account_id))


def _transfer(context: Context, fields: Fields, direction: str) -> object:
    account: Account = context.account(fields)
    market: Market = fields.choice("market", MARKETS, "spot")
    asset = _check_asset("asset", fields.text("asset"))
    amount = fields.amount("amount")
    fields.done()
    exchange = context.venue.exchange(market)
    try:
        if direction == "deposit":
            exchange.deposit(account.account_id, asset, amount)
        else:
            exchange.withdraw(account.account_id, asset, amount)
    except VenueError as error:
        raise BadField("amount", error.message) from None
    return {"account_id": account.account_id, "market": market, "asset": asset}


def _fee(fields: Fields, name: str) -> int:
    if fields.raw(name) in ("0", 0):
        return 0
    fee = fields.amount(name)
    if fee > _HIGHEST_FEE:
        raise BadField(name, 'is a fraction such as "0.001" and may be 0.1 at most')
    return fee


def _permissions(fields: Fields) -> frozenset[Permission]:
    given = fields.texts("permissions")
    if given is None:
        return frozenset({"READING", "SPOT", "FUTURES"})
    found = frozenset(word for word in PERMISSIONS if word in given)
    for word in given:
        if word not in PERMISSIONS:
            raise BadField("permissions", f"may hold {', '.join(PERMISSIONS)}")
    return found


def _check_asset(name: str, asset: str) -> str:
    if not (asset.isascii() and asset.isalnum() and asset == asset.upper() and len(asset) <= 20):
        raise BadField(name, "an asset is upper-case letters and digits, such as USDT")
    return asset


def _check_free(context: Context, text: str) -> None:
    book = context.venue.accounts
    if any(key.key == text for account in book.all() for key in book.keys_of(account.account_id)):
        raise BadField("key", "is already registered")
