# SPDX-License-Identifier: MIT
"""Followers of an account's changes who go on while nothing answers: one asks for pages, one listens to the stream."""
import http.client
import random
import threading

from followers import Listener, Poller
from support.changes import content
from support.client import Client
from support.events import Stream
from support.waiting import wait_until

PATIENCE = 60  # seconds for one answer, with as many attempts as it takes
REFUSALS = {503}


class Patient(Client):
    """Asks again while there is no answer, or the answer is that there is none now. For reads."""

    def request(self, method, path, **more):  # pylint: disable=arguments-differ
        """The first answer that is one."""
        assert method == "GET"
        return wait_until(lambda: self._attempt(method, path, more), PATIENCE, f"an answer to {method} {path}", 0.05)

    def _attempt(self, method, path, more):
        try:
            answer = super().request(method, path, **more)
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        return None if answer.status in REFUSALS else answer


class Hearer(Listener):
    """A listener whom 503 keeps from nothing."""

    def open(self):
        """The stream, from where it was lost."""
        try:
            return Stream(self.server, self.client.token, last_event_id=self.follower.cursor)
        except AssertionError as refused:
            if '"code":"unavailable"' in str(refused) or '"code":"overloaded"' in str(refused):
                raise ConnectionError("not now") from refused
            raise


class Watch:
    """All who follow one account, through `front`."""

    def __init__(self, front, account, seed):
        self.chance, self.token = random.Random(seed), account.token["access_token"]
        self.client = self._connect(front)
        origin = self.client.get("/v1/changes").expect(200).json["next_cursor"]
        self.poller = Poller(self._connect(front), random.Random(seed + 1))
        self.replay = Poller(self._connect(front), random.Random(seed + 2), origin)
        self.hearer = Hearer(front, self._connect(front), random.Random(seed + 3))
        self.ended, self.failure = threading.Event(), None
        self.thread = threading.Thread(target=self._poll, daemon=True)
        self.thread.start()

    def _connect(self, front):
        return Patient(front, self.token, checked=False)

    def _poll(self):
        try:
            while not self.ended.wait(self.chance.uniform(0.01, 0.1)):
                self.poller.step()
                self.hearer.step()
        except Exception as failure:  # pylint: disable=broad-except # the test must hear of it
            self.failure = failure

    def finish(self):
        """What is off, as texts, once everything is quiet: each holds exactly what the lists answer."""
        self.ended.set()
        self.thread.join(PATIENCE + 10)
        off = [f"who asks for pages failed: {self.failure!r}"] if self.failure else []
        wanted = content(self.client)
        try:
            self.poller.finish()
            self.replay.finish()
            heard = self.hearer.finish(wanted)
        except AssertionError as failure:
            return [*off, f"a follower failed: {failure}"]
        finally:
            self.hearer.close()
        held = {"who asks for pages": self.poller.held, "who replays the journal": self.replay.held, "who listens": heard}
        for who, what in held.items():
            wrong = [key for key in what.keys() | wanted.keys() if what.get(key) != wanted.get(key)]
            off += [f"{who} is off: {key}: holds {what.get(key)}, and it is {wanted.get(key)}" for key in wrong[:3]]
        return off
