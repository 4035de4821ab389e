"""One switch for each thing that Kommo's documentation leaves open.

A copy of the account has to come out exact under every setting, so each of them can be turned in a test.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_type_hints


@dataclass
class Switches:
    """How this Kommo behaves where the documentation is silent. The defaults are the likelier behaviour."""

    # What moves `updated_at`, beside a change of the record's own fields.
    link_bumps: bool = False
    """Linking or unlinking moves `updated_at` of both records."""
    tag_bumps: bool = True
    """A change of nothing but tags moves `updated_at`."""
    note_bumps: bool = False
    """A new note moves `updated_at` of the record it hangs on."""
    task_bumps: bool = False
    """A new, changed or completed task moves `updated_at` of its record."""
    restore_bumps: bool = True
    """A record that comes back from the trash gets a new `updated_at`."""
    delete_bumps: bool = True
    """A record that goes to the trash gets a new `updated_at` (seen in the thin rows of `only_deleted`)."""
    merge_bumps: bool = True
    """The record that survives a merge gets a new `updated_at`."""
    noop_bumps: bool = False
    """A PATCH that changes nothing moves `updated_at`."""
    sent_updated_at: Literal["ignored", "stored", "refused"] = "ignored"
    """What an `updated_at` in the body of a write does."""
    sent_created_at: Literal["ignored", "stored"] = "ignored"
    """What a `created_at` in the body of a PATCH does (a POST stores it)."""

    # Order and paging.
    default_order: Literal["id_asc", "id_desc", "updated_desc", "created_desc"] = "id_asc"
    """The order of a list that names none."""
    order_ignored: bool = False
    """`order` is silently ignored, the default order is given."""
    unknown_order: Literal["ignored", "400"] = "ignored"
    """What an `order` key that the list does not know does."""
    stable_ties: bool = True
    """Rows with equal `updated_at` keep their order (by id) from request to request."""
    over_limit: Literal["clamp", "default", "400", "422"] = "clamp"
    """What `limit` above the maximum does: 250 rows, 50 rows, or an error."""
    page_zero: Literal["first", "400", "422", "empty"] = "first"
    """What `page=0` or a negative page gives."""
    page_cap: int = 0
    """Pages beyond this one are answered 204, however many rows there are; 0 = no cap."""
    eager_next: bool = False
    """A full last page links a next one, which is then empty."""
    link_host: Literal["called", "account"] = "called"
    """The host in `next` and `prev`: the one that was called, or the account's own."""

    # Filters, search, `with`.
    from_inclusive: bool = True
    """`[from]` of a range takes the rows of that very second."""
    to_inclusive: bool = True
    """`[to]` of a range takes the rows of that very second."""
    filter_contacts_created: bool = True
    """Contacts can be filtered by `created_at` (English page: no; Portuguese page: yes)."""
    filter_updated: bool = True
    """Lists can be filtered by `updated_at`; otherwise the filter is ignored without a word."""
    custom_field_filters: bool = True
    """`filter[custom_fields_values]` works (a paid add-on in places); otherwise it is ignored."""
    query_finds_tags: bool = True
    """`query=` on leads also looks at tag names."""
    unknown_with: Literal["ignored", "400"] = "ignored"
    """What an unknown value in `with` does."""
    if_modified_since: bool = False
    """Lists of leads, contacts, companies and tasks honour `If-Modified-Since` (304 when nothing is newer)."""

    # Shapes.
    minor_units: bool = True
    """Leads carry `price_with_minor_units`."""
    no_custom_fields: Literal["null", "list", "absent"] = "null"
    """How a record without custom field values shows that."""
    loss_reason_shape: Literal["array", "object"] = "array"
    """The shape of `_embedded.loss_reason` with `with=loss_reason`."""
    single_patch: Literal["bare", "wrapped"] = "bare"
    """The answer of PATCH on one record: the object, or a list with it in `_embedded`."""
    single_pipeline: Literal["bare", "wrapped"] = "bare"
    """The answer of GET on one pipeline."""
    patch_request_id: bool = True
    """The rows of a PATCH's answer repeat `request_id`."""
    list_unsorted: bool = True
    """Lists show the contacts and leads of incoming requests that nobody has accepted."""

    # Deletion.
    only_deleted: Literal["leads", "all", "none"] = "all"
    """Which lists know `with=only_deleted`; the others ignore it and give the live rows."""
    keeps_trash: bool = True
    """Deleted records can be restored; otherwise they are gone at once and `only_deleted` shows nothing."""
    trashed_get: Literal["204", "thin", "404"] = "204"
    """What GET by id gives for a record in the trash."""
    delete_events: bool = True
    """Deletions and restorations are told in `/events`."""
    merged_event_on: Literal["winner", "loser"] = "winner"
    """Whose id the event `entity_merged` carries."""

    # Events.
    events: Literal["on", "402", "403"] = "on"
    """Whether `/events` answers, or is not in the plan, or not allowed."""
    events_page_size: int = 100
    """The most events a page gives (Kommo's page says 250, the sister product's 100)."""
    events_order: Literal["desc", "asc"] = "desc"
    """Newest or oldest event first."""
    events_lag: int = 0
    """Seconds until an event shows up in the feed."""

    # Rights and plan.
    users: Literal["on", "403"] = "on"
    """Whether `/users` answers."""
    webhooks: Literal["on", "402", "403"] = "on"
    """Whether `/webhooks` answers."""
    task_get: bool = True
    """GET of one task exists (a documentation page says so, a digest does not)."""
    acts_as_user: bool = False
    """Writes are signed by the token's user instead of 0."""

    # Writes.
    batch_atomic: bool = True
    """One bad record refuses the whole batch; otherwise the good ones land although the answer is 400."""
    empty_values_clears: bool = True
    """`values: []` clears a custom field, as `values: null` does; otherwise it is refused."""
    strict_content_type: bool = False
    """A body that is not declared as JSON is answered 415."""
    webhook_repost: Literal["replace", "merge", "refuse"] = "replace"
    """What POST of a webhook destination that exists already does to its `settings`."""
    webhook_repost_revives: bool = True
    """POST of a disabled webhook enables it again."""

    # The gateway.
    rate_body: Literal["html", "json"] = "html"
    """The body of a 429: the gateway's HTML, or JSON with `retry_after`."""
    retry_after: int = 0
    """Seconds in the `Retry-After` header of a 429; 0 = no such header (none is documented)."""
    block_after: int = 0
    """Everything is answered by the HTML 403 after this many 429s to one client; 0 = never."""
    clock_skew: int = 0
    """Seconds by which the `Date` header is off from the clock that stamps records."""


def turn(switches: Switches, settings: dict[str, Any]) -> None:
    """Set several switches at once.

    Raises ValueError with the name of a switch that does not exist or of a value it cannot have; nothing is set then.
    """
    hints = get_type_hints(Switches)
    names = {one.name for one in fields(Switches)}
    for name, value in settings.items():
        if name not in names:
            raise ValueError(f"unknown switch: {name}")
        choices = get_args(hints[name])
        if (choices and value not in choices) or (not choices and type(value) is not hints[name]):
            raise ValueError(f"switch {name} cannot be {value!r}")
    for name, value in settings.items():
        setattr(switches, name, value)
