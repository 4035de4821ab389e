"""GET of what changes seldom: the account, users, pipelines and stages, loss reasons, custom fields, tags."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kommo.sandbox.answers import Answer, Refused, hal, not_found, nothing
from kommo.sandbox.lists import base
from kommo.sandbox.query import Paging, numbers, page_links, paging, values
from kommo.sandbox.requests import Request
from kommo.sandbox.rows import Record
from kommo.sandbox.state import State


def account(state: State, request: Request) -> Answer:
    """The account, with what `with=` asks for."""
    profile = state.profile
    body: Record = {
        "id": profile.account_id, "name": profile.name, "subdomain": profile.subdomain,
        "created_at": profile.created_at, "created_by": profile.admin_id,
        "updated_at": profile.created_at, "updated_by": profile.admin_id, "current_user_id": profile.admin_id,
        "country": profile.country, "currency": profile.currency, "currency_symbol": profile.currency_symbol,
        "customers_mode": "disabled", "is_unsorted_on": True, "mobile_feature_version": 0,
        "is_loss_reason_enabled": True, "is_helpbot_enabled": False, "is_technical_account": False,
        "contact_name_display_order": 1, "language": profile.language,
    }  # fmt: skip
    wanted = request.with_values()
    roots, embedded = _account_extras(state)
    body |= {key: value for key, value in roots.items() if key in wanted}
    body["_links"] = {"self": {"href": state.url("account")}}
    found = {key: value for key, value in embedded.items() if key in wanted}
    return hal(body | {"_embedded": found} if found else body)


def _account_extras(state: State) -> tuple[Record, Record]:
    roots = {
        "amojo_id": "f3c6340d-410e-4ad1-9f7e-c5e663599909", "uuid": "824f3a59-6154-4edf-ae90-0b5593715d82",
        "version": 12, "drive_url": "https://drive-c.kommo.com", "is_api_filter_enabled": True,
        "entity_names": {"leads": {"ru": {}, "en": {"gender": "m", "plural_form": {"dative": "leads"}}}},
    }  # fmt: skip
    settings = {
        "date_pattern": "d/m/Y H:i", "short_date_pattern": "d/m/Y", "short_time_pattern": "H:i",
        "date_format": "d/m/Y", "time_format": "H:i:s", "timezone": state.profile.timezone,
        "timezone_offset": state.profile.utc_offset,
    }  # fmt: skip
    embedded = {
        "amojo_rights": {"can_direct": True, "can_create_groups": True},
        "users_groups": list(state.lists["groups"].values()),
        "task_types": [
            {"id": 1, "name": "Retornar", "color": None, "icon_id": None, "code": "FOLLOW_UP"},
            {"id": 2, "name": "Reunião", "color": None, "icon_id": None, "code": "MEETING"},
        ],
        "datetime_settings": settings,
        "invoices_settings": {"lang": "pt"},
    }
    return roots, embedded


def directory(
    state: State, request: Request, name: str, items: Iterable[Record], *, paged: bool = True, most: int = 250
) -> Answer:
    """A small directory as HAL, with the totals that the big lists lack; 204 when empty or past the end."""
    everything = list(items)
    at = paging(request.tree, state.switches, most) if paged else Paging(1, max(len(everything), 1))
    shown = everything[at.start : at.start + at.limit]
    if not shown:
        return nothing()
    more = len(everything) > at.start + at.limit
    links = page_links(base(state, request), request.tree, at, more=more)
    body: Record = {"_total_items": len(everything)}
    if paged:
        pages = -(-len(everything) // at.limit)
        body |= {"_page": at.page, "_page_count": pages}
        links["last"] = page_links(base(state, request), request.tree, Paging(pages, at.limit), more=False)["self"]
    else:
        links = {"self": {"href": base(state, request)}}
    return hal(body | {"_links": links, "_embedded": {name: shown}})


def users(state: State, request: Request) -> Answer:
    """All users, inactive ones too."""
    _allow(state.switches.users, "users")
    return directory(state, request, "users", (_user(one, request) for one in _by_id(state, "users")))


def user(state: State, request: Request) -> Answer:
    """One user; 404 where there is none."""
    _allow(state.switches.users, "users")
    found = state.lists["users"].get(request.number)
    return not_found() if found is None else hal(_user(found, request))


def _user(item: Record, request: Request) -> Record:
    wanted = request.with_values()
    hidden = {"uuid", "amojo_id", "user_rank", "phone_number"} - wanted
    shown = {key: value for key, value in item.items() if key not in hidden and key != "_embedded"}
    embedded = {key: item["_embedded"][key] for key in ("roles", "groups") if key.removesuffix("s") in wanted}
    return shown | {"_embedded": embedded} if embedded else shown


def _allow(switch: str, what: str) -> None:
    if switch == "402":
        raise Refused(402, f"{what}: not in the plan")
    if switch == "403":
        raise Refused(403, "Access denied")


def _by_id(state: State, name: str) -> list[Record]:
    return [item for _, item in sorted(state.lists[name].items())]


def pipelines(state: State, request: Request) -> Answer:
    """All pipelines with their stages, not paginated."""
    found = sorted(state.lists["pipelines"].values(), key=lambda one: (one["sort"], one["id"]))
    return directory(state, request, "pipelines", (shown_pipeline(state, one) for one in found), paged=False)


def pipeline(state: State, request: Request) -> Answer:
    """One pipeline; 404 where there is none."""
    found = state.lists["pipelines"].get(request.number)
    if found is None:
        return not_found()
    if state.switches.single_pipeline == "wrapped":
        return directory(state, request, "pipelines", [shown_pipeline(state, found)], paged=False)
    return hal(shown_pipeline(state, found))


def shown_pipeline(state: State, item: Record) -> Record:
    """A pipeline as Kommo sends it."""
    shown = {key: value for key, value in item.items() if key != "statuses"}
    shown["_links"] = {"self": {"href": state.url(f"leads/pipelines/{item['id']}")}}
    return shown | {"_embedded": {"statuses": stages_of(state, item)}}


def stages_of(state: State, item: Record) -> list[Record]:
    """The stages of a pipeline as Kommo sends them, in their order."""
    start = state.url(f"leads/pipelines/{item['id']}/statuses")
    stages = sorted(item["statuses"], key=lambda one: one["sort"])
    return [one | {"_links": {"self": {"href": f"{start}/{one['id']}"}}} for one in stages]


def statuses(state: State, request: Request) -> Answer:
    """The stages of one pipeline; 404 where there is none."""
    found = state.lists["pipelines"].get(request.number)
    if found is None:
        return not_found()
    stages = stages_of(state, found)
    if "descriptions" in request.with_values():
        stages = [one | {"descriptions": []} for one in stages]
    return directory(state, request, "statuses", stages, paged=False)


def status(state: State, request: Request) -> Answer:
    """One stage; 404 where there is none."""
    item = state.lists["pipelines"].get(request.number_at(0), {"id": 0, "statuses": []})
    for one in stages_of(state, item):
        if one["id"] == request.number:
            return hal(one)
    return not_found()


def loss_reasons(state: State, request: Request) -> Answer:
    """All loss reasons."""
    return directory(state, request, "loss_reasons", _by_id(state, "loss_reasons"))


def loss_reason(state: State, request: Request) -> Answer:
    """One loss reason; 404 where there is none."""
    found = state.lists["loss_reasons"].get(request.number)
    return not_found() if found is None else hal(found)


def custom_fields(state: State, request: Request) -> Answer:
    """The custom field definitions of contacts, leads or companies, 50 a page at most unless asked otherwise."""
    items = state.lists[f"{request.args[0]}/custom_fields"].values()
    filters = request.tree.get("filter")
    wanted = values(request.tree.get("type")) or values(filters.get("type") if isinstance(filters, dict) else None)
    if wanted:
        items = [one for one in items if one["type"] in wanted]  # type: ignore[assignment]
    order = request.tree.get("order")
    key, direction = next(iter(order.items())) if isinstance(order, dict) and order else ("sort", "asc")
    key = key if key in ("sort", "id") else "sort"
    found = sorted(items, key=lambda one: (one[key], one["id"]), reverse=direction == "desc")
    return directory(state, request, "custom_fields", found)


def custom_field(state: State, request: Request) -> Answer:
    """One custom field definition; 404 where there is none."""
    found = state.lists[f"{request.args[0]}/custom_fields"].get(request.number)
    return not_found() if found is None else hal(found)


def tags(state: State, request: Request) -> Answer:
    """The tags of contacts, leads or companies, filtered by id, name or `query`."""
    found: Iterable[dict[str, Any]] = _by_id(state, f"{request.args[0]}/tags")
    filters = request.tree.get("filter")
    filters = filters if isinstance(filters, dict) else {}
    if "id" in filters:
        found = [tag for tag in found if tag["id"] in numbers(filters["id"])]
    if "name" in filters:
        found = [tag for tag in found if tag["name"] in values(filters["name"])]
    query = str(request.tree.get("query") or "").casefold()
    return directory(state, request, "tags", [tag for tag in found if query in tag["name"].casefold()])
