"""What Prometheus reads. Behind a sign-in proxy it is asked from inside, or by an administrator."""

from __future__ import annotations

from fastapi import Request, Response

from api import identity
from api.deps import AnyServices
from api.errors import NotAllowed
from api.router import new_router

router = new_router("health")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def get_metrics(services: AnyServices, request: Request) -> Response:
    """Counters of this node, in the format of Prometheus."""
    if services.identity.came_through_the_front_door(request):
        caller = await services.identity.caller(request)
        if not caller.may(identity.ADMIN):
            raise NotAllowed
    return Response(services.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
