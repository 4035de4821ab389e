"""The client against the sandbox: pages, single records, events."""

from typing import Any

import pytest

from kommo.crm import errors
from kommo.crm.client import Kommo, Stream
from kommo.crm.records import Contact, Deal
from kommo.sandbox import Server
from tests.crm.conftest import Opener
from tests.crm.people import DAY, NOW

BOTH = pytest.mark.parametrize(("stream", "kind"), [(Stream.CONTACTS, "contacts"), (Stream.DEALS, "leads")])


def all_ids(kommo: Kommo, stream: Stream, **options: Any) -> list[int]:
    """The ids on all pages."""
    found: list[int] = []
    number, more = 1, True
    while more:
        page = kommo.page(stream, number, **options)
        assert page.number == number
        found += [record.id for record in page.records]
        number, more = number + 1, page.has_next
    return found


# -- pages -----------------------------------------------------------------------------------------


@BOTH
def test_all_pages_hold_every_record_once_in_order(library: Server, kommo: Kommo, stream: Stream, kind: str) -> None:
    assert all_ids(kommo, stream) == library.world.ids(kind)


@BOTH
@pytest.mark.parametrize("limit", [1, 50, 249, 250])
def test_a_page_has_as_many_rows_as_asked(library: Server, kommo: Kommo, stream: Stream, kind: str, limit: int) -> None:
    page = kommo.page(stream, 1, limit=limit)
    assert [record.id for record in page.records] == library.world.ids(kind)[:limit]
    assert page.has_next and page.malformed == 0 and page.server_time == NOW


@BOTH
def test_past_the_end_is_an_empty_page(kommo: Kommo, stream: Stream, kind: str) -> None:
    page = kommo.page(stream, 1_000_000)
    assert (page.records, page.has_next, page.number, page.malformed) == ([], False, 1_000_000, 0)


def test_rows_are_typed(kommo: Kommo) -> None:
    assert {type(record) for record in kommo.page(Stream.CONTACTS, 1).records} == {Contact}
    assert {type(record) for record in kommo.page(Stream.DEALS, 1).records} == {Deal}


def test_deals_come_with_their_contacts(library: Server, kommo: Kommo) -> None:
    deals = [record for number in (1, 2) for record in kommo.page(Stream.DEALS, number).records]
    assert {deal.id: [key for key, _ in deal.contacts] for deal in deals} == {
        key: library.world.contacts_of(key) for key in library.world.ids("leads")
    }
    with_contacts = [deal for deal in deals if deal.contacts]
    assert with_contacts and all(sum(is_main for _, is_main in deal.contacts) == 1 for deal in with_contacts)


def test_every_reading_of_a_record_is_the_same(kommo: Kommo) -> None:
    """One and the same `with=` everywhere, or the content's hash would say that the record changed."""
    for stream in (Stream.CONTACTS, Stream.DEALS):
        record = kommo.page(stream, 1).records[3]
        by_id = kommo.page(stream, 1, ids=[record.id]).records[0]
        by_time = kommo.page(
            stream, 1, order="updated_at", updated_from=record.updated_at, updated_to=record.updated_at
        )
        assert by_id.raw == record.raw == kommo.one(stream, record.id).raw  # type: ignore[union-attr]
        assert record.raw in [one.raw for one in by_time.records]


@pytest.mark.parametrize("order", ["updated_at", "created_at"])
def test_another_order(kommo: Kommo, order: str) -> None:
    times = [getattr(record, order) for record in kommo.page(Stream.DEALS, 1, order=order).records]
    assert times == sorted(times) and len(set(times)) > 50


def test_records_changed_in_a_span_of_time(library: Server, kommo: Kommo) -> None:
    begin, end = NOW - 60 * DAY, NOW - 10 * DAY
    stored = {key: library.world.record("contacts", key)["updated_at"] for key in library.world.ids("contacts")}
    found = all_ids(kommo, Stream.CONTACTS, order="updated_at", updated_from=begin, updated_to=end, limit=100)
    assert sorted(found) == [key for key, moment in stored.items() if begin <= moment <= end] != []
    since = all_ids(kommo, Stream.CONTACTS, updated_from=begin)
    assert sorted(since) == [key for key, moment in stored.items() if moment >= begin]
    until = all_ids(kommo, Stream.CONTACTS, updated_to=begin)
    assert sorted(until) == [key for key, moment in stored.items() if moment <= begin]


