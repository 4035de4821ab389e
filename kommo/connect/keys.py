"""The key ring in use: a new key while everything runs, and what to say where one is missing.

Where the ring is the file, a rotation goes by three steps, each whole or not there: the new key takes the first line;
every sealed row is sealed anew; the keys that no row needs leave. Killed anywhere, it goes on when it is asked again.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from kommo.db import reading
from kommo.keyfile import KeyFile
from kommo.services import Services
from kommo.store import sealed
from kommo.store.sealed import Resealed
from kommo.text import plural
from kommo.vault import id_of


class KeysError(Exception):
    """The ring cannot be changed as things are; nothing was. The text is a Portuguese sentence."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did. Keys are told by their ids: `first` seals now, `made` is new (None: one was under way),
    `dropped` left the ring, `kept` stay in it behind the first, because rows need them.
    """

    first: str
    made: str | None
    resealed: Resealed
    dropped: tuple[str, ...]
    kept: tuple[str, ...]


def is_file(services: Services) -> bool:
    """Whether the ring is the file in `instance`, not the environment's."""
    return isinstance(services.vault.source, KeyFile)


def rotate(services: Services, told: Callable[[str], None]) -> Rotation:
    """Change the file's key, or end a change that was killed. Raises KeysError where there is nothing to change.

    `told` hears what was done, step by step.
    """
    file = services.vault.source
    if not isinstance(file, KeyFile):
        raise KeysError("As chaves vêm de KOMMO_ENCRYPTION_KEY: quem as troca é você.")
    made = _begin(services, file)
    told(f"A chave nova é {made}; os tokens novos já são cifrados com ela." if made else "Continuo a troca iniciada.")
    resealed = sealed.reseal(services.engine, services.vault)
    told(f"{plural(resealed.done, 'token cifrado', 'tokens cifrados')} de novo.")
    with sealed.alone(services.engine) as session:
        keys = file.keys()
        needed = sealed.in_use(session)
        staying = tuple(key for place, key in enumerate(keys) if place == 0 or id_of(key) in needed)
        if staying != keys:
            file.replace(staying)
    gone = tuple(id_of(key) for key in keys if key not in staying)
    return Rotation(id_of(keys[0]), made, resealed, gone, tuple(id_of(key) for key in staying[1:]))


def reseal(services: Services) -> Rotation:
    """Seal every row under the environment's first key; `dropped` are the others, which no row needs any more."""
    resealed = sealed.reseal(services.engine, services.vault)
    with reading(services.engine) as session:
        needed = sealed.in_use(session)
    first, *others = services.vault.key_ids
    gone = tuple(name for name in others if name not in needed)
    return Rotation(first, None, resealed, gone, tuple(name for name in others if name in needed))


def missing(services: Services) -> list[str]:
    """A sentence for each key that stored tokens need and that is not here, for the start and its log."""
    with reading(services.engine) as session:
        absent = sealed.missing(session, services.vault)
        rows = sealed.in_use(session)
    source = services.vault.source
    return [
        f"Falta a chave {name} em {source.where}, e "
        f"{plural(rows[name], 'token guardado não abre', 'tokens guardados não abrem')}. "
        f"Nada foi apagado; {source.how}."
        for name in absent
    ]


def _begin(services: Services, file: KeyFile) -> str | None:
    """Put a new key first, unless a rotation was left half done; gives the new key's id."""
    with sealed.alone(services.engine) as session:
        file.drop_drafts()
        keys = file.keys()
        needed = sealed.in_use(session)
        if not keys:
            raise KeysError(
                f"Não há chave em {file.where}: devolva-a antes de trocá-la."
                if needed
                else "Ainda não há token guardado, nem chave: a primeira é feita quando uma conta é conectada."
            )
        unneeded = any(id_of(key) not in needed for key in keys[1:])
        if unneeded or sealed.waiting(session, services.vault):
            return None
        made = secrets.token_bytes(32)
        file.replace((made, *keys))
        return id_of(made)
