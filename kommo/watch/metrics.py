"""`/metrics`: the installation in numbers, as Prometheus reads them.

What this process answered is counted as it happens; everything else is read from the database when it is asked for,
since the worker is another process, perhaps on another machine.
"""

from collections.abc import Iterator

from flask import Blueprint, Response, current_app
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy.exc import SQLAlchemyError

from kommo.db import reading
from kommo.services import Services
from kommo.store.vitals import Vitals, vitals
from kommo.watch.requests import counts

TYPE = "text/plain; version=0.0.4; charset=utf-8"
bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def metrics() -> Response:
    """Everything there is to count; the gate knows who may read it."""
    registry = CollectorRegistry()
    registry.register(Stored(current_app.extensions["kommo"]))
    ProcessCollector(registry=registry)
    return Response(generate_latest(counts().registry) + generate_latest(registry), content_type=TYPE)


class Stored:
    """What the database says at this moment; without it only that it does not answer."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """The families, each with its samples."""
        found: Vitals | None = None
        try:
            with reading(self._services.engine) as session:
                found = vitals(session, self._services.settings.database)
        except SQLAlchemyError:
            pass
        yield _gauge("painel_database_up", "1 se o banco de dados respondeu", int(found is not None))
        if found is not None:
            yield from _of_sync(found)
            yield from _of_kommo(found)
            yield from _of_workers(found)
            yield _gauge("painel_database_bytes", "Tamanho do banco de dados", found.size)
            if found.log_size is not None:
                yield _gauge("painel_database_wal_bytes", "Tamanho do arquivo -wal do SQLite", found.log_size)


def _of_sync(found: Vitals) -> Iterator[Metric]:
    yield _gauge("painel_accounts", "Contas, conectadas ou só com a cópia", found.accounts)
    yield _labelled("painel_rows", "Registros na cópia", "kind", found.rows)
    yield _labelled("painel_runs", "Sincronizações no histórico", "state", found.runs)
    yield _gauge("painel_queue_age_seconds", "Espera da sincronização mais antiga na fila", found.oldest_queued)
    yield _gauge("painel_lease_overdue_seconds", "Atraso do prazo mais atrasado de um trabalhador", found.lease_overdue)


def _of_kommo(found: Vitals) -> Iterator[Metric]:
    family = CounterMetricFamily("painel_kommo_requests", "Requisições ao Kommo desde o começo")
    family.add_metric([], found.requested)
    yield family
    name = "painel_kommo_requests_last_hour"
    yield _labelled(name, "Requisições ao Kommo em 60 minutos", "purpose", found.last_hour)
    yield _gauge("painel_kommo_refused_last_hour", "Respostas 429 do Kommo em 60 minutos", found.refused)
    yield _gauge("painel_kommo_blocked", "1 se o Kommo bloqueia este endereço", int(found.blocked))


def _of_workers(found: Vitals) -> Iterator[Metric]:
    yield _gauge("painel_workers", "Trabalhadores que deram sinal no último minuto", len(found.workers))
    each = {worker.name: worker for worker in found.workers}
    ages = {name: worker.age for name, worker in each.items()}
    yield _labelled("painel_worker_seen_seconds", "Segundos desde o último sinal", "worker", ages)
    memory = {name: worker.memory for name, worker in each.items() if worker.memory is not None}
    yield _labelled("painel_worker_memory_bytes", "Memória do trabalhador", "worker", memory)
    files = {name: worker.files for name, worker in each.items() if worker.files is not None}
    yield _labelled("painel_worker_open_files", "Arquivos e conexões abertos", "worker", files)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _labelled(name: str, meaning: str, label: str, values: "dict[str, int] | dict[str, float]") -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
