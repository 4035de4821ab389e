"""What cookies and form tokens are signed with: HMAC-SHA256 under a key derived by it. The libraries say SHA-1."""

import hashlib

from flask.sessions import SecureCookieSessionInterface
from itsdangerous import Signer


def register() -> None:
    """Sign with SHA-256 from here on.

    Flask has a choice of its own for the cookie, Flask-WTF takes the library's for forms. It is set on the classes, so
    that it holds for whatever session interface the application has.
    """
    SecureCookieSessionInterface.digest_method = staticmethod(hashlib.sha256)
    Signer.default_digest_method = staticmethod(hashlib.sha256)
    Signer.default_key_derivation = "hmac"
