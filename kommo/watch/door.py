"""Who may read the metrics: whoever sits at this machine, directly. Never open by accident."""

from flask import Request

from kommo.access import guard

PERMISSION = "metrics"  # what a key or a person has to have, once there are any


def may_read(call: Request) -> bool:
    """Whether this caller may read the metrics.

    It has to be asked even where the guard let the caller in: a guard that serves a network lets others in, too. Where
    people and keys are known (kommo.access.identity), who has PERMISSION may, wherever they are.
    """
    return guard.is_direct(call)
