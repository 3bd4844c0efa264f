"""The mark that every route carries: which role it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from steelyard.errors import NotAllowed
from steelyard.services.security.callers import ROLES, Caller, Role
from steelyard.services.security.sessions import PREFIX

__all__ = ["CALLER", "ROLES", "Caller", "Needs", "Role", "caller_of", "needs"]

CALLER = "caller"
"""Key of a request's state under which the gate leaves who asks."""


BEARER = HTTPBearer(auto_error=False, description="A token: steelyard token create --role R")
"""For the OpenAPI document; the gate has read the header before."""


@dataclass(frozen=True, slots=True)
class Needs:
    """The dependency of a route: raises NotAllowed for a caller of a lesser role."""

    role: Role

    async def __call__(
        self, request: Request, _: Annotated[Any, Security(BEARER)] = None
    ) -> Caller:
        """Who asks, if it may; async, so that asking costs no thread."""
        caller = caller_of(request)
        if caller is None or not caller.may(self.role):
            role = "no token" if caller is None else caller.role
            by_link = caller is not None and caller.token_id.startswith(PREFIX)
            has = f"yours is {role}" if by_link else f"the token's is {role}"
            way = "Sign in with a link" if by_link else "Ask with a token"
            command = f"steelyard token {'link' if by_link else 'create'} --role {self.role}"
            raise NotAllowed(
                f"This needs the role {self.role}; {has}. Nothing was done. {way} of that role: "
                f"{command}",
                code="role_too_low",
                place="Authorization",
                value=role,
                limit=self.role,
                hint=command,
            )
        return caller


def needs(role: Role) -> Any:
    """Marks a route, or a parameter that wants the caller: `dependencies=[needs("viewer")]`."""
    return Depends(Needs(role))


def caller_of(request: Request) -> Caller | None:
    """Who asks, as the gate left it; None where nobody was asked for a token."""
    caller = getattr(request.state, CALLER, None)
    return caller if isinstance(caller, Caller) else None
