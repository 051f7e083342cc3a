"""People as administrators see them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.common import Answer, Body, Moment, Page

Role = Literal["viewer", "trader", "admin"]


class Person(Answer):
    """Somebody who has signed in before."""

    id: int
    login: str
    display_name: str
    role: Role
    disabled: bool
    email: str | None = Field(None, description="What the sign-in proxy told first; another one is refused.")
    created_at: Moment


class PersonList(Page[Person]):
    """People by number."""


class PersonChange(Body):
    """What changes; whatever is left out stays."""

    role: Role | None = None
    disabled: bool | None = Field(None, description="Shut out within seconds; their strategies go on.")
    forget_email: bool = Field(
        default=False, description="Take the address of their next sign-in as theirs: the answer to `identity_changed`."
    )
