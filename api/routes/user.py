"""People, for administrators: their role, who is shut out, and whose address is confirmed anew."""

from __future__ import annotations

from api.cursors import after, unpack
from api.deps import Admin, AnyServices
from api.router import new_router
from api.schemas.common import Cursor, Limit, Number
from api.schemas.user import Person, PersonChange, PersonList
from db.models import User
from db.queries import people
from db.unit_of_work import committed, reading

router = new_router("users")


@router.get("/api/users")
def list_users(services: AnyServices, caller: Admin, cursor: Cursor = None, limit: Limit = 100) -> PersonList:
    """Everybody who has ever signed in."""
    del caller
    begin = unpack(cursor, int, (int,)) or 0
    with reading(services.database) as unit:
        page, next_cursor = after(people.page(unit, begin, limit + 1), limit, lambda one: [one.id])
        return PersonList(items=[_view(one) for one in page], next_cursor=next_cursor)


@router.patch("/api/users/{user_id}")
def update_user(services: AnyServices, caller: Admin, user_id: Number, body: PersonChange) -> Person:
    """Change what somebody may do; it holds within seconds. Strategies of a disabled person go on as they were."""
    edit = people.PersonEdit(body.role, body.disabled, body.forget_email)
    with committed(services.database) as unit:
        return _view(people.change(unit, user_id, edit, caller.login, services.now()))


def _view(row: User) -> Person:
    return Person(
        id=row.id or 0,
        login=row.login,
        display_name=row.display_name,
        role=row.role,
        disabled=row.disabled,
        email=row.email,
        created_at=row.created_at,
    )
