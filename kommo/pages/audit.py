"""/auditoria: who did what, when, from where; filtered, page by page, and as a file."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from flask import Blueprint, Response, abort, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from kommo import sheet
from kommo.access.actor import actor
from kommo.db import writing
from kommo.pages.context import owner, services, session, zone
from kommo.privacy.export import iso
from kommo.store import audit, audit_words
from kommo.store.audit import Wanted
from kommo.store.tables import Audit

bp = Blueprint("audit", __name__)
_HEAD = ("numero", "quando", "quem", "nome", "de_onde", "acao", "codigo", "dono", "conta", "sobre", "detalhes")
_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter as it was typed, by the names in the address; `wrong` is a sentence where a date is none."""

    acao: str = ""
    quem: str = ""
    de: str = ""
    ate: str = ""
    antes: str = ""
    wrong: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.acao or self.quem or self.de or self.ate)

    def address(self, endpoint: str, **values: Any) -> str:
        """The address of the same filter."""
        given = {name: text for name, text in asdict(self).items() if text and name not in ("antes", "wrong")}
        return url_for(endpoint, **given | values)


@bp.get("/auditoria")
def page() -> Response:
    """The newest entries that fit, or those before one of them."""
    asked = _asked(request.args)
    found = audit.page(session(), _wanted(asked))
    return make_response(
        render_template(
            "audit/page.html", asked=asked, found=found, codes=audit.actions(session(), owner()), words=audit_words
        ),
        422 if asked.wrong else 200,
    )


@bp.get("/auditoria.csv")
def as_csv() -> Response:
    """All entries that fit, for a spreadsheet."""
    return _file("csv", "text/csv", sheet.lines(_HEAD, map(_row, _every("csv"))))


@bp.get("/auditoria.json")
def as_json() -> Response:
    """All entries that fit, as JSON."""
    return _file("json", "application/json", _json(_every("json")))


def _every(kind: str) -> Iterator[Audit]:
    """The rows of an export, which is an entry itself."""
    asked = _asked(request.args)
    if asked.wrong:
        abort(422, description=asked.wrong)
    with writing(services().engine) as opened:
        audit.note(opened, actor(), "audit.exported", owner=owner(), details={"format": kind})
    return audit.every(services().engine, _wanted(asked))


def _file(kind: str, mimetype: str, lines: Iterator[str]) -> Response:
    answer = Response(lines, mimetype=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="auditoria.{kind}"'
    return answer


def _json(rows: Iterator[Audit]) -> Iterator[str]:
    yield "["
    for number, row in enumerate(rows):
        found = dict(zip(_HEAD, _values(row), strict=True)) | {"detalhes": row.details}
        yield (",\n" if number else "\n") + orjson.dumps(found).decode()
    yield "\n]\n"


def _row(row: Audit) -> list[Any]:
    return [*_values(row)[:-1], orjson.dumps(row.details).decode() if row.details else ""]


def _values(row: Audit) -> list[Any]:
    return [
        row.id, iso(row.at), row.actor_kind, row.actor, row.address, audit_words.action(row.action), row.action,
        row.owner, row.account_id, row.subject, None,
    ]  # fmt: skip


def _asked(given: MultiDict[str, str]) -> Asked:
    texts = {name: given.get(name, "").strip()[:100] for name in ("acao", "quem", "de", "ate", "antes")}
    wrong = any(texts[name] and _day(texts[name]) is None for name in ("de", "ate"))
    return Asked(**texts, wrong="Escolha uma data como 25/11/2026." if wrong else "")


def _wanted(asked: Asked) -> Wanted:
    since, until = _day(asked.de), _day(asked.ate)
    before = int(asked.antes) if asked.antes.isascii() and asked.antes.isdecimal() and len(asked.antes) < 20 else None
    return Wanted(
        owner=owner(),
        action=asked.acao,
        kind=asked.quem if asked.quem in audit.KINDS else "",
        since=since.timestamp() if since else None,
        until=(until + timedelta(days=1)).timestamp() if until else None,
        before=before if before is not None and before <= _MAX else None,
    )


def _day(text: str) -> datetime | None:
    """The midnight that begins a day as a browser writes it ("2026-11-25"); None for another text."""
    try:
        found = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone())
    except ValueError:
        return None
    return found if 1971 <= found.year <= 9998 else None
