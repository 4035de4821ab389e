"""The account's frame: people, pipelines, loss reasons, tags and a custom field of every type."""

from __future__ import annotations

from typing import Any

from kommo.sandbox import directory
from kommo.sandbox.directory import PHONE_ENUMS
from kommo.sandbox.seed_words import LOSS_REASONS, ORIGINS, TAGS
from kommo.sandbox.state import KINDS, State

REMOVED_USER = 6990
EMAIL_ENUMS = tuple((code, code) for code in ("WORK", "PRIV", "OTHER"))
_USERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Ana Martins", {"is_admin": True}), ("Bruno Teixeira", {"group_id": 1}), ("Carla Nogueira", {"group_id": 1}),
    ("Diego Farias", {"group_id": 1}), ("Elisa Prado", {"group_id": 2}), ("Fábio Moura", {"group_id": 2}),
    ("Gabriela Sena", {}), ("Hugo Braga", {"is_active": False}),
)  # fmt: skip
_PIPELINES = {
    "padaria": {
        "Vendas": ("Primeiro contato", "Orçamento enviado", "Degustação", "Negociação", "Aguardando sinal"),
        "Pós-venda": ("Entrega agendada", "Entregue", "Pedir avaliação"),
        "Atacado": ("Cadastro", "Amostra enviada", "Proposta", "Contrato"),
    },
    "oficina": {
        "Orçamentos": ("Recebido", "Diagnóstico", "Orçado", "Aprovado", "Peças pedidas"),
        "Revisões": ("Agendada", "Na oficina", "Pronta"),
        "Frotas": ("Contato", "Visita", "Proposta", "Contrato"),
    },
}
Definition = tuple[str, dict[str, Any]]
_SHARED: tuple[Definition, ...] = (
    ("Origem", {"type": "select", "enums": ORIGINS}),
    ("Observações", {"type": "textarea"}),
    ("Endereço", {"type": "smart_address"}),
    ("Dados fiscais", {"type": "legal_entity"}),
    ("Documento", {"type": "file"}),
)
FIELDS: dict[str, tuple[Definition, ...]] = {
    "contacts": (
        ("Telefone", {"type": "multitext", "code": "PHONE", "enums": PHONE_ENUMS}),
        ("E-mail", {"type": "multitext", "code": "EMAIL", "enums": EMAIL_ENUMS}),
        ("Cargo", {"type": "text", "code": "POSITION"}),
        *_SHARED,
        ("Aniversário", {"type": "birthday", "remind": "day"}),
        ("Interesses", {"type": "multiselect", "enums": ("Pães", "Bolos", "Doces", "Salgados", "Cestas")}),
        ("Aceita mensagens", {"type": "checkbox"}),
        ("Limite de crédito", {"type": "monetary"}),
        ("Pontos", {"type": "numeric"}),
        ("Site", {"type": "url"}),
        ("Primeira compra", {"type": "date"}),
        ("Último contato", {"type": "date_time"}),
        ("Tamanho", {"type": "radiobutton", "enums": ("Pequeno", "Médio", "Grande")}),
        ("Ponto de referência", {"type": "streetaddress"}),
    ),
    "leads": (
        *_SHARED,
        ("Data de entrega", {"type": "date"}),
        ("Retirada", {"type": "date_time"}),
        ("Tipo de pedido", {"type": "radiobutton", "enums": ("Encomenda", "Pronta entrega", "Assinatura")}),
        ("Itens", {"type": "multiselect", "enums": ("Pães", "Bolos", "Doces", "Salgados", "Bebidas")}),
        ("Sinal pago", {"type": "checkbox"}),
        ("Valor do sinal", {"type": "monetary"}),
        ("Quantidade", {"type": "numeric"}),
        ("Link do orçamento", {"type": "url"}),
        ("Aniversário do cliente", {"type": "birthday"}),
        ("Referência", {"type": "text"}),
        ("Local do evento", {"type": "streetaddress"}),
        ("Produto", {
            "type": "chained_list",
            "chained_lists": [{"title": "Produto", "catalog_id": 1001, "parent_catalog_id": None}],
        }),
        *((code.lower(), {"type": "tracking_data", "code": code})
          for code in ("UTM_SOURCE", "UTM_MEDIUM", "UTM_CAMPAIGN")),
        ("Previsão", {"type": "ai_forecast"}),
    ),
    "companies": (
        ("Telefone", {"type": "multitext", "code": "PHONE", "enums": PHONE_ENUMS}),
        ("E-mail", {"type": "multitext", "code": "EMAIL", "enums": EMAIL_ENUMS}),
        ("Site", {"type": "url", "code": "WEB"}),
        *_SHARED,
        ("Segmento", {"type": "select", "enums": ("Alimentação", "Educação", "Hotelaria", "Saúde", "Varejo")}),
        ("Funcionários", {"type": "numeric"}),
        ("Cliente desde", {"type": "date"}),
        ("Ativa", {"type": "checkbox"}),
    ),
}  # fmt: skip


def group_of(entity: str, name: str, field_type: str) -> str | None:
    """The tab of the card that shows a field: none for most, Kommo's own for tracking, one that people made."""
    if field_type == "tracking_data":
        return "statistic"
    return f"{entity}_10501760000123" if name in ("Dados fiscais", "Documento", "Limite de crédito") else None


def set_up(state: State) -> None:
    """Fill the directories of a new account. Two accounts have the same ids for different things, on purpose."""
    for one, name in enumerate(("Vendas", "Produção"), 1):
        directory.add(state, "groups", name, {"id": one})
    state.next_ids |= {"users": state.profile.admin_id - 1, "pipelines": 8400100, "statuses": 68100100}
    state.next_ids |= {"loss_reasons": 9500, "custom_fields": 900100, "enums": 700200, "tags": 31000, "groups": 2}
    for name, values in _USERS:
        directory.add(state, "users", name, values)
    kind = "oficina" if state.profile.subdomain.startswith("oficina") else "padaria"
    for name, stages in _PIPELINES[kind].items():
        directory.add(state, "pipelines", name, {"stages": stages})
    for name in LOSS_REASONS:
        directory.add(state, "loss_reasons", name, {})
    for entity in KINDS:
        for name, values in FIELDS[entity]:
            group = {"group_id": group_of(entity, name, values["type"])}
            directory.add(state, f"{entity}/custom_fields", name, group | values)
        for name in TAGS:
            directory.add(state, f"{entity}/tags", name, {})
