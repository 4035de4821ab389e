"""Schedules as rows, on both engines: what saving keeps and what it computes, and why nothing runs."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import event, update

from kommo.db import now, reading, writing
from kommo.services import Services
from kommo.store import runs, schedules
from kommo.store.erase import erase
from kommo.store.schedules import ScheduleView
from kommo.store.tables import Connection, Schedule
from kommo.store.timetable import Timetable, is_quiet, next_sweep
from kommo.store.zones import zone_of
from tests.conftest import make_services, make_settings
from tests.factories import make_account, make_run, make_schedule, schedule_of
from tests.store.conftest import Copies

HOURLY = Timetable(60)
NIGHTLY = Timetable(60, sweep_at=180)


def save(copies: Copies, plan: Timetable, *, paused: bool = False) -> ScheduleView:
    """Save the bakery's timetable; gives the schedule as it is then."""
    with writing(copies.engine) as session:
        schedules.save(session, session.get_one(Connection, copies.bakery.id), plan, paused=paused)
    found = schedule_of(copies.engine, copies.bakery)
    assert found is not None
    return found


def change(copies: Copies, table: type, **values: Any) -> None:
    key = table.connection_id if table is Schedule else table.id  # type: ignore[attr-defined]
    with writing(copies.engine) as session:
        session.execute(update(table).where(key == copies.bakery.id).values(**values))


def shift(copies: Copies, seconds: float) -> float:
    """Let the bakery's next run be due in so many seconds; gives the moment."""
    with reading(copies.engine) as session:
        moment = now(session) + seconds
    change(copies, Schedule, next_at=moment)
    return moment


def test_without_a_row_there_is_no_schedule(copies: Copies) -> None:
    assert schedule_of(copies.engine, copies.bakery) is None
    with writing(copies.engine) as session:
        assert not schedules.remove(session, copies.bakery.id)
        assert not schedules.set_paused(session, session.get_one(Connection, copies.bakery.id), True)


def test_a_new_schedule_begins_one_interval_from_now(copies: Copies) -> None:
    found = save(copies, Timetable(60, None, None, 180))
    assert found.next_at is not None
    assert found.now + 59 * 60 - 5 < found.next_at <= found.now + 3600
    assert found.next_sweep_at == next_sweep(found.plan, found.now, found.zone)
    assert found.soonest == min(found.next_at, found.next_sweep_at or 0.0)
    assert (found.plan, found.paused, found.waiting) == (Timetable(60, None, None, 180), False, None)


def test_saving_the_same_again_changes_nothing(copies: Copies) -> None:
    save(copies, NIGHTLY)
    moment = shift(copies, 120)
    before = schedule_of(copies.engine, copies.bakery)
    again = save(copies, NIGHTLY)
    assert again.next_at == moment
    assert before is not None
    assert again.next_sweep_at == before.next_sweep_at


def test_a_change_computes_anew_what_it_touches_only(copies: Copies) -> None:
    save(copies, NIGHTLY)
    moment = shift(copies, 120)
    assert save(copies, Timetable(60, sweep_at=240)).next_at == moment
    swept = save(copies, Timetable(60, sweep_at=180))
    assert swept.next_sweep_at == next_sweep(NIGHTLY, swept.now, swept.zone)
    later = save(copies, Timetable(240, sweep_at=180))
    assert later.next_at is not None
    assert later.next_at > later.now + 3 * 3600
    assert later.next_sweep_at == swept.next_sweep_at
    sooner = save(copies, Timetable(5))
    assert sooner.next_at is not None
    assert sooner.next_at <= sooner.now + 300
    assert sooner.next_sweep_at is None


def test_what_is_due_stays_due_through_a_change(copies: Copies) -> None:
    save(copies, NIGHTLY)
    moment = shift(copies, -30)
    change(copies, Schedule, next_sweep_at=moment)
    found = save(copies, Timetable(240, sweep_at=240))
    assert (found.next_at, found.next_sweep_at) == (moment, moment)
    assert save(copies, Timetable(240)).next_sweep_at is None


def test_a_pause_clears_the_moments_only_and_going_on_starts_from_now(copies: Copies) -> None:
    plan = Timetable(60, 22 * 60, 6 * 60, 180)
    save(copies, plan)
    shift(copies, -7 * 86_400)
    paused = save(copies, plan, paused=True)
    assert (paused.plan, paused.paused) == (plan, True)
    assert (paused.next_at, paused.next_sweep_at, paused.soonest) == (None, None, None)
    assert paused.waiting == "A agenda está em pausa."
    for asleep in (True, False):
        with writing(copies.engine) as session:
            assert schedules.set_paused(session, session.get_one(Connection, copies.bakery.id), asleep)
    found = schedule_of(copies.engine, copies.bakery)
    assert found is not None
    assert found.plan == plan
    assert found.next_at is not None
    assert found.next_at > found.now


