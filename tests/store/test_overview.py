"""The numbers of the overview, each against deals one can count by hand."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kommo.store.names import Name
from kommo.store.overview import Sum, overview
from tests.factories import (
    NOON,
    StatementCounter,
    bury_record,
    contact_record,
    deal_record,
    store_contacts,
    store_deals,
)
from tests.store.conftest import Copies

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=SAO_PAULO).timestamp())


def won(number: int, price: float, closed: str | None, **changes: object) -> dict[str, object]:
    closed_at = at(closed) if closed else None
    return deal_record(number, price=price, status_id=142, closed_at=closed_at, **changes)


def lost(number: int, price: float, closed: str | None, **changes: object) -> dict[str, object]:
    return won(number, price, closed) | {"status_id": 143} | changes


def test_an_empty_copy_has_zeros(copies: Copies, session: Session) -> None:
    found = overview(session, copies.bakery, NOON)
    assert found.in_progress == Sum()
    assert [(each.won, each.lost) for each in found.months] == [(Sum(), Sum())] * 12
    assert (found.median_won, found.top_loss_reason, found.by_person, found.undated) == (None, None, [], 0)


def test_in_progress_is_what_is_neither_won_nor_lost(copies: Copies, session: Session) -> None:
    store_contacts(copies.engine, copies.bakery, [contact_record(1)])
    deals = [
        deal_record(1, price=100.5),
        deal_record(2, price=20, pipeline_id=4402, status_id=440200),
        deal_record(3, price=3, pipeline_id=None, status_id=None),
        deal_record(4, price=4, status_id=99),
        won(5, 1000, "2026-11-01T10:00"),
        lost(6, 1000, None),
        deal_record(7, price=5000),
    ]
    store_deals(copies.engine, copies.bakery, deals)
    store_deals(copies.engine, copies.workshop, [deal_record(1, price=9e6)])
    store_deals(copies.engine, copies.brunos, [deal_record(1, price=9e6)])
    bury_record(copies.engine, copies.bakery, "deal", 7)
    assert overview(session, copies.bakery, NOON).in_progress == Sum(4, 127.5)


def test_won_and_lost_stand_in_the_month_of_their_closing(copies: Copies, session: Session) -> None:
    deals = [
        won(1, 100, "2026-11-01T00:00:00"),
        won(2, 50, "2026-11-25T11:59"),
        lost(3, 7, "2026-11-02T10:00"),
        won(4, 10, "2026-10-31T23:59:59"),
        lost(5, 1, "2026-10-01T00:00"),
        won(6, 1000, "2025-12-01T00:00"),
        won(7, 5, "2025-11-30T23:59:59"),
        deal_record(8, price=3, closed_at=at("2026-11-03T10:00")),
        won(9, 2, None),
        lost(10, 2, None),
    ]
    store_deals(copies.engine, copies.bakery, deals)
    found = overview(session, copies.bakery, NOON)
    months = {(each.month.year, each.month.month): (each.won, each.lost) for each in found.months}
    assert months[2026, 11] == (Sum(2, 150.0), Sum(1, 7.0))
    assert months[2026, 10] == (Sum(1, 10.0), Sum(1, 1.0))
    assert months[2025, 12] == (Sum(1, 1000.0), Sum())
    assert sum(each.won.count + each.lost.count for each in found.months) == 6
    assert [each.current for each in found.months] == [False] * 11 + [True]
    assert found.this_month.won == Sum(2, 150.0)
    assert found.undated == 2


def test_the_month_before_is_compared_up_to_the_same_day_and_time(copies: Copies, session: Session) -> None:
    deals = [
        won(1, 1, "2026-10-01T00:00"),
        won(2, 20, "2026-10-25T11:59:59"),
        won(3, 300, "2026-10-25T12:00:00"),
        lost(4, 4000, "2026-10-10T10:00"),
        lost(5, 50000, "2026-10-28T10:00"),
        won(6, 600000, "2026-09-30T23:59:59"),
    ]
    store_deals(copies.engine, copies.bakery, deals)
    found = overview(session, copies.bakery, NOON)
    assert (found.before.won, found.before.lost) == (Sum(2, 21.0), Sum(1, 4000.0))
    assert (found.months[-2].won, found.months[-2].lost) == (Sum(3, 321.0), Sum(2, 54000.0))


def test_months_are_counted_in_the_zone_of_the_account(copies: Copies, session: Session) -> None:
    copies.bakery.timezone = "America/Manaus"  # one hour behind São Paulo
    store_deals(copies.engine, copies.bakery, [won(1, 10, "2026-11-01T00:30"), won(2, 20, "2026-11-01T01:00")])
    found = overview(session, copies.bakery, NOON)
    assert (found.months[-2].won, found.this_month.won) == (Sum(1, 10.0), Sum(1, 20.0))


def test_the_median_the_persons_and_the_reason_are_of_this_month(copies: Copies, session: Session) -> None:
    deals = [
        won(1, 100, "2026-11-03T10:00"),
        won(2, 300, "2026-11-04T10:00", responsible_user_id=7002),
        won(3, 1, "2026-11-05T10:00", responsible_user_id=None),
        won(4, 40, "2026-11-05T10:00"),
        won(5, 99999, "2026-10-05T10:00"),
        lost(6, 1, "2026-11-05T10:00", loss_reason_id=82),
        lost(7, 1, "2026-11-06T10:00", loss_reason_id=81),
        lost(8, 1, "2026-11-07T10:00", loss_reason_id=81),
        lost(9, 1, "2026-11-07T10:00"),
        lost(10, 1, "2026-10-07T10:00", loss_reason_id=82),
        lost(11, 1, "2026-10-08T10:00", loss_reason_id=82),
    ]
    store_deals(copies.engine, copies.bakery, deals)
    found = overview(session, copies.bakery, NOON)
    assert found.median_won == 70.0
    assert found.by_person == [
        (Name(7002, "Rafael Teixeira", "excluído"), Sum(1, 300.0)),
        (Name(7001, "Paula Nogueira"), Sum(2, 140.0)),
        (None, Sum(1, 1.0)),
    ]
    assert found.top_loss_reason == Name(81, "Preço")
    store_deals(copies.engine, copies.bakery, [won(12, 2, "2026-11-08T10:00")])
    session.rollback()
    assert overview(session, copies.bakery, NOON).median_won == 40.0


def test_pipelines_show_their_stages_in_order_the_main_one_first(copies: Copies, session: Session) -> None:
    deals = [
        deal_record(1, price=10),
        deal_record(2, price=20),
        deal_record(3, price=5, status_id=440102),
        won(4, 100, "2020-01-01T10:00"),
        lost(5, 7, None, pipeline_id=4402),
    ]
    store_deals(copies.engine, copies.bakery, deals)
    sales, wholesale = overview(session, copies.bakery, NOON).pipelines
    assert (sales.pipeline, wholesale.pipeline) == (Name(4401, "Vendas"), Name(4402, "Atacado"))
    assert [(stage.stage.text, stage.sums) for stage in sales.stages] == [
        ("Entrada", Sum()),
        ("Contato inicial", Sum(2, 30.0)),
        ("Proposta", Sum(1, 5.0)),
    ]
    assert sales.in_progress == Sum(3, 35.0)
    assert (sales.won.stage.text, sales.won.sums, sales.lost.sums) == ("Venda ganha", Sum(1, 100.0), Sum())
    assert (wholesale.won.sums, wholesale.lost.sums, wholesale.in_progress) == (Sum(), Sum(1, 7.0), Sum())


def test_an_archived_pipeline_is_shown_only_when_it_holds_deals(copies: Copies, session: Session) -> None:
    assert [each.pipeline.text for each in overview(session, copies.bakery, NOON).pipelines] == ["Vendas", "Atacado"]
    store_deals(copies.engine, copies.bakery, [deal_record(1, pipeline_id=4403, status_id=440301)])
    session.rollback()
    found = overview(session, copies.bakery, NOON).pipelines
    assert [(each.pipeline.text, each.archived) for each in found] == [
        ("Vendas", False),
        ("Atacado", False),
        ("Antigo", True),
    ]


def test_unknown_pipelines_and_stages_are_not_lost(copies: Copies, session: Session) -> None:
    deals = [
        deal_record(1, price=1, status_id=99),
        deal_record(2, price=2, pipeline_id=77, status_id=55),
        deal_record(3, price=4, pipeline_id=None, status_id=None),
        won(4, 8, "2026-11-01T10:00", pipeline_id=77),
    ]
    store_deals(copies.engine, copies.bakery, deals)
    found = overview(session, copies.bakery, NOON)
    named = {each.pipeline.text: each for each in found.pipelines}
    assert [(stage.stage.text, stage.sums) for stage in named["Vendas"].stages][-1] == ("Etapa 99", Sum(1, 1.0))
    assert [(stage.stage.text, stage.sums) for stage in named["Funil 77"].stages] == [("Etapa 55", Sum(1, 2.0))]
    assert (named["Funil 77"].won.stage.text, named["Funil 77"].won.sums) == ("Ganha", Sum(1, 8.0))
    assert [(stage.stage.text, stage.sums) for stage in named["Sem funil"].stages] == [("Sem etapa", Sum(1, 4.0))]
    parts = [each.in_progress for each in found.pipelines]
    assert sum(parts, Sum()) == found.in_progress


def test_the_number_of_queries_does_not_grow(copies: Copies, session: Session) -> None:
    def queries() -> int:
        with StatementCounter(copies.engine) as counter:
            overview(session, copies.bakery, NOON)
        return len(counter.seen)

    deals = [won(1, 1, "2026-11-01T10:00"), lost(2, 1, "2026-11-01T10:00", loss_reason_id=81)]
    store_deals(copies.engine, copies.bakery, deals)
    queries()
    with_two = queries()
    many = [
        won(number, number, "2026-11-01T10:00", responsible_user_id=number, pipeline_id=number)
        for number in range(3, 90)
    ]
    store_deals(copies.engine, copies.bakery, many)
    assert queries() == with_two
    assert with_two <= 10
