"""Bad inputs: JSON that is none or ambiguous, content types, fields of another type, forms, bodies without end."""

from typing import Any

from tests.fire.rows import API, Raw, Row, Web
from tests.wire import head

_BROKEN = "Envie um objeto JSON em UTF-8, sem BOM e sem NaN."
_OBJECT = "O corpo precisa ser um objeto"
_KIND = "Envie o corpo em JSON, com Content-Type: application/json"
BROKEN: tuple[tuple[str, bytes, str], ...] = (
    ("vazio", b"", _BROKEN),
    ("lista", b"[]", _OBJECT),
    ("nulo", b"null", _OBJECT),
    ("texto", b'"contactId"', _OBJECT),
    ("número", b"7", _OBJECT),
    ("chave repetida", b'{"contactId": 1, "contactId": 2}', "Cada campo pode aparecer uma só vez."),
    ("NaN", b'{"contactId": NaN}', _BROKEN),
    ("Infinity", b'{"contactId": -Infinity}', _BROKEN),
    ("BOM", b'\xef\xbb\xbf{"contactId": 1}', _BROKEN),
    ("UTF-16", '{"contactId": 1}'.encode("utf-16"), _BROKEN),
    ("latin-1", '{"userId": "João"}'.encode("latin-1"), _BROKEN),
    ("meio par", b'{"userId": "\\ud800"}', _BROKEN),
    ("cortado", b'{"contactId": 1', _BROKEN),
    ("vírgula no fim", b'{"contactId": 1,}', _BROKEN),
    ("aspas simples", b"{'contactId': 1}", _BROKEN),
    ("dois objetos", b'{"contactId": 1}{"contactId": 2}', _BROKEN),
    ("30 mil níveis", b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}", _BROKEN),
    ("5.000 dígitos", b'{"contactId": ' + b"9" * 5000 + b"}", _BROKEN),
    ("1e400", b'{"contactId": 1e400}', _BROKEN),
    ("NUL cru", b'{"userId": "a\0b"}', _BROKEN),
)
FIELDS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "contactId precisa ser um número inteiro"),
    ({"contactId": None}, "contactId precisa ser um número inteiro"),
    ({"contactId": "12"}, "contactId precisa ser um número inteiro"),
    ({"contactId": 12.5}, "contactId precisa ser um número inteiro"),
    ({"contactId": True}, "contactId precisa ser um número inteiro"),
    ({"contactId": [1]}, "contactId precisa ser um número inteiro"),
    ({"contactId": {"$gt": 0}}, "contactId precisa ser um número inteiro"),
    ({"contactId": -1}, "contactId precisa ser um número inteiro"),
    ({"contactId": 2**63}, "contactId precisa ser um número inteiro"),
    ({"contactId": 1, "userId": ""}, "userId precisa ser um texto"),
    ({"contactId": 1, "userId": "a\u0000b"}, "userId precisa ser um texto"),
    ({"contactId": 1, "userId": ["1", "2"]}, "userId precisa ser um texto"),
    ({"contactId": 1, "userId": True}, "userId precisa ser um texto"),
    ({"contactId": 1, "accountId": "30001000"}, "accountId precisa ser um número inteiro"),
)
SCHEDULES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "everyMinutes precisa ser um número inteiro"),
    ({"everyMinutes": 0}, "everyMinutes precisa ser um número inteiro"),
    ({"everyMinutes": -1}, "everyMinutes precisa ser um número inteiro"),
    ({"everyMinutes": 10**9}, "everyMinutes precisa ser um número inteiro"),
    ({"everyMinutes": "15"}, "everyMinutes precisa ser um número inteiro"),
    ({"everyMinutes": 15, "quietFrom": "22:00"}, "Informe quietTo junto com quietFrom"),
    ({"everyMinutes": 15, "quietFrom": "25:00", "quietTo": "06:00"}, "quietFrom precisa ser uma hora como 22:00"),
    ({"everyMinutes": 15, "sweepAt": 3}, "sweepAt precisa ser uma hora como 22:00"),
    ({"everyMinutes": 15, "sweepAt": "٠٣:٠٠"}, "sweepAt precisa ser uma hora como 22:00"),
    ({"everyMinutes": 15, "paused": "sim"}, "paused precisa ser true ou false"),
)


