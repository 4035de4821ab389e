"""An action's code and its Portuguese words: the one list of what the audit log knows."""

WORDS = {
    "account.connected": "Conta conectada",
    "account.token_replaced": "Token da conta trocado",
    "account.disconnected": "Conta desconectada",
    "account.copy_erased": "Conta desconectada e cópia apagada",
    "sync.started": "Sincronização pedida",
    "sync.cancelled": "Sincronização cancelada",
    "sync.resumed": "Sincronização retomada",
    "sync.deletions_confirmed": "Exclusões confirmadas",
    "schedule.saved": "Agenda salva",
    "schedule.paused": "Agenda pausada",
    "schedule.resumed": "Agenda retomada",
    "schedule.removed": "Agenda desligada",
    "person.found": "Pessoa procurada",
    "person.exported": "Dados de uma pessoa exportados",
    "person.erased": "Dados de uma pessoa apagados",
    "privacy.file_cleaned": "Arquivo do banco limpo",
    "retention.changed": "Prazos de guarda mudados",
    "retention.applied": "Prazos de guarda aplicados",
    "audit.exported": "Auditoria exportada",
    "data.exported": "Lista exportada",
    "login.ok": "Entrada",
    "login.refused": "Entrada recusada",
    "login.locked": "Entrada bloqueada por tentativas",
    "logout": "Saída",
    "session.ended": "Sessão encerrada",
    "user.added": "Usuário criado",
    "user.changed": "Usuário mudado",
    "user.removed": "Usuário removido",
    "password.changed": "Senha trocada",
    "totp.on": "Segundo fator ligado",
    "totp.off": "Segundo fator desligado",
    "key.added": "Chave da API criada",
    "key.revoked": "Chave da API revogada",
    "keys.rotated": "Chaves de cifra trocadas",
}
KINDS = {
    "local": "Este computador",
    "user": "Usuário",
    "key": "Chave da API",
    "shell": "Terminal",
    "system": "Painel",
}


def action(code: str) -> str:
    """The words of an action; a code of a newer program stands for itself."""
    return WORDS.get(code, code)


def who(kind: str, name: str) -> str:
    """An actor in words: the name where there is one, else what kind of actor it is."""
    words = KINDS.get(kind, kind)
    return f"{words} {name}" if name else words
