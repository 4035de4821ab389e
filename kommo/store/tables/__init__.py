"""The tables. Importing this package makes all of them known to `Base.metadata`."""

from kommo.store.tables.accounts import Connection, Owner
from kommo.store.tables.budget import RateSlot, RateUse
from kommo.store.tables.catalogues import CatalogueRead, Company, CustomField, KommoUser, LossReason, Pipeline, Stage
from kommo.store.tables.marks import SyncEvent, SyncMark, SyncMissing
from kommo.store.tables.people import ApiKey, Attempt, LoginSession, User
from kommo.store.tables.privacy import Audit, Keeping, Scrub, Suppression
from kommo.store.tables.runs import SyncBand, SyncCandidate, SyncRun, SyncSeen, SyncStream
from kommo.store.tables.schedules import Schedule
from kommo.store.tables.wallet import Contact, Deal, DealContact, SearchPending, Wallet
from kommo.store.tables.workers import WorkerSeen

__all__ = [
    "ApiKey",
    "Attempt",
    "Audit",
    "CatalogueRead",
    "Company",
    "Connection",
    "Contact",
    "CustomField",
    "Deal",
    "DealContact",
    "Keeping",
    "KommoUser",
    "LoginSession",
    "LossReason",
    "Owner",
    "Pipeline",
    "RateSlot",
    "RateUse",
    "Schedule",
    "Scrub",
    "SearchPending",
    "Stage",
    "Suppression",
    "SyncBand",
    "SyncCandidate",
    "SyncEvent",
    "SyncMark",
    "SyncMissing",
    "SyncRun",
    "SyncSeen",
    "SyncStream",
    "User",
    "Wallet",
    "WorkerSeen",
]