def test_each_account_has_its_own(copies: Copies) -> None:
    save(copies, HOURLY)
    for other in (copies.workshop, copies.brunos):
        assert schedule_of(copies.engine, other) is None
        make_schedule(copies.engine, other, 600, every=30)
    with writing(copies.engine) as session:
        assert schedules.remove(session, copies.workshop.id)
    assert schedule_of(copies.engine, copies.workshop) is None
    for other, every in ((copies.bakery, 60), (copies.brunos, 30)):
        found = schedule_of(copies.engine, other)
        assert found is not None
        assert found.plan.every == every


def test_two_savers_at_once_leave_one_whole_schedule(copies: Copies) -> None:
    plans, gate = (Timetable(5, 60, 120), Timetable(720, sweep_at=1)), threading.Barrier(2)
    failures: list[BaseException] = []

    def saver(plan: Timetable) -> None:
        try:
            gate.wait()
            save(copies, plan)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=saver, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = schedule_of(copies.engine, copies.bakery)
    assert failures == []
    assert found is not None
    assert found.plan in plans


def test_the_schedule_goes_with_the_account(copies: Copies) -> None:
    save(copies, HOURLY)
    change(copies, Connection, erasing=True)
    erase(copies.engine, copies.bakery.id)
    with reading(copies.engine) as session:
        assert session.get(Schedule, copies.bakery.id) is None


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({"token": None}, "A conta está desconectada"),
        ({"token_refused": True}, "O Kommo recusou o token"),
        ({"expires_at": 1}, "O token venceu"),
    ],
)
def test_it_says_what_stands_in_the_way(copies: Copies, account: dict[str, Any], said: str) -> None:
    save(copies, HOURLY)
    change(copies, Connection, **account)
    for seconds in (600, -600):
        shift(copies, seconds)
        found = schedule_of(copies.engine, copies.bakery)
        assert found is not None
        assert (found.waiting or "").startswith(said)
        assert (found.waiting or "").endswith("na página Conexão e a agenda continua.")


def test_it_says_what_a_due_run_waits_for(copies: Copies) -> None:
    save(copies, HOURLY)
    run_id = make_run(copies.engine, copies.bakery, "running")
    assert waiting(copies) is None
    shift(copies, -3)
    assert waiting(copies) == "Há uma sincronização em andamento; a da agenda começa quando ela terminar."
    with writing(copies.engine) as session:
        runs.cancel(session, run_id)
    assert waiting(copies) is None  # a worker looks every few seconds
    shift(copies, -60)
    assert (waiting(copies) or "").startswith("Nenhum trabalhador respondeu ainda")


def waiting(copies: Copies) -> str | None:
    found = schedule_of(copies.engine, copies.bakery)
    assert found is not None
    return found.waiting


def test_quiet_hours_go_by_the_account_s_own_zone(copies: Copies) -> None:
    """A quiet hour in São Paulo that is none in Lisbon."""
    with reading(copies.engine) as session:
        moment = now(session)
    for zone in ("Europe/Lisbon", "America/Sao_Paulo", "Asia/Tokyo"):
        change(copies, Connection, timezone=zone)
        plan = Timetable(5, 10 * 60, 9 * 60 + 59)  # open one minute a day
        save(copies, Timetable(7))
        found = save(copies, plan)
        assert found.zone.key == zone
        assert found.next_at is not None
        assert not is_quiet(plan, found.next_at, found.zone)
        assert moment < found.next_at < moment + 2 * 86_400


@pytest.mark.only_on("sqlite", reason="its plan is asked for")
def test_looking_for_what_is_due_is_one_read(tmp_path: Any) -> None:
    """Of one small row an account; the connections and runs of those that are due are found by their keys."""
    services = make_services(make_settings(tmp_path))
    for number in range(30):
        make_schedule(services.engine, make_account(services.engine, account_id=30_001_000 + number), 600)
    seen, lines = statements(services)
    assert len(seen) == 1
    assert [line for line in lines if line.startswith("SCAN")] == ["SCAN schedule"]
    assert sorted(line.split(" (")[0] for line in lines if line.startswith("SEARCH")) == [
        "SEARCH connection USING INTEGER PRIMARY KEY", "SEARCH sync_run USING INDEX uq_sync_run_active",
    ]  # fmt: skip


def statements(services: Services) -> tuple[Sequence[str], Sequence[str]]:
    """The statements of a look at what is due, and the lines of SQLite's plans for them."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, text: str, given: Any, *_rest: Any) -> None:
        seen.append((text, given))

    event.listen(services.engine, "before_cursor_execute", note)
    with reading(services.engine) as session:
        assert schedules.due_ids(session, services.vault) == []
        found = [(text, given) for text, given in seen if text.startswith("SELECT")]
        driver = session.connection()
        plans = [driver.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given) for text, given in found]
        return [text for text, _ in found], [row[3] for plan in plans for row in plan]


def test_the_zone_of_an_account_is_always_usable(copies: Copies) -> None:
    change(copies, Connection, timezone="Nirgends/Wo")
    assert save(copies, NIGHTLY).zone == zone_of(copies.bakery)
