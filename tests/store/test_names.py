"""Names for numbers: known, unknown, nameless, gone; never another account's."""

import pytest
from sqlalchemy.orm import Session

from kommo.db import writing
from kommo.store.fields import CONTACT_FIELDS, DEAL_FIELDS, Definition, definitions
from kommo.store.names import Name, company, loss_reasons, names, visible
from kommo.store.tables import Company, CustomField, KommoUser, LossReason, Pipeline, Stage
from kommo.store.zones import zone_of
from tests.store.conftest import Copies


def test_known_names_come_in_the_order_of_the_account(copies: Copies, session: Session) -> None:
    known = names(session, copies.bakery.id)
    assert [each.text for each in known.users.values()] == ["Paula Nogueira", "Rafael Teixeira", "Sônia Prado"]
    assert [each.text for each in known.pipelines.values()] == ["Atacado", "Vendas", "Antigo"]
    of_sales = [each.text for key, each in known.stages.items() if key[0] == 4401]
    assert of_sales == ["Entrada", "Contato inicial", "Proposta", "Venda ganha", "Venda perdida"]


def test_what_is_gone_or_without_a_name_is_said(copies: Copies, session: Session) -> None:
    of = {"connection_id": copies.bakery.id}
    with writing(copies.engine) as writer:
        writer.add_all(
            [
                KommoUser(id=1, name=" \u200b", **of),
                KommoUser(id=2, name="Otto", is_active=False, gone_at=1.0, **of),
                Pipeline(id=3, name="", gone_at=1.0, **of),
                Stage(id=4, pipeline_id=3, name="Velha", gone_at=1.0, **of),
                Company(id=5, name="Fechada", gone_at=1.0, **of),
                LossReason(id=6, name="\u3164", **of),
            ]
        )
    known = names(session, copies.bakery.id)
    assert known.user(1) == Name(1, "Usuário 1")
    assert known.user(2) == Name(2, "Otto", "excluído")
    assert known.pipeline(3) == Name(3, "Funil 3", "excluído")
    assert known.stage(3, 4) == Name(4, "Velha", "excluída")
    assert company(session, copies.bakery.id, 5) == Name(5, "Fechada", "excluída")
    assert loss_reasons(session, copies.bakery.id, [6, 81, 7]) == {
        6: Name(6, "Motivo 6"),
        7: Name(7, "Motivo 7"),
        81: Name(81, "Preço"),
    }


def test_no_number_has_no_name(copies: Copies, session: Session) -> None:
    known = names(session, copies.bakery.id)
    assert [known.user(None), known.user(0), known.pipeline(None), known.stage(None, None)] == [None] * 4
    assert company(session, copies.bakery.id, None) is None
    assert loss_reasons(session, copies.bakery.id, []) == {}


def test_names_of_another_account_are_not_borrowed(copies: Copies, session: Session) -> None:
    known = names(session, copies.brunos.id)
    assert known.user(7001) == Name(7001, "Usuário 7001")
    assert known.pipeline(4401) == Name(4401, "Funil 4401")
    assert known.stage(4401, 440101) == Name(440101, "Etapa 440101")
    assert company(session, copies.workshop.id, 801) == Name(801, "Empresa 801")
    assert loss_reasons(session, copies.workshop.id, [81]) == {81: Name(81, "Motivo 81")}


@pytest.mark.parametrize("text", ["Ana", "0", "李", "👩‍💻", " . ", "\u202eAna", "a\u0301"])
def test_a_text_with_something_to_see_is_shown(text: str) -> None:
    assert visible(text, "x") == text


@pytest.mark.parametrize(
    "text", [None, "", " \t\n", "\u00a0\u2003", "\u200b\u200e\ufeff", "\u00ad", "\u0301", "\u115f\u3164\uffa0"]
)
def test_a_text_with_nothing_to_see_is_replaced(text: str | None) -> None:
    assert visible(text, "Contato 1") == "Contato 1"


def test_fields_are_defined_per_kind_and_account(copies: Copies, session: Session) -> None:
    with writing(copies.engine) as writer:
        for connection, entity, key, name, sort, gone in (
            (copies.bakery, CONTACT_FIELDS, 2, "Origem", 1, None),
            (copies.bakery, CONTACT_FIELDS, 1, " ", 2, 5.0),
            (copies.bakery, DEAL_FIELDS, 2, "Valor da entrada", 0, None),
            (copies.brunos, CONTACT_FIELDS, 2, "Do Bruno", 0, None),
        ):
            field = CustomField(connection_id=connection.id, entity=entity, id=key, name=name, sort=sort, gone_at=gone)
            field.currency = "USD" if entity == DEAL_FIELDS else None
            writer.add(field)
    assert list(definitions(session, copies.bakery.id, CONTACT_FIELDS).items()) == [
        (2, Definition(2, "Origem", None, False)),
        (1, Definition(1, "Campo 1", None, True)),
    ]
    assert definitions(session, copies.bakery.id, DEAL_FIELDS) == {2: Definition(2, "Valor da entrada", "USD", False)}


@pytest.mark.parametrize("name", ["", "Nowhere/City", "../etc/passwd", "America", "\0", "a" * 64])
def test_an_unknown_zone_is_sao_paulo(copies: Copies, name: str) -> None:
    copies.bakery.timezone = name
    assert zone_of(copies.bakery).key == "America/Sao_Paulo"
    copies.bakery.timezone = "America/Manaus"
    assert zone_of(copies.bakery).key == "America/Manaus"
