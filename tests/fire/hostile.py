"""Names that a hostile CRM record bears: synchronised from Kommo like any other, and shown as text everywhere."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fire.rows import Said
from tests.pages.dom import Element, parse

if TYPE_CHECKING:
    from tests.fire.place import Place

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}${7*7}{% raise %}",
    "' onmouseover='alert(1)",
    "</textarea></title></table></select><b id=ugly>",
    "&#x3c;b&#x3e;&lt;i&gt;",
    "<bdi hx-get=/contatos hx-trigger=load>",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "Z\u0351\u0345a\u0317\u0323l\u0340g\u0335o" * 20,
    "👩\u200d💻" * 500,
    "A" * 20_000,
    '=HYPERLINK("https://evil.example";"clique")',
    'O\'Brien"; DROP TABLE "Wallet"; -- %s %(x)s {0}',
    "linha 1\r\nSet-Cookie: painel_kommo=roubado",
    "[oculto] eyJ Bearer token=",
)
_SAFE = ("/", "#", "https://padariaestrela.kommo.com/", "mailto:", "tel:")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A name in the copy: every page that shows it shows its text, and nothing of it becomes an element."""

    text: str
    status: int = 200
    secret: str = ""
    asks: bool = False
    notes: bool = False

    @property
    def name(self) -> str:
        """The name, as far as it can be read."""
        return f"CRM: {self.text[:24]!r}"

    @property
    def says(self) -> str:
        """What stands on the page."""
        return " ".join(self.text.split())

    def send(self, place: "Place") -> Said:
        """Look at the lists, the record, the first page and the history."""
        record = f"/contatos/{place.hostile[self.text]}"
        for path in ("/", "/contatos", "/negociacoes", "/sincronizacao", record):
            status, _kind, whole = place.request("GET", path, None, {"Host": place.host})
            assert status == 200
            _is_clean(parse(whole.partition("\r\n\r\n")[2]))
        page = parse(whole.partition("\r\n\r\n")[2])
        assert "Set-Cookie: painel_kommo=roubado" not in whole.partition("\r\n\r\n")[0]
        assert len(page.one("h1").text) <= 120
        return Said(status, whole, page.one("main").text)


def _is_clean(page: Element) -> None:
    elements = list(page.walk())
    assert {one.tag for one in elements}.isdisjoint({"img", "iframe", "object", "i", "b2"})
    assert page.all(id="ugly") == []
    assert all(one.get("src") for one in page.all("script"))
    assert not [name for one in elements for name in one.attributes if name.startswith("on")]
    assert "load" not in [one.get("hx-trigger") for one in elements]
    links = [one[name] for one in elements for name in ("href", "src", "action", "hx-get") if one.get(name)]
    assert all(link.startswith(_SAFE) for link in links), links


ROWS = tuple(Shown(text=text) for text in NAMES)
