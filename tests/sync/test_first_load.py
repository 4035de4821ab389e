"""The first load: every page, no cap, proved by count."""

from kommo.sandbox import Server
from kommo.services import Services
from tests.sync.accounts import connect, difference, run


def test_everything_arrives_and_is_proved(services: Services, padaria: Server) -> None:
    """P1: copy and account are equal, value by value, and the run says so."""
    account = connect(services, padaria)
    view = run(services, account)
    assert (view.state, view.errors) == ("done", [])
    assert difference(services, account, padaria.world) == []
    assert view.proved
    contacts, deals = view.stream("contacts"), view.stream("deals")
    assert (contacts.created, contacts.updated, contacts.unchanged, contacts.deleted) == (60, 0, 0, 0)
    assert (contacts.remote_count, contacts.local_count, deals.remote_count, deals.local_count) == (60, 60, 30, 30)
