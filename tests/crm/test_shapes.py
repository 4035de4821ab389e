"""Lists and directories of odd shapes: what is taken, what is nonsense, what would never end."""

from collections.abc import Iterator
from typing import Any

import pytest

from kommo.crm import errors
from kommo.crm.client import Company, Event, Field, Kommo, LossReason, Pipeline, Stage, Stream, User
from kommo.crm.transport import Transport
from tests.crm.budgets import Unlimited
from tests.crm.people import PADARIA, token
from tests.crm.servers import RawServer, answer, listed, says
from tests.crm.shapes import contact, lead

NOTHING = answer(204)


class Asked:
    """A client of a server that gives these answers in turn, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.server = RawServer(says(*(one if isinstance(one, bytes) else answer(200, one) for one in answers)))
        self.transport = Transport(self.server.address, token(), timeout=60)
        self.kommo = Kommo(self.transport, Unlimited(), attempts=0)

    def __enter__(self) -> Kommo:
        return self.kommo

    def __exit__(self, *_exc: object) -> None:
        self.transport.close()
        self.server.__exit__(None, None, None)


PAGES = [
    (listed("contacts", []), 0, False, 0),
    ({"_page": 1, "_links": {}, "_embedded": []}, 0, False, 0),
    ({"_embedded": {"contacts": []}}, 0, False, 0),
    ({"_embedded": {"contacts": [contact()]}}, 1, False, 0),
    ({"_links": [], "_embedded": {"contacts": [contact()]}}, 1, False, 0),
    ({"_links": {"next": None}, "_embedded": {"contacts": [contact()]}}, 1, False, 0),
    ({"_links": {"next": {"href": ""}}, "_embedded": {"contacts": [contact()]}}, 1, True, 0),
    (listed("contacts", [contact()], more=True), 1, True, 0),
    (listed("contacts", [contact(), contact(id=502), contact()]), 3, False, 0),
    (listed("contacts", [None, 5, "x", [], {}, contact(id=0), contact(id=2**64), contact()]), 1, False, 7),
    (listed("contacts", [{}], more=True), 0, True, 1),
    (NOTHING, 0, False, 0),
]


@pytest.mark.parametrize(("body", "rows", "has_next", "malformed"), PAGES)
def test_pages_that_are_taken(body: Any, rows: int, has_next: bool, malformed: int) -> None:
    with Asked(body) as kommo:
        page = kommo.page(Stream.CONTACTS, 1)
    assert (len(page.records), page.has_next, page.malformed) == (rows, has_next, malformed)


NO_PAGES: list[Any] = [
    {},
    [],
    None,
    5,
    "x",
    True,
    {"_page": 1},
    {"_links": {"next": {"href": "x"}}},
    {"_embedded": None},
    {"_embedded": "x"},
    {"_embedded": {}},
    {"_embedded": {"leads": [lead()]}},
    {"_embedded": {"contacts": None}},
    {"_embedded": {"contacts": {}}},
    {"_embedded": {"contacts": {"0": contact()}}},
    {"_embedded": [contact()]},
    [contact()],
    listed("contacts", [], more=True),
    {"_links": {"next": {"href": "x"}}, "_embedded": []},
    answer(200, b""),
    answer(200, b"<html></html>"),
    answer(200, b'{"_embedded":'),
]


@pytest.mark.parametrize("body", NO_PAGES)
def test_pages_that_are_nonsense(body: Any) -> None:
    with Asked(body) as kommo, pytest.raises(errors.Nonsense):
        kommo.page(Stream.CONTACTS, 1)


def test_a_foreign_next_link_gets_no_request() -> None:
    asked = Asked(listed("users", [{"id": 1}], more=True), listed("users", [{"id": 2}]))
    with asked as kommo:
        assert [user.id for user in kommo.users()] == [1, 2]
    assert asked.server.paths() == ["/api/v4/users?page=1&limit=250", "/api/v4/users?page=2&limit=250"]


def test_a_directory_that_repeats_itself_is_nonsense() -> None:
    with Asked(listed("loss_reasons", [{"id": 1}, {"id": 2}], more=True)) as kommo, pytest.raises(errors.Nonsense):
        kommo.loss_reasons()


def test_a_directory_whose_last_page_is_empty() -> None:
    with Asked(listed("users", [{"id": 1}], more=True), NOTHING) as kommo:
        assert [user.id for user in kommo.users()] == [1]


@pytest.mark.parametrize(
    "body", [[], None, 5, {}, {"id": None}, {"id": "x"}, {"id": 0}, {"id": 2**64}, {"name": "Padaria"}, NOTHING]
)
def test_an_account_without_an_id_is_nonsense(body: Any) -> None:
    with Asked(body) as kommo, pytest.raises(errors.Nonsense):
        kommo.account()


def test_an_account_that_says_little() -> None:
    with Asked({"id": PADARIA, "_embedded": [], "currency": None, "name": 5}) as kommo:
        account = kommo.account()
    assert (account.id, account.name, account.subdomain, account.currency, account.timezone) == (
        PADARIA,
        "5",
        "",
        None,
        None,
    )
    assert (account.country, account.language) == (None, None)


@pytest.mark.parametrize(
    ("row", "user"),
    [
        (
            {"id": 1, "name": "Ana", "email": "ana@x", "rights": {"is_admin": True, "is_active": True}},
            User(1, "Ana", "ana@x", True, True),
        ),
        ({"id": "2", "rights": {"is_active": False}}, User(2, "", "", False, False)),
        ({"id": 3, "rights": None}, User(3, "", "", True, False)),
        ({"id": 4, "rights": []}, User(4, "", "", True, False)),
        ({"id": 5, "name": None, "email": 7, "rights": {"is_admin": 1}}, User(5, "", "7", True, False)),
    ],
)
def test_users(row: dict[str, Any], user: User) -> None:
    with Asked(listed("users", [row, None, {}, {"id": 0}])) as kommo:
        assert kommo.users() == [user]


def test_pipelines() -> None:
    statuses = [
        {"id": 143, "name": "Perdida", "sort": 11000, "color": "#ccc", "type": 0},
        {"id": 7, "type": "1"},
        {"id": None},
        5,
    ]
    rows = [
        {
            "id": 4401,
            "name": "Vendas",
            "sort": 1,
            "is_main": True,
            "is_archive": False,
            "_embedded": {"statuses": statuses},
        },
        {"id": 4402, "is_archive": True, "_embedded": []},
    ]
    with Asked(listed("pipelines", rows)) as kommo:
        assert kommo.pipelines() == [
            Pipeline(
                4401,
                "Vendas",
                1,
                True,
                False,
                [Stage(4401, 7, "", 0, "", 1), Stage(4401, 143, "Perdida", 11000, "#ccc", 0)],
            ),
            Pipeline(4402, "", 0, False, True, []),
        ]


def test_loss_reasons() -> None:
    with Asked(listed("loss_reasons", [{"id": 1, "name": "Preço", "sort": "3"}, {"id": 2, "sort": None}])) as kommo:
        assert kommo.loss_reasons() == [LossReason(1, "Preço", 3), LossReason(2, "", 0)]


def test_fields() -> None:
    rows: list[Any] = [
        {
            "id": 1,
            "name": "Preço",
            "type": "monetary",
            "code": None,
            "sort": 5,
            "enums": None,
            "currency": "BRL",
            "_links": {},
        },
        {"id": 2, "type": "select", "code": "TIER", "enums": [{"id": 9, "value": "Ouro"}, None]},
    ]
    with Asked(listed("custom_fields", rows)) as kommo:
        assert kommo.custom_fields("leads") == [
            Field(
                "leads",
                1,
                "Preço",
                "monetary",
                None,
                5,
                [],
                "BRL",
                {key: value for key, value in rows[0].items() if key != "_links"},
            ),
            Field("leads", 2, "", "select", "TIER", 0, [{"id": 9, "value": "Ouro"}], None, rows[1]),
        ]


def test_a_company_is_a_name_and_a_time() -> None:
    rows = [{"id": 1, "name": "A", "updated_at": 1000}, {"id": 3, "name": None}, {"name": "sem id"}, None]
    with Asked(listed("companies", rows)) as kommo:
        page = kommo.page(Stream.COMPANIES, 1)
    assert (list(page.records), page.malformed) == ([Company(1, "A", 1000), Company(3, "")], 2)


def event(number: int, **changes: Any) -> dict[str, Any]:
    """A deletion at second 1000."""
    return {
        "id": f"01h{number}",
        "type": "lead_deleted",
        "entity_id": number,
        "entity_type": "lead",
        "created_at": 1000,
        "value_after": [],
    } | changes


def read(kommo: Kommo) -> Iterator[Event]:
    """The deletions of a second."""
    return kommo.events(1000, 1000, ["lead_deleted"])


def test_events_of_odd_shapes() -> None:
    rows: list[Any] = [
        event(1),
        event(2, id=None),
        event(3, entity_id="3"),
        event(4, value_after={"link": {"entity": {"type": "contact", "id": "77"}}}),
        event(5, value_after=None),
        event(0),
        event(6, entity_type=None),
        event(7, type=None),
        event(8, created_at=None),
        None,
        [],
        {},
    ]
    with Asked(listed("events", rows)) as kommo:
        found = list(read(kommo))
    assert [one.entity_id for one in found] == [1, 2, 3, 4, 5]
    assert found[0] == Event("01h1", "lead_deleted", "lead", 1, 1000)
    assert found[3].others == (("contact", 77),)
    assert len({one.id for one in found}) == 5


def test_an_ignored_type_gives_only_what_was_asked_for() -> None:
    with Asked(
        listed("events", [event(1), event(2, type="lead_added")], more=True), listed("events", [event(3, type="x")])
    ) as kommo:
        assert [one.entity_id for one in read(kommo)] == [1]


def test_an_event_that_comes_twice_counts_once() -> None:
    with Asked(listed("events", [event(1), event(2)], more=True), listed("events", [event(2), event(3)])) as kommo:
        assert [one.entity_id for one in read(kommo)] == [1, 2, 3]


@pytest.mark.parametrize("rows", [[event(1, created_at=999)], [event(1, created_at=1001)], [{}]])
def test_an_ignored_time_is_nonsense_before_it_never_ends(rows: list[Any]) -> None:
    with Asked(listed("events", rows, more=True)) as kommo, pytest.raises(errors.Nonsense):
        list(read(kommo))


def test_an_ignored_page_number_is_nonsense_before_it_never_ends() -> None:
    with Asked(listed("events", [event(1), event(2)], more=True)) as kommo:
        found = read(kommo)
        assert [next(found).entity_id, next(found).entity_id] == [1, 2]
        with pytest.raises(errors.Nonsense):
            next(found)


@pytest.mark.parametrize(
    "body", [[], None, "x", {}, {"id": 502}, {"id": None}, {"_embedded": {"contacts": [contact()]}}]
)
def test_one_record_of_another_shape_is_nonsense(body: Any) -> None:
    with Asked(body) as kommo, pytest.raises(errors.Nonsense):
        kommo.one(Stream.CONTACTS, 501)


def test_one_record_where_there_is_no_account_is_not_missing() -> None:
    with Asked(answer(404, b"<html></html>", "text/html")) as kommo, pytest.raises(errors.WrongHost):
        kommo.one(Stream.CONTACTS, 501)
