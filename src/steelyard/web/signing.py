"""Signing in and out: a link that is used once opens a session of a day.

`/sign-in/SECRET` is printed where the pages are started, and by `steelyard token link`. The session
is a cookie that no script reads and that no other site's link brings along.
"""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from steelyard.services.api.fields import Here
from steelyard.services.house import House
from steelyard.services.security.book import digest, new_secret
from steelyard.services.security.callers import Role
from steelyard.services.security.roles import caller_of, needs
from steelyard.services.security.sessions import PREFIX, cookie_of
from steelyard.store import sign_ins
from steelyard.store.store import Store
from steelyard.web import drafts
from steelyard.web.forms import SEE_OTHER, Posted
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

LINK = "/sign-in/{secret}"


@router.get("/sign-in")
def how(request: Request) -> Response:
    """How somebody signs in."""
    return page(request, "sign_in.html", at="", used=False)


@router.get(LINK)
def sign_in(request: Request, here: Here, secret: str) -> Response:
    """Open the session of a link, which is of no use from then on."""
    session, store = new_secret(), here.store()
    with store.reading() as connection:  # whoever guesses keeps no writer waiting
        offered = sign_ins.is_offered(connection, digest(secret), here.utc())
    entry = None
    if offered:
        with store.writing() as transaction:
            entry = sign_ins.use(transaction, digest(secret), digest(session))
    if entry is None or entry.until is None:
        return page(request, "sign_in.html", at="", status=401, used=True)
    answer = RedirectResponse("/", SEE_OTHER, headers={"Cache-Control": "no-store"})
    _set(answer, request, session, int((entry.until - here.utc()).total_seconds()))
    return answer


@router.post("/sign-out", dependencies=[needs("viewer")])
def sign_out(request: Request, here: Here, form: Posted) -> Response:
    """End the session of this browser, everywhere."""
    name = form.by.token_id
    if name.startswith(PREFIX):
        drafts.drop_of(here, form.by)
        with here.store().writing() as transaction:
            sign_ins.revoke(transaction, name.removeprefix(PREFIX))
    answer = RedirectResponse("/sign-in", SEE_OTHER)
    _set(answer, request, "", 0)
    return answer


@router.get("/sign-out", dependencies=[needs("viewer")])
def before(request: Request) -> Response:
    """The question before it."""
    return page(request, "sign_out.html", at="settings", who=caller_of(request))


def new_link(store: Store, role: Role, base: str) -> str:
    """An address that signs somebody in once, for a while; base: `http://127.0.0.1:8011`."""
    secret = new_secret()
    with store.writing() as transaction:
        sign_ins.offer(transaction, digest(secret), role)
    return base + LINK.format(secret=quote(secret))


def _set(answer: Response, request: Request, session: str, seconds: int) -> None:
    house: House = request.app.state.house
    answer.set_cookie(
        cookie_of(house.port),
        session,
        max_age=seconds,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