def test_records_by_their_ids(library: Server, kommo: Kommo) -> None:
    ids = library.world.ids("contacts")[10:160]
    page = kommo.page(Stream.CONTACTS, 1, ids=[*ids[1:], 999_999_999])
    assert [record.id for record in page.records] == ids[1:]
    assert not page.has_next


def test_records_by_words(library: Server, kommo: Kommo) -> None:
    name = library.world.record("contacts", library.world.ids("contacts")[4])["name"]
    found = kommo.page(Stream.CONTACTS, 1, query=name).records
    assert library.world.ids("contacts")[4] in [record.id for record in found]
    assert kommo.page(Stream.CONTACTS, 1, query="Zxqw Ninguém").records == []


@BOTH
def test_what_lies_in_the_trash(shop: Server, open_kommo: Opener, stream: Stream, kind: str) -> None:
    gone = shop.world.ids(kind)[:3]
    shop.world.delete(kind, *gone)
    kommo = open_kommo(shop)
    page = kommo.page(stream, 1, only_deleted=True)
    assert sorted(record.id for record in page.records) == gone
    assert all(record.is_deleted and record.updated_at for record in page.records)
    assert set(gone).isdisjoint(all_ids(kommo, stream))


def test_an_ignored_wish_is_left_for_the_caller_to_see(shop: Server, open_kommo: Opener) -> None:
    shop.world.turn(only_deleted="none")
    shop.world.delete("contacts", shop.world.ids("contacts")[0])
    page = open_kommo(shop).page(Stream.CONTACTS, 1, only_deleted=True)
    assert len(page.records) == 39 and not any(record.is_deleted for record in page.records)


def test_the_callers_number_is_handed_through(kommo: Kommo) -> None:
    assert kommo.page(Stream.CONTACTS, 1, limit=1, version=77).version == 77


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": 0},
        {"number": -1},
        {"limit": 0},
        {"limit": 251},
        {"order": "name"},
        {"order": ""},
        {"ids": range(1, 152)},
    ],
)
def test_a_page_that_cannot_be_is_a_mistake_of_ours(library: Server, kommo: Kommo, wrong: dict[str, Any]) -> None:
    before = library.world.requests
    with pytest.raises(ValueError, match="out of range"):
        kommo.page(Stream.CONTACTS, **{"number": 1} | wrong)
    assert library.world.requests == before


def test_what_is_asked_of_kommo(shop: Server, open_kommo: Opener) -> None:
    kommo = open_kommo(shop)
    kommo.page(Stream.CONTACTS, 2)
    kommo.page(Stream.DEALS, 1, limit=3, order="updated_at", updated_from=5, updated_to=9, ids=[7], query="a&b")
    kommo.page(Stream.DEALS, 1, only_deleted=True)
    kommo.page(Stream.DEALS, 1)
    asked = [(seen.path, seen.query.replace("%5B", "[").replace("%5D", "]")) for seen in shop.world.log]
    assert asked == [
        ("/api/v4/contacts", "page=2&limit=250&order[id]=asc"),
        (
            "/api/v4/leads",
            "page=1&limit=3&order[updated_at]=asc&with=contacts&filter[updated_at][from]=5&filter[updated_at][to]=9"
            "&filter[id][]=7&query=a%26b",
        ),
        ("/api/v4/leads", "page=1&limit=250&order[id]=asc&with=only_deleted"),
        ("/api/v4/leads", "page=1&limit=250&order[id]=asc&with=contacts"),
    ]


def test_the_next_link_is_never_followed(shop: Server, open_kommo: Opener) -> None:
    shop.world.turn(link_host="account")
    kommo = open_kommo(shop)
    assert all_ids(kommo, Stream.CONTACTS, limit=15) == shop.world.ids("contacts")
    assert len(shop.world.log) == 3


# -- answers that are wrong ------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["empty_next", "html_200", "empty_200", "truncated", "cut", "bad_gzip", "nan"])
def test_a_page_that_is_none_is_nonsense(shop: Server, open_kommo: Opener, how: str) -> None:
    shop.world.fail("/api/v4/contacts", how=how, times=None)
    with pytest.raises(errors.Nonsense):
        open_kommo(shop).page(Stream.CONTACTS, 1)


