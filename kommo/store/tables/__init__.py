"""The tables. Importing this package makes all of them known to `Base.metadata`."""

from kommo.store.tables.accounts import Connection, Owner, RateSlot
from kommo.store.tables.catalogues import Company, CustomField, KommoUser, LossReason, Pipeline, Stage
from kommo.store.tables.runs import SyncBand, SyncCandidate, SyncRun, SyncSeen, SyncStream
from kommo.store.tables.wallet import Contact, Deal, DealContact, SearchPending, Wallet

__all__ = [
    "Company",
    "Connection",
    "Contact",
    "CustomField",
    "Deal",
    "DealContact",
    "KommoUser",
    "LossReason",
    "Owner",
    "Pipeline",
    "RateSlot",
    "SearchPending",
    "Stage",
    "SyncBand",
    "SyncCandidate",
    "SyncRun",
    "SyncSeen",
    "SyncStream",
    "Wallet",
]
