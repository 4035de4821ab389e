"""Which texts speak of a person: never one of somebody else, whatever the spelling of numbers and accents."""

import pytest

from kommo.crm.records import contact_from
from kommo.privacy.traits import traits_of
from tests.privacy.conftest import FIELDS, NAME, NOTE, field

TRAITS = traits_of(contact_from({"id": 1, "name": NAME, "custom_fields_values": FIELDS}))
SAYS = (
    NAME, f"Bolo - {NAME}!", "quitéria  xisto   BRANDÃO", "Quitéria-Xisto-Brandão", "ligar 47 98123 4567 hoje",
    "+554798123-4567", "tel.:(47)98123-4567", "Quiteria.Xisto@EXEMPLO.test", "mailto:quiteria.xisto@exemplo.test?a=b",
    "CPF 529.982.247-25", "52998224725", "doc52998224725x",
)  # fmt: skip
SAYS_NOT = (
    "", "Quitéria", "Xisto Brandão", "Quitéria Xisto", "Aquitéria Xisto Brandãozinho", "98123-456", "8123-4567 8",
    "outra@exemplo.test", "529.982.247", "pedido 98765432", NOTE,
)  # fmt: skip


@pytest.mark.parametrize("text", SAYS)
def test_it_is_theirs(text: str) -> None:
    assert TRAITS.are_in(["outra coisa", text])


@pytest.mark.parametrize("text", SAYS_NOT)
def test_it_is_not_theirs(text: str) -> None:
    assert not TRAITS.are_in([text, "outra coisa"])


def test_one_word_is_no_name_to_go_by() -> None:
    assert not traits_of(contact_from({"id": 1, "name": "Maria"}))


@pytest.mark.parametrize(
    ("name", "kind", "value", "document"),
    [
        ("RG", "text", "12.345.678-X", "12345678X"),
        ("Documento do responsável", "text", "AB-12345", "AB12345"),
        ("Observação", "text", "529.982.247-25", "52998224725"),
        ("CNPJ", "numeric", "12345678000195", "12345678000195"),
        ("Pontos", "numeric", "12345", None),
        ("Orgao", "text", "12345", None),
        ("CPF", "text", "123", None),
    ],
)
def test_documents_are_known_by_their_field_or_their_length(
    name: str, kind: str, value: str, document: str | None
) -> None:
    contact = contact_from({"id": 1, "name": "Maria", "custom_fields_values": [field(5, name, None, kind, value)]})
    assert traits_of(contact).documents == ({document} if document else set())


def test_a_short_phone_and_a_broken_address_are_nothing_to_go_by() -> None:
    fields = [field(1, "Telefone", "PHONE", "multitext", "190"), field(2, "E-mail", "EMAIL", "multitext", "sem arroba")]
    assert not traits_of(contact_from({"id": 1, "name": "Maria", "custom_fields_values": fields}))
