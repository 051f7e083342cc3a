"""One file adds one thing: a registry filled by scanning a package."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Generic, TypeVar

from domain.errors import Broken, Refused
from domain.sentences import say

Thing = TypeVar("Thing")


class NotRegistered(Refused):
    """There is no such thing in the registry."""


class BadRegistration(Broken):
    """A plug-in file must register exactly one thing, under its own file name."""


class Registry(Generic[Thing]):
    """Named things of one kind, each registered by the file of the same name (less `suffix`)."""

    def __init__(self, kind: str, suffix: str = "") -> None:
        self.kind = kind
        self.suffix = suffix
        self._things: dict[str, Thing] = {}

    def register(self, name: str) -> Callable[[Thing], Thing]:
        """Decorator that adds the thing under `name` and gives it back unchanged."""

        def add(thing: Thing) -> Thing:
            if name in self._things:
                raise BadRegistration(
                    say(
                        "registered_twice",
                        "two {kind}s are called {name!r}; rename one of them.",
                        kind=self.kind,
                        name=name,
                    )
                )
            self._things[name] = thing
            return thing

        return add

    def scan(self, package: ModuleType) -> None:
        """Import every module of `package` whose name has no leading underscore; each must register itself once."""
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("_"):
                self._import(f"{package.__name__}.{module.name}", module.name.removesuffix(self.suffix))

    def get(self, name: str) -> Thing:
        """The thing called `name`; `NotRegistered` names the nearest match."""
        if name not in self._things:
            near = difflib.get_close_matches(name, self._things, n=1)
            hint = (
                say("did_you_mean", "did you mean {near!r}?", near=near[0])
                if near
                else say("known_are", "known: {known}.", known=", ".join(sorted(self._things)) or "none")
            )
            raise NotRegistered(
                say("not_registered_here", "no {kind} is called {name!r}; {hint}", kind=self.kind, name=name, hint=hint)
            )
        return self._things[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._things))

    def __len__(self) -> int:
        return len(self._things)

    def _import(self, dotted: str, name: str) -> None:
        before = set(self._things)
        importlib.import_module(dotted)
        added = set(self._things) - before
        if added - {name} or name not in self._things:
            raise BadRegistration(
                say(
                    "registered_otherwise",
                    "{dotted} must register one {kind} called {name!r}; it added {added}.",
                    dotted=dotted,
                    kind=self.kind,
                    name=name,
                    added=sorted(added),
                )
            )
