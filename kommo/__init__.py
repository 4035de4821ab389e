"""Painel Kommo: an exact local copy of a Kommo account, to browse, to trust and to build on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from kommo.settings import Settings


def create_app(settings: "Settings | None" = None) -> "Flask":
    """The web application, put together from its rooms; raises SettingError where a setting is bad.

    The parts are imported here, so that `kommo.sandbox` and the shell's help start without them.
    """
    from kommo.assembly import assemble
    from kommo.settings import load

    return assemble(settings or load())
