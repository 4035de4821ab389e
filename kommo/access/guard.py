"""Closed by default: what is refused before any route is reached.

At first a caller is direct (no proxy in between), from this machine, and not a page of somewhere else. A reverse proxy
left at its defaults shows itself by a forwarding header, a foreign Host or HTTP/1.0, and so does not open us to the
world. Where the operator named the hosts under which others call (`KOMMO_TRUSTED_HOSTS`) these may, and the proxies
that were counted (`KOMMO_PROXY_COUNT`) have to be in between, with HTTPS; then a login is needed (kommo.access.gate).
"""

import ipaddress
import re

import orjson
from flask import Flask, Request, Response, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from kommo.settings import Settings

API = "/api/"
Refused = tuple[int, str, str]  # HTTP status, stable code, Portuguese sentence
_FORWARDING = (
    "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Client-Ip",
    "X-ProxyUser-Ip", "X-Nginx-Proxy", "X-Envoy-External-Address", "X-Azure-Clientip", "X-Appengine-User-Ip",
    "Cf-Connecting-Ip", "Cf-Ray", "Cf-Visitor", "Fastly-Client-Ip", "Fly-Client-Ip",
)  # fmt: skip
_FORWARDING_STARTS = ("x-forwarded", "x-original-")  # -For, -Host, -Ssl, -Prefix, -Client-Cert, -URL, …
_HOST = re.compile(r"(localhost|[0-9.]+|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
_OWN = ("same-origin", "none")


PROXY = "Há um proxy no caminho, e ele não foi configurado: acesse o painel diretamente, ou veja docs/operation.md."
ELSEWHERE = "Este painel só atende a chamadas feitas neste computador."
UNKNOWN_HOST = "Endereço desconhecido: abra o painel por http://127.0.0.1 ou http://localhost."
UNKNOWN_NAME = "Endereço desconhecido: abra o painel pelo endereço que está em KOMMO_TRUSTED_HOSTS."
NOT_BY_PROXY = "Este painel só atende através do proxy dele: abra-o pelo endereço público."
NOT_HTTPS = "Este painel só atende por HTTPS: abra o mesmo endereço com https://."
OTHER_SITE = "O pedido veio de outro site e foi recusado."


def register(app: Flask, settings: Settings) -> None:
    """Put the guard before every route, the unknown ones and static files included; believe the counted proxies."""
    if settings.proxy_count:
        counted = settings.proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=counted, x_proto=counted)  # type: ignore[method-assign]
    app.before_request(check)


def check() -> Response | None:
    """The refusal of what may not call, in words and without anything of the account; None for who may."""
    settings: Settings = current_app.extensions["kommo"].settings
    if settings.is_local:
        found = _not_direct(request) or _foreign_host(request, ())
    else:
        found = _not_through(request, settings.proxy_count) or _foreign_host(request, settings.trusted_hosts)
    found = found or _other_site(request)
    return refusal(*found) if found else None


def refusal(status: int, code: str, sentence: str) -> Response:
    """A refusal without a page around it: JSON under /api/, a sentence elsewhere."""
    if not request.path.startswith(API):
        return Response(sentence, status, mimetype="text/plain")
    body = {"success": False, "message": sentence, "error": sentence, "code": code}
    headers = {"WWW-Authenticate": 'ApiKey realm="painel"'} if status == 401 else {}  # RFC 9110, 15.5.2
    return Response(orjson.dumps(body), status, headers, mimetype="application/json")


def _not_through(call: Request, proxies: int) -> Refused | None:
    """Whether a call from elsewhere came another way than the operator said: past the proxy, or without HTTPS.

    A call from this machine itself needs no proxy: a probe, a program beside us. It needs to be somebody all the same.
    """
    if not proxies:
        return (403, "not_direct", PROXY) if _is_forwarded(call) else None
    values = [part for part in call.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if len(values) < proxies:
        return None if _is_loopback(_peer(call)) and not _is_forwarded(call) else (403, "not_by_proxy", NOT_BY_PROXY)
    return None if call.is_secure else (403, "not_https", NOT_HTTPS)


def _peer(call: Request) -> str:
    """The address of whoever is at the other end of the connection: a proxy's, where there is one."""
    before = call.environ.get("werkzeug.proxy_fix.orig") or {}
    return str(before.get("REMOTE_ADDR") or call.environ.get("REMOTE_ADDR") or "")


def _not_direct(call: Request) -> Refused | None:
    if not _is_loopback(call.environ.get("REMOTE_ADDR") or ""):
        return 403, "not_local", ELSEWHERE
    if call.environ.get("SERVER_PROTOCOL") == "HTTP/1.0" or _is_forwarded(call):
        return 403, "not_direct", PROXY
    return None


def _is_forwarded(call: Request) -> bool:
    listed = any(name in call.headers for name in _FORWARDING)
    return listed or any(name.lower().startswith(_FORWARDING_STARTS) for name, _ in call.headers)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _foreign_host(call: Request, named: tuple[str, ...]) -> Refused | None:
    """The `Host`, and the host in the request line where a client wrote the whole address into it (RFC 9112, 3.2.2).

    They are one of the `named` ones, or this machine itself for a call from it.
    """
    hosts = [call.environ.get("HTTP_HOST", "")]
    written = call.environ.get("REQUEST_URI") or call.environ.get("RAW_URI") or "/"
    if not written.startswith("/"):
        hosts.append(re.sub(r"^https?://|[/?#].*$", "", written, flags=re.IGNORECASE | re.DOTALL))
    here = _is_loopback(_peer(call))
    if all(_is_named(host, named) or (here and _is_own(host)) for host in hosts):
        return None
    return 400, "unknown_host", UNKNOWN_NAME if named else UNKNOWN_HOST


def _is_named(host: str, named: tuple[str, ...]) -> bool:
    """Whether a host (with or without a port) is one under which the operator lets others call."""
    name = re.sub(r":[0-9]{1,5}$", "", host).lower()
    return name in named


def _is_own(host: str) -> bool:
    """Whether a host (with or without a port) names this machine."""
    found = _HOST.fullmatch(host)
    return found is not None and (not found[1][0].isdigit() or _is_loopback(found[1]))


def _other_site(call: Request) -> Refused | None:
    site, origin = call.headers.get("Sec-Fetch-Site"), call.headers.get("Origin")
    if site is not None:
        allowed = site in _OWN or _follows_a_link(call)
    else:
        allowed = origin is None or origin.lower() == f"{call.scheme}://{call.host}".lower()
    return None if allowed else (403, "cross_site", OTHER_SITE)


def _follows_a_link(call: Request) -> bool:
    """A person followed a link to one of our pages: the one thing another site may cause."""
    return (
        call.method in ("GET", "HEAD")
        and call.headers.get("Sec-Fetch-Mode") == "navigate"
        and call.headers.get("Sec-Fetch-Dest") == "document"
        and not call.path.startswith(API)
    )
