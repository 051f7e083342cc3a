"""Leaves a venue's REST alone for a while after it has failed several times in a row."""

from __future__ import annotations

from purgatory.domain.model import CLOSED, HALF_OPENED, Context, OpenedState, State

from core.clock import MachineTime
from domain.errors import Transient
from domain.sentences import say


class CircuitOpen(Transient):
    """The venue has failed several times in a row and is left alone for a while."""


class _SteadyOpened(OpenedState):
    """Open until the steady clock says so; purgatory's own looks at the wall, which may jump."""

    def __init__(self, circuit_name: str, machine: MachineTime) -> None:
        super().__init__(circuit_name)
        self._machine = machine
        self.opened_at = machine.steady_ns() / 1e9

    def handle_new_request(self, context: Context) -> None:
        if self._machine.steady_ns() / 1e9 < self.opened_at + context.ttl:
            raise CircuitOpen(
                say(
                    "left_alone",
                    "{name} is left alone after {threshold} failures in a row.",
                    name=self.circuit_name,
                    threshold=context.threshold,
                )
            )
        self.opened_at = float("-inf")
        super().handle_new_request(context)


class _SteadyContext(Context):
    """Purgatory's circuit, timed by the house's clock."""

    def __init__(self, name: str, threshold: int, ttl: float, machine: MachineTime) -> None:
        super().__init__(name, threshold, ttl)
        self._machine = machine

    def set_state(self, state: State) -> None:
        opens = isinstance(state, OpenedState)
        super().set_state(_SteadyOpened(self.name, self._machine) if opens else state)


class Breaker:
    """A circuit breaker: closed, opened, or half-opened, when a single request finds out how things are."""

    def __init__(self, name: str, failures: int, open_ms: int, machine: MachineTime) -> None:
        self._circuit = _SteadyContext(name, failures, open_ms / 1000, machine)
        self._machine = machine
        self._is_probing = False
        #: How often it has opened.
        self.opened = 0

    @property
    def state(self) -> str:
        """`closed`, `opened` or `half-opened`."""
        return str(self._circuit.state)

    def permits(self) -> bool:
        """Whether a request would be let through now."""
        if self._circuit.state == HALF_OPENED:
            return not self._is_probing
        since = self._circuit.opened_at
        return since is None or self._machine.steady_ns() / 1e9 >= since + self._circuit.ttl

    def enter(self) -> None:
        """A request is about to be sent; `CircuitOpen` when it must not."""
        if self._is_probing:
            raise CircuitOpen(
                say("circuit_tried", "{name} is being tried; wait for the outcome.", name=self._circuit.name)
            )
        self._circuit.handle_new_request()
        self._is_probing = self._circuit.state == HALF_OPENED

    def succeed(self) -> None:
        """The request was answered."""
        self._is_probing = False
        self._circuit.handle_end_request()
        self._circuit.messages.clear()

    def fail(self, error: Exception) -> None:
        """The request was not answered, or not in any way that makes sense."""
        self._is_probing = False
        was_open = self._circuit.state not in (CLOSED, HALF_OPENED)
        self._circuit.handle_exception(error)
        self._circuit.messages.clear()
        self.opened += not was_open and self._circuit.state not in (CLOSED, HALF_OPENED)

    def give_up(self) -> None:
        """The request was cancelled by ourselves; that says nothing of the venue."""
        self._is_probing = False
