"""`flask kommo rotate-keys`: another key for the stored tokens, while the web server and the workers go on."""

import click
from flask.cli import with_appcontext

from kommo.cli.shared import fail, tools
from kommo.connect import keys
from kommo.connect.keys import KeysError, Rotation
from kommo.services import Services
from kommo.store.sealed import Resealed
from kommo.text import plural

_STEPS = """\
As chaves vêm de KOMMO_ENCRYPTION_KEY, que só você muda. Para trocar a chave, nesta ordem, em todas as máquinas:
1. guarde a chave atual ({first}) junto das cópias de segurança: as feitas até agora só abrem com ela;
2. faça uma chave nova, com `openssl rand -hex 32`;
3. ponha em KOMMO_ENCRYPTION_KEY a chave atual, uma vírgula e a nova, e reinicie tudo: todos passam a abrir com as duas;
4. inverta a ordem (a nova, uma vírgula, a atual) e reinicie tudo: a primeira é a que cifra;
5. rode `flask kommo rotate-keys` de novo, com esse valor: os tokens guardados são cifrados com a nova;
6. deixe só a nova em KOMMO_ENCRYPTION_KEY e reinicie tudo."""


@click.command("rotate-keys", help="Troca a chave que cifra os tokens; o painel pode estar em execução.")
@with_appcontext
def rotate_keys() -> None:
    """Change the key in the file, or end a change begun there or in the environment; exit code 1 where one is stuck."""
    services = tools()
    try:
        done = _in_file(services) if keys.is_file(services) else _in_environment(services)
    except KeysError as error:
        fail(str(error))
    if not _tell_of_stuck(done.resealed):
        raise SystemExit(1)


def _in_file(services: Services) -> Rotation:
    done = keys.rotate(services, click.echo)
    _tell_of_kept(done)
    if done.dropped:
        click.echo(f"Saiu de instance/encryption_key, pois nenhum token precisa mais dela: {', '.join(done.dropped)}.")
        click.echo("As cópias de segurança feitas antes desta troca pedem essa chave para abrir os tokens que têm.")
        if services.engine.dialect.name != "sqlite":
            click.echo("Se outra máquina usa este banco, leve para ela o novo instance/encryption_key.")
    return done


def _in_environment(services: Services) -> Rotation:
    done = keys.reseal(services)
    click.echo(f"{plural(done.resealed.done, 'token cifrado', 'tokens cifrados')} de novo, com a chave {done.first}.")
    _tell_of_kept(done)
    if done.dropped:
        click.echo(
            f"Nenhum token precisa mais de: {', '.join(done.dropped)}. Guarde com as cópias de segurança antigas."
        )
        staying = ", ".join((done.first, *done.kept))
        click.echo(f"Deixe em KOMMO_ENCRYPTION_KEY, em todas as máquinas, só {staying}, e reinicie tudo.")
    elif not done.kept:
        click.echo(_STEPS.format(first=done.first))
    return done


def _tell_of_kept(done: Rotation) -> None:
    if done.kept:
        click.echo(f"Continua, pois um token ainda pede por ela: {', '.join(done.kept)}.")


def _tell_of_stuck(found: Resealed) -> bool:
    """Say which rows could not be sealed anew; gives whether all were."""
    for key_id, number in sorted(found.missing.items()):
        click.echo(f"{_as_it_was(number)}: falta a chave {key_id}.", err=True)
    if found.damaged:
        click.echo(f"{_as_it_was(found.damaged)}: não abre. Cole o token de novo na página Conexão.", err=True)
    return not found.missing and not found.damaged


def _as_it_was(number: int) -> str:
    return plural(number, "token ficou como estava", "tokens ficaram como estavam")
