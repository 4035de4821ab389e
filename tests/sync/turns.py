"""Every setting of what Kommo leaves undocumented that can change what a run reads, one after the other."""

import typing
from dataclasses import fields

from kommo.sandbox.switches import Switches

# Switches that cannot change what a run reads, each with its reason; all others are turned.
NOT_READING = {
    **dict.fromkeys(
        (
            "sent_updated_at", "sent_created_at", "noop_bumps", "single_patch", "patch_request_id", "batch_atomic",
            "empty_values_clears", "strict_content_type", "acts_as_user",
        ),
        "the product writes nothing",
    ),
    **dict.fromkeys(("webhooks", "webhook_repost", "webhook_repost_revives"), "the product asks for no webhooks"),
    **dict.fromkeys(("task_get", "single_pipeline"), "the product asks for no single task or pipeline"),
    "page_cap": "a list that is cut cannot be copied; what is said of it has a test of its own below",
    "block_after": "a blocked account cannot be copied; tests/sync/test_troubles.py",
    "retry_after": "without a 429 there is none; the 429 has a test of its own below",
}  # fmt: skip
# Values of the switches that take any whole number.
_NUMBERS = {"events_page_size": (3,), "events_lag": (120,), "clock_skew": (3600, -3600)}


def turns() -> list[tuple[str, object]]:
    """Names and values, those by default left out."""
    found: list[tuple[str, object]] = []
    hints = typing.get_type_hints(Switches)
    for field in fields(Switches):
        if field.name in NOT_READING:
            continue
        choices = typing.get_args(hints[field.name]) or ((True, False) if hints[field.name] is bool else ())
        values = _NUMBERS.get(field.name, choices)
        found += [(field.name, value) for value in values if value != field.default]
    return found
