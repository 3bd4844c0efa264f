"""Every route of every service, asked by everybody: who may is answered, who may not is refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from builders.asked import Desk
from builders.streams import begun
from steelyard.services.applications import APPLICATIONS, application
from steelyard.services.security.book import digest, entries, revoke
from steelyard.services.security.callers import ROLES, Role
from steelyard.services.security.limits import Limits
from steelyard.services.security.roles import Needs

PARTS = ("/assets/{name}", "/robots.txt", "/sign-in", "/sign-in/{secret}")
"""Of pages: what a browser asks for before somebody is signed in."""
OPEN = {
    ("GET", "/metrics"),
    *(("GET", f"/{name}/health") for name in APPLICATIONS),
    *(("GET", path) for path in PARTS),
}
OWN = {("POST", "/sign-out"), ("POST", "/settings/look")}
"""Changes that everybody may make: they are of this browser alone."""
ANY_ROLE = {("GET", "/openapi.json"), ("HEAD", "/openapi.json")}
"""Routes of the framework, which have no mark of ours: any token will do."""
REFUSED = {401, 403}


class Route(NamedTuple):
    """A method of a path, and what its marks say that it needs."""

    method: str
    path: str
    roles: tuple[Role, ...]

    @property
    def least(self) -> Role | None:
        """The role that it needs; None = it is open."""
        key = (self.method, self.path)
        if key in ANY_ROLE:
            return ROLES[0]
        return None if key in OPEN else max(self.roles, key=ROLES.index)


def routes_of(app: FastAPI) -> Iterator[Route]:
    """Every method of every path of an application, of its routers and of the framework."""
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        for method in sorted(context.methods or ()):
            yield Route(method, str(context.path), tuple(_roles(dependant)))


def _roles(dependant: Any) -> Iterator[Role]:
    for inner in dependant.dependencies if dependant else ():
        if isinstance(inner.call, Needs):
            yield inner.call.role
        yield from _roles(inner)


@pytest.fixture(scope="module", params=APPLICATIONS)
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    limits = Limits(requests_per_second=1e6, burst=10**6, failures=1000)
    home = tmp_path_factory.mktemp(request.param)
    return Desk(home, partial(application, request.param), limits)


def tokens(desk: Desk) -> dict[str, str | None]:
    """Who asks -> what it sends."""
    expired, revoked = desk.token("admin", days=1), desk.token("admin")
    [entry] = [each for each in entries(desk.home) if each.sha256 == digest(revoked)]
    desk.clock.passed += 86_400
    revoke(desk.home, entry.id, desk.clock.utc())
    other = Desk(desk.home / "other", desk.application).token("admin")
    nobody = {"nobody": None, "expired": expired, "revoked": revoked, "another instance": other}
    return {**nobody, **{role: desk.token(role) for role in ROLES}}


async def status(desk: Desk, route: Route, token: str | None) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return await begun(
        desk.app, route.method, re.sub(r"\{[^}]+\}", "none", route.path), b"", headers
    )


async def statuses(
    desk: Desk, routes: Sequence[Route], senders: dict[str, str | None]
) -> dict[tuple[Route, str], int]:
    return {
        (route, who): await status(desk, route, token)
        for route in routes
        for who, token in senders.items()
    }


def allowed(route: Route, who: str, answer: int) -> bool:
    """Is that how it has to be answered? Metrics are open to this machine alone."""
    least = route.least
    if route.path == "/metrics":
        least = ROLES[0]
    if route.path == "/sign-in/{secret}":
        return answer == 401  # it is no link that anybody was given
    if route.path in PARTS:
        return answer not in REFUSED
    if who == "nobody" and least is None:
        return answer not in REFUSED
    if who not in ROLES:
        return answer == 401
    if least is None or ROLES.index(who) >= ROLES.index(least):
        return answer not in REFUSED
    return answer == 403


def test_every_route_says_one_role_or_is_one_of_the_few_that_are_open(desk: Desk):
    routes = list(routes_of(desk.app))

    assert {(route.method, route.path) for route in routes} >= ANY_ROLE
    assert [
        route
        for route in routes
        if (len(route.roles) == 1) == ((route.method, route.path) in OPEN | ANY_ROLE)
    ] == []


def test_every_route_answers_who_may_ask_and_nobody_else(desk: Desk):
    routes = list(routes_of(desk.app))

    answers = asyncio.run(statuses(desk, routes, tokens(desk)))

    assert len(answers) == 8 * len(routes)
    assert {key: answer for key, answer in answers.items() if not allowed(*key, answer)} == {}
    assert [key for key, answer in answers.items() if answer == 500] == []


def test_what_changes_something_needs_more_than_a_viewer(desk: Desk):
    changing = [route for route in routes_of(desk.app) if route.method not in {"GET", "HEAD"}]

    assert [
        route
        for route in changing
        if route.least in {None, "viewer"} and (route.method, route.path) not in OWN
    ] == []
