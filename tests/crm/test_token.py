"""A pasted token: what is forgiven, what is refused, what it says of itself."""

import math
from typing import Any

import pytest

from kommo.crm.errors import BadToken
from kommo.crm.token import KNOWN_SCOPES, MAX_TOKEN, Claims, clean_token, mask, read_token
from tests.crm.people import DAY, NOW, PADARIA, part, token

GOOD = token()
HEAD, BODY, SIGNATURE = GOOD.split(".")

FORGIVEN = {
    "as it is": GOOD,
    "spaces around": f"   {GOOD}  ",
    "a line break behind": f"{GOOD}\n",
    "windows line breaks inside": "\r\n".join(GOOD[at : at + 60] for at in range(0, len(GOOD), 60)),
    "tabs and form feeds": f"\t{GOOD[:20]}\t\f\v{GOOD[20:]}",
    "spaces inside": " ".join(GOOD[at : at + 40] for at in range(0, len(GOOD), 40)),
    "bearer in front": f"Bearer {GOOD}",
    "bearer in lower case": f"bearer {GOOD}",
    "bearer in capitals": f"BEARER\t{GOOD}",
    "bearer twice": f"Bearer bearer {GOOD}",
    "bearer on its own line": f"Bearer\n{GOOD}",
    "bearer with a colon": f"Bearer: {GOOD}",
    "bearer without a space": f"Bearer{GOOD}",
    "the whole header": f"Authorization: Bearer {GOOD}",
    "the header in lower case": f"authorization:bearer {GOOD}",
    "double quotes": f'"{GOOD}"',
    "single quotes": f"'{GOOD}'",
    "back quotes": f"`{GOOD}`",
    "quotes by a word processor": f"“{GOOD}”",
    "angle quotes": f"«{GOOD}»",
    "angle brackets": f"<{GOOD}>",
    "quotes in quotes": f"\"'{GOOD}'\"",
    "bearer in quotes": f'"Bearer {GOOD}"',
    "quotes after bearer": f'Bearer "{GOOD}"',
    "quotes and spaces by turns": f'" \' " {GOOD} " \'',
    "no-break space": f"\u00a0{GOOD[:30]}\u00a0{GOOD[30:]}",
    "bearer and a no-break space": f"Bearer\u00a0{GOOD}",
    "narrow no-break space": f"{GOOD[:30]}\u202f{GOOD[30:]}",
    "ideographic space": f"\u3000{GOOD}\u3000",
    "zero-width space": f"{GOOD[:30]}\u200b{GOOD[30:]}",
    "zero-width joiners": f"{GOOD[:30]}\u200c\u200d{GOOD[30:]}",
    "word joiner": f"{GOOD[:30]}\u2060{GOOD[30:]}",
    "byte order mark": f"\ufeff{GOOD}",
    "soft hyphens": f"{GOOD[:30]}\u00ad{GOOD[30:60]}\u00ad{GOOD[60:]}",
    "direction marks": f"\u202a{GOOD}\u202c\u200e",
    "variation selector": f"{GOOD}\ufe0f",
    "mark inside bearer": f"Bea\u200brer {GOOD}",
}


@pytest.mark.parametrize("pasted", FORGIVEN.values(), ids=FORGIVEN.keys())
def test_what_copying_does_to_a_token_is_forgiven(pasted: str) -> None:
    assert clean_token(pasted) == GOOD


REFUSED = {
    "nothing": ("", "token_missing"),
    "spaces only": (" \t\r\n ", "token_missing"),
    "invisible characters only": ("\u200b\ufeff\u00ad", "token_missing"),
    "bearer only": ("Bearer ", "token_missing"),
    "bearer bearer": ("bearer Bearer", "token_missing"),
    "quotes only": ('""', "token_missing"),
    "a word": ("senha123", "token_not_jwt"),
    "a sentence": ("Olá, não sei o que é um token", "token_not_jwt"),
    "one part": (HEAD, "token_not_jwt"),
    "two parts": (f"{HEAD}.{BODY}", "token_not_jwt"),
    "four parts": (f"{GOOD}.{SIGNATURE}", "token_not_jwt"),
    "five parts, as an encrypted one": (f"{GOOD}.{SIGNATURE}.{SIGNATURE}", "token_not_jwt"),
    "dots only": ("..", "token_not_jwt"),
    "empty header": (f".{BODY}.{SIGNATURE}", "token_not_jwt"),
    "empty payload": (f"{HEAD}..{SIGNATURE}", "token_not_jwt"),
    "a masked one": (mask(GOOD), "token_not_jwt"),
    "an address": ("https://padariaestrela.kommo.com/settings/widgets/", "token_bad_characters"),
    "a client secret": ("aB3" * 21 + "a", "token_not_jwt"),
    "an umlaut inside": (f"{HEAD}.{BODY[:9]}ü{BODY[9:]}.{SIGNATURE}", "token_bad_characters"),
    "a smart quote inside": (f"{HEAD}.{BODY[:9]}”{BODY[9:]}.{SIGNATURE}", "token_bad_characters"),
    "plus and slash": (f"{HEAD}.{BODY}.ab+/cd", "token_bad_characters"),
    "padding": (f"{HEAD}.{BODY}.abc=", "token_bad_characters"),
    "a semicolon behind": (f"{GOOD};", "token_bad_characters"),
    "a NUL inside": (f"{HEAD}.{BODY[:9]}\0{BODY[9:]}.{SIGNATURE}", "token_bad_characters"),
    "full-width letters": (f"{HEAD}.{BODY}.ａｂｃ", "token_bad_characters"),
    "arabic digits": (f"{HEAD}.{BODY}.٣٤", "token_bad_characters"),
    "half a surrogate pair": (f"{HEAD}.{BODY}.\ud800", "token_bad_characters"),
    "one character over the cap": (f"{HEAD}.{BODY}.{'a' * (MAX_TOKEN - len(HEAD) - len(BODY) - 1)}", "token_too_long"),
    "twenty megabytes": ("a" * 20_000_000, "token_too_long"),
    "twenty megabytes of spaces": (" " * 20_000_000, "token_too_long"),
}


