"""The schedule at a browser: set with an error on the way, kept, run by the worker by itself, paused."""

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import update

from kommo.db import clock, writing
from kommo.services import open_services
from kommo.store.tables import Schedule
from tests import processes
from tests.browser.conftest import fill
from tests.browser.panel import Panel
from tests.browser.visitor import Visitor, visit


def make_due(panel: Panel) -> None:
    """The time has come."""
    services = open_services(panel.settings)
    with writing(services.engine) as session:
        session.execute(update(Schedule).values(next_at=clock() - 1))
    services.engine.dispose()


def runs_of_the_schedule(visitor: Visitor) -> int:
    """How many runs of the history the schedule asked for."""
    visitor.page.reload()
    return visitor.page.locator("#history tbody tr", has_text="agenda").count()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_it_is_set_and_then_runs_by_itself(browser: Browser, fresh: Panel, script: bool) -> None:
    fill(fresh)
    with visit(browser, fresh.address, java_script_enabled=script) as visitor:
        page = visitor.page
        visitor.open("/sincronizacao")
        page.get_by_label("Sincronizar", exact=True).select_option("60")
        page.locator("#silencio_de").fill("12:00")
        page.get_by_role("button", name="Ligar a agenda").click()
        expect(page.locator("#silencio_ate-error")).to_contain_text("Preencha as duas horas")
        expect(page.locator("#silencio_de")).to_have_value("12:00")
        expect(page.locator("#intervalo")).to_have_value("60")
        page.locator("#silencio_ate").fill("12:00")  # the same: none
        page.get_by_role("button", name="Ligar a agenda").click()
        expect(page.locator("#schedule")).to_contain_text("A cada hora; leitura completa às 3h. Próxima: ")
        expect(page.locator(".next-run")).to_contain_text("Próxima sincronização ")
        make_due(fresh)
        processes.wait_for(lambda: runs_of_the_schedule(visitor) == 1)
        expect(page.locator("#progress .head .badge")).to_have_text("Conferida", timeout=60_000)
        expect(page.locator("#schedule form.schedule-form")).to_have_count(1)  # back when the run is over
        page.get_by_role("button", name="Pausar a agenda").click()
        expect(page.locator("#schedule")).to_contain_text("A agenda está em pausa.")
        make_due(fresh)  # a row that says both: paused counts
        visitor.open("/contatos")
        expect(page.locator(".next-run")).to_have_count(0)
