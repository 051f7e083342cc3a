"""What a worker says of its room, as others read it."""

from __future__ import annotations

import pytest

from core.clock import SystemTime
from core.config import WorkerSection
from core.editions import UNTOLD
from core.redis_client import connect
from tasks.host.members import MemberList, about

pytestmark = pytest.mark.services


async def test_each_tells_how_many_more_it_takes_and_those_of_older_builds_are_left_out(redis_url: str) -> None:
    client = connect(redis_url)
    await client.flushall()
    lists = {name: MemberList(client, name, 60_000) for name in ("one", "two", "old")}
    for room, (name, members) in enumerate(lists.items()):
        said = about(WorkerSection(), ("host", "127.0.0.1"), UNTOLD, "", 3, room, SystemTime().now_ms(), 0.0, 0)
        if name == "old":
            del said["room"]
        await members.beat(said, joins=True)
    assert await lists["one"].rooms(["two", "one", "old", "nobody"]) == {"two": 1, "one": 0}
    assert await lists["one"].rooms([]) == {}
    await client.aclose()
