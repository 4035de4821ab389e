"""What records point to: the account itself, pipelines, users, loss reasons and field definitions.

What the token may not see is left out with a sentence, and the run goes on: names are missing then, no records.
"""

from collections.abc import Callable, Sequence

from kommo.crm.errors import NO_RIGHT
from kommo.db import reading
from kommo.store import catalogues, connections
from kommo.store.tables import Connection
from kommo.sync import changes, companies
from kommo.sync.passes import order
from kommo.sync.run import Run
from kommo.sync.streams import ACCOUNT, BY_REMOTE, COMPANIES, LOSS_REASONS, PIPELINES, USERS

_FRESH = 900.0  # seconds for which what the account said of itself when it was connected is good enough
FIELD_ENTITIES = ("contacts", "leads")


def read_all(run: Run) -> None:
    """Read every catalogue whole and replace the stored one with it; companies have a turn of their own."""
    with reading(run.services.engine) as session:
        fresh = connections.is_fresh(session, run.claim.connection_id, _FRESH)
    first, *rest = [name for name in _READ if name != COMPANIES and not (fresh and name == ACCOUNT)]
    read(run, [first])
    begun = run.kommo.server_time
    read(run, rest)
    run.names.are_of(begun - changes.OVERLAP if begun is not None else None)


def read_stalest(run: Run, most: int) -> None:
    """Read the pipelines, then the users if there is room, then what has not been read for the longest time."""
    with reading(run.services.engine) as session:
        rest = catalogues.stalest(session, run.claim.connection_id, [name for name in _READ if name not in _FIRST])
    read(run, [*_FIRST[: most - 1], *rest][:most])


def read_unknown(run: Run) -> None:
    """Read those catalogues again that came to lack a name while records were read."""
    if run.names.unknown:
        read(run, sorted(run.names.unknown))


def read(run: Run, names: Sequence[str]) -> None:
    """Read these catalogues; the run knows their ids from then on."""
    for name in names:
        run.check()
        try:
            _READ[name](run)
        except NO_RIGHT:
            if name not in _REFUSED:
                raise
            run.warn([_REFUSED[name]])
        with run.transaction() as session:
            catalogues.note_read(session, run.claim.connection_id, name)
    with reading(run.services.engine) as session:
        run.names.load(session, run.claim.connection_id)


def _account(run: Run) -> None:
    account = run.kommo.account()
    with run.transaction() as session:
        connection = session.get_one(Connection, run.claim.connection_id)
        connection.token_refused = False
        connections.describe(
            connection, account.name, account.subdomain, account.currency or "", account.timezone or "", account.raw
        )


def _pipelines(run: Run) -> None:
    pipelines = run.kommo.pipelines()
    rows = [
        {"id": one.id, "name": one.name, "sort": one.sort, "is_main": one.is_main, "is_archive": one.is_archive}
        for one in pipelines
    ]
    stages = [
        {"id": stage.id, "pipeline_id": one.id, "name": stage.name, "sort": stage.sort, "color": stage.color,
         "type": stage.type}
        for one in pipelines
        for stage in one.stages
    ]  # fmt: skip
    with run.transaction() as session:
        catalogues.replace(session, catalogues.PIPELINES, run.claim.connection_id, rows)
        catalogues.replace(session, catalogues.STAGES, run.claim.connection_id, stages)


def _users(run: Run) -> None:
    rows = [
        {"id": user.id, "name": user.name, "email": user.email, "is_active": user.is_active, "is_admin": user.is_admin}
        for user in run.kommo.users()
    ]
    with run.transaction() as session:
        catalogues.replace(session, catalogues.USERS, run.claim.connection_id, rows)


def _loss_reasons(run: Run) -> None:
    rows = [{"id": reason.id, "name": reason.name, "sort": reason.sort} for reason in run.kommo.loss_reasons()]
    with run.transaction() as session:
        catalogues.replace(session, catalogues.LOSS_REASONS, run.claim.connection_id, rows)


def _fields(entity: str) -> Callable[[Run], None]:
    def fetch(run: Run) -> None:
        rows = [
            {"id": field.id, "name": field.name, "type": field.type, "code": field.code, "sort": field.sort,
             "currency": field.currency, "enums": field.enums}
            for field in run.kommo.custom_fields(entity)
        ]  # fmt: skip
        with run.transaction() as session:
            if catalogues.fields_differ(session, run.claim.connection_id, entity, rows):
                order(session, run, BY_REMOTE[entity])  # records hold the names and choices of their fields
            catalogues.replace(session, catalogues.FIELDS, run.claim.connection_id, rows, entity=entity)

    return fetch


_READ: dict[str, Callable[[Run], None]] = {
    ACCOUNT: _account,
    PIPELINES: _pipelines,
    USERS: _users,
    LOSS_REASONS: _loss_reasons,
    **{f"fields_{entity}": _fields(entity) for entity in FIELD_ENTITIES},
    COMPANIES: companies.read_changed,
}
_FIRST = (PIPELINES, USERS)
_NO_USERS = (
    "Sem permissão para ler os usuários: faltam nomes de responsáveis. Peça a um administrador que gere o token."
)
_NO_FIELDS = "Sem permissão para ler os campos personalizados."
_REFUSED = {
    USERS: _NO_USERS,
    LOSS_REASONS: "Sem permissão para ler os motivos de perda.",
    **{f"fields_{entity}": _NO_FIELDS for entity in FIELD_ENTITIES},
}
