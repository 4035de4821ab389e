"""Writes of what changes seldom: pipelines and stages, custom fields, tags, webhooks."""

from __future__ import annotations

from typing import Any

from kommo.sandbox import directory
from kommo.sandbox.answers import Answer, Refused, hal, not_found, nothing
from kommo.sandbox.catalog import directory as directory_answer
from kommo.sandbox.catalog import shown_pipeline, stages_of
from kommo.sandbox.query import values
from kommo.sandbox.requests import Request
from kommo.sandbox.rows import Record
from kommo.sandbox.shapes import MISSING, Invalid, Problem, Types, objects, refuse, wrong_types
from kommo.sandbox.state import State

_STAGE_KEYS = ("name", "sort", "color")
_PIPELINE_KEYS = ("name", "sort", "is_main", "is_unsorted_on")
_FIELD_KEYS = ("name", "type", "code", "sort", "enums", "group_id", "is_api_only", "remind", "settings")
_TYPES: Types = {
    "id": (int,), "name": (str,), "type": (str,), "sort": (int,), "color": (str,), "is_main": (bool,),
    "is_unsorted_on": (bool,), "code": (str, type(None)), "enums": (list, type(None)), "_embedded": (dict,),
}  # fmt: skip


def _many(state: State, request: Request, *needed: str) -> list[Record]:
    """The body's objects, each with the keys it needs, and every key of its type."""
    items = request.many(strict_type=state.switches.strict_content_type)
    refuse(items, [_problems(item, place, needed) for place, item in enumerate(items)])
    return items


def _problems(item: Record, place: int, needed: tuple[str, ...]) -> list[Problem]:
    wrong = list(wrong_types(item, _TYPES))
    if not wrong:
        wrong += _inner_problems(item.get("enums"), "enums", {"id": (int,), "value": (str,), "sort": (int,)})
        statuses = (item.get("_embedded") or {}).get("statuses")
        wrong += _inner_problems(statuses, "_embedded.statuses", {"id": (int,), "name": (str,), "sort": (int,)})
    wrong += [(key, MISSING) for key in needed if not item.get(key)]
    return [(f"{place}.{path}", why) for path, why in wrong]


def _inner_problems(value: Any, path: str, types: Types) -> list[Problem]:
    try:
        return [(f"{at}.{key}", why) for at, one in objects(value, path) for key, why in wrong_types(one, types)]
    except Invalid as invalid:
        return [invalid.problem]


def _one(state: State, request: Request) -> Record:
    """The body's object, every key of its type. Raises Refused."""
    item = request.one(strict_type=state.switches.strict_content_type)
    refuse([item], [_problems(item, 0, ())])
    return item


def post_pipelines(state: State, request: Request) -> Answer:
    """New pipelines with the stages in their `_embedded.statuses`."""
    made = []
    with state.changing():
        for place, item in enumerate(_many(state, request, "name")):
            stages = (item.get("_embedded") or {}).get("statuses") or []
            names = tuple(one["name"] for one in stages if one.get("id") not in (142, 143) and one.get("name"))
            kept = {key: item[key] for key in _PIPELINE_KEYS if key in item and key != "name"}
            made_id = directory.add(state, "pipelines", item["name"], {"stages": names, **kept})
            shown = shown_pipeline(state, state.lists["pipelines"][made_id])
            made.append(shown | {"request_id": str(item.get("request_id", place))})
    return directory_answer(state, request, "pipelines", made, paged=False)


def patch_pipeline(state: State, request: Request) -> Answer:
    """Rename or move a pipeline."""
    item = state.lists["pipelines"].get(request.number)
    if item is None:
        return not_found()
    sent = _one(state, request)
    with state.changing():
        state.set_item("pipelines", item | {key: sent[key] for key in _PIPELINE_KEYS if key in sent})
    return hal(shown_pipeline(state, state.lists["pipelines"][request.number]))


def delete_pipeline(state: State, request: Request) -> Answer:
    """Remove a pipeline. Raises Refused (422) for the last one or one with deals in it."""
    if request.number not in state.lists["pipelines"]:
        return not_found()
    busy = any(row.record()["pipeline_id"] == request.number for row in state.tables["leads"] if not row.deleted)
    if busy or len(state.lists["pipelines"]) == 1:
        raise Refused(422, "The pipeline cannot be deleted")
    with state.changing():
        state.drop_item("pipelines", request.number)
    return nothing()


def post_statuses(state: State, request: Request) -> Answer:
    """New stages of a pipeline."""
    pipeline = request.number
    if pipeline not in state.lists["pipelines"]:
        return not_found()
    made = []
    with state.changing():
        for item in _many(state, request, "name"):
            kept = {key: item[key] for key in _STAGE_KEYS if key in item and key != "name"}
            made.append(directory.add_stage(state, pipeline, item["name"], kept))
    shown = [one for one in stages_of(state, state.lists["pipelines"][pipeline]) if one["id"] in made]
    return directory_answer(state, request, "statuses", shown, paged=False)


def patch_status(state: State, request: Request) -> Answer:
    """Rename, move or colour a stage."""
    sent = _one(state, request)
    try:
        with state.changing():
            kept = {key: sent[key] for key in _STAGE_KEYS if key in sent}
            return hal(directory.change_stage(state, int(request.args[0]), request.number, kept))
    except KeyError:
        return not_found()


