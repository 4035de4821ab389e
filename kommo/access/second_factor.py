"""The second factor before it is turned on: its secret, sealed while the page that shows it is open."""

import pyotp

from kommo.store.tables import User
from kommo.vault import Vault

ISSUER = "Painel Kommo"


def new_secret() -> str:
    """A secret of 160 bits in base32."""
    return pyotp.random_base32()


def draft(vault: Vault, user: User, secret: str) -> str:
    """The secret as the page's form carries it: for this person only, and nothing that could be chosen elsewhere."""
    return vault.seal(secret, _place(user))


def open_draft(vault: Vault, user: User, sealed: str) -> str:
    """The secret behind a form's text. Raises VaultError for one that is not this person's."""
    return vault.open(sealed, _place(user))


def address(secret: str, name: str) -> str:
    """What the picture says to the telephone."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def spelled(secret: str) -> str:
    """The secret in groups of four, to be typed."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _place(user: User) -> str:
    return f"{user.place}/draft/{user.password_at}"
