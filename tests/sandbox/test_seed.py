"""What the seed makes: the same every time, plausible, and ugly where it should be."""

from __future__ import annotations

import re
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from kommo.sandbox import OFICINA, MovableClock, World, make_world, serve
from kommo.sandbox.seed_setup import REMOVED_USER
from kommo.sandbox.seed_ugly import NAMES
from tests.databases import free_port

from .conftest import NOW, Api


@pytest.fixture(scope="module")
def shop() -> World:
    """The default account, read only."""
    return make_world(clock=MovableClock(NOW))


def _records(world: World, kind: str) -> list[dict[str, Any]]:
    return [row.record() for row in world.state.tables[kind]]


def _bytes(world: World) -> list[bytes]:
    return [row.head for table in world.state.tables.values() for row in table]


def test_the_default_sizes(shop: World) -> None:
    assert (shop.count("contacts"), shop.count("leads")) == (4300, 1900)
    assert 550 <= shop.count("companies") <= 650
    assert len(shop.state.tables["tasks"].rows) > 300
    assert len(shop.state.tables["leads/notes"].rows) > 400
    assert len(shop.state.tables["contacts/notes"].rows) > 400
    assert len(shop.state.events) > 5000


def test_the_same_number_size_and_time_make_the_same_account() -> None:
    def make(seed: int = 1, at: int = NOW, **sizes: int) -> World:
        return make_world(**{"contacts": 150, "deals": 120, **sizes}, seed_number=seed, clock=MovableClock(at))

    first, second = make(), make()
    assert _bytes(first) == _bytes(second)
    assert first.state.events == second.state.events
    assert first.state.lists == second.state.lists
    assert first.bulk_delete("contacts", 10) == second.bulk_delete("contacts", 10)
    for other in (make(seed=2), make(at=NOW + 86400), make(contacts=151)):
        assert _bytes(other) != _bytes(make())


def test_two_worlds_have_two_secrets() -> None:
    one, two = (make_world(contacts=1, deals=1, clock=MovableClock(NOW)) for _ in range(2))

    assert one.state.secret != two.state.secret
    assert len(one.state.secret) == 32


@pytest.mark.parametrize(("contacts", "deals"), [(0, 0), (1, 0), (0, 1), (1, 1), (3, 99), (100, 100), (500, 5)])
def test_any_size(contacts: int, deals: int) -> None:
    world = make_world(contacts=contacts, deals=deals, clock=MovableClock(NOW))

    assert (world.count("contacts"), world.count("leads")) == (contacts, deals)


def test_an_empty_account_answers_204_everywhere(clock: MovableClock) -> None:
    with serve(make_world(contacts=0, deals=0, clock=clock)) as server:
        api = Api(server, server.token)
        with api.session:
            for path in ("contacts", "leads", "companies", "tasks", "leads/notes", "events", "leads/unsorted"):
                assert api.get(path).status_code == 204, path
            assert api.get("leads/pipelines").status_code == 200


def test_a_hundred_thousand_in_a_kilobyte_each() -> None:
    """The size that benchmarks use, a twentieth of it here."""
    world = make_world(contacts=5000, deals=2500, clock=MovableClock(NOW))

    for kind in ("contacts", "leads"):
        sizes = [len(row.head) for row in world.state.tables[kind]]
        assert 800 < sum(sizes) / len(sizes) < 1400


def test_a_year_of_history_up_to_now(shop: World) -> None:
    for kind in ("contacts", "leads", "companies"):
        rows = _records(shop, kind)
        created = [row["created_at"] for row in rows]
        assert min(created) < NOW - 330 * 86400
        assert max(created) > NOW - 3 * 86400
        assert all(row["created_at"] <= row["updated_at"] <= NOW for row in rows)
        assert all(at > NOW - 367 * 86400 for at in created)


def test_ids_grow_with_creation(shop: World) -> None:
    rows = [row for row in _records(shop, "contacts") if row["name"] not in NAMES]
    by_id = sorted(rows, key=lambda row: row["id"])

    assert [row["created_at"] for row in by_id] == sorted(row["created_at"] for row in rows)


@pytest.mark.parametrize("months_ago", range(6))
def test_every_month_has_deals_won_and_lost(shop: World, months_ago: int) -> None:
    today = datetime.fromtimestamp(NOW, UTC)
    month = (today.year * 12 + today.month - 1 - months_ago) % 12 + 1
    closed = [row for row in _records(shop, "leads") if row["closed_at"]]
    ended = Counter(row["status_id"] for row in closed if datetime.fromtimestamp(row["closed_at"], UTC).month == month)

    assert ended[142] >= 10
    assert ended[143] >= 5


