"""/api/kommo/test-connection: does Kommo take this token, and whose is it?"""

from typing import Any

from flask import Response

from kommo.api.accounts import access, require_account, services
from kommo.api.answers import write
from kommo.api.asked import Call, read
from kommo.api.waiting import seat
from kommo.connect import flow
from kommo.connect.access import Access
from kommo.crm.check import CheckReport
from kommo.crm.client import Account

CONNECTED = "Conexão com KOMMO CRM estabelecida com sucesso"


def test() -> Response:
    """Test the token of the call, wherever it comes from; nothing is stored."""
    call = read(Call)
    found = access(call)
    with seat():
        report = flow.test(services(), found, full=False, purpose="api")
    if report.error is not None:
        raise report.error
    assert report.account is not None
    require_account(call, report.account.id)
    return write(_answer(found, report, report.account))


def _answer(found: Access, report: CheckReport, account: Account) -> dict[str, Any]:
    return {
        "success": True,
        "message": CONNECTED,
        "connection": {"status": "connected", "apiUrl": found.base_address},
        "account": _account(found, account),
        "diagnostics": {
            "contacts": {"count": len(report.contacts), "items": report.contacts},
            "clockDifference": None if report.clock_difference is None else round(report.clock_difference, 3),
        },
    }


def _account(found: Access, account: Account) -> dict[str, Any]:
    claims = found.claims
    host = found.base_address.partition("://")[2]
    return {
        "accountId": account.id,
        "baseDomain": claims.base_domain or services().settings.base_domain,
        "apiDomain": claims.api_domain if isinstance(claims.api_domain, str) else host,
        "scopes": list(claims.scopes),
        "expiresAt": claims.expires_iso,
        "name": account.name,
        "subdomain": account.subdomain,
        "currency": account.currency,
        "timezone": account.timezone,
    }
