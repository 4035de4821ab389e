"""Examples of what is asked and answered. A test holds each against its schema."""

from typing import Any

CONTACT: dict[str, Any] = {
    "id": 123,
    "name": "João Silva",
    "first_name": "João",
    "last_name": "Silva",
    "responsible_user_id": 456,
    "group_id": 0,
    "created_at": 1700000000,
    "updated_at": 1700100000,
    "custom_fields": [
        {"id": 11, "name": "Telefone", "code": "PHONE", "type": "multitext",
         "values": [{"value": "+55 11 99999-0000", "enum": 21, "enum_code": "WORK"}]},
    ],
    "closest_task_at": None,
    "is_deleted": False,
    "tags": [{"id": 31, "name": "atacado"}],
    "company": {"id": 41},
    "is_unsorted": False,
    "phones": ["+55 11 99999-0000"],
    "emails": [],
}  # fmt: skip
DEAL: dict[str, Any] = {
    "id": 456,
    "name": "Bolo de casamento",
    "price": 5000.0,
    "responsible_user_id": 456,
    "group_id": 0,
    "pipeline_id": 1,
    "status_id": 142,
    "created_at": 1700000000,
    "updated_at": 1700100000,
    "custom_fields": [],
    "closest_task_at": None,
    "is_deleted": False,
    "tags": [],
    "company": None,
    "closed_at": 1700100000,
    "loss_reason_id": None,
    "contacts": [{"id": 123, "is_main": True}],
}
_PAGES = {"page": 1, "limit": 50, "pageCount": 1, "hasNext": False}
_SYNCED = "2025-01-19T10:30:00.000Z"


def _page(record: dict[str, Any], message: str, source: str) -> dict[str, Any]:
    made = {"success": True, "data": [record], "pagination": _PAGES, "message": message, "source": source}
    return made | ({"lastSync": _SYNCED} if source == "local" else {})


def _progress(rows: int) -> dict[str, Any]:
    return {"state": "done", "rows": rows, "pages": 1, "total": rows, "pagesTotal": 1, "percent": 100.0}


def _changes(rows: int) -> dict[str, Any]:
    return {"created": rows, "updated": 0, "unchanged": 0, "deleted": 0}


def _proof(rows: int) -> dict[str, Any]:
    return {
        "kommo": rows, "local": rows, "equal": True, "sampled": rows, "differing": 0,
        "at": "2025-01-19T10:29:59.871Z", "requests": 1,
    }  # fmt: skip


RUN: dict[str, Any] = {
    "contactsCount": 150,
    "dealsCount": 75,
    "lastSync": _SYNCED,
    "syncSuccess": True,
    "errors": [],
    "warnings": [],
    "runId": 12,
    "accountId": 2974588,
    "mode": "sweep",
    "state": "done",
    "phase": "over",
    "waiting": None,
    "progress": {"contacts": _progress(150), "deals": _progress(75)},
    "changes": {"contacts": _changes(150), "deals": _changes(75)},
    "proof": {"contacts": _proof(150), "deals": _proof(75)},
}
_GOING = RUN | {"mode": None, "state": "queued", "phase": "catalogues"}
_CANCELLED = RUN | {"state": "cancelled", "syncSuccess": False}
SCHEDULE: dict[str, Any] = {
    "accountId": 2974588, "everyMinutes": 15, "quietFrom": "22:00", "quietTo": "06:00", "sweepAt": "03:00",
    "paused": False, "nextRun": "2026-11-25T17:35:00.000Z", "nextSweep": "2026-11-26T06:00:00.000Z", "waiting": None,
    "timezone": "America/Sao_Paulo",
}  # fmt: skip
_USED = {"sync": 90, "page": 2, "api": 0, "total": 92, "refused": 1}
BUDGET: dict[str, Any] = {
    "scope": "installation", "accountId": 2974588, "state": "slowed", "limit": 6.0, "speed": 3.5, "pausedUntil": None,
    "fullSpeedAt": "2025-01-19T10:31:00.000Z", "blockedUntil": None, "supportText": None,
    "used": {"minute": _USED, "hour": _USED, "day": _USED},
    "minutes": [{"at": _SYNCED} | _USED],
}  # fmt: skip
TESTED: dict[str, Any] = {
    "success": True,
    "message": "Conexão com KOMMO CRM estabelecida com sucesso",
    "connection": {"status": "connected", "apiUrl": "https://api-c.kommo.com"},
    "account": {
        "accountId": 2974588, "baseDomain": "kommo.com", "apiDomain": "api-c.kommo.com", "scopes": ["crm", "files"],
        "expiresAt": "2025-02-20T23:20:00.000Z", "name": "Padaria Estrela", "subdomain": "padariaestrela",
        "currency": "BRL", "timezone": "America/Sao_Paulo",
    },
    "diagnostics": {"contacts": {"count": 1, "items": [{"id": 123, "name": "Contato 1"}]}, "clockDifference": 0.12},
}  # fmt: skip


def good(message: str, data: Any) -> dict[str, Any]:
    """A success with `data`."""
    return {"success": True, "message": message, "data": data}


#: By the name of the answer's type; see `operations.py`.
ANSWERS: dict[str, dict[str, Any]] = {
    "Tested": TESTED,
    "LiveContacts": _page(CONTACT, "1 contato obtido", "kommo"),
    "LocalContacts": _page(CONTACT, "1 contato obtido", "local"),
    "LiveDeals": _page(DEAL, "1 negociação obtida", "kommo"),
    "LocalDeals": _page(DEAL, "1 negociação obtida", "local"),
    "OneContact": good("1 contato obtido", CONTACT),
    "OneDeal": good("1 negociação obtida", DEAL),
    "RunDone": good("Sincronização concluída: 150 contatos, 75 negociações", RUN),
    "RunGoing": good("Sincronização em andamento", _GOING),
    "RunEndedBadly": {
        "success": False, "message": "Sincronização cancelada: 150 contatos, 75 negociações",
        "error": "Sincronização cancelada.", "code": "sync_cancelled", "data": _CANCELLED,
    },
    "RunStatus": good("Status de sincronização obtido", RUN),
    "RunKnown": good("Status de sincronização obtido", RUN),
    "ScheduleSet": good("Agenda salva", SCHEDULE),
    "ScheduleKnown": good("Agenda obtida", SCHEDULE),
    "ScheduleOff": good("Agenda desligada", None),
    "BudgetKnown": good("Uso do limite de requisições obtido", BUDGET),
}  # fmt: skip
#: By the name of the route.
BODIES: dict[str, dict[str, Any]] = {
    "test_connection": {"jwtToken": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "userId": "1"},
    "contact": {"contactId": 123},
    "deal": {"dealId": 456},
    "sync": {"full": False},
    "schedule_set": {
        "everyMinutes": 15, "quietFrom": "22:00", "quietTo": "06:00", "sweepAt": "03:00", "paused": False,
    },
    "schedule_off": {"userId": "1"},
}  # fmt: skip