@pytest.mark.parametrize(
    "at", ["2026-12-01T03:00:30", "2026-12-01T04:00:00", "2026-11-30T23:59:59", "2027-01-15T12:00:00"]
)
def test_a_young_month_has_them_as_soon_as_it_can(at: str) -> None:
    now = int(datetime.fromisoformat(f"{at}+00:00").timestamp())
    world = make_world(contacts=800, deals=600, clock=MovableClock(now))
    start = int(datetime.fromisoformat(f"{at[:8]}01T00:00:00-03:00").timestamp())

    closed = [row for row in _records(world, "leads") if (row["closed_at"] or 0) >= start]

    assert all(row["closed_at"] <= now for row in closed)
    if now - start > 3600:
        assert {row["status_id"] for row in closed} == {142, 143}


def test_deals_keep_kommo_s_rules(shop: World) -> None:
    reasons = shop.state.lists["loss_reasons"]
    for row in _records(shop, "leads"):
        closed = row["status_id"] in (142, 143)
        assert (row["closed_at"] is not None) == closed
        assert (row["loss_reason_id"] in reasons) == (row["status_id"] == 143)
        assert isinstance(row["price"], int)
        assert int(row["price_with_minor_units"]) == row["price"]
    won = [row for row in _records(shop, "leads") if row["status_id"] == 142]
    assert all(row["price"] > 0 for row in won)
    assert any(row["price_with_minor_units"] != row["price"] for row in won)


def test_deals_spread_over_pipelines_stages_and_people(shop: World) -> None:
    rows = _records(shop, "leads")

    assert min(Counter(row["pipeline_id"] for row in rows).values()) > 200
    assert len({row["status_id"] for row in rows}) > 12
    assert len({row["responsible_user_id"] for row in rows}) == 9


def test_what_people_are_like(shop: World) -> None:
    rows = _records(shop, "contacts")
    codes = Counter(item["field_code"] for row in rows for item in row.get("custom_fields_values") or ())
    phones = [
        value["value"]
        for row in rows
        for item in row.get("custom_fields_values") or ()
        if item["field_code"] == "PHONE" and row["name"] not in NAMES
        for value in item["values"]
    ]
    habits = Counter(re.sub(r"\d", "9", phone) for phone in phones)

    assert 0.85 < codes["PHONE"] / len(rows) < 0.97
    assert 0.6 < codes["EMAIL"] / len(rows) < 0.8
    assert len(habits) >= 6
    assert len({row["name"] for row in rows}) > 3000
    assert any(len(row["_embedded"]["tags"]) > 1 for row in rows)
    assert 800 < sum(bool(row["_embedded"]["companies"]) for row in rows) < 1700


def test_every_field_type_is_filled_somewhere(shop: World) -> None:
    for kind in ("contacts", "leads"):
        known = {one["type"] for one in shop.state.lists[f"{kind}/custom_fields"].values()}
        found = {item["field_type"] for row in _records(shop, kind) for item in row.get("custom_fields_values") or ()}
        assert known <= found, kind


def test_values_point_to_options_that_exist(shop: World) -> None:
    for kind in ("contacts", "leads", "companies"):
        known = shop.state.lists[f"{kind}/custom_fields"]
        for row in _records(shop, kind):
            for item in row.get("custom_fields_values") or ():
                definition = known.get(item["field_id"])
                if definition is None or not definition["enums"] or item["field_type"] == "smart_address":
                    continue
                options = {enum["id"]: enum["value"] for enum in definition["enums"]}
                for value in item["values"]:
                    assert value["enum_id"] in options
                    if item["field_type"] != "multitext":
                        assert options[value["enum_id"]] == value["value"]


def test_nobody_can_be_written_to_by_accident(shop: World) -> None:
    """Addresses end in names that are reserved for examples."""
    for kind in ("contacts", "companies"):
        for row in _records(shop, kind):
            for item in row.get("custom_fields_values") or ():
                if item["field_code"] == "EMAIL":
                    assert all(re.search(r"\.example(\.|$)|@exemplo\.|example\.(com|net|org)$", value["value"])
                               for value in item["values"]), row["name"]  # fmt: skip


@pytest.mark.parametrize("kind", ["contacts", "leads"])
def test_the_ugly_ones_are_there(shop: World, kind: str) -> None:
    names = [row["name"] for row in _records(shop, kind)]

    for name in NAMES:
        assert name in names
    assert {"<script>alert(1)</script>", "{{7*7}}", "   ", "", "João Silva", "Joao Silva"} <= set(NAMES)
    assert max(len(name) for name in names) >= 300


def test_nothing_ends_before_it_begins(shop: World) -> None:
    assert all(row["closed_at"] is None or row["closed_at"] >= row["created_at"] for row in _records(shop, "leads"))
    assert all(row["complete_till"] >= row["created_at"] for row in _records(shop, "tasks"))
    assert shop.state.profile.created_at <= min(row["created_at"] for row in _records(shop, "leads"))


def test_deals_are_named_after_their_main_contact(shop: World) -> None:
    named = 0
    for row in _records(shop, "leads"):
        main = [one for one, is_main in shop.state.links.contacts_of.get(row["id"], {}).items() if is_main]
        if main and " - " in row["name"]:
            named += 1
            assert row["name"].endswith(f" - {shop.record('contacts', main[0])['name'].partition(' ')[0]}")
    assert named > 1700