def delete_status(state: State, request: Request) -> Answer:
    """Remove a stage. Raises Refused (422) for won, lost, the incoming one, or one with deals in it."""
    place = int(request.args[0]), request.number
    stages = state.lists["pipelines"].get(place[0], {"statuses": []})["statuses"]
    stage = next((one for one in stages if one["id"] == place[1]), None)
    if stage is None:
        return not_found()
    leads = (row.record() for row in state.tables["leads"] if not row.deleted)
    if not stage["is_editable"] or any((one["pipeline_id"], one["status_id"]) == place for one in leads):
        raise Refused(422, "The status cannot be deleted")
    with state.changing():
        directory.change_stage(state, *place, None)
    return nothing()


def post_fields(state: State, request: Request) -> Answer:
    """New custom fields: 201."""
    kind = request.args[0]
    made = []
    with state.changing():
        for place, item in enumerate(_many(state, request, "name", "type")):
            kept = {key: item[key] for key in _FIELD_KEYS if key in item and key != "name"}
            made_id = directory.add(state, f"{kind}/custom_fields", item["name"], kept)
            shown = state.lists[f"{kind}/custom_fields"][made_id]
            made.append(shown | {"request_id": str(item.get("request_id", place))})
    body = {"_total_items": len(made), "_embedded": {"custom_fields": made}}
    return hal(body, 201)


def patch_fields(state: State, request: Request) -> Answer:
    """Change custom fields: many from an array, one from an object. `enums` sent without ids are made anew."""
    kind = f"{request.args[0]}/custom_fields"
    single = len(request.args) > 1
    items = [_one(state, request) | {"id": request.number}] if single else _many(state, request, "id")
    if any(item["id"] not in state.lists[kind] for item in items):
        return not_found()
    shown = []
    with state.changing():
        for item in items:
            values_ = {key: item[key] for key in _FIELD_KEYS if key in item and key != "type"}
            if values_.get("enums") is not None:
                sent = values_["enums"]
                values_["enums"] = [directory.make_enum(state, place, one) for place, one in enumerate(sent)]
            state.set_item(kind, state.lists[kind][item["id"]] | values_)
            shown.append(state.lists[kind][item["id"]])
    return hal(shown[0]) if single else directory_answer(state, request, "custom_fields", shown)


def post_tags(state: State, request: Request) -> Answer:
    """New tags; a name that exists gives the tag there is."""
    kind = f"{request.args[0]}/tags"
    made: list[Record] = []
    with state.changing():
        for place, item in enumerate(_many(state, request, "name")):
            found = [tag for tag in state.lists[kind].values() if tag["name"] == item["name"]]
            made_id = found[0]["id"] if found else directory.add(state, kind, item["name"], {})
            made.append(state.lists[kind][made_id] | {"request_id": str(item.get("request_id", place))})
    return directory_answer(state, request, "tags", made)


def webhooks(state: State, request: Request) -> Answer:
    """The webhooks, all or by exact destination."""
    _hooks_allowed(state)
    filters = request.tree.get("filter")
    wanted = values(filters.get("destination")) if isinstance(filters, dict) else []
    found = [one for one in state.lists["webhooks"].values() if not wanted or one["destination"] in wanted]
    return directory_answer(state, request, "webhooks", found, paged=False)


def post_webhook(state: State, request: Request) -> Answer:
    """Subscribe a destination; one that exists is handled as the switches say."""
    _hooks_allowed(state)
    item = _one(state, request)
    destination, settings = item.get("destination"), item.get("settings")
    if not isinstance(destination, str) or not destination.startswith("http") or not isinstance(settings, list):
        raise Refused(400, "Request validation failed", [])
    old = _hook(state, destination)
    if old is not None and state.switches.webhook_repost == "refuse":
        raise Refused(400, "Webhook already exists")
    with state.changing():
        hook = old or _new_hook(state, destination, item, int(request.claims["sub"]))
        if old is not None and state.switches.webhook_repost == "merge":
            settings = list(dict.fromkeys([*old["settings"], *settings]))
        revived = old is None or state.switches.webhook_repost_revives
        disabled = False if revived else hook["disabled"]
        hook = hook | {"settings": settings, "updated_at": state.now(), "disabled": disabled}
        state.set_item("webhooks", hook)
    return hal(hook)


def _new_hook(state: State, destination: str, item: Record, by: int) -> Record:
    return {
        "id": state.take_id("webhooks"), "destination": destination, "created_at": state.now(),
        "updated_at": state.now(), "account_id": state.profile.account_id, "created_by": by,
        "sort": item.get("sort", 1), "disabled": False, "settings": [],
    }  # fmt: skip


def delete_webhook(state: State, request: Request) -> Answer:
    """Unsubscribe a destination: 204; 404 if it is unknown."""
    _hooks_allowed(state)
    destination = _one(state, request).get("destination")
    old = _hook(state, destination)
    if old is None:
        return not_found()
    with state.changing():
        state.drop_item("webhooks", old["id"])
    return nothing()


def _hook(state: State, destination: Any) -> Record | None:
    return next((one for one in state.lists["webhooks"].values() if one["destination"] == destination), None)


def _hooks_allowed(state: State) -> None:
    if state.switches.webhooks != "on":
        raise Refused(int(state.switches.webhooks), "Webhooks are not available")
