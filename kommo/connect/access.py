"""Which token a call uses, and where it is sent: the order that the JSON contract's rulings give."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from kommo.crm.errors import BadToken
from kommo.crm.hosts import base_address, may_be_asked
from kommo.crm.token import Claims, clean_token, is_blank, read_token
from kommo.services import Services
from kommo.settings import SettingError, Settings
from kommo.store import connections
from kommo.store.tables import Connection
from kommo.vault import VaultError


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """A token with what it says and where it goes; `connection` is set when it is a stored one."""

    token: str
    claims: Claims
    base_address: str
    connection: Connection | None = None

    @property
    def account_id(self) -> int | None:
        """The account: the stored connection's, else what the token claims."""
        return self.connection.account_id if self.connection else self.claims.account_id

    @property
    def is_demo(self) -> bool:
        """Whether this is the demonstration account."""
        return self.connection is not None and self.connection.is_demo


def inline(text: str, settings: Settings) -> Access:
    """Access by a token that was handed over. Raises BadToken for no token, or one that names a foreign host."""
    token = clean_token(text)
    claims = read_token(token)
    address = base_address(claims, configured=settings.api_url, base_domain=settings.base_domain)
    return Access(token, claims, address)


def check_environment(settings: Settings) -> None:
    """Refuse a token in the environment that could never be used. Raises SettingError naming the variable."""
    for name, text in settings.environment_tokens.items():
        try:
            if not is_blank(text):
                inline(text, settings)
        except BadToken as error:
            raise SettingError(f"{name} não serve: {error.sentence}") from None


def stored(services: Services, connection: Connection) -> Access | None:
    """Access by a connection's own token; None after a disconnect. Raises VaultError where it may not be used."""
    token = connections.open_token(services.vault, connection)
    if token is None:
        return None
    return Access(token, read_token(token), address_of(services.settings, connection), connection)


def address_of(settings: Settings, connection: Connection) -> str:
    """Where a connection's token is sent. Raises VaultError for a stored address that is neither Kommo's nor set."""
    address = connection.base_address
    if not may_be_asked(address, configured=settings.api_url, base_domain=settings.base_domain):
        raise VaultError(
            "O endereço guardado com este token não é do Kommo, nem o de KOMMO_API_URL: nada foi enviado. "
            "Cole o token de novo na página Conexão."
        )
    return address


def resolve(
    services: Services,
    session: Session,
    *,
    given: str | None,
    user_id: str,
    account_id: int | None = None,
    environment: bool = True,
) -> Access:
    """The token handed over, else the owner's stored one, else the environment's. Raises BadToken where none is.

    The `environment`'s is the operator's own: whoever may not speak for them goes without.
    """
    if given is not None and not is_blank(given):
        return inline(given, services.settings)
    connection = connections.current(session, user_id, account_id)
    found = stored(services, connection) if connection else None
    if found is not None:
        return found
    if environment and services.settings.environment_token:
        return inline(services.settings.environment_token, services.settings)
    raise BadToken("token_missing")
