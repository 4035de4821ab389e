"""Bad inputs: what is pasted as a token, what a token claims, and the host it names."""

from typing import Any

from tests.crm.people import part
from tests.crm.people import token as made_up
from tests.fire.rows import API, Row, Web

MARK = "c2VncmVkby1xdWUtbmluZ3VlbS12ZQ"  # the signature of every token here: a secret that is shown nowhere
NOT_ONE = "Isto não parece um token do Kommo"
BAD = "O token contém caracteres inválidos"
LONG = "O texto é longo demais para um token do Kommo"
EMPTY = "Cole o token de longa duração."
FOREIGN = "O token aponta para um servidor que não é do Kommo. Nada foi enviado."
REFUSED = "O Kommo recusou este token"
HEAD = part({"typ": "JWT", "alg": "RS256"})
BODY = part({"account_id": 30001000, "exp": 1_900_000_000})
GOOD = f"{HEAD}.{BODY}.{MARK}"


def token(payload: Any = None, **claims: Any) -> str:
    """A token as Kommo's, but for `payload` or `claims`; Kommo knows none of them."""
    return made_up(payload, signature=MARK, **claims)


#: What is pasted: its name, the text, the sentence of the page, the code of the API.
PASTED: tuple[tuple[str, str, str, str], ...] = (
    ("vazio", "", EMPTY, "token_missing"),
    ("só espaços", " \t\r\n ", EMPTY, "token_missing"),
    ("só invisíveis", "\u200b\ufeff\u00ad", EMPTY, "token_missing"),
    ("só Bearer", "Authorization: Bearer ", EMPTY, "token_missing"),
    ("uma frase", "Olá, não sei o que é um token", NOT_ONE, "token_not_jwt"),
    ("uma parte", HEAD, NOT_ONE, "token_not_jwt"),
    ("duas partes", f"{HEAD}.{BODY}", NOT_ONE, "token_not_jwt"),
    ("quatro partes", f"{GOOD}.{MARK}", NOT_ONE, "token_not_jwt"),
    ("carga vazia", f"{HEAD}..{MARK}", NOT_ONE, "token_not_jwt"),
    ("NBSP e aspas no meio", f"{HEAD}.{BODY[:9]}”\u00a0{BODY[9:]}.{MARK}", BAD, "token_bad_characters"),
    ("NUL no meio", f"{HEAD}.{BODY[:9]}\0{BODY[9:]}.{MARK}", BAD, "token_bad_characters"),
    ("letras largas", f"{HEAD}.{BODY}.ａｂｃ{MARK}", BAD, "token_bad_characters"),
    ("ponto e vírgula", f"{GOOD};", BAD, "token_bad_characters"),
    ("9 kB", f"{GOOD}{'a' * 9000}", LONG, "token_too_long"),
    ("40 kB", f"{GOOD}{'a' * 40_000}", LONG, "token_too_long"),
    ("carga em lista", token([]), NOT_ONE, "token_not_jwt"),
    ("carga em texto", token('"crm"'), NOT_ONE, "token_not_jwt"),
    ("carga nula", token("null"), NOT_ONE, "token_not_jwt"),
    ("carga cortada", token('{"exp":179544'), NOT_ONE, "token_not_jwt"),
    ("carga fora do UTF-8", token(b'{"sub":"\xff\xfe"}'), NOT_ONE, "token_not_jwt"),
    ("carga em UTF-16", token('{"exp":1}'.encode("utf-16")), NOT_ONE, "token_not_jwt"),
    ("carga com BOM", token('{"exp":1}'.encode("utf-8-sig")), NOT_ONE, "token_not_jwt"),
    ("carga de 2.900 níveis", token("[" * 2900 + "]" * 2900), NOT_ONE, "token_not_jwt"),
    ("número de 5.000 dígitos", token('{"exp":' + "9" * 5000 + "}"), NOT_ONE, "token_not_jwt"),
    ("cabeçalho que não é JSON", f"YWJj.{BODY}.{MARK}", NOT_ONE, "token_not_jwt"),
)
HOSTS: tuple[Any, ...] = (
    "evil.com\\.kommo.com", "a.kommo.com@evil.com", "kommo.com.evil.com", "evilkommo.com", "evil.com#.kommo.com",
    "evil.com?.kommo.com", "evil.com/.kommo.com", "api-c.kommo.com:8443", "https://api-c.kommo.com", "api-c.kommo.com.",
    "evil%2ekommo.com", "api%23.kommo.com", "..kommo.com", ".kommo.com", "", "127.0.0.1", "localhost",
    "user:senha@api-c.kommo.com", "x" * 300 + ".kommo.com", "a.kommo.com\r\nHost: evil.com", "\u212aommo.com",
    ["api-c.kommo.com"], {"a": 1}, 1, True,
)  # fmt: skip
#: Claims that are no use: the token is neither trusted nor refused for them, Kommo says what it is.
CLAIMS: tuple[dict[str, Any], ...] = (
    {"exp": "amanhã"}, {"exp": -5}, {"exp": ...}, {"exp": 2**70}, {"exp": 1e400}, {"account_id": float("nan")},
    {"account_id": []}, {"account_id": -1}, {"account_id": 2**64}, {"scopes": "crm"}, {"api_domain": None},
)  # fmt: skip


