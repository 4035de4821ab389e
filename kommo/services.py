"""What the working rooms are given: the settings, the database, the vault, and the bell that wakes a worker."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, create_engine

from kommo.db import engine_options, prepare_engine, require_queue_driver
from kommo.instance import prepare
from kommo.keyfile import KeyFile
from kommo.settings import Settings
from kommo.vault import Vault

#: The kinds of long work a bell rings for; the number beside it is a run's, a connection's or a cleaning's.
SYNC, ERASE, SCRUB = "sync", "erase", "scrub"


@dataclass(frozen=True, slots=True)
class Services:
    """One process's tools. `ring(kind, number)` tells the workers of a row with work; it may be lost without harm."""

    settings: Settings
    engine: Engine
    vault: Vault
    ring: Callable[[str, int], None]


def open_vault(settings: Settings) -> Vault:
    """The vault under the operator's keys, or under those in `instance/`; the first one there is made when it seals.

    Not before: where the file got lost, a new key made by a start would look as if all were well. Raises SettingError
    for a file that is damaged.
    """
    if settings.encryption_keys:
        return Vault(*settings.encryption_keys)
    file = KeyFile(settings.instance)
    file.check()
    return Vault(source=file)


def open_services(
    settings: Settings, engine: Engine | None = None, ring: Callable[[str, int], None] | None = None
) -> Services:
    """The tools of a process: its folder prepared, its engine (made here unless given), its vault.

    Raises SettingError where the folder cannot be written, the keys are damaged, or the queue's driver is missing: the
    web server would start, and its worker never. Without a bell nobody is woken; the worker's tick finds it.
    """
    prepare(settings)
    require_queue_driver(settings.queue)
    if engine is None:
        engine = create_engine(settings.database, **engine_options(settings.database))
        prepare_engine(engine)
    return Services(settings, engine, open_vault(settings), ring or _silent)


def _silent(_kind: str, _number: int) -> None:
    """No bell."""
