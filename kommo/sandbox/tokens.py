"""Long-lived tokens with Kommo's claims, issued and recognised by the sandbox alone."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import jwt

from kommo.sandbox.state import State

SCOPES = ("push_notifications", "files", "crm", "files_delete", "notifications")
_YEAR = 365 * 24 * 3600


def issue(state: State, *, lifetime: int = _YEAR, scopes: tuple[str, ...] = SCOPES, **claims: Any) -> str:
    """A token for this account that ends `lifetime` seconds from now; `claims` go over the usual ones."""
    now = state.now()
    profile = state.profile
    name = f"{profile.account_id}:{now}:{lifetime}:{','.join(scopes)}"
    payload: dict[str, Any] = {
        "aud": str(uuid.uuid5(uuid.NAMESPACE_URL, f"integration:{profile.account_id}")),
        "jti": hashlib.sha512(name.encode() + state.secret).hexdigest()[:80],
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
        "sub": str(profile.admin_id),
        "grant_type": "",
        "account_id": profile.account_id,
        "base_domain": "kommo.com",
        "version": 2,
        "scopes": list(scopes),
        "hash_uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "api_domain": "api-c.kommo.com",
    }
    return jwt.encode(payload | claims, state.secret, algorithm="HS256", headers={"typ": "JWT"})


def read(state: State, header: str) -> dict[str, Any] | None:
    """The claims of the token in an Authorization header; None if it is not ours, has expired or was revoked."""
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer":
        return None
    claims = state.verified.get(header)
    if claims is None:
        claims = _verify(state, token.strip())
    if claims is None:
        return None
    if len(state.verified) < 64:
        state.verified[header] = claims
    if claims.get("jti") in state.revoked or claims.get("account_id") != state.profile.account_id:
        return None
    ends = claims.get("exp")
    return claims if isinstance(ends, int | float) and ends > state.clock() else None


def _verify(state: State, token: str) -> dict[str, Any] | None:
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    try:
        claims: dict[str, Any] = jwt.decode(token, state.secret, algorithms=["HS256"], options=options)
    except jwt.PyJWTError:
        return None
    return claims


def revoke(state: State, token: str) -> None:
    """Make a token worthless, as *Revoke access* does."""
    claims = jwt.decode(token, options={"verify_signature": False})
    state.revoked.add(claims["jti"])
