"""A whole account made from a number: the same for the same number, sizes and time."""

from __future__ import annotations

import random
from dataclasses import replace

from kommo.sandbox.seed_deals import add_deals, close_some_this_month
from kommo.sandbox.seed_life import add_life
from kommo.sandbox.seed_people import YEAR, add_companies, add_contacts
from kommo.sandbox.seed_setup import set_up
from kommo.sandbox.seed_ugly import NAMES, add_ugly
from kommo.sandbox.seed_values import DAY
from kommo.sandbox.state import State

FIRST_IDS = {"contacts": 20_000_000, "leads": 20_000_000, "tasks": 3_300_000, "notes": 99_000_000}


def fill(state: State, *, contacts: int, deals: int, number: int) -> None:
    """Fill a new account with `contacts` contacts and `deals` deals, the ugly ones among them, up to now.

    Under 100 of a kind there are no ugly ones: small worlds are for tests that count.
    """
    rng = random.Random(f"{number}:{state.profile.subdomain}")  # noqa: S311 - data, not secrets
    state.rng = random.Random(number)  # noqa: S311
    state.profile = replace(state.profile, created_at=state.now() - YEAR - 7 * DAY)
    set_up(state)
    state.next_ids |= FIRST_IDS
    ugly = len(NAMES) if min(contacts, deals) >= 100 else 0
    companies = add_companies(state, rng, contacts // 7)
    people = add_contacts(state, rng, contacts - ugly, companies)
    leads = add_deals(state, rng, deals - ugly, people)
    if ugly:
        close_some_this_month(state, rng, leads)
        add_ugly(state, people, leads)
    add_life(state, rng, leads, people)