def rows() -> list[Row]:
    """Each pasted into the page and sent to the API."""
    found: list[Row] = []
    for name, text, sentence, code in PASTED:
        given = {"jwt_token": text.replace("\0", "\0")}
        found.append(_page(name, 422, sentence, given))
        if code != "token_missing":  # the API then looks for another one, which this installation has
            found.append(_api(name, 400, sentence, {"jwtToken": text}))
    for host in HOSTS:
        name = f"api_domain {host!r:.40}"
        found.append(_page(name, 422, FOREIGN, {"jwt_token": token(api_domain=host)}))
        found.append(_api(name, 400, FOREIGN, {"jwtToken": token(api_domain=host)}))
    for claims in CLAIMS:
        found.append(_page(f"{claims}", 422, REFUSED, {"jwt_token": token(**claims)}, asks=True))
    nobody = f"{part({'typ': 'JWT', 'alg': 'none'})}.{BODY}."
    found += [
        _page("alg none", 422, REFUSED, {"jwt_token": nobody}, asks=True),
        _page("vencido", 422, "O token venceu em 23/11/2020", {"jwt_token": token(exp=1_606_147_200)}, asks=True),
        _api("de outra conta", 401, REFUSED, {"jwtToken": token(account_id=30_002_000)}, asks=True),
        _page("20 MB", 413, "O que foi enviado é grande demais", {"jwt_token": "a" * 20_000_000}),
        _api("70 kB", 413, "passa do limite de 64 kB", {"jwtToken": GOOD + "a" * 70_000}),
        Web(name="ver a carga de um que não é", path="/conexao/token", method="POST", status=200, says=NOT_ONE,
            form={"jwt_token": f"{GOOD}.{MARK}"}, secret=MARK),
        Web(name="token no endereço", path=f"{API}/contacts?jwtToken=a.b.{MARK}", status=400, says="token",
            secret=MARK),
        Web(name="dois tokens no endereço", path=f"{API}/contacts?jwtToken={MARK}&jwtToken=b", status=400,
            says="aparece mais de uma vez", secret=MARK),
        Web(name="token no cabeçalho", path=f"{API}/deals", headers={"Authorization": f"Bearer {GOOD}x.y"}, status=400,
            says=NOT_ONE, secret=MARK),
        Web(name="token em lista", path=f"{API}/contacts", method="POST", body={"jwtToken": [GOOD], "contactId": 1},
            status=400, says="jwtToken precisa ser um texto", secret=MARK),
        Web(name="token em número", path=f"{API}/sync", method="POST", body={"jwtToken": 7}, status=400,
            says="jwtToken precisa ser um texto"),
    ]  # fmt: skip
    return found


def _page(name: str, status: int, says: str, form: dict[str, str], *, asks: bool = False) -> Web:
    return Web(name=f"colar: {name}", path="/conexao", method="POST", status=status, says=says, form=form, secret=MARK,
               asks=asks)  # fmt: skip


def _api(name: str, status: int, says: str, body: dict[str, Any], *, asks: bool = False) -> Web:
    return Web(name=f"API: {name}", path=f"{API}/test-connection", method="POST", status=status, says=says, body=body,
               secret=MARK, asks=asks)  # fmt: skip


ROWS = tuple(rows())