def test_groups_are_those_of_the_people_and_some_fields_have_one(shop: World) -> None:
    users = shop.state.lists["users"]
    for kind in ("contacts", "leads", "companies", "tasks", "leads/notes"):
        rows = [row for row in _records(shop, kind) if row.get("name") not in NAMES]
        groups = {row["responsible_user_id"]: row["group_id"] for row in rows}
        assert {users[one]["rights"]["group_id"] or 0 if one in users else 0 for one in groups} == set(groups.values())
        assert set(groups.values()) == ({0} if kind == "tasks" else {0, 1, 2}), kind
    for kind in ("contacts", "leads", "companies"):
        found = {one["group_id"] for one in shop.state.lists[f"{kind}/custom_fields"].values()}
        assert None in found
        assert any(isinstance(one, str) for one in found)


def test_shapes_that_clients_trip_over(shop: World) -> None:
    contacts, deals = _records(shop, "contacts"), _records(shop, "leads")
    for rows in (contacts, deals):
        assert any("custom_fields_values" not in row for row in rows)
        assert any(row.get("custom_fields_values", 0) is None for row in rows)
        assert any(row.get("custom_fields_values", 0) == [] for row in rows)
        assert any(row["closest_task_at"] == 0 for row in rows)
        assert any(row["responsible_user_id"] == REMOVED_USER for row in rows)
    assert REMOVED_USER not in shop.state.lists["users"]
    assert any(row["is_unsorted"] for row in contacts)
    assert any(row["status_id"] == 99_999_999 for row in deals)
    numbers = Counter(len(shop.contacts_of(row["id"])) for row in deals)
    assert numbers[0] > 10
    assert numbers[12] == 1
    assert max(len(found) for found in shop.state.links.leads_of.values()) > 20
    incoming = {pipeline["statuses"][0]["id"] for pipeline in shop.state.lists["pipelines"].values()}
    assert any(row["status_id"] in incoming for row in deals)
    assert any(
        item["field_id"] not in shop.state.lists["leads/custom_fields"]
        for row in deals
        for item in row.get("custom_fields_values") or ()
    )


def test_open_tasks_show_on_their_deals(shop: World) -> None:
    for row in _records(shop, "tasks"):
        if not row["is_completed"]:
            assert shop.record("leads", row["entity_id"])["closest_task_at"] == row["complete_till"]


def test_links_lead_to_records_that_exist(shop: World) -> None:
    links = shop.state.links
    for deal, found in links.contacts_of.items():
        assert shop.state.tables["leads"].get(deal) is not None
        assert all(shop.state.tables["contacts"].get(contact) is not None for contact in found)
        assert sum(found.values()) == 1 or not found
    for (kind, member), company in links.company_of.items():
        assert shop.record(kind, member)["_embedded"]["companies"][0]["id"] == company


def test_the_other_account_tells_another_story() -> None:
    one, two = (
        make_world(profile, contacts=120, deals=110, clock=MovableClock(NOW)) for profile in (make_profile(), OFICINA)
    )
    shared = set(one.ids("contacts")) & set(two.ids("contacts"))

    assert len(shared) > 100
    assert sum(one.record("contacts", i)["name"] == two.record("contacts", i)["name"] for i in shared) < 40
    assert b"oficinanorte.kommo.com" in two.state.tables["leads"].rows[two.ids("leads")[0]].head


def make_profile() -> Any:
    from kommo.sandbox import PADARIA

    return PADARIA


def test_records_are_stored_as_the_bytes_that_are_sent(clock: MovableClock) -> None:
    world = make_world(contacts=3, deals=0, clock=clock)
    with serve(world) as server:
        api = Api(server, server.token)
        with api.session:
            body = api.query("contacts", "limit=250").content
    for row in world.state.tables["contacts"]:
        assert row.head + row.tail in body
        assert orjson.loads(row.head + row.tail) == row.record()


def test_a_server_leaves_no_thread_and_no_socket_behind(clock: MovableClock) -> None:
    before = set(threading.enumerate())
    for _ in range(3):
        server = serve(make_world(contacts=1, deals=1, clock=clock))
        api = Api(server, server.token)
        with api.session:
            assert api.get("account").status_code == 200
            server.stop()
            server.stop()
    for thread in set(threading.enumerate()) - before:
        thread.join(60)

    assert set(threading.enumerate()) <= before


def test_a_port_can_be_used_again_at_once(clock: MovableClock) -> None:
    world = make_world(contacts=1, deals=1, clock=clock)
    port = free_port()
    with serve(world, port) as first:
        assert first.port == port
    with serve(world, port) as second:
        assert second.address == f"http://127.0.0.1:{port}"
        with pytest.raises(OSError, match=r"in use|normalmente|permitted"):
            serve(world, port)


def test_the_clock_can_be_moved(clock: MovableClock) -> None:
    running = MovableClock()
    before = running()
    running.advance(1000)
    assert running() >= before + 1000
    running.set(50)
    assert 50 <= running() < 60
    clock.set(NOW + 7)
    assert clock() == NOW + 7
