"""Which builds may run strategies side by side: the versions of the law, of the fleet's protocol and of the schema.

A program's own version says nothing here: two builds that differ in a page or in a log line trade alike.
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: Raise it with any change to the names of orders, to what slots mean, or to what a strategy keeps in its state.
LAW: Final = 1
#: Raise it with any change to leases, to epochs, to who is placed where, or to what workers keep in Redis.
PROTOCOL: Final = 1


class Edition(NamedTuple):
    """What a build was made for. Of two editions the greater one is the newer; strategies move only to the newest."""

    law: int
    protocol: int
    #: Revision of the database.
    schema: str

    def __str__(self) -> str:
        return f"{self.law}/{self.protocol}/{self.schema}"

    def describe(self) -> str:
        """In words."""
        return f"law {self.law}, protocol {self.protocol}, schema {self.schema or 'none'}"


#: Of a worker that does not say: older than all that do.
UNTOLD: Final = Edition(0, 0, "")


def edition(schema: str) -> Edition:
    """This build's, with the schema that it was made for."""
    return Edition(LAW, PROTOCOL, schema)


def parse(text: str) -> Edition:
    """What a worker has told; `UNTOLD` where that is nothing that can be read."""
    law, _, rest = text.partition("/")
    protocol, _, schema = rest.partition("/")
    if not (law.isascii() and law.isdigit() and protocol.isascii() and protocol.isdigit()):
        return UNTOLD
    return Edition(int(law), int(protocol), schema)
