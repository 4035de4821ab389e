"""Who was erased, by number, in a file beside the database: a restored backup of before must not bring them back."""

import os
from pathlib import Path

import structlog

from kommo.db import reading, writing
from kommo.ids import MAX_ID
from kommo.privacy import erase
from kommo.privacy.erase import Reach
from kommo.privacy.find import person
from kommo.services import Services
from kommo.store import audit, connections, suppression
from kommo.store.audit import Actor
from kommo.store.tables import Connection
from kommo.store.tables.wallet import CONTACT

NAME = "erased_people"
Entry = tuple[str, int, int]  # owner, account and contact at Kommo
log = structlog.get_logger()


def append(instance: Path, owner: str, account_id: int, contact_id: int) -> None:
    """Note one person, for good. Raises OSError where the folder takes no more."""
    descriptor = os.open(instance / NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{account_id} {contact_id} {owner}\n")
        file.flush()
        os.fsync(file.fileno())


def entries(instance: Path) -> list[Entry]:
    """All who are noted, each once; a line that was cut by a full disk is left out."""
    try:
        lines = (instance / NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found: dict[Entry, None] = {}
    for account, contact, owner in (parts for line in lines if len(parts := line.split(" ", 2)) == 3):
        if account.isdecimal() and contact.isdecimal() and 0 < int(account) <= MAX_ID and 0 < int(contact) <= MAX_ID:
            found[owner, int(account), int(contact)] = None
    return list(found)


def erase_for_good(services: Services, connection: Connection, contact_id: int, by: Actor) -> Reach | None:
    """`erase.erase`, noted here first: a crash in between erases one person when the worker starts again."""
    with reading(services.engine) as session:
        if person(session, connection, contact_id) is None:
            return None
    append(services.settings.instance, connection.user_id, connection.account_id, contact_id)
    return erase.erase(services, connection, contact_id, by)


def repeat(services: Services) -> int:
    """Erase again whoever the database does not know as erased, as after a restored backup; gives how many."""
    with reading(services.engine) as session:
        known = suppression.all_contacts(session)
    again = [entry for entry in entries(services.settings.instance) if entry not in known]
    for owner, account_id, contact_id in again:
        with reading(services.engine) as session:
            connection = connections.by_account(session, owner, account_id)
        if connection is not None and not connection.erasing:
            erase.erase(services, connection, contact_id, audit.SYSTEM)
        with writing(services.engine) as session:  # one who is not in this copy either must not come with a reading
            suppression.add(session, owner, account_id, CONTACT, [contact_id])
    if again:
        log.warning("people_erased_again", number=len(again))
    return len(again)
