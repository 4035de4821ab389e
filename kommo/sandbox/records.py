"""Changing contacts, deals and companies: what every door (HTTP, a test, the seed) goes through."""

from __future__ import annotations

from typing import Any

from kommo.sandbox import events
from kommo.sandbox.rows import Record, Row, make_row
from kommo.sandbox.state import KINDS, SINGULAR, State

WON, LOST = 142, 143
_UNSET = object()


def blank(state: State, kind: str, record_id: int, by: int) -> Record:
    """A new record of `kind` with every key Kommo sends, in its order."""
    now = state.now()
    record: Record = {"id": record_id, "name": ""}
    if kind == "contacts":
        record |= {"first_name": "", "last_name": ""}
    if kind == "leads":
        record |= {"price": 0, "price_with_minor_units": 0}
    record |= {"responsible_user_id": state.profile.admin_id, "group_id": 0}
    if kind == "leads":
        record |= {"status_id": 0, "pipeline_id": 0, "loss_reason_id": None}
    record |= {"created_by": by, "updated_by": by, "created_at": now, "updated_at": now}
    if kind == "leads":
        record["closed_at"] = None
    record |= {"closest_task_at": None, "is_deleted": False}
    if kind == "contacts":
        record["is_unsorted"] = False
    record["custom_fields_values"] = None
    if kind == "leads":
        record["score"] = None
    record["account_id"] = state.profile.account_id
    if kind == "leads":
        record |= {"labor_cost": None, "is_price_computed": False}
    record["_links"] = {"self": {"href": state.url(f"{kind}/{record_id}")}}
    record["_embedded"] = {"tags": []} if kind == "companies" else {"tags": [], "companies": []}
    return record


def company_refs(state: State, company_id: int | None) -> list[Record]:
    """The value of `_embedded.companies`."""
    if company_id is None:
        return []
    return [{"id": company_id, "_links": {"self": {"href": state.url(f"companies/{company_id}")}}}]


def is_incoming(state: State, record: Record) -> bool:
    """Whether a contact or deal belongs to an incoming request that nobody has accepted yet."""
    if "is_unsorted" in record:
        return bool(record["is_unsorted"])
    pipeline = state.lists["pipelines"].get(record.get("pipeline_id", 0), {"statuses": []})
    return any(one["id"] == record["status_id"] and one["type"] == 1 for one in pipeline["statuses"])


def group_of(state: State, user_id: Any) -> int:
    """The group of a user, which is that of what the user is responsible for; 0 = the default group."""
    user = state.lists["users"].get(user_id)
    return user["rights"]["group_id"] or 0 if user else 0


def store(state: State, kind: str, record: Record, *, deleted: bool = False) -> Row:
    """Put a record into its table and its company into the links."""
    row = make_row(record, deleted=deleted, unsorted=is_incoming(state, record) if kind != "companies" else False)
    state.put(kind, row)
    if kind != "companies":
        companies = record["_embedded"]["companies"]
        company = companies[0]["id"] if companies else None
        if state.links.company_of.get((kind, row.id)) != company:
            state.employ(kind, row.id, company)
    return row


def settle(before: Record, after: Record, now: int) -> None:
    """Kommo's rules for a deal that was moved: `closed_at` follows 142 and 143, a loss reason exists only in 143."""
    closed = after["status_id"] in (WON, LOST)
    moved = (before.get("pipeline_id"), before.get("status_id")) != (after["pipeline_id"], after["status_id"])
    sent = after["closed_at"] != before.get("closed_at")
    if not closed:
        after["closed_at"] = None
    elif not sent and (moved or after["closed_at"] is None):
        after["closed_at"] = now
    if after["status_id"] != LOST:
        after["loss_reason_id"] = None


def create(state: State, kind: str, record: Record, by: int) -> Row:
    """Store a new record and tell of it."""
    record["group_id"] = record.get("group_id") or group_of(state, record.get("responsible_user_id"))
    if kind == "leads":
        settle({}, record, state.now())
    row = store(state, kind, record)
    events.tell(state, kind, row.id, by, (f"{SINGULAR[kind]}_added", [], [{"note": {"id": row.id}}]))
    return row


