# SPDX-License-Identifier: MIT
"""What the checker of histories must find: errors planted into a good history, and a server that loses writes."""
import copy
import json

import pytest

from effects import DELETE, number_of
from histories import keep, play
from scene import Judge
from support import engine
from support.seed import SEED

STEPS = 60
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(name="judge", scope="module")
def fixture_judge():
    """The server of the model."""
    made = Judge()
    yield made
    made.close()


@pytest.fixture(name="good", scope="module")
def fixture_good(judge):
    """A history that nothing is wrong with, and in which some call changed several things."""
    print(f"\nSEED={SEED}")
    for seed in range(SEED, SEED + 5):
        history = max(play(seed, STEPS, plain=True)[0], key=lambda one: sum(row.follows is not None for row in one.journal))
        if any(row.follows is not None for row in history.journal):
            break
    history.lock = None
    wrong = judge.replay(copy.deepcopy(history))[0]
    if wrong:
        print(f"kept as {keep(SEED, history)}", *wrong[:3], sep="\n")
    assert not wrong
    return history


def of_task(history, method, status=200):
    """The calls about one task."""
    return [call for call in history.calls if call.method == method and call.status == status and not call.replayed
            and call.path.startswith("/v1/tasks/") and call.path.count("/") == 3]


def versions(history):
    """Each path, and what was told of it."""
    found = {}
    for call in sorted(history.calls, key=lambda one: one.start):
        if call.status in (200, 201) and call.etag and call.path.startswith("/v1/tasks/") and call.path.count("/") == 3:
            found.setdefault(call.path, []).append(call)
    return found


def stale_read(history):
    """A read answers what somebody had overwritten before it began."""
    for calls in versions(history).values():
        for call in calls:
            older = [one for one in calls if one.end < call.start and number_of(one.etag) < number_of(call.etag)
                     and any(new.end < call.start and number_of(new.etag) == number_of(call.etag) for new in calls)]
            if call.method == "GET" and older:
                call.text, call.etag = older[0].text, older[0].etag
                return
    pytest.fail("no task was read twice")


def read_too_early(history):
    """A read knows a write that had not begun."""
    for calls in versions(history).values():
        for call in calls:
            later = [one for one in calls if one.start > call.end and one.writes and number_of(one.etag) > number_of(call.etag)]
            if call.method == "GET" and later:
                call.text, call.etag = later[0].text, later[0].etag
                return
    pytest.fail("no task was written after it was read")


def lost_write(history):
    """A write was acknowledged and is nowhere."""
    call = copy.copy(of_task(history, "PATCH")[0])
    call.headers, call.path = {}, f"/v1/tasks/{NOBODY}"
    call.method, call.status, call.text, call.etag = "DELETE", 204, b"", None
    history.calls.append(call)


def lost_update(history):
    """A change went into what another had overwritten: one of its members is that of before."""
    for call in of_task(history, "PATCH"):
        if "title" in (call.body or {}) and call.json["revision"] in {row.revision for row in history.journal}:
            call.text = json.dumps({**call.json, "title": "What was there before"}).encode()
            return
    pytest.fail("no title was changed")


def swapped_rows(history):
    """Two changes stand in the journal the other way round."""
    rows = history.journal
    for first, second in zip(rows, rows[1:]):
        if first.id != second.id and first.actor != second.actor and second.follows is None:
            place = rows.index(first)
            first.revision, second.revision = second.revision, first.revision
            rows[place:place + 2] = [second, first]
            return
    pytest.fail("nobody's changes stand side by side")


def lost_row(history):
    """A revision is missing."""
    del history.journal[len(history.journal) // 2]


def somebody_else(history):
    """A change that no client made."""
    history.journal[len(history.journal) // 2].actor = NOBODY


def gap_in_the_feed(history):
    """Somebody who follows was told that this is all, and one thing was not among it."""
    snapshot = max(history.snapshots, key=lambda one: len(one.held))
    del snapshot.held[next(iter(snapshot.held))]


def late_feed(history):
    """Somebody who follows was told that this is all, and a write was acknowledged before they asked."""
    first, last = (min if least else max for least in (True, False))
    old, new = first(history.snapshots, key=lambda one: one.revision), last(history.snapshots, key=lambda one: one.start)
    new.held, new.revision = old.held, old.revision


def wrong_refusal(history):
    """A task that is there is said not to be."""
    gone = {row.id for row in history.journal if row.verb == DELETE}
    call = next(one for one in of_task(history, "GET") if one.path.split("/")[3] not in gone)
    call.status, call.etag = 404, None
    call.text = json.dumps({"code": "not_found", "status": 404, "title": "Not found", "type": "/problems/not_found"}).encode()


def two_effects(history):
    """A repeat under a key was made again."""
    for call in history.calls:
        if call.replayed:
            call.replayed = False
            return
    pytest.fail("nothing was repeated")


def half_a_batch(history):
    """Of a call that changes many things one change is somebody else's."""
    for row in history.journal:
        if row.follows is not None:
            row.actor = next(session for session, client in history.sessions.items()
                             if client != history.sessions[row.actor])
            return
    pytest.fail("no call changed several things")


def forgotten_early(history):
    """Somebody who follows was told to begin again, and all that they had missed was new."""
    history.forgotten.append((1, max(call.end for call in history.calls)))


@pytest.mark.parametrize("spoil", [stale_read, read_too_early, lost_write, lost_update, swapped_rows, lost_row, somebody_else,
                                   gap_in_the_feed, late_feed, wrong_refusal, two_effects, half_a_batch, forgotten_early])
def test_planted_error_is_found(judge, good, spoil):
    history = copy.deepcopy(good)
    spoil(history)
    wrong, _ = judge.replay(history)
    assert wrong, spoil.__doc__
    print(f"{spoil.__name__}: {wrong[0][:200]}")


LOSES = ("CREATE TRIGGER loses AFTER UPDATE ON tasks WHEN NEW.title <> OLD.title AND NEW.revision % 5 = 0 BEGIN "
         "UPDATE tasks SET title = OLD.title WHERE space_id = NEW.space_id AND id = NEW.id; END")


@pytest.mark.skipif(engine.is_postgres(), reason="its trigger is in SQLite's words")
def test_a_server_that_loses_writes_is_found(judge):
    """SQLite itself drops each fifth change of a title, in silence."""
    histories = play(SEED, STEPS, spoil=lambda place: place.sql(LOSES), plain=True)[0]
    assert any(judge.replay(history)[0] for history in histories)
