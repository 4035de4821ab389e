"""Bad inputs: numbers that are nobody's or somebody else's, windows and orders of lists, searches."""

from tests.fire.rows import API, Row, Web

_GONE, _NO_RECORD = "Esta página não existe", "não existe nesta conta"
_UNKNOWN = "Não há sincronização com este número"
_HUGE = (2**31, 2**63 - 1, 2**63, "9" * 400)
_LOCAL = f"{API}/contacts?source=local"
SEARCHES = (
    "%", "_", "'", '"', "\\", "%00", "a%00b", "x" * 3000, "%F0%9F%91%A9%F0%9F%91%A9", "NEAR(a b)", "*", '"a" OR "b"',
    "a AND NOT b", "name:a", "^a", "-- ;DROP TABLE", "%25%25%25", "1) OR 1=1",
)  # fmt: skip


def _get(name: str, path: str, status: int, says: str) -> Web:
    return Web(name=name, path=path, status=status, says=says)


def _api(path: str, says: str, status: int = 400) -> Web:
    return _get(f"API: {path[:50]}", f"{API}{path}", status, says)


def rows() -> list[Row]:
    """Ids in paths, queries and bodies; then windows; then searches."""
    found: list[Row] = []
    for path in ("/contatos/999", "/negociacoes/999", "/sincronizacao/999999", "/conexao/999/desconectar",
                 "/contatos/0", "/contatos/-1", "/contatos/abc", "/contatos/1.5", "/contatos/١", "/ausentes/contatos",
                 "/sincronizacao/ausentes/produtos", "/?conta=999", "/?conta=abc", "/?conta={foreign_account}",
                 "/conexao/{foreign}/desconectar", "/sincronizacao/{foreign_run}", "/nada", "/static/../app.py",
                 "/static/%2e%2e/app.py", "/assets/..%2f..%2fapp.py", "/static/nada.css", "/.env",
                 "/instance/kommo.sqlite3"):  # fmt: skip
        found.append(_get(f"endereço {path}", path.replace("١", "%D9%A1"), 404, _said_of(path)))
    for number in _HUGE:
        for path in ("/contatos", "/negociacoes", "/sincronizacao"):
            found.append(
                _get(f"número grande {path}/{number}"[:60], f"{path}/{number}", 404, _said_of(f"{path}/{number}"))
            )
        found.append(_get(f"conta grande {number}"[:40], f"/contatos?conta={number}", 404, _GONE))
        found.append(_get(f"execução grande {number}"[:40], f"{API}/sync/{number}", 404, _UNKNOWN))
    for path, form in (
        ("/sincronizacao/{foreign_run}/cancelar", {}), ("/sincronizacao/{foreign_run}/continuar", {}),
        ("/sincronizacao/{foreign_run}/confirmar-exclusoes", {}), ("/conexao/{foreign}/testar", {}),
        ("/conexao/{foreign}/desconectar", {"copia": "apagar"}), ("/conexao/999/desconectar", {"copia": "apagar"}),
        ("/sincronizacao?conta={foreign_account}", {}), ("/sincronizacao/agenda/desligar?conta=1", {}),
    ):  # fmt: skip
        found.append(Web(name=f"de outro: POST {path}", path=path, method="POST", form=form, status=404, says=_GONE))
    found += [
        _get("execução de outro", f"{API}/sync/{{foreign_run}}", 404, _UNKNOWN),
        _get("conta de outro na API", f"{API}/sync/{{run}}?accountId={{foreign_account}}", 404, _UNKNOWN),
        Web(name="agenda da conta de outro", path=f"{API}/schedule", method="PUT", status=404, says="Nenhuma conta",
            body={"everyMinutes": 30, "accountId": 30002000}),
        Web(name="agenda de quem não existe", path=f"{API}/schedule", method="PUT", status=404, says="Nenhuma conta",
            body={"everyMinutes": 30, "userId": "carla"}),
        Web(name="contato que não existe", path=f"{API}/contacts", method="POST", status=404,
            says="O Kommo não tem registro com este número", body={"contactId": 999}, asks=True),
        _api("/contacts?page=0", "page precisa ser um número inteiro"),
        _api("/contacts?page=-5", "page precisa ser um número inteiro"),
        _api("/deals?page=1000000000", "page precisa ser um número inteiro"),
        _api("/deals?limit=1000000", "limit precisa ser um número inteiro de 1 a 250"),
        _api("/deals?limit=0", "limit precisa ser um número inteiro de 1 a 250"),
        _api("/contacts?limit=0x10", "limit precisa ser"),
        _api("/contacts?page=1&page=2", "page aparece mais de uma vez"),
        _api("/contacts?source=cache", "source precisa ser kommo ou local"),
        _api("/contacts?query=a&query=b", "query aparece mais de uma vez"),
        _api("/sync?userId=", "userId precisa ser um texto"),
        _api("/sync?userId=a%00b", "userId precisa ser um texto"),
        _api(f"/sync?userId={'x' * 65}", "userId precisa ser um texto"),
        _api("/sync?accountId=9223372036854775808", "accountId precisa ser um número inteiro"),
        _api("/sync?accountId=1%20OR%201=1", "accountId precisa ser um número inteiro"),
        _api("/contacts?query=%ff%fe", "não está em UTF-8"),
        _get("página fora do UTF-8", "/contatos?q=%ff", 400, "não está em UTF-8"),
        _get("página além do fim", "/contatos?pagina=1000000000", 200, "Contatos"),
        _get("página −5", "/contatos?pagina=-5", 200, "Contatos"),
        _get("página em palavra", "/negociacoes?pagina=abc&pagina=2", 200, "Negociações"),
        _get("ordem que não há", "/contatos?ordem=senha;--", 200, "Contatos"),
        _get("responsável em palavra", "/contatos?responsavel=abc", 400, "não é um número do Kommo"),
        _get("responsável grande", "/contatos?responsavel=99999999999999999999", 400, "não é um número do Kommo"),
        _get("201 responsáveis", "/contatos?" + "&".join(f"responsavel={n}" for n in range(1, 202)), 400, "até 200"),
        _get("funil em palavra", "/negociacoes?funil=abc", 400, "não é um número do Kommo"),
        _get("funil com SQL", "/negociacoes?funil=1%20OR%201=1", 400, "não é um número do Kommo"),
        _get("etapa sem funil", "/negociacoes?etapa=142", 400, "não é uma etapa"),
        _get("etapa zero", "/negociacoes?etapa=0-0", 400, "não é um número do Kommo"),
        _get("pergunta de 20 kB", f"/contatos?q={'a' * 20_000}", 414, "O endereço é longo demais"),
    ]  # fmt: skip
    for text in SEARCHES:
        asked = text if text.startswith("%") and len(text) > 1 else text.replace(" ", "%20").replace("%2025", "%25")
        asked = asked.replace('"', "%22").replace("\\", "%5C").replace("^", "%5E") if asked != "%" else "%25"
        found.append(_get(f"procurar {text[:20]}", f"/contatos?q={asked}", 200, "Contatos"))
        found.append(_get(f"API: procurar {text[:20]}", f"{_LOCAL}&query={asked}", 200, "contato"))
    return found


def _said_of(path: str) -> str:
    """A record's page says that there is no such record; any other address is none."""
    kind, _, key = path.strip("/").partition("/")
    return _NO_RECORD if kind in ("contatos", "negociacoes") and key.isdecimal() else _GONE


ROWS = tuple(rows())
