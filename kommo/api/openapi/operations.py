"""Each route of the API: what it does, what it asks for, what it answers. One line here for one in `ROUTES`."""

from dataclasses import dataclass

from kommo.api.asked import Call, ContactCall, DealCall, ListCall, ScheduleCall, SyncCall
from kommo.api.openapi import codes
from kommo.api.openapi.codes import Code
from kommo.api.shapes.base import Shape
from kommo.api.shapes.budget import BudgetKnown
from kommo.api.shapes.connection import Tested
from kommo.api.shapes.records import LiveContacts, LiveDeals, LocalContacts, LocalDeals, OneContact, OneDeal
from kommo.api.shapes.runs import RunDone, RunEndedBadly, RunGoing, RunKnown, RunStatus
from kommo.api.shapes.schedule import ScheduleKnown, ScheduleOff, ScheduleSet


@dataclass(frozen=True, slots=True)
class Link:
    """Which call goes on from an answer: the name of its route, and what it takes from where in the answer."""

    to: str
    takes: str
    where: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its status, the types it may have, what it means, and its headers (name, always there)."""

    status: int
    shapes: tuple[type[Shape], ...]
    meaning: str
    headers: tuple[tuple[str, bool], ...] = ()
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A route. `codes` are its errors beside those of every route; `asks` the model that reads its parameters."""

    section: str
    summary: str
    description: str
    asks: type[Call]
    answers: tuple[Answer, ...]
    codes: tuple[Code, ...]
    headers: tuple[str, ...] = ()  # what it reads beside Authorization


CONNECTION, CONTACTS, DEALS, SYNC, SCHEDULE, USE = (
    "Conexão", "Contatos", "Negociações", "Sincronização", "Agenda", "Limite de requisições",
)  # fmt: skip
SECTIONS = {
    CONNECTION: "O Kommo aceita este token, e de que conta ele é?",
    CONTACTS: "Uma página da lista de contatos, ou um contato.",
    DEALS: "Uma página da lista de negociações, ou uma negociação.",
    SYNC: "Atualizar a cópia, e saber como ela está.",
    SCHEDULE: "Quando a conta se sincroniza sozinha. As horas são do fuso da conta.",
    USE: "Quem usou quantas requisições, e a que velocidade se pode ir.",
}
_FOLLOW = Link("sync_run", "runId", "$response.body#/data/runId")
_APPLIED = ("Preference-Applied", False)
_LIVE = (*codes.ACCOUNT, *codes.KOMMO)
_TEST = Operation(
    CONNECTION, "Testar a conexão", "Testa o token da chamada. Nada é guardado.",
    Call, (Answer(200, (Tested,), "O Kommo aceita o token."),), _LIVE,
)  # fmt: skip
_LIST = (
    "Os registros vêm em ordem de id. Com source=local nenhum token é preciso e a resposta traz lastSync: null quer "
    "dizer que ainda não há cópia, e que a lista vazia nada diz sobre o Kommo. Uma página depois do fim traz data: []."
)

#: By the name of the route.
OPERATIONS: dict[str, Operation] = {
    "test_connection_get": _TEST,
    "test_connection": _TEST,
    "contacts": Operation(
        CONTACTS, "Listar contatos", _LIST, ListCall,
        (Answer(200, (LiveContacts, LocalContacts), "Uma página de contatos.",
                link=Link("contact", "contactId", "$response.body#/data/0/id")),), _LIVE,
    ),
    "contact": Operation(
        CONTACTS, "Obter um contato", "O contato é lido no Kommo, agora.", ContactCall,
        (Answer(200, (OneContact,), "O contato."),), (codes.MISSING_FIELD, *_LIVE, codes.NO_RECORD),
    ),
    "deals": Operation(
        DEALS, "Listar negociações", _LIST, ListCall,
        (Answer(200, (LiveDeals, LocalDeals), "Uma página de negociações.",
                link=Link("deal", "dealId", "$response.body#/data/0/id")),), _LIVE,
    ),
    "deal": Operation(
        DEALS, "Obter uma negociação", "A negociação é lida no Kommo, agora.", DealCall,
        (Answer(200, (OneDeal,), "A negociação."),), (codes.MISSING_FIELD, *_LIVE, codes.NO_RECORD),
    ),
    "sync": Operation(
        SYNC, "Sincronizar",
        "Um token que vem na chamada, ou do ambiente, é testado e guardado antes. A resposta vem quando a "
        "sincronização termina, ou antes disso com 202: quando a chamada o prefere, ou KOMMO_SYNC_WAIT se esgota.",
        SyncCall,
        (
            Answer(200, (RunDone, RunEndedBadly), "A sincronização terminou.", (_APPLIED,), _FOLLOW),
            Answer(202, (RunGoing,), "A sincronização continua; Location diz onde acompanhá-la.",
                   (("Location", True), _APPLIED), _FOLLOW),
        ),
        (*_LIVE, codes.RUN_UNKNOWN, codes.RUNNING), ("Prefer",),
    ),
    "sync_status": Operation(
        SYNC, "Saber como foi a última sincronização",
        "Fala da sincronização mais nova da conta. data é null antes da primeira.", Call,
        (Answer(200, (RunStatus,), "A sincronização mais nova, se há alguma.", link=_FOLLOW),), codes.ACCOUNT,
    ),
    "sync_run": Operation(
        SYNC, "Acompanhar uma sincronização",
        "Fala de uma só. Se ela não era do userId padrão, informe-o; o endereço em Location já o traz.", Call,
        (Answer(200, (RunKnown,), "A sincronização."),), (codes.RUN_UNKNOWN, codes.NO_ADDRESS),
    ),
    "schedule": Operation(
        SCHEDULE, "Ler a agenda", "data é null sem agenda.", Call,
        (Answer(200, (ScheduleKnown,), "A agenda, se há uma."),), codes.ACCOUNT,
    ),
    "schedule_set": Operation(
        SCHEDULE, "Ligar ou mudar a agenda",
        "O corpo diz a agenda inteira, e o que falta nele fica sem valor. Repetir a mesma agenda não muda nada.",
        ScheduleCall, (Answer(200, (ScheduleSet,), "A agenda que vale agora."),),
        (codes.MISSING_FIELD, *codes.ACCOUNT),
    ),
    "schedule_off": Operation(
        SCHEDULE, "Desligar a agenda", "Responde o mesmo se já não havia agenda.", Call,
        (Answer(200, (ScheduleOff,), "Não há mais agenda."),), codes.ACCOUNT,
    ),
    "budget": Operation(
        USE, "Saber o uso do limite", "Nada é perguntado ao Kommo e nenhum token é preciso.", Call,
        (Answer(200, (BudgetKnown,), "O uso do limite."),), codes.ACCOUNT,
    ),
}  # fmt: skip
