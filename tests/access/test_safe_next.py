"""After a login a person goes on inside the panel, whatever an address says."""

import pytest
from werkzeug.utils import redirect

from kommo.access.gate import safe_next

HOME = "/"

ELSEWHERE = [
    "//evil.com", "///evil.com", "////evil.com", "/\\evil.com", "\\\\evil.com", "\\/evil.com", "/\t/evil.com",
    "\t//evil.com", "/\n/evil.com", " //evil.com", "https:evil.com", "https:/evil.com", "https://evil.com",
    "http://evil.com", "HTTPS://EVIL.COM", "ftp://evil.com", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
    "data:text/html,x", "evil.com", "evil.com/contatos", ".evil.com", "@evil.com", "/\r\nLocation: //evil.com",
    "/contatos\r\nSet-Cookie: a=b", "/contatos\x00", "/\u2028/evil.com", "／／evil.com", "/。/evil.com",
    "/contatos\\..\\", "/" + "a" * 3000, "", "#", "?", "contatos", "..", "../contatos", "/<script>", '/"x"', "/a b",
    "/\ud800",
]  # fmt: skip
OURS = ["/", "/contatos", "/contatos?q=Jo%C3%A3o&pagina=2", "/negociacoes/1", "/sincronizacao?conta=30001000", "/a//b"]


@pytest.mark.parametrize("given", ELSEWHERE, ids=ascii)
def test_another_place_is_the_first_page(given: str) -> None:
    assert safe_next(given) == HOME


@pytest.mark.parametrize("given", OURS)
def test_a_page_of_ours_is_gone_back_to(given: str) -> None:
    assert safe_next(given) == given
    assert redirect(safe_next(given)).headers["Location"] == given


def test_nothing_is_the_first_page() -> None:
    assert safe_next(None) == HOME
