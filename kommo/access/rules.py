"""Who may do what: a permission for every route, a set of permissions for every role.

A route that is not in the table stops the start of the application: nobody forgets to decide.
"""

from enum import StrEnum

from flask import Flask


class Permission(StrEnum):
    """One thing a person or a program may be allowed to do."""

    READ = "read"  # see the copy, the runs and what Kommo answers
    SYNC = "sync"  # start and cancel runs, set the schedule
    EXPORT = "export"
    EDIT = "edit"
    CONNECT = "connect"  # give tokens, connect and disconnect accounts
    PEOPLE = "people"  # make and change other people's access
    AUDIT = "audit"  # read the audit log
    PRIVACY = "privacy"  # find, export and erase a person; how long things are kept
    METRICS = "metrics"
    OWNERS = "owners"  # name another owner than one's own (`userId`)


class Role(StrEnum):
    """What a person is in the company."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


P = Permission
_VIEWER = frozenset({P.READ})
_OPERATOR = _VIEWER | {P.SYNC, P.EXPORT, P.EDIT}
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: frozenset(_OPERATOR),
    Role.ADMINISTRATOR: frozenset(Permission),
}
ROLE_WORDS = {Role.VIEWER: "Leitura", Role.OPERATOR: "Operação", Role.ADMINISTRATOR: "Administração"}
PERMISSION_WORDS = {
    P.READ: "ver os dados",
    P.SYNC: "sincronizar e agendar",
    P.EXPORT: "exportar",
    P.EDIT: "editar",
    P.CONNECT: "conectar contas",
    P.PEOPLE: "gerir o acesso das pessoas",
    P.AUDIT: "ler a auditoria",
    P.PRIVACY: "atender titulares de dados",
    P.METRICS: "ler as métricas",
    P.OWNERS: "falar por outros donos (userId)",
}

#: Needs nothing: not even to be somebody.
PUBLIC = "public"
#: Needs to be somebody, whatever the role: one's own account.
SELF = "self"
#: What each endpoint needs.
ROUTES: dict[str, str] = {
    "static": PUBLIC,
    "assets.file": PUBLIC,
    "health.alive": PUBLIC,
    "health.ready": PUBLIC,
    "metrics.metrics": P.METRICS,
    "home.page": P.READ,
    "contacts.page": P.READ,
    "contacts.record": P.READ,
    "deals.page": P.READ,
    "deals.record": P.READ,
    "sync.page": P.READ,
    "sync.run": P.READ,
    "sync.watch": P.READ,
    "sync.absent": P.READ,
    "sync.start": P.SYNC,
    "sync.cancel": P.SYNC,
    "sync.resume": P.SYNC,
    "sync.confirm": P.SYNC,
    "sync.schedule.page": P.READ,
    "sync.schedule.save": P.SYNC,
    "sync.schedule.pause": P.SYNC,
    "sync.schedule.resume": P.SYNC,
    "sync.schedule.remove": P.SYNC,
    "connection.page": P.READ,
    "connection.claims": P.CONNECT,
    "connection.connect": P.CONNECT,
    "connection.retest": P.CONNECT,
    "connection.leave": P.CONNECT,
    "connection.disconnect": P.CONNECT,
    "connection.connect_demo": P.CONNECT,
    "privacy.page": P.PRIVACY,
    "privacy.search": P.PRIVACY,
    "privacy.person": P.PRIVACY,
    "privacy.download": P.PRIVACY,
    "privacy.ask": P.PRIVACY,
    "privacy.remove": P.PRIVACY,
    "privacy.keep": P.PRIVACY,
    "audit.page": P.AUDIT,
    "audit.as_csv": P.AUDIT,
    "audit.as_json": P.AUDIT,
    "login.page": PUBLIC,
    "login.enter": PUBLIC,
    "login.second": PUBLIC,
    "login.first": PUBLIC,
    "login.make_first": PUBLIC,
    "login.leave": SELF,
    "me.page": SELF,
    "me.password": SELF,
    "me.end": SELF,
    "me.end_others": SELF,
    "me.make_key": SELF,
    "me.revoke": SELF,
    "me.totp": SELF,
    "me.totp_on": SELF,
    "me.totp_off": SELF,
    "access.page": P.PEOPLE,
    "access.first": P.PEOPLE,
    "access.add": P.PEOPLE,
    "access.person": P.PEOPLE,
    "access.role": P.PEOPLE,
    "access.disable": P.PEOPLE,
    "access.enable": P.PEOPLE,
    "access.password": P.PEOPLE,
    "access.remove": P.PEOPLE,
    "access.revoke": P.PEOPLE,
    "docs.described": SELF,
    "docs.page": SELF,
    "api.test_connection": P.READ,
    "api.test_connection_get": P.READ,
    "api.contacts": P.READ,
    "api.contact": P.READ,
    "api.deals": P.READ,
    "api.deal": P.READ,
    "api.sync": P.SYNC,
    "api.sync_status": P.READ,
    "api.sync_run": P.READ,
    "api.schedule": P.READ,
    "api.schedule_set": P.SYNC,
    "api.schedule_off": P.SYNC,
    "api.budget": P.READ,
}


def require_all(app: Flask) -> None:
    """Raise RuntimeError where a route has no rule, or a rule no route: somebody forgot to decide."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    if missing := routes - set(ROUTES):
        raise RuntimeError(f"kommo.access.rules decides nothing for {', '.join(sorted(missing))}")
    if left := set(ROUTES) - routes:
        raise RuntimeError(f"kommo.access.rules speaks of routes that are not there: {', '.join(sorted(left))}")