@pytest.mark.parametrize(
    "how", ["empty_next", "html_200", "empty_200", "truncated", "cut", "bad_gzip", "nan", "502", "reset", "no_answer"]
)
def test_a_page_that_was_spoilt_once_is_read_again(shop: Server, open_kommo: Opener, how: str) -> None:
    shop.world.fail("/api/v4/contacts", how=how, times=2)
    assert len(open_kommo(shop, attempts=2).page(Stream.CONTACTS, 1).records) == 40
    assert len(shop.world.log) == 3


def test_a_body_without_end_is_given_up(shop: Server, open_kommo: Opener) -> None:
    shop.world.fail("/api/v4/contacts", how="huge", megabytes=200)
    with pytest.raises(errors.Nonsense):
        open_kommo(shop).page(Stream.CONTACTS, 1)


@pytest.mark.parametrize(
    ("how", "malformed"),
    [("no_id", 1), ("huge_id", 1), ("null_updated_at", 0), ("surrogate", 0), ("duplicate_keys", 0)],
)
@BOTH
def test_a_spoilt_record_spoils_no_page(
    shop: Server, open_kommo: Opener, stream: Stream, kind: str, how: str, malformed: int
) -> None:
    shop.world.fail(f"/api/v4/{kind}", how=how)
    page = open_kommo(shop).page(stream, 1)
    assert page.malformed == malformed
    assert [record.id for record in page.records] == shop.world.ids(kind)[malformed:]
    if how == "null_updated_at":
        assert page.records[0].updated_at is None
    if how == "surrogate":
        assert page.records[0].name.startswith("\ufffd")


def test_a_declared_type_that_is_wrong_does_not_matter(shop: Server, open_kommo: Opener) -> None:
    shop.world.fail("/api/v4/contacts", how="wrong_type")
    assert len(open_kommo(shop).page(Stream.CONTACTS, 1).records) == 40


# -- one record ------------------------------------------------------------------------------------


@BOTH
def test_one_record(library: Server, kommo: Kommo, stream: Stream, kind: str) -> None:
    key = library.world.ids(kind)[7]
    record = kommo.one(stream, key)
    assert record is not None and record.id == key and record.name == library.world.record(kind, key)["name"]


@BOTH
def test_a_record_that_does_not_exist(kommo: Kommo, stream: Stream, kind: str) -> None:
    assert kommo.one(stream, 999_999_999) is None


@pytest.mark.parametrize("shape", ["204", "thin", "404"])
@BOTH
def test_a_record_in_the_trash_is_none(shop: Server, open_kommo: Opener, stream: Stream, kind: str, shape: str) -> None:
    shop.world.turn(trashed_get=shape)
    key = shop.world.ids(kind)[0]
    shop.world.delete(kind, key)
    assert open_kommo(shop).one(stream, key) is None


@pytest.mark.parametrize("how", ["no_id", "html_200", "huge_id", "truncated"])
def test_one_record_that_is_none(shop: Server, open_kommo: Opener, how: str) -> None:
    key = shop.world.ids("contacts")[0]
    shop.world.fail(f"/contacts/{key}", how=how)
    with pytest.raises(errors.Nonsense):
        open_kommo(shop).one(Stream.CONTACTS, key)


# -- events ----------------------------------------------------------------------------------------


def test_events_of_a_span_of_time(shop: Server, open_kommo: Opener) -> None:
    clock, world = shop.world.state.clock, shop.world
    contacts, deals = world.ids("contacts"), world.ids("leads")
    clock.advance(1000)  # type: ignore[attr-defined]
    world.delete("contacts", *contacts[:2])
    world.delete("leads", deals[0])
    world.restore("contacts", contacts[0])
    found = list(
        open_kommo(shop).events(NOW + 1000, NOW + 1000, ["contact_deleted", "contact_restored", "lead_deleted"])
    )
    assert sorted((event.type, event.entity, event.entity_id) for event in found) == [
        ("contact_deleted", "contact", contacts[0]), ("contact_deleted", "contact", contacts[1]),
        ("contact_restored", "contact", contacts[0]), ("lead_deleted", "lead", deals[0]),
    ]  # fmt: skip
    assert {event.created_at for event in found} == {NOW + 1000}
    assert len({event.id for event in found}) == 4


