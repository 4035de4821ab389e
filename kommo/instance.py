"""The folder of the installation's own data: made on first start, readable by its owner only."""

import os
import secrets
from pathlib import Path

from kommo.refusals import reason
from kommo.settings import SettingError, Settings

_KEYS = ("encryption_key", "secret_key")
_FOLDERS = ("backups", "demo", "assets")
# What a new folder may hold: what file systems, version control and Finder put there by themselves.
_NOBODY_S = {"lost+found", ".gitkeep", ".gitignore", ".DS_Store"}


def prepare(settings: Settings) -> None:
    """Make `instance/` (0700) and close what is ours in it (0600).

    Raises SettingError where it cannot be written, or is somebody else's: not empty, and without a trace of ours.
    """
    os.umask(0o077)
    folder = settings.instance
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = _own_names(settings)
        _require_ours(folder, own)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
        folder.chmod(0o700)
        for path in folder.iterdir():
            if path.name in own:
                _close(path)
    except OSError as error:
        raise SettingError(
            f"A pasta de dados {folder} não aceita escrita ({reason(error)}); corrija as permissões "
            "ou mude KOMMO_INSTANCE."
        ) from None


def _close(path: Path) -> None:
    """Take everybody else's rights to a file or folder of ours, and to what is in it."""
    if path.is_symlink():
        return
    if path.is_dir():
        path.chmod(0o700)
        for inside in path.iterdir():
            _close(inside)
    elif path.is_file():
        path.chmod(0o600)


def _own_names(settings: Settings) -> set[str]:
    """What the installation makes in its folder."""
    addresses = (settings.database, settings.queue, "kommo.sqlite3", "queue.sqlite3")
    databases = {address.rpartition("/")[2] for address in addresses if "://" not in address or "sqlite" in address}
    files = {f"{name}{end}" for name in databases for end in ("", "-wal", "-shm", "-journal")}
    return {*files, *_KEYS, *_FOLDERS, "erased_people"}


def _require_ours(folder: Path, own: set[str]) -> None:
    """Raise SettingError for a folder with other things and none of ours: its modes are not ours to change."""
    names = {path.name for path in folder.iterdir()}
    drafts = {name for name in names if name.startswith((".probe-", *(f".{key}-" for key in _KEYS)))}
    if not names & own and names - drafts - _NOBODY_S:
        raise SettingError(
            f"A pasta {folder} já tem outros arquivos e nada deste painel: escolha uma pasta vazia em KOMMO_INSTANCE."
        )


def secret(folder: Path, name: str) -> str:
    """The secret kept in `folder/name` as 64 hexadecimal digits, made on first use (0600).

    Two processes that start together get the same one: the complete file is linked into place, and only once.
    """
    path = folder / name
    if not path.exists():
        try:
            _make(path)
        except OSError as error:
            raise SettingError(f"O segredo {path} não pôde ser gravado ({reason(error)}).") from None
    value = path.read_text(encoding="ascii").strip()
    if len(value) < 32:
        raise SettingError(f"O segredo em {path} está danificado; restaure-o da cópia de segurança.")
    return value


def _make(path: Path) -> None:
    """Put a new secret at `path`, unless another process was first."""
    draft = path.parent / f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}"
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