def rewrite(state: State, kind: str, after: Record, by: int, updated_at: Any = _UNSET) -> Row:
    """Store the changed form of an existing record: rules, `updated_at`, events. `updated_at` overrides the clock."""
    old = state.tables[kind].rows[after["id"]]
    before = old.record()
    if kind == "leads":
        settle(before, after, state.now())
    if before.get("responsible_user_id") != after.get("responsible_user_id"):
        after["group_id"] = group_of(state, after.get("responsible_user_id"))
    told = list(events.differences(kind, before, after))
    if updated_at is not _UNSET:
        after["updated_at"] = updated_at
    elif _moves(state, before, after):
        signed = after["updated_by"] != before["updated_by"]
        after["updated_at"], after["updated_by"] = state.now(), after["updated_by"] if signed else by
    row = store(state, kind, after, deleted=old.deleted)
    events.tell(state, kind, row.id, by, *told)
    return row


def _moves(state: State, before: Record, after: Record) -> bool:
    if before == after:
        return state.switches.noop_bumps
    only_tags = {**before, "_embedded": None} == {**after, "_embedded": None}
    return state.switches.tag_bumps if only_tags else True


def touch(state: State, kind: str, record_id: int, by: int, *, bump: bool, **changes: Any) -> None:
    """Change a record without telling of it; `bump` moves `updated_at`."""
    row = state.tables[kind].rows.get(record_id)
    if row is None or not (bump or changes):
        return
    record = row.record()
    record.update(changes)
    if bump:
        record["updated_at"], record["updated_by"] = state.now(), by
    store(state, kind, record, deleted=row.deleted)


def delete(state: State, kind: str, record_id: int, by: int) -> None:
    """Put a record into the trash. Raises KeyError if there is no live one."""
    _set_deleted(state, kind, record_id, by, deleted=True)
    if not state.switches.keeps_trash:
        purge(state, kind, record_id)


def restore(state: State, kind: str, record_id: int, by: int) -> None:
    """Take a record out of the trash. Raises KeyError if it is not there."""
    _set_deleted(state, kind, record_id, by, deleted=False)


def _set_deleted(state: State, kind: str, record_id: int, by: int, *, deleted: bool) -> None:
    row = state.tables[kind].rows[record_id]
    if row.deleted == deleted:
        raise KeyError(record_id)
    record = row.record()
    record["is_deleted"] = deleted
    if state.switches.delete_bumps if deleted else state.switches.restore_bumps:
        record["updated_at"], record["updated_by"] = state.now(), by
    store(state, kind, record, deleted=deleted)
    if state.switches.delete_events:
        done = "deleted" if deleted else "restored"
        events.tell(state, kind, record_id, by, (f"{SINGULAR[kind]}_{done}", [], []))


def purge(state: State, kind: str, record_id: int) -> None:
    """Remove a record for good, its links with it; nothing tells of it."""
    for lead, contact in pairs_of(state, kind, record_id):
        if kind == "contacts":
            part(state, lead, contact)
        else:
            state.part(lead, contact)
    if kind == "companies":
        for member_kind in ("contacts", "leads"):
            for member in list(state.links.members_of.get((member_kind, record_id), ())):
                set_company(state, member_kind, member, None)
    else:
        state.employ(kind, record_id, None)
    state.drop(kind, record_id)


def pairs_of(state: State, kind: str, record_id: int) -> list[tuple[int, int]]:
    """The (lead, contact) links of a record; none for a company."""
    if kind == "leads":
        return [(record_id, contact) for contact in state.links.contacts_of.get(record_id, ())]
    if kind == "contacts":
        return [(lead, record_id) for lead in state.links.leads_of.get(record_id, ())]
    return []


def set_company(state: State, kind: str, member: int, company: int | None) -> None:
    """Write a contact's or deal's company into its record, without moving `updated_at`."""
    row = state.tables[kind].rows[member]
    record = row.record()
    record["_embedded"]["companies"] = company_refs(state, company)
    store(state, kind, record, deleted=row.deleted)


def part(state: State, lead: int, contact: int) -> None:
    """Unlink a lead and a contact; when it was the main one, the first of those left becomes it."""
    state.part(lead, contact)
    _keep_a_main(state, lead)


