"""What a write of pipelines, stages, custom fields and webhooks may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from kommo.sandbox.fields import WRITABLE
from kommo.sandbox.requests import Request
from kommo.sandbox.rows import Record
from kommo.sandbox.shapes import (
    MISSING,
    NOT_A_CHOICE,
    WRONG_TYPE,
    Invalid,
    Problem,
    Types,
    objects,
    refuse,
    wrong_types,
)
from kommo.sandbox.state import State

Check = Callable[[Record], Iterator[Problem]]
_TYPES: Types = {
    "id": (int,), "name": (str,), "type": (str,), "sort": (int,), "color": (str,), "is_main": (bool,),
    "is_unsorted_on": (bool,), "code": (str, type(None)), "enums": (list, type(None)), "_embedded": (dict,),
    "group_id": (str, type(None)), "destination": (str,), "settings": (list,),
}  # fmt: skip
_ENUM: Types = {"id": (int,), "value": (str,), "sort": (int,), "code": (str, type(None))}
_STAGE: Types = {"id": (int,), "name": (str,), "sort": (int,), "color": (str,)}
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
HOOKS = {
    *(f"{what}_{kind}" for kind in ("lead", "contact", "company", "customer")
      for what in ("add", "update", "delete", "restore", "responsible", "note")),
    "status_lead", "add_task", "update_task", "delete_task", "responsible_task", "add_talk", "update_talk",
    "delete_talk", "add_message", "add_outgoing_message", "add_chat_template_review", "add_unsorted",
    "update_unsorted", "delete_unsorted",
} - {"restore_customer"}  # fmt: skip


def many(state: State, request: Request, *needed: str, check: Check | None = None) -> list[Record]:
    """The body's objects, each with the keys it needs, and every key of its type. Raises Refused (400)."""
    items = request.many(strict_type=state.switches.strict_content_type)
    refuse(items, [_problems(item, needed, check) for item in items])
    return items


def one(state: State, request: Request, *needed: str, check: Check | None = None) -> Record:
    """The body's object, every key of its type. Raises Refused (400)."""
    item = request.one(strict_type=state.switches.strict_content_type)
    refuse([item], [_problems(item, needed, check)])
    return item


def _problems(item: Record, needed: tuple[str, ...], check: Check | None) -> list[Problem]:
    wrong = list(wrong_types(item, _TYPES))
    wrong += [(key, MISSING) for key in needed if key not in item]
    if not wrong:
        wrong += _inner_problems(item.get("enums"), "enums", _ENUM)
        wrong += _blank(item)
        wrong += () if check is None else check(item)
    return wrong


def _blank(item: Record) -> Iterator[Problem]:
    for key in ("name", "type"):
        if not item.get(key, "x").strip():
            yield key, MISSING


def _inner_problems(value: Any, path: str, types: Types, check: Check | None = None) -> list[Problem]:
    try:
        found = objects(value, path)
    except Invalid as invalid:
        return [invalid.problem]
    wrong = []
    for at, inner in found:
        bad = list(wrong_types(inner, types))
        bad += () if check is None or bad else check(inner)
        wrong += [(f"{at}.{key}", why) for key, why in bad]
    return wrong


def stage(item: Record) -> Iterator[Problem]:
    """A stage's colour is written as #rrggbb."""
    if not _COLOR.fullmatch(item.get("color", "#ffffff")):
        yield "color", NOT_A_CHOICE


def pipeline(item: Record) -> Iterator[Problem]:
    """A pipeline's stages are sound."""
    yield from _inner_problems(
        (item.get("_embedded") or {}).get("statuses"), "_embedded.statuses", _STAGE, _inner_stage
    )


def _inner_stage(item: Record) -> Iterator[Problem]:
    yield from _blank(item)
    yield from stage(item)


def field_of(kind: str) -> Check:
    """A check of custom fields of `kind`: the type is one that these can have."""

    def check(item: Record) -> Iterator[Problem]:
        known = WRITABLE if kind == "leads" else WRITABLE - {"chained_list"}
        if "type" in item and item["type"] not in known:
            yield "type", NOT_A_CHOICE

    return check


def hook(item: Record) -> Iterator[Problem]:
    """A webhook has an address and names events that there are."""
    if not item["destination"].startswith(("http://", "https://")):
        yield "destination", WRONG_TYPE
    for place, code in enumerate(item["settings"]):
        if not isinstance(code, str) or code not in HOOKS:
            yield f"settings.{place}", NOT_A_CHOICE