def test_events_come_in_pages_each_once(shop: Server, open_kommo: Opener) -> None:
    shop.world.state.clock.advance(1000)  # type: ignore[attr-defined]
    ids = [shop.world.add("contacts", name=f"Pessoa {number}") for number in range(250)]
    shop.world.reset()
    found = list(open_kommo(shop).events(NOW + 999, NOW + 1001, ["contact_added"]))
    assert sorted(event.entity_id for event in found) == ids
    assert len(shop.world.log) == 3


def test_an_event_of_a_link_names_both_ends(shop: Server, open_kommo: Opener) -> None:
    """Made or undone: what stands at the other end has to be read again too."""
    world, deal, contact = shop.world, shop.world.add("leads", name="Bolo"), shop.world.add("contacts", name="Ana")
    for number, change in enumerate((world.link, world.unlink)):
        world.state.clock.advance(1000)  # type: ignore[attr-defined]
        change("leads", deal, "contacts", contact)
        moment = NOW + 1000 * (number + 1)
        done = ("linked", "unlinked")[number]
        found = open_kommo(shop).events(moment, moment, [f"lead_{done}", f"contact_{done}"])
        assert sorted((event.entity, event.entity_id, event.others) for event in found) == [
            ("contact", contact, (("lead", deal),)), ("lead", deal, (("contact", contact),)),
        ]  # fmt: skip


def test_what_records_are_linked_to(shop: Server, open_kommo: Opener) -> None:
    """The deals of contacts, the members of companies; of those that were asked for alone."""
    world, kommo = shop.world, open_kommo(shop)
    company, contact = world.add("companies", name="Padaria"), world.add("contacts", name="Ana")
    deals = [world.add("leads", name=f"Pedido {number}") for number in range(2)]
    for deal in deals:
        world.link("leads", deal, "contacts", contact)
    world.link("contacts", contact, "companies", company)
    assert kommo.linked(Stream.CONTACTS, [contact], "leads") == deals
    assert kommo.linked(Stream.COMPANIES, [company], "contacts") == [contact]
    assert kommo.linked(Stream.COMPANIES, [company], "leads") == []
    assert kommo.linked(Stream.CONTACTS, [999_999_999], "leads") == []


def test_no_events(shop: Server, open_kommo: Opener) -> None:
    assert list(open_kommo(shop).events(NOW + 500, NOW + 600, ["contact_deleted"])) == []


@pytest.mark.parametrize(("answer", "kind"), [("402", errors.Unpaid), ("403", errors.Forbidden)])
def test_events_that_may_not_be_read(
    shop: Server, open_kommo: Opener, answer: str, kind: type[errors.KommoError]
) -> None:
    shop.world.turn(events=answer)
    with pytest.raises(kind):
        list(open_kommo(shop).events(NOW - DAY, NOW, ["contact_deleted"]))


# -- probing, budget, clock ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "status", "kind"),
    [
        ("402", 402, errors.Unpaid),
        ("403_scope", 403, errors.Forbidden),
        ("404", 404, errors.NotFound),
        ("500", 500, errors.ServerFault),
    ],
)
def test_a_probe_raises_nothing(
    shop: Server, open_kommo: Opener, how: str, status: int, kind: type[errors.KommoError]
) -> None:
    shop.world.fail("/webhooks", how=how)
    probe = open_kommo(shop).probe("/webhooks")
    assert probe.status == status and type(probe.error) is kind


def test_a_probe_of_what_answers(shop: Server, open_kommo: Opener) -> None:
    kommo = open_kommo(shop)
    assert (kommo.probe("/users", [("limit", "1")]).status, kommo.probe("/webhooks").status) == (200, 204)
    shop.world.fail("/users", how="truncated")
    assert type(kommo.probe("/users").error) is errors.Nonsense


def test_kommos_clock_and_host(shop: Server, open_kommo: Opener) -> None:
    kommo = open_kommo(shop)
    assert (kommo.server_time, kommo.last) == (None, None)
    kommo.account()
    assert kommo.server_time == NOW and kommo.last is not None and kommo.last.status == 200
    assert f"http://{kommo.host}" == shop.address


def test_a_closed_client_can_be_closed_again(shop: Server, open_kommo: Opener) -> None:
    kommo = open_kommo(shop)
    kommo.account()
    kommo.close()
    kommo.close()
    assert kommo.last is not None and kommo.last.status == 200  # what was asked before stays known
