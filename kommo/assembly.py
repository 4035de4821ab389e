"""Putting the web application together from its rooms, and only that."""

from collections.abc import Callable

import structlog
from flask import Flask, Response, request
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import DataError, SQLAlchemyError
from werkzeug.exceptions import BadRequest, HTTPException

from kommo import api, cli, pages, watch
from kommo.access import address, cookies, gate, guard, headers, rates, rules, sizes
from kommo.api import errors as api_errors
from kommo.connect import keys
from kommo.connect.access import check_environment
from kommo.db import db, engine_options, prepare_engine
from kommo.instance import prepare, secret
from kommo.pages import errors as page_errors
from kommo.services import open_services
from kommo.settings import ROOT, Settings
from kommo.store import schema, trouble

MAX_BODY = 64 * 1024  # bytes: the largest thing anybody sends us is a token of 8 kB

csrf = CSRFProtect()
log = structlog.get_logger()


def assemble(settings: Settings) -> Flask:
    """The application for these settings: folder prepared, schema up to date, every room in its place.

    Raises SettingError and SchemaError with one Portuguese line.
    """
    settings.require_names()
    check_environment(settings)
    prepare(settings)
    app = Flask(
        "kommo",
        root_path=str(ROOT),
        template_folder="templates",
        static_folder="static",
        instance_path=str(settings.instance.resolve()),
    )
    cookies.register(app)
    _configure(app, settings)
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    prepare_engine(engine)
    schema.upgrade(engine, settings.instance / "backups")
    app.extensions["kommo"] = services = open_services(settings, engine, _bell(settings))
    for sentence in keys.missing(services):
        log.error("key_missing", sentence=sentence)
    watch.begin(app)
    guard.register(app, settings)
    rates.register(app, settings.request_limit)
    sizes.register(app)
    address.register(app)
    gate.register(app)
    headers.register(app, settings.assets)
    csrf.init_app(app)
    pages.register(app)
    csrf.exempt(api.register(app))
    watch.register(app)
    _answer_errors(app)
    rules.require_all(app)
    cli.register(app)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    given = settings.secret_key
    app.config.update(
        DEBUG=False,  # whatever FLASK_DEBUG says: what goes wrong is answered by us, and told to the log alone
        SECRET_KEY=given.get_secret_value() if given else secret(settings.instance, "secret_key"),
        SQLALCHEMY_DATABASE_URI=settings.database,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database),
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        MAX_FORM_PARTS=100,
        SESSION_COOKIE_NAME="painel_kommo",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )


def _bell(settings: Settings) -> Callable[[str, int], None]:
    """Opens the queue for each ring: rings are rare, and starting is quicker without it."""

    def ring(kind: str, number: int) -> None:
        from kommo.jobs import queue

        try:
            opened = queue.open_queue(settings.queue)
            try:
                queue.bell(opened)(kind, number)
            finally:
                opened.storage.close()
        except Exception:
            log.exception("bell_failed", kind=kind, number=number)  # the worker's tick finds the row

    return ring


def _answer_errors(app: Flask) -> None:
    """Errors under /api/ are JSON, all others pages: one place decides, unknown addresses included."""

    def answer(error: HTTPException) -> Response:
        answering = api_errors.answer if request.path.startswith(guard.API) else page_errors.answer
        return answering(error)

    def answer_trouble(error: SQLAlchemyError) -> Response:
        """A full disk, a lock, a server that is away: the person is told; what is none of these is a bug."""
        if isinstance(error, DataError):  # a NUL on PostgreSQL, a number beyond its column
            return answer(BadRequest())
        found = trouble.of(error)
        if found is None:
            raise error
        log.error("database_failed", path=request.path, trouble=found.code)
        if request.path.startswith(guard.API):
            return api_errors.of_database(found).response()
        return page_errors.of_database(found)

    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(SQLAlchemyError, answer_trouble)
