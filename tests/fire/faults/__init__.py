"""What can happen to an installation, each by its own means: a function that does it, undoes it, and looks meanwhile.

A fault leaves the site running, and its cause gone; the test then lets it recover and looks at what is promised.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.databases import POSTGRESQL, SQLITE
from tests.fire.site import Site

Deed = Callable[[Site], None]
BOTH, ON_SQLITE, ON_POSTGRESQL = (SQLITE, POSTGRESQL), (SQLITE,), (POSTGRESQL,)
HERE, IN_TMPFS = "here", "tmpfs"


@dataclass(frozen=True)
class Fault:
    """One fault: its name in the table, the engines it is tried on, and where."""

    name: str
    deed: Deed
    engines: tuple[str, ...]
    place: str


ALL: dict[str, Fault] = {}


def fault(name: str, engines: tuple[str, ...] = ON_SQLITE, *, place: str = HERE) -> Callable[[Deed], Deed]:
    """Put a function into the table."""

    def note(deed: Deed) -> Deed:
        assert name not in ALL
        ALL[name] = Fault(name, deed, engines, place)
        return deed

    return note
