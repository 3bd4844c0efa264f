"""Answers that are kept as long as database and journal stay as they are: most reads are of nothing
new.

Each is made anew after every change, whoever made it: see `store.state`. A route of this class
reads nothing else, so that the same address has the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from anyio import to_thread
from fastapi import Request, Response
from fastapi.routing import APIRoute

from steelyard.services.house import House
from steelyard.services.security.roles import caller_of

OK = 200
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Remembered(APIRoute):
    """A route whose reads are of database and journal alone; who asks without a token is refused as
    ever.
    """

    def get_route_handler(self) -> Handler:
        """The handler, behind what is remembered."""
        handle = super().get_route_handler()

        async def remembering(request: Request) -> Response:
            house: House = request.app.state.house
            if caller_of(request) is None or "if-none-match" in request.headers:
                return await handle(request)
            state = await to_thread.run_sync(house.state)
            address = f"{request.scope['path']}?{request.url.query}"
            answer = None if state is None else house.answers.get(address, state)
            if answer is not None:
                return answer
            answer = await handle(request)
            if state is not None and answer.status_code == OK:
                house.answers.put(address, state, answer)
            return answer

        return remembering if self.methods == {"GET"} else handle
