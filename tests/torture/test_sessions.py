# SPDX-License-Identifier: MIT
"""A history of sessions on all nodes at once, and planted errors, which must be found."""
import copy
import os

import pytest

import sessions
from histories import play_sessions
from support.seed import SEED

STEPS = int(os.environ.get("STEPS", "50"))


@pytest.fixture(name="devices", scope="module")
def fixture_devices():
    """Everything that happened to one account."""
    print(f"\nSEED={SEED} STEPS={STEPS}")
    made = play_sessions(SEED, STEPS)
    made.lock = made.threads = made.place = made.user = None
    return made


def test_nothing_is_wrong(devices):
    print(f"{len(devices.events)} calls, {len(devices.known)} sessions")
    assert sessions.judge(devices) == []
    assert any(event.status == 401 for event in devices.events) and len(devices.known) > 3


def ended(devices):
    """A call that ended a session, and that session."""
    return next(event for event in devices.events if event.what == "end" and event.status == 204)


def survives(devices):
    """A token is taken 3 s after its session ended."""
    end = ended(devices)
    late = end.end + 3
    devices.events.append(sessions.Event("use", end.session, end.session, 0, late, late, 200))


def survives_here(devices):
    """A token is taken at the same node, a moment after its session ended."""
    end = ended(devices)
    devices.events.append(sessions.Event("use", end.session, end.session, end.node, end.end + 0.001, end.end + 0.002, 200))


def logged_out(devices):
    """A token is refused, and nobody had ended its session yet."""
    begun = next(event for event in devices.events if event.what == "log in" and event.status == 200)
    devices.events.append(sessions.Event("use", begun.session, begun.session, 0, begun.end, begun.end, 401))


def second_chain(devices):
    """An older refresh token is handed out after a newer one."""
    begun = next(event for event in devices.events if event.what == "log in" and event.status == 200)
    for place, given in enumerate((3, 2)):
        moment = begun.end + place / 1000
        devices.events.append(sessions.Event("refresh", begun.session, None, 0, moment, moment + 0.0005, 200, (1, given)))


def still_listed(devices):
    """A session that ended is in the list."""
    end = ended(devices)
    devices.events.append(sessions.Event("list", None, None, 0, end.end + 0.001, end.end + 0.002, 200,
                                         set(devices.known) | {end.session}))


@pytest.mark.parametrize("spoil", [survives, survives_here, logged_out, second_chain, still_listed])
def test_planted_error_is_found(devices, spoil):
    spoilt = copy.deepcopy(devices)
    spoil(spoilt)
    wrong = sessions.judge(spoilt)
    assert wrong, spoil.__doc__
