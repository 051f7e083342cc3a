"""The venue's refusals: numeric code, exact text, HTTP status. Clients map on the text, so it is the venue's own."""

from __future__ import annotations


class VenueError(Exception):
    """A request the venue refuses, as it goes on the wire: `{"code": code, "msg": message}` with `status`."""

    def __init__(self, code: int, message: str, status: int = 400, data: object = None) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status
        self.data = data
        """Extra content of the answer: cancelReplace halves, `retryAfter`, ..."""


def filter_failure(name: str) -> VenueError:
    """A symbol or exchange filter refused the order (-1013)."""
    return VenueError(-1013, f"Filter failure: {name}")


def rejected(message: str) -> VenueError:
    """The matching engine refused a new order (-2010)."""
    return VenueError(-2010, message)


def cancel_rejected(message: str = "Unknown order sent.") -> VenueError:
    """The matching engine refused a cancel (-2011)."""
    return VenueError(-2011, message)


def missing_parameter(name: str) -> VenueError:
    """A mandatory parameter is absent (-1102)."""
    return VenueError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal_characters(name: str, pattern: str) -> VenueError:
    """A parameter holds characters outside its legal range (-1100)."""
    return VenueError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'.")


def too_precise(name: str) -> VenueError:
    """A decimal parameter has more digits than the symbol allows (-1111)."""
    return VenueError(-1111, f"Parameter '{name}' has too much precision.")


INVALID_SYMBOL = (-1121, "Invalid symbol.")
INSUFFICIENT_BALANCE = "Account has insufficient balance for requested action."
DUPLICATE_ORDER = "Duplicate order sent."
UNKNOWN_ORDER = "Unknown order sent."
MARKET_CLOSED = "Market is closed."
WOULD_TAKE = "Order would immediately match and take."
WOULD_TRIGGER = "Stop price would trigger immediately."
ORDER_NOT_FOUND = (-2013, "Order does not exist.")
