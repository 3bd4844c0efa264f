"""Roles, each of which may do what those before it may, and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["viewer", "planner", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: id of the token, and what it may do."""

    token_id: str
    role: Role

    def may(self, role: Role) -> bool:
        """May it do what that role may?"""
        return ROLES.index(self.role) >= ROLES.index(role)
