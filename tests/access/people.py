"""People for tests: made in the database as the shell would, logged in as a browser would."""

from kommo.access import passwords
from kommo.db import writing
from kommo.services import Services
from kommo.store import people
from kommo.store.tables import User

PASSWORD = "tijolo-vento-caneca-9"


def make(
    services: Services, name: str, role: str = "administrator", owner: str = "1", password: str = PASSWORD
) -> User:
    """A person who may log in."""
    hashed = passwords.hash_of(password)
    with writing(services.engine) as session:
        return people.add(session, name, role, hashed, owner)