@pytest.mark.parametrize(("pasted", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_token_is_refused_with_its_own_code(pasted: str, code: str) -> None:
    with pytest.raises(BadToken) as caught:
        clean_token(pasted)
    assert caught.value.code == code


def test_a_token_as_long_as_the_cap_is_taken() -> None:
    longest = f"{HEAD}.{BODY}.{'a' * (MAX_TOKEN - len(HEAD) - len(BODY) - 2)}"
    assert len(longest) == MAX_TOKEN and clean_token(longest) == longest


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("0f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b", "o ID da integração"),
        (" 0F1D2C3B-4A59-4E6F-8A7B-9C0D1E2F3A4B\n", "o ID da integração"),
        ("aB3" * 21 + "a", "a chave secreta"),
        ("def50200" + "0a" * 200, "o código de autorização"),
        ("https://padariaestrela.kommo.com/settings/widgets/", "um endereço"),
        ("https://www.exemplo.com.br", "um endereço"),
        ("padariaestrela.kommo.com", "um endereço"),
        ("padariaestrela.amocrm.ru/leads", "um endereço"),
    ],
)
def test_what_is_pasted_in_place_of_the_token_is_named(pasted: str, words: str) -> None:
    with pytest.raises(BadToken) as caught:
        read_token(pasted)
    assert words in caught.value.sentence
    assert "começa com eyJ" in caught.value.sentence


def test_a_refusal_does_not_repeat_the_text() -> None:
    with pytest.raises(BadToken) as caught:
        clean_token("segredo-secreto.ç.x")
    assert "segredo" not in str(caught.value) + repr(caught.value)


def test_the_claims_of_an_ordinary_token() -> None:
    claims = read_token(f" Bearer {GOOD} ")
    assert claims == Claims(
        account_id=PADARIA, base_domain="kommo.com", api_domain="api-c.kommo.com", has_api_domain=True,
        scopes=("push_notifications", "files", "crm", "files_delete", "notifications"), issued_at=NOW - 30 * DAY,
        expires_at=NOW + 335 * DAY, subject="7001",
    )  # fmt: skip


NO_JWT = {
    "payload is a list": token([]),
    "payload is a text": token('"crm"'),
    "payload is null": token("null"),
    "payload is a number": token("7"),
    "payload is not JSON": token("{exp:1}"),
    "payload is cut": token('{"exp":179544'),
    "payload is not UTF-8": token(b'{"sub":"\xff\xfe"}'),
    "payload is UTF-16": token('{"exp":1}'.encode("utf-16")),
    "payload is UTF-16 without a mark": token('{"exp":1}'.encode("utf-16-le")),
    "payload begins with a byte order mark": token('{"exp":1}'.encode("utf-8-sig")),
    "payload nested 2,900 levels": token("[" * 2900 + "]" * 2900),
    "a number of 5,000 digits": token('{"exp":' + "9" * 5000 + "}"),
    "header is not JSON": token(header="typ=JWT"),
    "header is a list": token(header=[]),
    "header is not base64": f"a.{BODY}.{SIGNATURE}",
    "payload is not base64": f"{HEAD}.a.{SIGNATURE}",
    "signature is not base64": f"{HEAD}.{BODY}.a",
}


@pytest.mark.parametrize("text", NO_JWT.values(), ids=NO_JWT.keys())
def test_three_parts_are_not_yet_a_token(text: str) -> None:
    with pytest.raises(BadToken) as caught:
        read_token(text)
    assert caught.value.code == "token_not_jwt"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None  # no traceback with its bytes


@pytest.mark.parametrize(
    "text",
    [
        token(header={"typ": "JWT", "alg": "none"}),
        token(header={"typ": "JWT", "alg": "none"}, signature=""),
        token(header={"alg": "HS256"}),
        token(header={}),
        token(header={"alg": ["RS256"], "jti": "x", "kid": "a"}),
    ],
)
def test_the_algorithm_decides_nothing(text: str) -> None:
    """Kommo is asked; a token is neither trusted nor refused for its header (reliability, row 10)."""
    assert read_token(text).account_id == PADARIA


