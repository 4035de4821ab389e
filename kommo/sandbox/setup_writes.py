"""Writes of what changes seldom: pipelines and stages, custom fields, tags, webhooks."""

from __future__ import annotations

from typing import Any

from kommo.sandbox import directory, setup_checks
from kommo.sandbox.answers import Answer, Refused, hal, not_found, nothing
from kommo.sandbox.catalog import directory as directory_answer
from kommo.sandbox.catalog import shown_pipeline, stages_of
from kommo.sandbox.query import values
from kommo.sandbox.records import LOST, WON
from kommo.sandbox.renaming import set_field
from kommo.sandbox.requests import Request
from kommo.sandbox.rows import Record
from kommo.sandbox.setup_checks import field_of, many, one
from kommo.sandbox.shapes import request_id
from kommo.sandbox.state import State

_STAGE_KEYS = ("name", "sort", "color")
_PIPELINE_KEYS = ("name", "sort", "is_main", "is_unsorted_on")
_FIELD_KEYS = ("name", "type", "code", "sort", "enums", "group_id", "is_api_only", "remind", "settings")


def post_pipelines(state: State, request: Request) -> Answer:
    """New pipelines with the stages in their `_embedded.statuses`; 142 and 143 among these are renamed."""
    items, made = many(state, request, "name", check=setup_checks.pipeline), []
    with state.changing():
        for place, item in enumerate(items):
            sent = [stage for stage in (item.get("_embedded") or {}).get("statuses") or [] if stage.get("name")]
            stages = [_stage(stage) for stage in sent if stage.get("id") not in (WON, LOST)]
            kept = {key: item[key] for key in _PIPELINE_KEYS if key in item and key != "name"}
            made_id = directory.add(state, "pipelines", item["name"], {"stages": stages, **kept})
            for stage in sent:
                if stage.get("id") in (WON, LOST):
                    directory.change_stage(state, made_id, stage["id"], {"name": stage["name"]})
            shown = shown_pipeline(state, state.lists["pipelines"][made_id])
            made.append(shown | {"request_id": request_id(item, place)})
    return directory_answer(state, request, "pipelines", made, paged=False)


def _stage(sent: Record) -> Record:
    return {key: sent[key] for key in _STAGE_KEYS if key in sent}


def patch_pipeline(state: State, request: Request) -> Answer:
    """Rename or move a pipeline."""
    item = state.lists["pipelines"].get(request.number)
    if item is None:
        return not_found()
    sent = one(state, request)
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
    items = many(state, request, "name", check=setup_checks.stage)
    with state.changing():
        made = [directory.add_stage(state, pipeline, item["name"], _stage(item)) for item in items]
    shown = [stage for stage in stages_of(state, state.lists["pipelines"][pipeline]) if stage["id"] in made]
    return directory_answer(state, request, "statuses", shown, paged=False)


def patch_status(state: State, request: Request) -> Answer:
    """Rename, move or colour a stage."""
    sent, pipeline = one(state, request, check=setup_checks.stage), request.number_at(0)
    try:
        with state.changing():
            directory.change_stage(state, pipeline, request.number, _stage(sent))
    except KeyError:
        return not_found()
    found = stages_of(state, state.lists["pipelines"][pipeline])
    return hal(next(stage for stage in found if stage["id"] == request.number))


def delete_status(state: State, request: Request) -> Answer:
    """Remove a stage. Raises Refused (422) for won, lost, the incoming one, or one with deals in it."""
    place = request.number_at(0), request.number
    stages = state.lists["pipelines"].get(place[0], {"statuses": []})["statuses"]
    stage = next((stage for stage in stages if stage["id"] == place[1]), None)
    if stage is None:
        return not_found()
    leads = (row.record() for row in state.tables["leads"] if not row.deleted)
    if not stage["is_editable"] or any((lead["pipeline_id"], lead["status_id"]) == place for lead in leads):
        raise Refused(422, "The status cannot be deleted")
    with state.changing():
        directory.change_stage(state, *place, None)
    return nothing()


def post_fields(state: State, request: Request) -> Answer:
    """New custom fields: 201."""
    kind, made = request.args[0], []
    items = many(state, request, "name", "type", check=field_of(kind))
    with state.changing():
        for place, item in enumerate(items):
            kept = {key: item[key] for key in _FIELD_KEYS if key in item and key != "name"}
            made_id = directory.add(state, f"{kind}/custom_fields", item["name"], kept)
            made.append(state.lists[f"{kind}/custom_fields"][made_id] | {"request_id": request_id(item, place)})
    body = {"_total_items": len(made), "_embedded": {"custom_fields": made}}
    return hal(body, 201)


def patch_fields(state: State, request: Request) -> Answer:
    """Change custom fields: many from an array, one from an object. `enums` sent without ids are made anew."""
    kind, check = request.args[0], field_of(request.args[0])
    single, known = len(request.args) > 1, state.lists[f"{kind}/custom_fields"]
    items = [one(state, request, check=check) | {"id": request.number}] if single else many(
        state, request, "id", check=check
    )  # fmt: skip
    if any(item["id"] not in known for item in items):
        return not_found()
    with state.changing():
        for item in items:
            values_ = {key: item[key] for key in _FIELD_KEYS if key in item and key != "type"}
            if values_.get("enums") is not None:
                sent = values_["enums"]
                values_["enums"] = [directory.make_enum(state, place, option) for place, option in enumerate(sent)]
            set_field(state, kind, known[item["id"]] | values_)
    shown = [known[item["id"]] for item in items]
    return hal(shown[0]) if single else directory_answer(state, request, "custom_fields", shown)


def post_tags(state: State, request: Request) -> Answer:
    """New tags; a name that exists gives the tag there is."""
    kind = f"{request.args[0]}/tags"
    items, made = many(state, request, "name"), []
    with state.changing():
        for place, item in enumerate(items):
            found = [tag for tag in state.lists[kind].values() if tag["name"] == item["name"]]
            made_id = found[0]["id"] if found else directory.add(state, kind, item["name"], {})
            made.append(state.lists[kind][made_id] | {"request_id": request_id(item, place)})
    return directory_answer(state, request, "tags", made)


def webhooks(state: State, request: Request) -> Answer:
    """The webhooks, all or by exact destination."""
    _hooks_allowed(state)
    filters = request.tree.get("filter")
    wanted = values(filters.get("destination")) if isinstance(filters, dict) else []
    found = [hook for hook in state.lists["webhooks"].values() if not wanted or hook["destination"] in wanted]
    return directory_answer(state, request, "webhooks", found, paged=False)


def post_webhook(state: State, request: Request) -> Answer:
    """Subscribe a destination; one that exists is handled as the switches say."""
    _hooks_allowed(state)
    item = one(state, request, "destination", "settings", check=setup_checks.hook)
    destination, settings = item["destination"], item["settings"]
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
    destination = one(state, request).get("destination")
    old = _hook(state, destination)
    if old is None:
        return not_found()
    with state.changing():
        state.drop_item("webhooks", old["id"])
    return nothing()


def _hook(state: State, destination: Any) -> Record | None:
    return next((hook for hook in state.lists["webhooks"].values() if hook["destination"] == destination), None)


def _hooks_allowed(state: State) -> None:
    if state.switches.webhooks != "on":
        raise Refused(int(state.switches.webhooks), "Webhooks are not available")
