"""What cookies and form tokens are signed with: HMAC-SHA256 under a key derived by it. The libraries say SHA-1."""

import hashlib

from flask.sessions import SecureCookieSessionInterface
from itsdangerous import Signer


def register() -> None:
    """Sign with SHA-256 from here on.

    Flask names its own choice for the cookie; Flask-WTF takes the library's for the tokens of forms. Set on the classes,
    so that whatever session interface the application has is one of them.
    """
    SecureCookieSessionInterface.digest_method = staticmethod(hashlib.sha256)
    Signer.default_digest_method = staticmethod(hashlib.sha256)
    Signer.default_key_derivation = "hmac"
