"""Which stages, users and loss reasons are known by name: a record that points to another one makes us ask."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from kommo.store import catalogues
from kommo.store.records import Incoming
from kommo.sync.streams import LOSS_REASONS, PIPELINES, USERS


class Names:
    """The ids that have a name, and the catalogues that a record showed to be out of date. Shared by threads."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self._read_at: float | None = None
        self._stages: set[tuple[int, int]] = set()
        self._users: set[int] = set()
        self._reasons: set[int] = set()

    def load(self, session: Session, connection_id: int) -> None:
        """Take what is stored, gone ones too; what is unknown after that is not asked for again in this run."""
        stages, users, reasons = catalogues.known_ids(session, connection_id)
        self._stages |= stages
        self._users |= users
        self._reasons |= reasons
        self.unknown.clear()

    def are_of(self, moment: float | None) -> None:
        """All catalogues were read at this moment (Kommo's Unix seconds): what has no name by then had lost it."""
        self._read_at = moment

    def notice(self, changed: Sequence[Incoming]) -> None:
        """Look at records that were written for ids without a name."""
        for incoming in changed:
            values = incoming.values
            if self._read_at is not None and (values["updated_at"] or 0) < self._read_at:
                continue
            stage = (values["pipeline_id"], values["stage_id"])
            if None not in stage and stage not in self._stages:
                self._stages.add(stage)
                self.unknown.add(PIPELINES)
            if (user := values["responsible_user_id"]) is not None and user not in self._users:
                self._users.add(user)
                self.unknown.add(USERS)
            if (reason := values["loss_reason_id"]) is not None and reason not in self._reasons:
                self._reasons.add(reason)
                self.unknown.add(LOSS_REASONS)
