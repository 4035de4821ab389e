"""The session's cookie: over HTTPS it is sent over nothing else, and no other host can set it."""

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface


class SessionCookies(SecureCookieSessionInterface):
    """Flask's signed cookie; its name and `Secure` go by how the request came (a proxy's word counts where it may).

    `__Host-` makes the browser insist on `Secure`, on the whole site as its path and on no `Domain`.
    """

    def get_cookie_name(self, app: Flask) -> str:
        """The name, which an address without HTTPS cannot take from one with it."""
        name = super().get_cookie_name(app)
        return f"__Host-{name}" if request.is_secure else name

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether the browser keeps it to HTTPS."""
        return request.is_secure or super().get_cookie_secure(app)
