# SPDX-License-Identifier: MIT
"""Clients that only follow: one asks GET /v1/changes, one holds the stream open and loses it at times."""
import contextlib
import http.client
import socket
import threading
import time

from support.changes import Follower
from support.events import Stream
from support.waiting import wait_at_most

LIMITS = [1, 2, 3, 7, 50, 500]
QUIET_SECONDS = 10
LOST = (OSError, http.client.HTTPException, ValueError)  # what a connection that breaks looks like


def next_event(stream):
    """An end in the middle of an event is a connection that was lost."""
    try:
        return stream.event(20)
    except AssertionError as wrong:
        raise ConnectionError("lost within an event") from wrong


class Poller:
    """Reads pages of any size, at any time. When its cursor is gone it begins again."""

    def __init__(self, client, chance, cursor=None):
        self.follower, self.chance = Follower(client), chance
        self.follower.cursor = cursor
        self.begun_again = 0

    @property
    def held(self):
        """What the changes came to."""
        return self.follower.held

    def read(self):
        """One page. Answers whether there is more."""
        limit = self.chance.choice(LIMITS)
        answer = self.follower.client.get(self.follower.path(limit))
        if answer.status == 410:
            self.follower = Follower(self.follower.client)
            self.begun_again += 1
            return True
        return self.follower.read(limit).json["more"]

    def step(self):
        """Some pages, or none."""
        for _ in range(self.chance.randint(0, 2)):
            self.read()

    def finish(self):
        """All there is."""
        while self.read():
            pass


class Listener:
    """Holds the stream open on a thread of its own, loses it at any moment, and comes back with the last id."""

    def __init__(self, server, client, chance):
        self.server, self.client, self.chance = server, client, chance
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.stream, self.opening, self.resumed, self.ready, self.failure = None, 0.0, 0, False, None
        self.walk()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def walk(self):
        """To hold everything: the stream without a cursor is from now on."""
        follower = Follower(self.client)
        follower.follow(500)
        self.follower = follower

    def open(self):
        """The stream, from where it was lost."""
        return Stream(self.server, self.client.token, last_event_id=self.follower.cursor)

    def listen(self):
        """What the thread does. A connection that was lost is opened again."""
        while not self.ended.is_set():
            try:
                self.opening = time.monotonic()
                self.stream = self.open()
                self.resumed += 1
                self.hear(self.stream)
            except LOST:
                self.ended.wait(0.02)
            except Exception as failure:  # pylint: disable=broad-except
                self.failure = failure
                return

    def hear(self, stream):
        """Applies events to the end of the stream."""
        while not self.ended.is_set():
            event = next_event(stream)
            if event is None:
                return
            if event.name == "gone":
                assert event.json["code"] == "cursor_gone"
                with self.lock:
                    self.ready = False
                    self.walk()
                return
            with self.lock:
                self.ready = event.name == "ready"
                if event.name == "change":
                    self.follower.apply(event.json)
                self.follower.cursor = event.id

    def lose(self):
        """As a phone does that loses its network."""
        stream = self.stream
        if stream:
            with contextlib.suppress(OSError):
                stream.socket.shutdown(socket.SHUT_RDWR)

    def step(self):
        """At times it is lost."""
        if self.chance.random() < 0.1:
            self.lose()

    def holds(self, wanted):
        """Is it ready, and holds that?"""
        assert self.failure is None, repr(self.failure)
        with self.lock:
            return self.ready and self.follower.held == wanted

    def finish(self, wanted):
        """Waits until it is ready and holds what it should; answers what it holds."""
        wait_at_most(QUIET_SECONDS, lambda: self.holds(wanted), 0.002)
        with self.lock:
            return dict(self.follower.held)

    def close(self):
        """Ends the thread."""
        self.ended.set()
        self.lose()
        self.thread.join(30)
