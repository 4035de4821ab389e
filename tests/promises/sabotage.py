"""`python -m tests.promises.sabotage [word …]`: breaks the code in one small place after another, and wants a test red.

Each change is made in a copy of the tree, and the tests named with it are run there. Whatever stays green, or cannot be
applied any more, makes the exit code 1: then a promise has no test, or this list is out of date. A word picks changes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAILED = 1  # pytest's exit code where tests ran and failed; others say that they could not be run
GAP, CONVERGENCE, MONOTONE = "test_no_gap.py", "test_convergence.py", "test_monotone.py"
IDEMPOTENCE, CRASH, RUNNER = "test_idempotence.py", "test_crash.py", "test_one_runner.py"


@dataclass(frozen=True, slots=True)
class Sabotage:
    """A change of the product's text that breaks a promise, and the test that has to notice (`file::name` or `-k`)."""

    name: str
    file: str
    old: str
    new: str
    tests: str
    whole: bool = False  # the test has to try all that a soak tries: its sample may miss the place

    def count(self, root: Path) -> int:
        """How often the text to change is found: once, if the list is true."""
        return (root / self.file).read_text().count(self.old)

    def apply(self, root: Path) -> None:
        """Make the change in a tree."""
        path = root / self.file
        path.write_text(path.read_text().replace(self.old, self.new, 1))


