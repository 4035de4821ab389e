"""Which address a token may be sent to. The one rule: Kommo's own hosts, or what the operator configured.

The raw claim is matched as a whole and the address is built from it. Asking a parser for the host is not enough:
for `evil.com\\.kommo.com` urlsplit sees a name under kommo.com, while urllib3 would connect to evil.com.
"""

import re

from kommo.addresses import check_configured, is_this_machine
from kommo.crm.errors import BadToken
from kommo.crm.token import Claims

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


def base_address(claims: Claims, *, configured: str | None, base_domain: str = "kommo.com") -> str:
    """Where the token of these claims is sent: an address without path, such as "https://api-c.kommo.com".

    It is the configured one, else that of the claim `api_domain`, else, where the claim is absent or null,
    `api-c` under `base_domain`. Raises BadToken("host_refused") for any other `api_domain`, whatever is configured,
    and ValueError for a configured address that `check_configured` refuses.
    """
    host = _claimed_host(claims.api_domain, base_domain) if claims.has_api_domain else None
    if configured:
        return check_configured(configured)
    return f"https://{host or f'api-c.{base_domain}'}"


def may_be_asked(address: str, *, configured: str | None, base_domain: str = "kommo.com") -> bool:
    """Whether a stored address is one that `base_address` could have given, or this machine's own.

    It lies in the database beside the sealed token: who may write there must not choose where the token is sent.
    """
    scheme, _, host = address.partition("://")
    return address == configured or is_this_machine(address) or (scheme == "https" and _is_under(host, base_domain))


def _claimed_host(claim: object, base_domain: str) -> str | None:
    if claim is None:
        return None
    if not isinstance(claim, str) or not claim.isascii():  # not ASCII: "K" (Kelvin) lower-cases to "k"
        raise BadToken("host_refused")
    host = claim.lower()
    if not _is_under(host, base_domain):
        raise BadToken("host_refused")
    return host


def _is_under(host: str, base_domain: str) -> bool:
    return re.fullmatch(rf"{_LABEL}\.{re.escape(base_domain.lower())}", host) is not None