def _keep_a_main(state: State, lead: int) -> None:
    others = state.links.contacts_of.get(lead, {})
    if others and not any(others.values()):
        alive = [one for one in others if state.tables["contacts"].get(one) is not None]
        state.join(lead, (alive or list(others))[0], is_main=True)


def merge(state: State, kind: str, winner: int, loser: int, by: int) -> None:
    """Melt `loser` into `winner`: its links move, it is gone. Raises KeyError if one of them is not alive."""
    for record_id in (winner, loser):
        if state.tables[kind].get(record_id) is None:
            raise KeyError(record_id)
    for lead, contact in pairs_of(state, kind, loser):
        is_main = state.links.contacts_of[lead][contact]
        state.part(lead, contact)
        pair = (winner, contact) if kind == "leads" else (lead, winner)
        if pair[1] not in state.links.contacts_of.get(pair[0], {}):
            state.join(*pair, is_main=is_main and not any(state.links.contacts_of.get(pair[0], {}).values()))
        _keep_a_main(state, pair[0])
    for member_kind in ("contacts", "leads") if kind == "companies" else ():
        for member in list(state.links.members_of.get((member_kind, loser), ())):
            set_company(state, member_kind, member, winner)
    purge(state, kind, loser)
    touch(state, kind, winner, by, bump=state.switches.merge_bumps)
    told = winner if state.switches.merged_event_on == "winner" else loser
    events.tell(state, kind, told, by, ("entity_merged", [], []))


def link(state: State, one: tuple[str, int], other: tuple[str, int], by: int, *, is_main: bool = False) -> None:
    """Link two records (kind, id) and tell of it if they were not; `is_main` makes the contact the lead's main one.

    Raises ValueError for kinds that cannot be linked.
    """
    ids = _ends(one, other)
    if "companies" in ids:
        kind, member = one if one[0] != "companies" else other
        old = state.links.company_of.get((kind, member))
        if old == ids["companies"]:
            return
        if old is not None:
            _tell_pair(state, (kind, member), ("companies", old), by, linked=False)
        set_company(state, kind, member, ids["companies"])
    elif not _join(state, ids["leads"], ids["contacts"], is_main=is_main):
        return
    _tell_pair(state, one, other, by, linked=True)


def _join(state: State, lead: int, contact: int, *, is_main: bool) -> bool:
    """Link a lead and a contact; gives whether they were not linked. Who is linked stays the main one if it was."""
    before = dict(state.links.contacts_of.get(lead, {}))
    for other in [one for one, main in before.items() if main and is_main and one != contact]:
        state.join(lead, other, is_main=False)
    state.join(lead, contact, is_main=is_main or not before or before.get(contact, False))
    return contact not in before


def unlink(state: State, one: tuple[str, int], other: tuple[str, int], by: int) -> None:
    """Unlink two records (kind, id) and tell of it if they were linked.

    Raises ValueError for kinds that cannot be linked.
    """
    ids = _ends(one, other)
    if "companies" in ids:
        kind, member = one if one[0] != "companies" else other
        if state.links.company_of.get((kind, member)) != ids["companies"]:
            return
        set_company(state, kind, member, None)
    elif ids["contacts"] not in state.links.contacts_of.get(ids["leads"], {}):
        return
    else:
        part(state, ids["leads"], ids["contacts"])
    _tell_pair(state, one, other, by, linked=False)


def _ends(one: tuple[str, int], other: tuple[str, int]) -> dict[str, int]:
    ids = dict((one, other))
    if len(ids) < 2 or not set(ids) <= set(KINDS):
        raise ValueError(f"cannot link {one[0]} and {other[0]}")
    return ids


def _tell_pair(state: State, one: tuple[str, int], other: tuple[str, int], by: int, *, linked: bool) -> None:
    done = "linked" if linked else "unlinked"
    for (kind, record_id), (to_kind, to_id) in ((one, other), (other, one)):
        touch(state, kind, record_id, by, bump=state.switches.link_bumps)
        value = [{"link": {"entity": {"type": SINGULAR[to_kind], "id": to_id}}}]
        change = (f"{SINGULAR[to_kind]}_{done}", [] if linked else value, value if linked else [])
        events.tell(state, kind, record_id, by, change)