UNUSABLE = [
    math.nan,
    math.inf,
    -math.inf,
    "1795449600",
    "amanhã",
    -5,
    0,
    0.4,
    True,
    None,
    [],
    {},
    253_402_300_800,
    2**70,
]


@pytest.mark.parametrize("value", UNUSABLE, ids=repr)
@pytest.mark.parametrize(("claim", "attribute"), [("exp", "expires_at"), ("iat", "issued_at")])
def test_a_time_that_is_none_is_unknown(claim: str, attribute: str, value: Any) -> None:
    claims = read_token(token(**{claim: value}))
    assert getattr(claims, attribute) is None
    assert claims.account_id == PADARIA


def test_an_infinite_number_in_json_is_unknown() -> None:
    assert read_token(token('{"exp":1e400,"account_id":30001000}')).expires_at is None


@pytest.mark.parametrize(
    ("value", "seconds"), [(NOW, NOW), (NOW + 0.75, NOW), (1, 1), (253_402_300_799, 253_402_300_799)]
)
def test_a_time_is_whole_seconds(value: float, seconds: int) -> None:
    assert read_token(token(exp=value)).expires_at == seconds


@pytest.mark.parametrize(
    "value", [math.nan, [PADARIA], {"id": 1}, -PADARIA, 0, 2**63, 2**64, "30001000", 30001000.0, True]
)
def test_an_account_id_of_a_wrong_type_is_ignored(value: Any) -> None:
    assert read_token(token(account_id=value)).account_id is None


def test_the_largest_account_id() -> None:
    assert read_token(token(account_id=2**63 - 1)).account_id == 2**63 - 1


@pytest.mark.parametrize(
    ("value", "scopes"),
    [
        (["crm"], ("crm",)),
        (["crm", "crm", "files"], ("crm", "files")),
        ([], ()),
        ("crm", ()),
        (None, ()),
        ({"crm": True}, ()),
        (["crm", 5, None, ["files"], ""], ("crm",)),
        (["crm", "a" * 65, "b\n"], ("crm",)),
        (["crm"] + [f"s{number}" for number in range(200)], ("crm", *(f"s{number}" for number in range(99)))),
    ],
)
def test_scopes_are_texts_in_a_list(value: Any, scopes: tuple[str, ...]) -> None:
    assert read_token(token(scopes=value)).scopes == scopes


@pytest.mark.parametrize("value", [7001, None, [], "", "a\0b", "\ud800", "x" * 254, True])
@pytest.mark.parametrize(("claim", "attribute"), [("sub", "subject"), ("base_domain", "base_domain")])
def test_a_text_that_could_not_be_stored_is_ignored(claim: str, attribute: str, value: Any) -> None:
    assert getattr(read_token(token(**{claim: value})), attribute) is None


@pytest.mark.parametrize("value", ["api-c.kommo.com", "evil.com", ["a"], None, 5, {"a": 1}, ""])
def test_the_host_claim_is_handed_on_raw(value: Any) -> None:
    claims = read_token(token(api_domain=value))
    assert claims.api_domain == value and claims.has_api_domain


def test_an_absent_host_claim_is_not_a_null_one() -> None:
    assert not read_token(token(api_domain=...)).has_api_domain


def test_a_claim_that_comes_twice_counts_as_the_last() -> None:
    assert read_token(token('{"account_id":1,"account_id":2}')).account_id == 2


def test_missing_scopes_are_told_in_the_documents_order() -> None:
    assert read_token(token(scopes=["files"])).missing_scopes == (
        "crm", "files_delete", "notifications", "push_notifications",
    )  # fmt: skip
    assert read_token(token()).missing_scopes == ()
    assert read_token(token(scopes=[])).missing_scopes == KNOWN_SCOPES


@pytest.mark.parametrize(
    ("left", "days", "expired"),
    [
        (335 * DAY, 335, False),
        (DAY, 1, False),
        (DAY - 1, 0, False),
        (1, 0, False),
        (0, 0, True),
        (-1, -1, True),
        (-DAY, -1, True),
    ],
)
def test_days_left_are_whole_days(left: int, days: int, expired: bool) -> None:
    claims = Claims(expires_at=NOW + left)
    assert (claims.days_left(NOW), claims.expired(NOW)) == (days, expired)


def test_a_token_without_an_end_has_no_days_and_does_not_expire() -> None:
    assert Claims().days_left(NOW) is None and not Claims().expired(NOW) and Claims().expires_iso is None


def test_the_end_as_the_document_writes_it() -> None:
    assert Claims(expires_at=1_740_093_600).expires_iso == "2025-02-20T23:20:00.000Z"
    assert Claims(expires_at=253_402_300_799).expires_iso == "9999-12-31T23:59:59.000Z"


def test_a_mask_shows_four_characters_of_each_end() -> None:
    assert mask(GOOD) == f"{GOOD[:4]}…{GOOD[-4:]}"
    assert mask("x" * 31) == mask("") == "••••••••"
    assert part({"a": 1})[:3] == "eyJ"  # every token begins alike: the first four tell nothing
