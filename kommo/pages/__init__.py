"""The pages people see. A route parses, calls one function, renders; texts are Brazilian Portuguese.

Endpoints that the frame links to: home.page, contacts.page, deals.page, sync.page, connection.page, privacy.page,
audit.page; records are contacts.record and deals.record. Who is logged in: me.page, login.leave, access.page.
"""

from importlib import import_module

from flask import Flask

from kommo.vault import VaultError

#: The rooms; each module holds a blueprint of the same name in `bp`.
ROOMS = ("home", "contacts", "deals", "sync", "connection", "privacy", "audit", "login", "access", "me")


def register(app: Flask) -> None:
    """Give the application its pages, filters and assets."""
    from kommo.pages import assets, context, errors, format, htmx

    for part in (format, context, assets, htmx):
        part.register(app)
    for room in ROOMS:
        app.register_blueprint(import_module(f"kommo.pages.{room}").bp)
    app.register_error_handler(VaultError, errors.of_vault)
    # Macros as a global: a fragment does not run its template's imports.
    app.jinja_env.globals["ui"] = app.jinja_env.get_template("shared/macros.html").module
