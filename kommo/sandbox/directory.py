"""Entries of the directories: making new pipelines, stages, users, loss reasons, custom fields and tags."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kommo.sandbox.records import LOST, WON
from kommo.sandbox.rows import Record
from kommo.sandbox.state import State

_RIGHTS = {
    **{
        kind: {"view": "A", "edit": "A", "add": "A", "delete": "A", "export": "A"}
        for kind in ("leads", "contacts", "companies")
    },
    "tasks": {"edit": "A", "delete": "A"},
    "mail_access": True,
    "catalog_access": True,
    "status_rights": None,
}
_CHOICES = ("select", "multiselect", "radiobutton", "multitext", "smart_address")
ADDRESS_PARTS = ("address_line_1", "address_line_2", "city", "state", "zip", "country")
PHONE_ENUMS = tuple((code, code) for code in ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER"))
STAGE_COLORS = ("#99ccff", "#ffff99", "#ffcc66", "#ffcccc", "#ccffff", "#deff81")


def add(state: State, what: str, name: str, values: dict[str, Any]) -> int:
    """Make an entry of `what` called `name`; `values` go over the defaults. Gives its id. Raises KeyError."""
    plain = what.partition("/")[2] or what
    makers = {
        "pipelines": pipeline, "users": user, "loss_reasons": loss_reason, "custom_fields": custom_field,
        "tags": tag, "groups": group,
    }  # fmt: skip
    values = dict(values)
    item_id = values.pop("id", None) or state.take_id(plain)
    make = makers[plain]
    item = make(state, item_id, name, what.partition("/")[0], values)
    state.set_item(what, item)
    return int(item_id)


def pipeline(state: State, item_id: int, name: str, _kind: str, values: dict[str, Any]) -> Record:
    """A pipeline with its stages: the incoming one, those in `stages` (names, or objects with one), won and lost."""
    account = state.profile.account_id
    names = values.pop("stages", ("Primeiro contato",))
    first = state.take_id("statuses")
    stages = [_stage(item_id, account, first, "Leads de entrada", 10, "#c1c1c1", kind=1)]
    for place, given in enumerate(names):
        color = STAGE_COLORS[place % len(STAGE_COLORS)]
        stage = _stage(item_id, account, state.take_id("statuses"), str(given), 20 + 10 * place, color)
        stages.append(stage | given if isinstance(given, dict) else stage)
    stages.append(_stage(item_id, account, WON, "Fechado - ganho", 10000, "#CCFF66"))
    stages.append(_stage(item_id, account, LOST, "Fechado - perdido", 11000, "#D5D8DB"))
    place = len(state.lists["pipelines"])
    return {
        "id": item_id, "name": name, "sort": place + 1, "is_main": not place, "is_unsorted_on": True,
        "is_archive": False, "account_id": account, "statuses": stages, **values,
    }  # fmt: skip


def _stage(pipeline_id: int, account: int, stage_id: int, name: str, sort: int, color: str, *, kind: int = 0) -> Record:
    editable = not kind and stage_id not in (WON, LOST)
    return {
        "id": stage_id, "name": name, "sort": sort, "is_editable": editable, "pipeline_id": pipeline_id,
        "color": color, "type": kind, "account_id": account,
    }  # fmt: skip


def add_stage(state: State, pipeline_id: int, name: str, values: dict[str, Any]) -> int:
    """A new stage of a pipeline, last of the open ones unless `values` has a `sort`. Raises KeyError."""
    item = state.lists["pipelines"][pipeline_id]
    last = max(stage["sort"] for stage in item["statuses"] if stage["sort"] < 10000)
    stage = _stage(pipeline_id, state.profile.account_id, state.take_id("statuses"), name, last + 10, STAGE_COLORS[0])
    state.set_item("pipelines", item | {"statuses": [*item["statuses"], stage | values]})
    return int(stage["id"])


def change_stage(state: State, pipeline_id: int, stage_id: int, values: dict[str, Any] | None) -> Record:
    """Change a stage, or remove it with None. Gives it as it was or is. Raises KeyError."""
    item = state.lists["pipelines"][pipeline_id]
    stages = {stage["id"]: stage for stage in item["statuses"]}
    changed: Record = stages.pop(stage_id) if values is None else stages[stage_id] | values
    if values is not None:
        stages[stage_id] = changed
    state.set_item("pipelines", item | {"statuses": list(stages.values())})
    return changed


def user(state: State, item_id: int, name: str, _kind: str, values: dict[str, Any]) -> Record:
    """A user; `is_active` and `is_admin` among `values` go into the rights."""
    rights = _RIGHTS | {
        "is_admin": values.pop("is_admin", False), "is_free": False,
        "is_active": values.pop("is_active", True), "group_id": values.pop("group_id", None), "role_id": None,
    }  # fmt: skip
    groups = [one for one in state.lists["groups"].values() if one["id"] == rights["group_id"]]
    return {
        "id": item_id, "name": name, "email": f"usuario{item_id}@{state.profile.subdomain}.example", "lang": "pt",
        "rights": rights, "uuid": f"00000000-0000-4000-8000-{item_id:012d}", "amojo_id": None, "user_rank": None,
        "phone_number": None, "_links": {"self": {"href": state.url(f"users/{item_id}")}},
        "_embedded": {"roles": [], "groups": groups}, **values,
    }  # fmt: skip


def group(_state: State, item_id: int, name: str, _kind: str, values: dict[str, Any]) -> Record:
    """A group of users."""
    return {"id": item_id, "name": name, "uuid": f"00000000-0000-4000-9000-{item_id:012d}", **values}


def loss_reason(state: State, item_id: int, name: str, _kind: str, values: dict[str, Any]) -> Record:
    """A reason why deals are lost."""
    return {
        "id": item_id, "name": name, "sort": 100 * (len(state.lists["loss_reasons"]) + 1),
        "created_at": state.now(), "updated_at": state.now(),
        "_links": {"self": {"href": state.url(f"leads/loss_reasons/{item_id}")}}, **values,
    }  # fmt: skip


def tag(_state: State, item_id: int, name: str, _kind: str, values: dict[str, Any]) -> Record:
    """A tag."""
    return {"id": item_id, "name": name, "color": None, **values}


def custom_field(state: State, item_id: int, name: str, kind: str, values: dict[str, Any]) -> Record:
    """A custom field definition; `enums` among `values` is a list of names or of (name, code)."""
    values = {"type": "text", **values}
    enums = _options(state, values["type"], values.pop("enums", None) or ())
    code = values.get("code")
    return {
        "id": item_id, "name": name, "type": values["type"], "account_id": state.profile.account_id,
        "code": None, "sort": 500 + 10 * len(state.lists[f"{kind}/custom_fields"]), "is_api_only": False,
        "enums": enums if values["type"] in _CHOICES else None, "group_id": None,
        "required_statuses": [] if kind == "leads" else None, "is_deletable": code is None,
        "is_predefined": code is not None, "entity_type": kind, "tracking_callback": None, "remind": None,
        "triggers": [], "currency": state.profile.currency if values["type"] == "monetary" else None,
        "hidden_statuses": [], "chained_lists": None, "search_in": None, "settings": None,
        "_links": {"self": {"href": state.url(f"{kind}/custom_fields/{item_id}")}}, **values,
    }  # fmt: skip


def _options(state: State, kind: str, options: Iterable[Any]) -> list[Record]:
    """The options of a new field of type `kind`; an address has its six parts, with the same ids everywhere."""
    if kind == "smart_address":
        return [
            {"id": place, "value": part, "sort": 500 + place, "code": part}
            for place, part in enumerate(ADDRESS_PARTS, 1)
        ]
    options = options or (PHONE_ENUMS if kind == "multitext" else ())
    return [make_enum(state, place, option) for place, option in enumerate(options)]


def make_enum(state: State, place: int, option: Any) -> Record:
    """One option of a choice field: from a name, a (name, code), or an object with `value` (and `id` to keep it)."""
    if isinstance(option, dict):
        made = {"id": option.get("id") or state.take_id("enums"), "value": str(option.get("value", ""))}
        return made | {"sort": option.get("sort", 500 + place), "code": option.get("code")}
    name, code = option if isinstance(option, tuple | list) else (option, None)
    return {"id": state.take_id("enums"), "value": name, "sort": 500 + place, "code": code}
