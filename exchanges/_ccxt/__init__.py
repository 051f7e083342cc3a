"""The one door to ccxt: sign and send once, with the facts of the exchange kept beside what ccxt makes of them."""

from __future__ import annotations

from exchanges._ccxt.door import Door, Guarded, Lost, NotSent, Request
from exchanges._ccxt.session import EchoedSocket
from exchanges._ccxt.trace import Answer

__all__ = ["Answer", "Door", "EchoedSocket", "Guarded", "Lost", "NotSent", "Request"]
