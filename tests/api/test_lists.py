"""Lists and single records, live and out of the copy: the same shape, the same records, honest page counts."""

from typing import Any

import pytest

from kommo.connect.flow import disconnect
from kommo.sandbox import Server
from tests.api.conftest import Api, expect_error, expect_good
from tests.factories import ANA
from tests.sync.accounts import connect, run

CONTACT = {
    "id": int, "name": str, "first_name": str, "last_name": str, "group_id": int, "created_at": int, "updated_at": int,
    "custom_fields": list, "tags": list, "is_deleted": bool, "is_unsorted": bool, "phones": list, "emails": list,
}  # fmt: skip
DEAL = {
    "id": int, "name": str, "price": float, "group_id": int, "pipeline_id": int, "status_id": int, "created_at": int,
    "updated_at": int, "custom_fields": list, "tags": list, "is_deleted": bool, "contacts": list,
}  # fmt: skip
BOTH = pytest.mark.parametrize(
    ("path", "plural", "field", "shape"),
    [("/contacts", "contacts", "contactId", CONTACT), ("/deals", "leads", "dealId", DEAL)],
)
SOURCES = pytest.mark.parametrize("source", ["kommo", "local"])


@pytest.fixture
def synced(api: Api, padaria: Server) -> Api:
    """Ana's account is connected and copied."""
    assert run(api.services, connect(api.services, padaria)).proved
    return api