ALL = (
    # P1, no gap
    Sabotage(
        "pages are read from the first to the last",
        "kommo/sync/bands.py",
        "page = self._counted.pop(band.number, None) or self._ask(band.next_page)",
        "page = self._ask(self.__dict__.setdefault(band.number, band.next_page + band.lowest) - band.next_page)",
        f"promises/{GAP}::test_300_deleted_at_once_hide_nobody",
    ),
    Sabotage(
        "a band ends before it meets the one below",
        "kommo/sync/bands.py",
        "done = band.next_page <= 1 or self._met_the_band_below(band, ids)",
        "done = band.next_page <= band.lowest",
        f"promises/{GAP}::test_bands_that_meet_leave_nobody_between_them",
    ),
    Sabotage(
        "what came back brings no second pass",
        "kommo/sync/settle.py",
        "if not row.ordered or (spec.name in self.told.restored and row.read_pass == 1):",
        "if not row.ordered:",
        f"promises/{GAP}::test_a_second_pass_finds_what_came_back_in_front",
    ),
    Sabotage(
        "an ignored order is not noticed",
        "kommo/sync/bands.py",
        "if self.ordered and any(low >= high for low, high in pairwise(ids)):",
        "if self.ordered and not ids and band.next_page < 0:",
        f"promises/{GAP}::test_an_ignored_order_is_noticed",
    ),
    Sabotage(
        "a second that holds more than a page is not read to its end",
        "kommo/sync/changes.py",
        "            _read_span(run, stream, write, mark - 1, mark)\n            mark += 1",
        "            mark += 1",
        f"promises/{GAP}::test_a_whole_page_in_one_second_is_read_to_its_end",
    ),
    # P2, convergence
    Sabotage(
        "no overlap before the watermark",
        "kommo/sync/watermark.py",
        "return max(self.since - OVERLAP, min(cursor, self.clock) if cursor else 0)",
        "return max(self.since + 1, min(cursor, self.clock) if cursor else 0)",
        f"promises/{CONVERGENCE}::test_a_change_that_shows_late_is_read_by_the_next_run",
    ),
    Sabotage(
        "the watermark is kept though the run did not read to its end",
        "kommo/sync/settle.py",
        "        self._settle_candidates()\n        self._judge_doubts()",
        "        self.mark.advance()\n        self.mark.keep(self.told.events)\n        self._settle_candidates()\n"
        "        self._judge_doubts()",
        "sync/test_later_runs.py::test_a_later_run_that_fails_leaves_the_watermark",
    ),
    Sabotage(
        "a hash that leaves the links out",
        "kommo/sync/rows.py",
        "blake2b(content, digest_size=16)",
        "blake2b(content.partition(b'\"contacts\":')[0], digest_size=16)",
        f"promises/{CONVERGENCE}::test_nothing_of_a_deal_is_left_out_of_what_tells_two_of_them_apart",
    ),
    Sabotage(
        "the deals of a contact that came back are not asked for",
        "kommo/sync/writing.py",
        "if spec is CONTACTS and (back := _came_back(run, written)):",
        "if spec is CONTACTS and run.sent < 0 and (back := _came_back(run, written)):",
        "sync/test_deletions.py::test_a_deal_gets_its_contact_back_where_no_event_tells_of_it",
    ),
    Sabotage(
        "the deals of a contact that went are not asked for",
        "kommo/sync/deletions.py",
        "if spec is CONTACTS:  # their deals have lost a link",
        "if spec is DEALS:  # their deals have lost a link",
        "sync/test_deletions.py::test_a_lost_link_is_not_forgotten_in_a_pause",
    ),
    Sabotage(
        "a list that is not filtered by time is taken for one that is",
        "kommo/sync/changes.py",
        "if times and min(times) < since - 2:",
        "if times and min(times) < 0:",
        "sync/test_undocumented.py::test_a_list_that_is_not_filtered_by_time_is_read_whole",
    ),
    Sabotage(
        "links that events tell of are not followed",
        "kommo/sync/told.py",
        'yield spec.name, EVENT if event.type == f"{entity}_deleted" else TOLD, key',
        'yield from [(spec.name, EVENT, key)] if event.type == f"{entity}_deleted" else []',
        "sync/test_later_runs.py::test_every_change_that_kommo_reports_is_found",
    ),
    # Proof and guard
    Sabotage(
        "the proof ignores a difference",
        "kommo/sync/proof.py",
        "found.equal, found.cut = not cut and length.rows == held - asked, cut",
        "found.equal, found.cut = True, cut",
        "sync/test_later_runs.py::test_what_nobody_tells_is_found_by_rank",
    ),
    Sabotage(
        "the proof takes no second look",
        "kommo/sync/proof.py",
        "return [*([length.pages] if length.pages else []), *others]",
        "return []",
        "sync/test_later_runs.py::test_a_record_that_is_held_otherwise_brings_a_reading_of_all",
    ),
    Sabotage(
        "a cut list is called complete",
        "kommo/sync/proof.py",
        "cut = length.cut and _newest_is_missing(run, spec)",
        "cut = False",
        "sync/test_undocumented.py::test_a_cut_list_is_never_called_complete",
    ),
    Sabotage(
        "what was not met is buried without being asked for",
        "kommo/sync/deletions.py",
        "    return set(lot) - set(living)",
        "    return set(lot)",
        "sync/test_deletions.py::test_an_empty_list_buries_nothing",
    ),
    Sabotage(
        "a list is believed about what it leaves out",
        "kommo/sync/deletions.py",
        "if witness not in found and key not in living:",
        "if run.sent < 0 and key not in living:",
        "sync/test_deletions.py::test_nothing_is_buried_because_a_list_left_it_out",
    ),
    Sabotage(
        "the guard is off",
        "kommo/sync/deletions.py",
        "return gone > 1000 or (gone >= 5 and gone * 10 > held)",
        "return gone > 10**9",
        "sync/test_deletions.py::test_many_missing_records_without_an_event_wait_for_a_person",
    ),
    Sabotage(
        "a tag counts as a word of a deletion",
        "kommo/store/candidates.py",
        "_WEAK = (TOLD, ABSENCE)",
        "_WEAK = (ABSENCE,)",
        "sync/test_deletions.py::test_a_tag_is_no_word_of_a_deletion",
    ),
    # P3, idempotence
    Sabotage(
        "events are acted upon again and again",
        "kommo/sync/told.py",
        "self._suspect(event for event in lot if event.id not in known and event.id not in self.events)",
        "self._suspect(lot)",
        "sync/test_later_runs.py::test_every_change_that_kommo_reports_is_found",
    ),
    Sabotage(
        "events are remembered for ever",
        "kommo/store/marks.py",
        "SyncEvent.created_at < before)",
        "SyncEvent.created_at < 0)",
        "sync/test_later_runs.py::test_events_acted_upon_are_forgotten_in_time",
    ),
    Sabotage(
        "a row is written though nothing of it changed",
        "kommo/store/records.py",
        "return UNCHANGED if same or known.version > version else UPDATED",
        "return UNCHANGED if known.version > version else UPDATED",
        f"promises/{IDEMPOTENCE}::test_nothing_changes_twice",
    ),
    # P4, monotone rows
    Sabotage(
        "an earlier reading replaces a later one",
        "kommo/store/records.py",
        "return UNCHANGED if same or known.version > version else UPDATED",
        "return UNCHANGED if same else UPDATED",
        f"promises/{MONOTONE}::test_the_latest_reading_is_held_whatever_came_last",
    ),
    Sabotage(
        "the upsert does not look at the version",
        "kommo/store/records.py",
        "where=_TABLE.c.version <= statement.excluded.version",
        "where=_TABLE.c.version >= 0",
        f"promises/{MONOTONE}::test_two_readings_that_are_written_at_once_leave_the_later_one",
    ),
    Sabotage(
        "a burial takes a row that a later reading has",
        "kommo/store/records.py",
        "if row.deleted_at is None and row.version <= version]",
        "if row.deleted_at is None]",
        f"promises/{MONOTONE}::test_the_latest_reading_is_held_whatever_came_last",
    ),
    Sabotage(
        "claims do not count on",
        "kommo/store/runs.py",
        ".values(claims=Connection.claims + 1)",
        ".values(claims=1)",
        f"promises/{MONOTONE}::test_every_claim_starts_above_all_readings_before_it",
    ),
    # P5, crash
    Sabotage(
        "the cursor is moved before its rows are there",
        "kommo/sync/bands.py",
        "        following = 0 if done else band.next_page - 1\n        with self.run.transaction() as session:\n",
        "        following = 0 if done else band.next_page - 1\n        with self.run.transaction() as session:\n"
        "            session.connection().execute(update(_BANDS).where(_BANDS.c.run_id == self.run.claim.run_id, "
        "_BANDS.c.stream == self.spec.name, _BANDS.c.band == band.number).values(next_page=following, done=done))\n"
        "        with self.run.transaction() as session:\n",
        f"promises/{CRASH}::test_a_worker_may_die_at_any_of_its_commits",
        whole=True,
    ),
    Sabotage(
        "a pass is over before its pages are read",
        "kommo/sync/sweep.py",
        'stream.state, stream.total, stream.pages_total = "reading", length.rows, length.pages',
        'stream.state, stream.total, stream.pages_total = "read", length.rows, length.pages',
        f"promises/{CRASH}::test_a_worker_may_die_at_any_of_its_commits",
        whole=True,
    ),
    Sabotage(
        "a dead worker's run is never taken up",
        "kommo/store/runs.py",
        'and_(SyncRun.state == "running", _lapsed()),',
        'and_(SyncRun.state == "running", SyncRun.fence < 0),',
        f"promises/{CRASH}::test_a_worker_may_die_at_any_of_its_commits",
    ),
    # P6, one runner
    Sabotage(
        "the fence is not checked in hold",
        "kommo/store/runs.py",
        'run.fence == bindparam("held_with"), run.state == "running")',
        'or_(run.fence == bindparam("held_with"), run.fence >= 0))',
        f"promises/{RUNNER}::test_who_slept_past_the_lease_writes_nothing",
    ),
    Sabotage(
        "a run in good hands may be taken",
        "kommo/store/runs.py",
        "return or_(SyncRun.lease_until < clock(), SyncRun.lease_until > clock() + FAR)",
        "return SyncRun.lease_until > 0",
        f"promises/{RUNNER}::test_a_worker_that_comes_for_a_run_in_good_hands_goes_away",
    ),
    Sabotage(
        "a transaction does not begin with the fence",
        "kommo/sync/run.py",
        "                self._hold(session, requests=requests)\n",
        "",
        f"promises/{RUNNER}::test_who_slept_past_the_lease_writes_nothing",
    ),
    # The server's disk
    Sabotage(
        "the log is not written back when a run is over",
        "kommo/sync/engine.py",
        "        write_back(run.services.engine)",
        "        pass",
        "sync/test_server_faults.py::test_the_log_is_written_back_when_a_run_is_over",
    ),
    # What a search finds
    Sabotage(
        "a deal with other contacts is not indexed anew",
        "kommo/store/records.py",
        "        or links[incoming.remote_id] != {contact_id for contact_id, _ in incoming.links or ()}\n",
        "",
        "store/test_search.py::test_a_deal_with_other_contacts_is_found_by_them",
    ),
    Sabotage(
        "what comes back is not indexed anew",
        "kommo/store/records.py",
        "among(Wallet.remote_id, known), *shown)",
        "among(Wallet.remote_id, known))",
        "store/test_search.py::test_what_comes_back_as_it_was_is_found_again",
    ),
    Sabotage(
        "the index waits for the end of the reading",
        "kommo/sync/run.py",
        "            self._pool.submit(self._keep_up)",
        "            pass",
        "sync/test_first_load.py::test_what_has_arrived_is_soon_in_the_index",
    ),
)


def main(words: list[str]) -> int:
    """Try every sabotage (those whose name holds one of the words, if there are any); gives the exit code."""
    chosen = [one for one in ALL if not words or any(word in one.name for word in words)]
    green = [one.name for one in chosen if not _turns_red(one)]
    print(f"{len(chosen) - len(green)} de {len(chosen)} sabotagens foram notadas.")
    for name in green:
        print(f"NÃO NOTADA: {name}")
    return 1 if green or not chosen else 0


def _turns_red(one: Sabotage) -> bool:
    """Apply a sabotage to a copy of the tree and run its tests there."""
    if one.count(ROOT) != 1:
        print(f"não se aplica  {one.name}", flush=True)
        return False
    with tempfile.TemporaryDirectory(prefix="kommo-sabotage-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "node_modules", "instance", "__pycache__"))
        one.apply(tree)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"tests/{one.tests}"]
        env = os.environ | ({"SOAK": "1"} if one.whole else {})
        done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True)
    red = done.returncode == FAILED
    last = done.stdout.strip().splitlines()[-1:] or [done.stderr[-200:]]
    print(f"{'vermelho' if red else 'VERDE   '}  {one.name}  ({last[0]})", flush=True)
    return red


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
