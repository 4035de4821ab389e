"""The cookie of a session: under HTTPS only there, and under a name that no other host of the domain can set."""

from flask import Flask, has_request_context, request
from flask.sessions import SecureCookieSessionInterface


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, `__Host-…` and `Secure` where the request came by HTTPS (also through our proxies)."""

    def get_cookie_name(self, app: Flask) -> str:
        """The cookie's name for the request in hand."""
        name = super().get_cookie_name(app)
        return f"__Host-{name}" if _is_https() else name

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether the browser may send it by HTTPS only."""
        return _is_https() or super().get_cookie_secure(app)


def _is_https() -> bool:
    return has_request_context() and request.is_secure
