"""Bad inputs: the way in, people and their keys, of an installation that nobody has been given access to yet."""

from tests.fire.rows import API, Row, Shell, Web

SECRET = "senha-que-ninguem-ve-93"
_GONE = "Esta página não existe"
_WRONG = "Nome, senha ou código não conferem."
_NAME = "O nome precisa de 2 a 64 letras sem acento"
_KEY = "A chave em X-API-Key não existe, foi revogada ou venceu"
NAMES = ("", "a", "a b", "<script>", "ana\0", "joão", "a" * 65, "../ana", "ana\r\nx")
SHELLS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("user", "add"), "Falta NOME."),
    (("user", "role", "ninguem", "root"), "PAPEL: root não é um destes"),
    (("user", "role", "ninguem", "viewer"), "Ninguém se chama ninguem"),
    (("user", "remove", "ninguem"), "Ninguém se chama ninguem"),
    (("user", "password", "ninguem"), "Ninguém se chama ninguem"),
    (("user", "apagar"), "Não conheço o comando apagar."),
    (("key", "revoke", "abc"), "NÚMERO: abc não é um número inteiro."),
    (("key", "revoke", "999"), "Não há chave nº 999"),
)


def rows() -> list[Row]:
    """Names and passwords, codes, numbers of people and keys, keys that are none."""
    found: list[Row] = [
        _post(f"primeira pessoa {name!r:.20}", "/acesso/primeira-pessoa", 422, _NAME, nome=name) for name in NAMES
    ]
    found += [
        _post("senha curta", "/acesso/primeira-pessoa", 422, "Senha", nome="ana", senha="1", senha_de_novo="1"),
        _post("senhas diferentes", "/acesso/primeira-pessoa", 422, "diferentes", nome="ana", senha_de_novo="outra"),
        _post("pessoa antes da primeira", "/acesso", 404, _GONE, nome="ana", papel="administrator"),
        _post("papel de ninguém", "/acesso/999/papel", 404, _GONE, papel="root"),
        _post("remover ninguém", "/acesso/999/remover", 404, _GONE),
        _post("revogar chave de ninguém", "/acesso/chaves/999/revogar", 404, _GONE),
        _post("entrar sem ser ninguém", "/entrar", 422, _WRONG, notes=True, nome="ana"),
        _post("entrar com NUL e 2 kB", "/entrar", 422, _WRONG, notes=True, nome="a\0", senha=SECRET * 90),
        _post("código sem senha antes", "/entrar/codigo", 422, "Passou tempo demais", codigo="000000"),
        _post("primeiro acesso sem console", "/primeiro-acesso", 404, _GONE, codigo="000"),
        _post("trocar a senha de ninguém", "/minha-conta/senha", 404, _GONE, senha_atual="x"),
        _post("chave de ninguém", "/minha-conta/chaves", 404, _GONE, nome=""),
    ]  # fmt: skip
    for key in ("", "abc", f"kommo_{SECRET}", "x" * 5000, "'; --"):
        found.append(Web(name=f"X-API-Key {key!r:.14}", path=f"{API}/sync", headers={"X-API-Key": key}, status=401,
                         says=_KEY, secret=SECRET))  # fmt: skip
    for place in ("//evil.com", "/\\evil.com", "javascript:alert(1)", "https:evil", "/%0d%0aSet-Cookie:a=b"):
        found.append(Web(name=f"entrar e ir para {place}", path=f"/entrar?next={place}", status=303, says=""))
    for number in (0, 999, 2**63, "9" * 30):
        found.append(Web(name=f"pessoa número {number}"[:40], path=f"/acesso/{number}", status=404, says=_GONE))
    found += [Shell(name=f"flask kommo {' '.join(words)}", arguments=words, says=says) for words, says in SHELLS]
    return found


def _post(name: str, path: str, status: int, says: str, *, notes: bool = False, **form: str) -> Web:
    fields = {"senha": SECRET, "senha_de_novo": SECRET} | form
    return Web(name=name, path=path, method="POST", status=status, says=says, form=fields, secret=SECRET, notes=notes)


ROWS = tuple(rows())
