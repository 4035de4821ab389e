"""/api/kommo/schedule: when an account synchronises by itself; read it, set it, turn it off."""

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from kommo.access.actor import actor
from kommo.api.accounts import held, require_held, services
from kommo.api.answers import iso, write
from kommo.api.asked import Call, ScheduleCall, read
from kommo.api.errors import invalid_field
from kommo.db import reading, writing
from kommo.store import audit, schedules
from kommo.store.schedules import ScheduleView
from kommo.store.tables import Connection
from kommo.store.timetable import Timetable, clock_time

NONE = "Nenhuma agenda definida"


def show() -> Response:
    """The account's schedule; `data` is null where there is none."""
    call = read(Call)
    with reading(services().engine) as session:
        connection = held(session, call)
        view = schedules.view(session, connection, services().vault) if connection else None
        return _answer("Agenda obtida" if view else NONE, connection, view)


def put() -> Response:
    """Give the account the schedule in the body, all of it: what is left out is none."""
    call = read(ScheduleCall)
    plan = _plan(call)
    with writing(services().engine) as session:
        connection = require_held(session, call)
        schedules.save(session, connection, plan, paused=call.paused)
        _note(session, connection, "schedule.saved")
        return _answer("Agenda salva", connection, schedules.view(session, connection, services().vault))


def delete() -> Response:
    """Turn the schedule off; so it is also where there was none."""
    call = read(Call)
    with writing(services().engine) as session:
        connection = require_held(session, call)
        gone = schedules.remove(session, connection.id)
        if gone:
            _note(session, connection, "schedule.removed")
        return _answer("Agenda desligada" if gone else NONE, connection, None)


def _plan(call: ScheduleCall) -> Timetable:
    """The timetable of a call. Raises ApiError where half of the quiet hours is missing."""
    if (call.quiet_from is None) != (call.quiet_to is None):
        here, missing = ("quietTo", "quietFrom") if call.quiet_from is None else ("quietFrom", "quietTo")
        raise invalid_field(missing, f"Informe {missing} junto com {here}, ou nenhum dos dois.", "missing_field")
    return Timetable(call.every, call.quiet_from, call.quiet_to, call.sweep_at)


def _answer(message: str, connection: Connection | None, view: ScheduleView | None) -> Response:
    data = _data(connection, view) if connection and view else None
    return write({"success": True, "message": message, "data": data})


def _data(connection: Connection, view: ScheduleView) -> dict[str, Any]:
    return {
        "accountId": connection.account_id,
        "everyMinutes": view.plan.every,
        "quietFrom": clock_time(view.plan.quiet_from),
        "quietTo": clock_time(view.plan.quiet_to),
        "sweepAt": clock_time(view.plan.sweep_at),
        "paused": view.paused,
        "nextRun": iso(view.next_at),
        "nextSweep": iso(view.next_sweep_at),
        "waiting": view.waiting,
        "timezone": view.zone.key,
    }


def _note(session: Session, connection: Connection, action: str) -> None:
    audit.note(session, actor(), action, owner=connection.user_id, account_id=connection.account_id)
