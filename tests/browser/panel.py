"""An installation as the browser tests see it."""

from dataclasses import dataclass

from kommo.sandbox import Server
from kommo.settings import Settings


@dataclass(frozen=True, slots=True)
class Panel:
    """Where it answers, the Kommo behind it, and its settings (for reading its database beside it)."""

    address: str
    kommo: Server
    settings: Settings
