"""Bad inputs: other sites, other hosts, proxies, forged forms, methods, redirects, cookies, double clicks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fire.rows import API, Raw, Row, Said, Web
from tests.wire import head

if TYPE_CHECKING:
    from tests.fire.place import Place

_SITE = "O pedido veio de outro site e foi recusado."
_HOST = "Endereço desconhecido: abra o painel por http://127.0.0.1 ou http://localhost."
_PROXY = "Há um proxy no caminho, e ele não foi configurado"
_STALE = "A página ficou aberta por muito tempo"
_METHOD = "Este endereço não aceita esse pedido"


@dataclass(frozen=True, kw_only=True)
class Twice:
    """The same click twice: the first has its effect, the second adds nothing and says so."""

    name: str
    first: Web
    second: Web
    secret: str = ""
    asks: bool = True
    notes: bool = True

    @property
    def status(self) -> int:
        """What the second one gets."""
        return self.second.status

    @property
    def says(self) -> str:
        """What the second one is told."""
        return self.second.says

    def send(self, place: "Place") -> Said:
        """Twice; what the first one stored is undone afterwards."""
        before = place.effects()
        assert self.first.send(place).status == self.first.status
        between = place.effects()
        assert between != before
        said = self.second.send(place)
        assert place.effects() == between
        place.put_back()
        return said


def _post(name: str, status: int, says: str, *, token: bool = True, cookie: bool = True,
          headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None,
          path: str = "/sincronizacao") -> Web:  # fmt: skip
    return Web(name=name, path=path, method="POST", status=status, says=says, form=form or {}, token=token,
               cookie=cookie, headers=headers or {})  # fmt: skip


def rows() -> list[Row]:
    """Everything that comes with a request beside what it asks."""
    found: list[Row] = []
    for path in ("/sincronizacao", "/conexao", "/conexao/token", "/conexao/demonstracao", "/conexao/{own}/desconectar",
                 "/conexao/{own}/testar", "/sincronizacao/{run}/cancelar", "/sincronizacao/agenda",
                 "/sincronizacao/agenda/desligar"):  # fmt: skip
        found.append(_post(f"sem o token do formulário: {path}", 403, _STALE, token=False, path=path))
        found.append(_post(f"de outro site: {path}", 403, _SITE, headers={"Sec-Fetch-Site": "cross-site"}, path=path))
    found += [
        _post("token de outra sessão", 403, _STALE, cookie=False),
        _post("token inventado", 403, _STALE, token=False, form={"csrf_token": "a" * 90}),
        _post("token vazio", 403, _STALE, token=False, form={"csrf_token": ""}),
        _post("de outro endereço do mesmo site", 403, _SITE, headers={"Sec-Fetch-Site": "same-site"}),
        _post("Sec-Fetch-Site inventado", 403, _SITE, headers={"Sec-Fetch-Site": "SAME-ORIGIN "}),
        _post("Origin de outro", 403, _SITE, headers={"Origin": "https://evil.com"}),
        _post("Origin nulo", 403, _SITE, headers={"Origin": "null"}),
        _post("Origin de outra porta", 403, _SITE, headers={"Origin": "http://127.0.0.1:1"}),
        _get("imagem de outro site", _cross("no-cors", "image"), 403, _SITE),
        _get("moldura de outro site", _cross("navigate", "iframe"), 403, _SITE),
        _get("API por um vínculo", _cross("navigate", "document"), 403, _SITE, f"{API}/sync"),
    ]  # fmt: skip
    for host in ("evil.com", "127.0.0.1.evil.com", "localhost.evil.com:3000", "", "127.1", "8.8.8.8",
                 "127.0.0.1:99999999", "kommo.local", "127.0.0.1@evil.com", "evil.com#127.0.0.1", "[::2]"):  # fmt: skip
        found.append(_get(f"Host {host!r}", {"Host": host}, 400, _HOST))
        found.append(_get(f"API: Host {host!r}", {"Host": host}, 400, _HOST, f"{API}/sync"))
    for name in ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via", "X-Real-IP", "X-Original-URL"):
        found.append(_get(f"com {name}", {name: "evil.com"}, 403, _PROXY))
    for method in ("PUT", "PATCH", "DELETE"):
        found.append(Web(name=f"{method} sem token", path="/conexao", method=method, status=405, says=_METHOD))
        found.append(
            Web(name=f"API: {method}", path=f"{API}/contacts", method=method, status=405, says="não aceita este método")
        )
    for method in ("TRACE", "PROPFIND", "FOO"):
        found.append(Web(name=method, path="/", method=method, status=405, says=_METHOD))
    for path in ("/conexao/{own}/testar", "/conexao/demonstracao", "/sincronizacao/{run}/cancelar",
                 "/sincronizacao/{run}/confirmar-exclusoes", "/sincronizacao/agenda/desligar"):  # fmt: skip
        found.append(Web(name=f"GET {path}", path=path, status=405, says=_METHOD))
        found.append(Web(name=f"HEAD {path}", path=path, method="HEAD", status=405, says=""))
    for place in ("//evil.com", "/\\evil.com", "https:evil", "javascript:alert(1)", "/%0d%0aSet-Cookie:a=b"):
        found.append(_get(f"ir para {place}", {}, 200, "Conexão", f"/conexao?next={place}&url={place}"))
        found.append(_get(f"caminho {place}", {}, 404, "Esta página não existe", "/" + place))
    for name, cookie in (("vazio", "painel_kommo="), ("de outro", "painel_kommo=eyJhIjoxfQ.aaaa.bbbb"),
                         ("10 kB", f"painel_kommo={'a' * 10_000}"),
                         ("estranho", 'painel_kommo="\\"; ;;=')):  # fmt: skip
        found.append(_get(f"cookie {name}", {"Cookie": cookie}, 200, "Visão geral", "/"))
        found.append(_post(f"formulário com cookie {name}", 403, _STALE, cookie=False, headers={"Cookie": cookie}))
    found += [
        Raw(name="cabeçalhos de 300 kB", status=431, says="cabeçalhos", data=head("/", "X-Nada: " + "x" * 300_000)),
        Raw(name="NUL num cabeçalho", status=400, says="não entendeu", data=head("/", "X-Nada: a\0b")),
        Raw(name="primeira linha sem versão", status=400, says="", data=b"GET\r\nHost: 127.0.0.1\r\n\r\n"),
        Raw(name="endereço inteiro de outro", status=400, says=_HOST, data=head("http://evil.com/")),
        Raw(name="HTTP/1.0", status=403, says=_PROXY, data=b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"),
        Raw(name="CONNECT", status=400, says=_HOST, data=head("evil.com:443", method="CONNECT")),
        Twice(name="duas vezes sincronizar", first=_post("a", 303, ""), second=_post("b", 303, "")),
        Twice(name="API: duas vezes sincronizar", first=_start("a", 202, ""),
              second=_start("b", 409, "Acompanhe a que está em andamento")),
        Twice(name="duas vezes desconectar", first=_post("a", 303, "", path="/conexao/{own}/desconectar"),
              second=_post("b", 303, "", path="/conexao/{own}/desconectar")),
    ]  # fmt: skip
    return found


def _cross(mode: str, destination: str) -> dict[str, str]:
    """What a browser says of a request that another site's page caused."""
    return {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": destination}


def _start(name: str, status: int, says: str) -> Web:
    return Web(name=name, path=f"{API}/sync", method="POST", status=status, says=says, body={},
               headers={"Prefer": "respond-async"})  # fmt: skip


def _get(name: str, headers: Mapping[str, str], status: int, says: str, path: str = "/sincronizacao") -> Web:
    return Web(name=name, path=path, status=status, says=says, headers=headers)


ROWS = tuple(rows())
