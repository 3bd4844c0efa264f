"""`/`: must I do anything?"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from steelyard.runs.listed_plans import listed
from steelyard.services.api.fields import Here
from steelyard.services.security.roles import needs
from steelyard.store.buckets import buckets
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)


@router.get("/", dependencies=[needs("viewer")])
def overview(request: Request, here: Here) -> Response:
    """A line per bucket, with its newest plan."""
    store = here.store()
    newest = {entry.row.bucket: entry for entry in reversed(listed(store))}
    rows = [(held, newest.get(held.name)) for held in buckets(store)]
    return page(request, "overview.html", at="overview", rows=rows)
