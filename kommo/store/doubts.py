"""Records that a second look found held otherwise than Kommo has them, until it is known why."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kommo.store.among import among
from kommo.store.candidates import ABSENCE, ALIVE, judge, suspect, told, with_verdict
from kommo.store.records import Target
from kommo.store.tables import Wallet

_VERDICT = "doubt"
_LOT = 500


def _name(target: Target) -> str:
    """The candidates' stream that holds the doubts about a stream's records."""
    return f"?{target.stream}"


def note(session: Session, target: Target, remote_ids: Sequence[int]) -> None:
    """Remember records that were held otherwise."""
    suspect(session, target.run_id, _name(target), remote_ids, ABSENCE)
    judge(session, target.run_id, _name(target), remote_ids, _VERDICT)


def any_untold(session: Session, target: Target, before: int) -> bool:
    """Whether one of them has not changed since `before` (Kommo's Unix seconds) and was not named by Kommo either."""
    for lot in _lots(session, target):
        statement = select(Wallet.remote_id).where(
            Wallet.connection_id == target.connection_id,
            Wallet.kind == target.kind,
            among(Wallet.remote_id, lot),
            func.coalesce(Wallet.updated_at, 0) < before,
        )
        old = list(session.scalars(statement))
        if set(old) - told(session, target.run_id, target.stream, old):
            return True
    return False


def settle(session: Session, target: Target) -> None:
    """What was in doubt is judged."""
    for lot in _lots(session, target):
        judge(session, target.run_id, _name(target), lot, ALIVE)


def _lots(session: Session, target: Target) -> list[list[int]]:
    ids = with_verdict(session, target.run_id, _name(target), _VERDICT, 10 * _LOT)
    return [ids[begin : begin + _LOT] for begin in range(0, len(ids), _LOT)]
