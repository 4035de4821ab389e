"""Who is calling: the person at this machine, a person who has logged in, a program with a key."""

from dataclasses import dataclass, replace
from typing import Literal

from flask import g, has_request_context

from kommo.access.rules import PERMISSIONS, Permission, Role
from kommo.store.connections import DEFAULT_OWNER


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls, with whose data they work and what they may do. `user_id` and the like are our own numbers."""

    kind: Literal["local", "user", "key"]
    name: str
    owner: str
    role: Role
    permissions: frozenset[Permission]
    user_id: int | None = None
    session_id: int | None = None
    key_id: int | None = None

    def may(self, permission: str) -> bool:
        """Whether this caller may do something."""
        return permission in self.permissions

    def with_permissions(self, permissions: frozenset[Permission]) -> "Identity":
        """The same caller with other permissions."""
        return replace(self, permissions=permissions)


#: The person at the machine, while nobody has made a user: the main job's rules, direct calls only.
LOCAL = Identity("local", "este computador", DEFAULT_OWNER, Role.ADMINISTRATOR, PERMISSIONS[Role.ADMINISTRATOR])


def current() -> Identity | None:
    """Who makes the request in hand; None for somebody unknown, and outside a request."""
    found: Identity | None = g.get("identity") if has_request_context() else None
    return found


def require() -> Identity:
    """Who makes the request in hand. The gate has let them in, so there is somebody."""
    found = current()
    if found is None:
        raise RuntimeError("a route asked who calls before the gate had found out")
    return found


def may(permission: str) -> bool:
    """Whether the caller may do something; for templates, where it hides what would be refused."""
    found = current()
    return found is not None and found.may(permission)
