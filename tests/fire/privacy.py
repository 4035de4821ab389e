"""Bad inputs: finding, exporting and erasing a person, how long things are kept, the audit log."""

from tests.fire.rows import Row, Shell, Web

_SHORT = "Escreva pelo menos 3 letras ou algarismos"
_NOBODY = "Esta pessoa não existe nesta conta"
_DATE = "Escolha uma data como 25/11/2026"
SHELLS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("person", "export", "999"), "Não há contato com este número nesta conta."),
    (("person", "erase", "abc"), "NÚMERO: abc não é um número inteiro."),
    (("person", "erase", "999", "--user", "carla"), "Nenhuma conta conectada"),
    (("retention", "--runs", "abc"), "--runs: escreva de 1 a 36500 dias, ou sempre."),
    (("retention", "--runs", "0"), "--runs: escreva de 1 a 36500 dias, ou sempre."),
)


def rows() -> list[Row]:
    """What is searched for, whose, in what form, since when."""
    found: list[Row] = [
        _post(f"procurar pessoa {text!r}", "/privacidade", 422, _SHORT, busca=text)
        for text in ("", " ", "\0", "ab", "--")
    ]
    found += [
        _post("exportar em XML", "/privacidade/pessoas/{contact}/exportar", 400, "Escolha JSON ou CSV", formato="xml"),
        _post("exportar ninguém", "/privacidade/pessoas/999/exportar", 404, _NOBODY, formato="json"),
        _post("exportar o infinito", f"/privacidade/pessoas/{2**63}/exportar", 404, _NOBODY, formato="csv"),
        _post("apagar sem certeza", "/privacidade/pessoas/{contact}/apagar", 422, "Não há como desfazer"),
        _post("apagar com outra certeza", "/privacidade/pessoas/{contact}/apagar", 422, "Não há como", certeza="sim"),
        _post("apagar ninguém", "/privacidade/pessoas/999/apagar", 404, _NOBODY, certeza="1"),
        _post("prazos em letras", "/privacidade/prazos", 422, "Privacidade", runs="abc", audit="-1"),
    ]
    for path in ("/privacidade/pessoas/999", f"/privacidade/pessoas/{2**63}", "/privacidade/pessoas/0/apagar"):
        found.append(Web(name=f"pessoa {path}", path=path, status=404, says=_NOBODY))
    for text in ("abc", "2026-99-99", "9" * 40, "%27%20OR%201=1"):
        found.append(Web(name=f"auditoria desde {text}"[:40], path=f"/auditoria?de={text}", status=422, says=_DATE))
        found.append(Web(name=f"auditoria.csv {text}"[:40], path=f"/auditoria.csv?de={text}", status=422, says=_DATE))
    found += [Shell(name=f"flask kommo {' '.join(words)}", arguments=words, says=says) for words, says in SHELLS]
    return found


def _post(name: str, path: str, status: int, says: str, **form: str) -> Web:
    return Web(name=name, path=path, method="POST", status=status, says=says, form=form)


ROWS = tuple(rows())
