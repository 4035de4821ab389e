"""What cookies and form tokens are signed with: HMAC-SHA256 under a key derived by it. The libraries say SHA-1."""

import hashlib

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import Signer


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, with SHA-256."""

    digest_method = staticmethod(hashlib.sha256)


def register(app: Flask) -> None:
    """Sign with SHA-256 from here on; Flask-WTF takes the library's default for the tokens of forms."""
    app.session_interface = Sessions()
    Signer.default_digest_method = staticmethod(hashlib.sha256)
    Signer.default_key_derivation = "hmac"