def rows() -> list[Row]:
    """Everything that a body may be wrong in."""
    found: list[Row] = [_body(f"JSON {name}", 400, says, data) for name, data, says in BROKEN]
    found += [_body(f"campo {body}"[:60], 400, says, body) for body, says in FIELDS]
    found += [
        Web(name=f"agenda {body}"[:70], path=f"{API}/schedule", method="PUT", status=400, says=says, body=body)
        for body, says in SCHEDULES
    ]
    good = b'{"contactId": 1}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json",
                 "application/json; charset=utf-16", "application/json; charset=latin-1",
                 "application/xml", ";;;"):  # fmt: skip
        found.append(_body(f"tipo {kind}", 415, _KIND, good, kind))
    parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % n for n in range(1500))
    long = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    found += [
        _body("sem tipo", 415, _KIND, good, None),
        _body("multipart de 1.500 partes", 413, "limite de 64 kB", parts, "multipart/form-data; boundary=x"),
        Web(name="formulário de 1.500 partes", path="/conexao", method="POST", status=413, body=parts + b"--x--\r\n",
            kind="multipart/form-data; boundary=x", says="grande demais"),
        Web(name="formulário multipart sem fim", path="/sincronizacao/agenda", method="POST", status=403,
            body=b"--x\r\nContent-Dis", kind="multipart/form-data; boundary=x", says="A página ficou aberta"),
        Web(name="formulário com JSON", path="/conexao", method="POST", status=403, body={"jwt_token": "a"},
            says="A página ficou aberta por muito tempo"),
        _body("70 kB", 413, "limite de 64 kB", {"userId": "a" * 70_000, "contactId": 1}),
        _body("2 MB", 413, "limite de 64 kB", {"userId": "a" * 2_000_000, "contactId": 1}),
        Web(name="full em texto", path=f"{API}/sync", method="POST", status=400, says="full precisa ser true ou false",
            body={"full": "yes"}),
        Raw(name="tamanho negativo", status=400, says="não entendeu o pedido",
            data=head(f"{API}/sync", "Content-Length: -1", method="POST")),
        Raw(name="tamanho em letras", status=400, says="não entendeu o pedido",
            data=head("/conexao", "Content-Length: abc", method="POST")),
        Raw(name="dois tamanhos", status=400, says="não entendeu o pedido",
            data=head(f"{API}/sync", "Content-Length: 5", "Content-Length: 6", method="POST") + b"{}    "),
        Raw(name="pedaço sem tamanho", status=400, says="não entendeu o pedido",
            data=head(f"{API}/sync", "Transfer-Encoding: chunked", method="POST") + b"zz\r\nabc\r\n0\r\n\r\n"),
        Raw(name="pedaços e tamanho", status=400, says="Envie um objeto JSON",
            data=head(f"{API}/sync", "Content-Type: application/json", "Content-Length: 2",
                      "Transfer-Encoding: chunked", method="POST") + b"1\r\n{\r\n0\r\n\r\n"),
        Raw(name="gzip em pedaços", status=501, says="Content-Length",
            data=head(f"{API}/sync", "Transfer-Encoding: gzip, chunked", method="POST")),
        Raw(name="corpo em pedaços sem fim", status=413, says="limite de 64 kB",
            data=head(f"{API}/sync", "Transfer-Encoding: chunked", method="POST") + long * 40),
        Raw(name="corpo anunciado de 65 MB", status=413, says="limite de 64 kB",
            data=head(f"{API}/sync", "Content-Length: 65000000", "Expect: 100-continue", method="POST")),
    ]  # fmt: skip
    return found


def _body(name: str, status: int, says: str, body: Any, kind: str | None = "application/json") -> Web:
    return Web(name=name, path=f"{API}/contacts", method="POST", status=status, says=says, body=body, kind=kind)


ROWS = tuple(rows())
