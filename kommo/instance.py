"""The folder of the installation's own data: made on first start, readable by its owner only."""

import os
import secrets
from pathlib import Path

from kommo.settings import SettingError, Settings


def prepare(settings: Settings) -> None:
    """Make `instance/` (0700) and close what lies in it (0600); raises SettingError where it cannot be written."""
    os.umask(0o077)
    folder = settings.instance
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
        for path in folder.iterdir():
            if path.is_file():
                path.chmod(0o600)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingError(
            f"A pasta de dados {folder} não aceita escrita ({reason}); corrija as permissões ou mude KOMMO_INSTANCE."
        ) from None


def secret(folder: Path, name: str) -> str:
    """The secret kept in `folder/name` as 64 hexadecimal digits, made on first use (0600).

    Two processes that start together get the same one: the complete file is linked into place, and only once.
    """
    path = folder / name
    if not path.exists():
        draft = folder / f".{name}-{os.getpid()}-{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its secret counts
        finally:
            draft.unlink(missing_ok=True)
    value = path.read_text(encoding="ascii").strip()
    if len(value) < 32:
        raise SettingError(f"O segredo em {path} está danificado; restaure-o da cópia de segurança.")
    return value
