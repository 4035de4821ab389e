"""The cookie of a session: under HTTPS only there, and under a name that no other host of the domain can set.

It and the tokens of forms are signed by HMAC-SHA256 under a key derived by it; the libraries say SHA-1.
"""

import hashlib

from flask import Flask, has_request_context, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import Signer


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, `__Host-…` and `Secure` where the request came by HTTPS (also through our proxies)."""

    digest_method = staticmethod(hashlib.sha256)

    def get_cookie_name(self, app: Flask) -> str:
        """The cookie's name for the request in hand."""
        name = super().get_cookie_name(app)
        return f"__Host-{name}" if _is_https() else name

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether the browser may send it by HTTPS only."""
        return _is_https() or super().get_cookie_secure(app)


def register(app: Flask) -> None:
    """Give the application its cookies; Flask-WTF takes the library's default for the tokens of forms."""
    app.session_interface = Sessions()
    Signer.default_digest_method = staticmethod(hashlib.sha256)
    Signer.default_key_derivation = "hmac"


def _is_https() -> bool:
    return has_request_context() and request.is_secure
