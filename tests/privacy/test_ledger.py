"""A restored backup of before an erasing does not bring the person back."""

import stat

from sqlalchemy import delete, select

from kommo.db import reading, writing
from kommo.instance import prepare
from kommo.jobs.keeping import Keeper
from kommo.privacy import ledger
from kommo.services import Services
from kommo.store import suppression
from kommo.store.tables import Audit, Suppression, Wallet
from kommo.store.tables.wallet import CONTACT
from tests.privacy.conftest import BY, VALUES, Scene
from tests.privacy.test_erase import held
from tests.sync.accounts import run


def forget_who_was_erased(scene: Scene) -> None:
    """The database as a backup of before has it: nobody was erased, and the person is there."""
    with writing(scene.services.engine) as session:
        session.execute(delete(Suppression))
        emptied = session.scalars(select(Wallet).where(Wallet.erased_at.is_not(None))).one()
        emptied.erased_at = None
    run(scene.services, scene.connection_id, sweep=True)
    assert held(scene.services) != []


def test_the_worker_erases_again_whoever_came_back(scene: Scene) -> None:
    assert ledger.erase_for_good(scene.services, scene.connection, scene.person, BY) is not None
    forget_who_was_erased(scene)

    Keeper(scene.services).turn(1.0)

    assert held(scene.services) == []
    assert run(scene.services, scene.connection_id, sweep=True).stream("contacts").erased == 1
    with reading(scene.services.engine) as session:
        rows = session.scalars(select(Audit).where(Audit.action == "person.erased").order_by(Audit.id)).all()
    assert [row.actor_kind for row in rows] == ["user", "system"]


def test_nothing_is_done_twice(scene: Scene) -> None:
    ledger.erase_for_good(scene.services, scene.connection, scene.person, BY)
    assert ledger.repeat(scene.services) == 0
    forget_who_was_erased(scene)
    assert ledger.repeat(scene.services) == 1
    assert ledger.repeat(scene.services) == 0


def test_who_is_not_in_the_restored_copy_does_not_come_with_a_reading(scene: Scene) -> None:
    ledger.append(scene.services.settings.instance, "1", scene.connection.account_id, 999_999)
    assert ledger.repeat(scene.services) == 1
    with reading(scene.services.engine) as session:
        assert suppression.ids(session, scene.connection_id, CONTACT, [999_999]) == {999_999}


def test_the_file_has_numbers_only_and_is_for_its_owner(scene: Scene) -> None:
    ledger.erase_for_good(scene.services, scene.connection, scene.person, BY)
    path = scene.services.settings.instance / ledger.NAME
    text = path.read_text()
    assert text == f"{scene.connection.account_id} {scene.person} 1\n"
    assert not any(value in text for value in VALUES)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    prepare(scene.services.settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_unknown_person_is_not_noted(scene: Scene) -> None:
    assert ledger.erase_for_good(scene.services, scene.connection, 999_999_999, BY) is None
    assert ledger.entries(scene.services.settings.instance) == []


def test_odd_lines_are_left_out(services: Services) -> None:
    path = services.settings.instance / ledger.NAME
    path.write_bytes(
        b"30001000 5 1\n30001000 5 1\n\n30001000\n30001000 x 1\n0 5 1\n30001000 -5 1\n\xff\xfe 5 1\n7 8 ana b\n3 6"
    )
    assert ledger.entries(services.settings.instance) == [("1", 30001000, 5), ("ana b", 7, 8)]
