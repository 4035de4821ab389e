"""Kommo blocked this server: what a caller is told beside the error, so that a person can have it lifted."""

import time

from flask import Response, g

from kommo.api import errors
from kommo.api.accounts import services
from kommo.api.answers import iso
from kommo.connect.access import Access
from kommo.connect.client import slots_for
from kommo.connect.support import blocked
from kommo.crm.errors import Blocked
from kommo.text import plural


def answer(error: Blocked) -> Response:
    """503 with until when nothing is sent and the text for Kommo's support, about the account that the call used."""
    made = errors.of_kommo(error, errors.failed())
    used: Access | None = g.get("kommo_access")
    found = None
    if used is not None:
        slots = slots_for(services(), used.account_id, used.connection)
        found = blocked(slots, used.account_id, used.connection)
    seconds = found.seconds if found else error.retry_after or 0.0
    minutes = plural(max(1, round(seconds / 60)), "minuto", "minutos")
    made.error = f"{error.sentence} Nada é enviado ao Kommo por mais {minutes}. {error.advice}"
    made.details |= {
        "blockedUntil": iso(found.until if found else time.time() + seconds),
        "supportText": found.text if found else None,
    }
    return made.response()
