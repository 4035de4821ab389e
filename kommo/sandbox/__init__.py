"""A Kommo to try and to test against: API v4 on a loopback socket, with data, limits and faults of its own.

In a test: `with serve(make_world(contacts=100, deals=50)) as server:` and ask `server.address` with `server.token`.
"""

from kommo.sandbox.clock import MovableClock
from kommo.sandbox.server import Server, serve
from kommo.sandbox.state import Profile
from kommo.sandbox.storage import StorageError
from kommo.sandbox.switches import Switches
from kommo.sandbox.world import OFICINA, PADARIA, PROFILES, World, make_world, open_world

__all__ = [
    "OFICINA",
    "PADARIA",
    "PROFILES",
    "MovableClock",
    "Profile",
    "Server",
    "StorageError",
    "Switches",
    "World",
    "make_world",
    "open_world",
    "serve",
]
