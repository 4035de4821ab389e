"""Style, script and htmx: where they come from, and that they are the bytes we mean.

htmx is pinned by version and hash, and never committed. It comes from the CDN, whose bytes the browser checks, or with
KOMMO_ASSETS=local from `instance/assets/`, where `flask assets` puts it after checking the same hash.
"""

import base64
import hashlib
import io
import tarfile
from functools import lru_cache
from pathlib import Path

import click
import requests
from flask import Blueprint, Flask, Response, abort, current_app, send_file, url_for
from markupsafe import Markup
from urllib3.exceptions import HTTPError

from kommo.access.headers import HTMX_URL, HTMX_VERSION
from kommo.settings import Settings, load

HTMX_HASH = "sha384-2OatzQy1H+Zd/IIrjr1TcuDGqLXeHhbooAyJY1KdQMKnr4LZ22k31GBLdYKHmVjg"
FILE = "htmx.min.js"
_IN_PACKAGE = f"package/dist/{FILE}"
_MAX_BYTES = 4_000_000

bp = Blueprint("assets", __name__)


class WrongAsset(Exception):
    """A file is not the htmx we pinned; the text is a Portuguese sentence."""


def register(app: Flask) -> None:
    """The route, the command, and what templates call: `asset(name)` and `htmx_script()`."""
    app.register_blueprint(bp)
    app.cli.add_command(assets_command)
    app.jinja_env.globals.update(asset=asset, htmx_script=htmx_script)


def asset(name: str) -> str:
    """The address of a file in static/, with a mark of its content, so that browsers may keep it for long."""
    return url_for("static", filename=name, v=_mark(current_app.static_folder or "", name))


def htmx_script() -> Markup:
    """The script element for htmx, from the CDN or from this server; the browser checks the bytes of either."""
    if _settings().assets == "local":
        source = url_for("assets.file", v=HTMX_VERSION)
        return Markup('<script src="{}" integrity="{}" defer></script>').format(source, HTMX_HASH)
    return Markup('<script src="{}" integrity="{}" crossorigin="anonymous" defer></script>').format(HTMX_URL, HTMX_HASH)


@bp.get(f"/assets/{FILE}")
def file() -> Response:
    """htmx from `instance/assets/`; 404 where `flask assets` has not been run."""
    path = place(_settings())
    if not path.is_file():
        abort(404)
    return send_file(path.resolve(), mimetype="text/javascript", max_age=31_536_000)


def place(settings: Settings) -> Path:
    """Where the local copy of htmx lies."""
    return settings.instance / "assets" / FILE


def checked(content: bytes) -> bytes:
    """The content, if it is the pinned htmx; raises WrongAsset otherwise."""
    digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
    if f"sha384-{digest}" != HTMX_HASH:
        raise WrongAsset(f"O arquivo não é o htmx {HTMX_VERSION} esperado (a soma SHA-384 difere); nada foi gravado.")
    return content


def from_file(path: Path) -> bytes:
    """htmx from a .js file or from the .tgz that `npm pack htmx.org` brings; raises WrongAsset."""
    raw = path.read_bytes()
    if not path.name.endswith((".tgz", ".tar.gz")):
        return checked(raw)
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:gz") as archive:
            member = archive.extractfile(_IN_PACKAGE)
            found = member.read(_MAX_BYTES) if member else b""
    except (tarfile.TarError, KeyError, OSError):
        raise WrongAsset(f"{path.name} não é um pacote do npm com {_IN_PACKAGE}.") from None
    return checked(found)


def from_cdn() -> bytes:
    """htmx from the CDN; raises WrongAsset where it cannot be had."""
    try:
        with requests.get(HTMX_URL, timeout=30, allow_redirects=False, stream=True) as answer:
            answer.raise_for_status()
            content = answer.raw.read(_MAX_BYTES, decode_content=True)
    except (requests.RequestException, HTTPError) as error:
        raise WrongAsset(
            f"A CDN não respondeu ({type(error).__name__}); use `flask assets --from ARQUIVO`, "
            f"com o arquivo que `npm pack htmx.org@{HTMX_VERSION}` traz."
        ) from None
    return checked(content)


def install(settings: Settings, source: Path | None = None) -> Path:
    """Put htmx into `instance/assets/`; gives its path, raises WrongAsset."""
    content = from_file(source) if source else from_cdn()
    target = place(settings)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


@click.command("assets")
@click.option(
    "--from", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Arquivo .js ou .tgz"
)
def assets_command(source: Path | None) -> None:
    """Guarda o htmx em instance/assets, para KOMMO_ASSETS=local."""
    try:
        click.echo(f"htmx {HTMX_VERSION} conferido e guardado em {install(load(), source)}")
    except WrongAsset as error:
        raise click.ClickException(str(error)) from None


@lru_cache(maxsize=64)
def _mark(folder: str, name: str) -> str:
    path = Path(folder) / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10] if path.is_file() else ""


def _settings() -> Settings:
    found = current_app.extensions["kommo"].settings
    assert isinstance(found, Settings)
    return found
