"""`/healthz`: the process lives. `/readyz`: it can do its work, or the names of what stands in the way."""

import os
import shutil
from collections.abc import Callable

import orjson
import structlog
from flask import Blueprint, Response, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from kommo.db import reading
from kommo.services import Services
from kommo.store import schema, workers

LEAST_SPACE = 20 * 1024 * 1024  # bytes that have to be free beside the data
bp = Blueprint("health", __name__)
log = structlog.get_logger()


@bp.get("/healthz")
def alive() -> Response:
    """Always 200: it touches neither the database nor the disk."""
    return Response('{"status":"ok"}', mimetype="application/json")


@bp.get("/readyz")
def ready() -> Response:
    """200 where everything works, 503 with the names of what does not; nothing else about it."""
    services: Services = current_app.extensions["kommo"]
    failing = [name for name, check in CHECKS.items() if not _holds(name, check, services)]
    body = {"status": "failing" if failing else "ok", "checks": list(CHECKS), "failing": failing}
    return Response(orjson.dumps(body), 503 if failing else 200, mimetype="application/json")


def _holds(name: str, check: Callable[[Services], bool], services: Services) -> bool:
    """Whether a check is passed; why it broke is for the log alone."""
    try:
        passed = check(services)
    except (SQLAlchemyError, OSError) as error:
        log.warning("not_ready", check=name, cause=type(error).__name__)
        return False
    if not passed:
        log.warning("not_ready", check=name)
    return passed


def _database(services: Services) -> bool:
    with reading(services.engine) as session:
        return session.scalar(select(1)) == 1


def _schema(services: Services) -> bool:
    with reading(services.engine) as session:
        return schema.current(session.connection()) == schema.head()


def _worker(services: Services) -> bool:
    with reading(services.engine) as session:
        return bool(workers.seen_lately(session))


def _disk(services: Services) -> bool:
    """Whether the data's folder takes a small file, and has room for more."""
    folder = services.settings.instance
    probe = folder / f".probe-{os.getpid()}"
    try:
        probe.write_bytes(bytes(4096))
    finally:
        probe.unlink(missing_ok=True)
    return shutil.disk_usage(folder).free >= LEAST_SPACE


CHECKS: dict[str, Callable[[Services], bool]] = {
    "database": _database,
    "schema": _schema,
    "worker": _worker,
    "disk": _disk,
}
