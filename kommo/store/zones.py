"""An account's time zone, always usable: what Kommo calls it may be unknown here."""

from zoneinfo import ZoneInfo

from kommo.store.tables import Connection

DEFAULT = "America/Sao_Paulo"


def zone_of(connection: Connection) -> ZoneInfo:
    """The zone in which days and months of this account are counted; São Paulo's where its name is unknown."""
    try:
        return ZoneInfo(connection.timezone or DEFAULT)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or the name of a folder of the zone files
        return ZoneInfo(DEFAULT)