@BOTH
@SOURCES
def test_every_page_in_turn_gives_every_record_once(
    synced: Api, padaria: Server, source: str, path: str, plural: str, field: str, shape: dict[str, type]
) -> None:
    wanted, found, number = padaria.world.ids(plural), [], 1
    while True:
        body = expect_good(synced.get(f"{path}?source={source}&limit=13&page={number}"))
        found += body["data"]
        assert body["pagination"]["page"] == number
        if not body["pagination"]["hasNext"]:
            break
        assert len(body["data"]) == 13
        number += 1
    assert [one["id"] for one in found] == wanted
    assert number == -(-len(wanted) // 13)
    for one in found:
        assert {name: type(one[name]) for name in shape} == shape


@BOTH
def test_the_copy_answers_like_kommo(synced: Api, path: str, plural: str, field: str, shape: dict[str, type]) -> None:
    """Value by value, until the account changes."""
    live, local = (expect_good(synced.get(f"{path}?limit=250&source={source}")) for source in ("kommo", "local"))
    assert live["data"] == local["data"]
    assert live["message"] == local["message"]
    assert local["lastSync"].endswith("Z")


@BOTH
def test_the_copy_needs_no_token_and_asks_nobody(
    synced: Api, padaria: Server, path: str, plural: str, field: str, shape: dict[str, type]
) -> None:
    synced.token = None
    sent = padaria.world.requests
    assert expect_good(synced.get(f"{path}?source=local"))["data"]
    assert padaria.world.requests == sent


@BOTH
@pytest.mark.parametrize("source", [None, "kommo"])
def test_kommo_is_read_live_by_default(
    synced: Api, padaria: Server, source: str | None, path: str, plural: str, field: str, shape: dict[str, type]
) -> None:
    first = padaria.world.ids(plural)[0]
    padaria.world.update(plural, first, name="Nome de agora")
    address = f"{path}?limit=1" + (f"&source={source}" if source else "")
    assert expect_good(synced.get(address))["data"][0]["name"] == "Nome de agora"
    assert expect_good(synced.get(f"{path}?limit=1&source=local"))["data"][0]["name"] != "Nome de agora"


@BOTH
@SOURCES
def test_what_pages_are_known_to_exist(
    synced: Api, padaria: Server, source: str, path: str, plural: str, field: str, shape: dict[str, type]
) -> None:
    """Kommo tells whether there is a next page; the copy knows them all."""
    total = padaria.world.count(plural)
    pages = -(-total // 8)
    first, last, beyond = (
        expect_good(synced.get(f"{path}?source={source}&limit=8&page={n}")) for n in (1, pages, pages + 5)
    )
    exact = source == "local"
    assert first["pagination"] == {"page": 1, "limit": 8, "pageCount": pages if exact else 2, "hasNext": True}
    assert last["pagination"] == {"page": pages, "limit": 8, "pageCount": pages, "hasNext": False}
    assert beyond["data"] == []
    assert beyond["pagination"]["pageCount"] == (pages if exact else pages + 5)
    assert beyond["pagination"]["hasNext"] is False


@SOURCES
def test_the_message_counts_what_is_in_the_answer(synced: Api, source: str) -> None:
    said = {
        f"{path}?limit={limit}&page={page}": expect_good(
            synced.get(f"{path}?limit={limit}&page={page}&source={source}")
        )["message"]
        for path in ("/contacts", "/deals")
        for limit, page in ((50, 1), (1, 1), (50, 9))
    }
    assert list(said.values()) == [
        "50 contatos obtidos", "1 contato obtido", "0 contatos obtidos",
        "30 negociações obtidas", "1 negociação obtida", "0 negociações obtidas",
    ]  # fmt: skip


@SOURCES
def test_searching(synced: Api, padaria: Server, source: str) -> None:
    """A new name is found live at once, in the copy after the next run; without accents in the copy."""
    record = padaria.world.ids("contacts")[3]
    padaria.world.update("contacts", record, name="João Serafim Quaresma")
    run(synced.services, connect(synced.services, padaria))
    for query in ("João Serafim", "Quaresma", "  Quaresma  ", "quaresma"):
        body = expect_good(synced.get("/contacts", query_string={"query": query, "source": source}))
        assert [one["id"] for one in body["data"]] == [record]
        assert body["message"] == "1 contato obtido"
    assert expect_good(synced.get("/contacts", query_string={"query": "", "source": source}))["pagination"]["hasNext"]


LITERAL = (
    "%", "_", "'", '"', "\\", "x" * 10_000, "a\0b", "🙂", 'NEAR("a" "b")', "*", '"a', "a OR b", "-a", ";--",
)  # fmt: skip


@SOURCES
@pytest.mark.parametrize(("path", "held"), [("/contacts", 60), ("/deals", 30)])
def test_a_search_is_taken_literally(synced: Api, source: str, path: str, held: int) -> None:
    for query in LITERAL:
        body = expect_good(synced.get(path, query_string={"query": query, "source": source, "limit": 250}))
        assert len(body["data"]) < held, query


@BOTH
def test_one_record_is_the_one_of_the_list(
    api: Api, padaria: Server, path: str, plural: str, field: str, shape: dict[str, type]
) -> None:
    listed = expect_good(api.get(f"{path}?limit=5"))["data"]
    for one in listed:
        body = expect_good(api.post(path, json={field: one["id"]}))
        assert body["data"] == one
        assert body["message"] in ("1 contato obtido", "1 negociação obtida")


def test_custom_fields_keep_the_documented_shape(api: Api, padaria: Server) -> None:
    """`field_id` becomes `id`, `enum_id` becomes `enum`; where Kommo has an object, `value` is that object."""
    address = {"field_id": 7, "field_name": "Endereço", "field_code": "ADDRESS", "field_type": "smart_address",
               "values": [{"value": {"city": "Recife"}}]}  # fmt: skip
    phone = {"field_id": 8, "field_name": "Telefone", "field_code": "PHONE", "field_type": "multitext",
             "values": [{"value": "+55 81 98765-4321", "enum_id": 3, "enum_code": "WORK"}]}  # fmt: skip
    record = padaria.world.add("contacts", name="Ana", custom_fields_values=[address, phone])
    fields = expect_good(api.post("/contacts", json={"contactId": record}))["data"]["custom_fields"]
    assert fields == [
        {"id": 7, "name": "Endereço", "code": "ADDRESS", "type": "smart_address",
         "values": [{"value": {"city": "Recife"}}]},
        {"id": 8, "name": "Telefone", "code": "PHONE", "type": "multitext",
         "values": [{"value": "+55 81 98765-4321", "enum": 3, "enum_code": "WORK"}]},
    ]  # fmt: skip


@pytest.mark.parametrize("absent", ["null", "list", "absent"])
def test_no_custom_fields_are_an_empty_list(api: Api, padaria: Server, absent: str) -> None:
    padaria.world.turn(no_custom_fields=absent)
    record = padaria.world.add("leads", name="Encomenda", custom_fields_values=None)
    assert expect_good(api.post("/deals", json={"dealId": record}))["data"]["custom_fields"] == []


def test_a_price_keeps_its_cents(api: Api, padaria: Server) -> None:
    record = padaria.world.add("leads", name="Encomenda", price=1235, price_with_minor_units=1234.56)
    price = expect_good(api.post("/deals", json={"dealId": record}))["data"]["price"]
    assert price == 1234.56
    assert isinstance(price, float)


def test_records_without_an_id_are_left_out(api: Api, padaria: Server) -> None:
    padaria.world.fail("/api/v4/contacts", 1, "no_id")
    body = expect_good(api.get("/contacts?limit=10"))
    assert (len(body["data"]), body["message"]) == (9, "9 contatos obtidos")


@pytest.mark.parametrize("how", ["nan", "surrogate", "duplicate_keys", "huge_id", "null_updated_at"])
def test_broken_records_never_break_the_answer(api: Api, padaria: Server, how: str) -> None:
    padaria.world.fail("/api/v4/contacts", None, how)
    answer = api.get("/contacts?limit=5")
    assert answer.status_code in (200, 502)
    assert answer.get_json(force=True)["success"] is (answer.status_code == 200)


def test_hostile_names_come_back_as_they_are(api: Api, padaria: Server) -> None:
    names = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "\u202eodnum", "  ", "🙂" * 100]
    ids: dict[int, Any] = {padaria.world.add("contacts", name=name): name for name in names}
    found = {one["id"]: one["name"] for one in expect_good(api.get("/contacts?limit=250"))["data"]}
    assert {key: found[key] for key in ids} == ids


def test_without_a_copy_the_empty_list_says_so(silent: Api) -> None:
    """An owner that nobody knows: no records, and `lastSync` says that nothing was ever copied."""
    body = expect_good(silent.get("/deals?source=local&userId=ninguem"))
    assert (body["data"], body["lastSync"], body["message"]) == ([], None, "0 negociações obtidas")
    assert body["pagination"] == {"page": 1, "limit": 50, "pageCount": 1, "hasNext": False}


def test_a_copy_stays_readable_after_a_disconnect(synced: Api, padaria: Server) -> None:
    assert disconnect(synced.services, ANA, 1, with_copy=False)
    synced.token = None
    assert len(expect_good(synced.get("/contacts?source=local"))["data"]) == 50
    expect_error(synced.get("/contacts"), 401, "token_missing")
