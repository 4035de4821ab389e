"""Who makes the request in hand, for the audit log."""

from flask import request

from kommo.store.audit import Actor


def actor() -> Actor:
    """Who calls and from where: until people can log in, somebody at this computer."""
    return Actor("local", "", request.remote_addr or "")
