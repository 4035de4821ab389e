"""The streams of records a run reads, as data: what differs between contacts and deals stands here and nowhere else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kommo.crm.client import Stream
from kommo.store.records import Incoming
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.sync.rows import contact_row, deal_row


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One stream: its name here, its kind in the store, its list at Kommo, and the words for it.

    `entity` is Kommo's singular name in its events; `to_row` makes a store row of a typed record.
    """

    name: str
    kind: str
    remote: Stream
    entity: str
    one: str
    many: str
    to_row: Callable[[Any], Incoming]


CONTACTS = StreamSpec("contacts", CONTACT, Stream.CONTACTS, "contact", "contato", "contatos", contact_row)
DEALS = StreamSpec("deals", DEAL, Stream.DEALS, "lead", "negociação", "negociações", deal_row)
ALL = (CONTACTS, DEALS)
BY_ENTITY = {spec.entity: spec for spec in ALL}
BY_REMOTE = {spec.remote.key: spec for spec in ALL}
BY_NAME = {spec.name: spec for spec in ALL}

# What else has to be asked for in a run, beside records: the candidates' other streams.
COMPANIES = "companies"  # by name
CONTACT_LINKS = "c-links"  # contacts whose deals have to be read again
COMPANY_LINKS = "o-links"  # companies whose contacts and deals have to be read again
# The catalogues, by their names in the store.
ACCOUNT, PIPELINES, USERS, LOSS_REASONS = "account", "pipelines", "users", "loss_reasons"
