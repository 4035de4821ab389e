"""/sincronizacao/agenda: when the account synchronises by itself. Its card stands on /sincronizacao, too."""

from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from kommo.access.actor import actor
from kommo.db import writing
from kommo.pages import schedule_form
from kommo.pages.context import connection, schedule, services
from kommo.pages.schedule_form import ScheduleForm
from kommo.store import audit, schedule_words, schedules
from kommo.store.tables import Connection

bp = Blueprint("schedule", __name__, url_prefix="/agenda")  # inside that of /sincronizacao
_PAGE = "schedule/page.html"


@bp.get("")
def page() -> AnyResponse:
    """The card alone, with its form: a page that is not renewed while somebody types."""
    if connection() is None:
        return redirect(url_for("sync.page"), 303)
    return _page()


@bp.post("")
def save() -> AnyResponse:
    """Turn the schedule on, or change it; one that is paused stays so. What was typed wrong is given back."""
    found, form = _connected(), schedule_form.read(request.form)
    if form.plan is None:
        return _page(form, 422)
    with writing(services().engine) as opened:
        before = schedules.view(opened, found, services().vault)
        schedules.save(opened, found, form.plan, paused=before is not None and before.paused)
        _note(opened, found, "schedule.saved")
        _tell("A agenda está salva.", schedules.view(opened, found, services().vault))
    return _back()


@bp.post("/pausar")
def pause() -> AnyResponse:
    """No run by itself until somebody lets it go on."""
    return _set_paused(True)


@bp.post("/retomar")
def resume() -> AnyResponse:
    """Go on, from now."""
    return _set_paused(False)


@bp.post("/desligar")
def remove() -> AnyResponse:
    """Forget the schedule."""
    with writing(services().engine) as opened:
        if schedules.remove(opened, _connected().id):
            _note(opened, _connected(), "schedule.removed")
    flash("A agenda está desligada: a cópia só é atualizada quando alguém pede.")
    return _back()


def context(form: ScheduleForm | None = None) -> dict[str, Any]:
    """What the card shows of the schedule of the account in view; `form` is one that was refused."""
    shown = schedule()
    filled = form or schedule_form.filled(shown.plan if shown else schedule_form.SUGGESTED)
    return {"schedule": shown, "schedule_form": filled, "schedule_words": schedule_words}


def _set_paused(paused: bool) -> AnyResponse:
    found = _connected()
    with writing(services().engine) as opened:
        if schedules.set_paused(opened, found, paused):
            _note(opened, found, "schedule.paused" if paused else "schedule.resumed")
            _tell("" if paused else "A agenda continua.", schedules.view(opened, found, services().vault))
    return _back()


def _note(opened: Session, found: Connection, action: str) -> None:
    audit.note(opened, actor(), action, owner=found.user_id, account_id=found.account_id)


def _tell(done: str, shown: schedules.ScheduleView | None) -> None:
    if shown is not None:
        flash(f"{done} {schedule_words.outlook(shown)}".strip())


def _page(form: ScheduleForm | None = None, status: int = 200) -> Response:
    return make_response(render_template(_PAGE, account=connection(), **context(form)), status)


def _back() -> AnyResponse:
    """To the whole page. Not to the card in it: without script, an address with a fragment is not renewed."""
    return redirect(url_for("sync.page"), 303)


def _connected() -> Connection:
    found = connection()
    if found is None:
        abort(404)
    return found
