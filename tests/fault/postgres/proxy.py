# SPDX-License-Identifier: MIT
"""A TCP proxy before PostgreSQL that a test tells when to cut, to stall, to lose and to wait.

It runs an event loop in a thread of its own; the methods of Proxy may be called from any thread. Encryption is
refused, so that it can read along."""
import asyncio
import contextlib
import random
from dataclasses import dataclass

from background import Background
from wire import BEGIN, CANCEL, COMMIT, ENCRYPTION, Conversation, Framer, is_commit_done

# Where a cut falls. With LATE and FLIGHT the COMMIT, or all of its flight from the BEGIN on, reaches the server a moment
# after the cut: a network delivers what its sender has given up.
BEFORE, AFTER, COMPLETE = "before COMMIT", "after COMMIT", "after its answer"
LATE, FLIGHT = "before a late COMMIT", "before a late flight"
PLACES = (BEFORE, AFTER, COMPLETE, LATE, FLIGHT)
SILENT = (AFTER, LATE, FLIGHT)  # the server answers nobody
TO_SERVER, TO_CLIENT = "to the server", "to the client"
BOTH = (TO_SERVER, TO_CLIENT)


def everything(session):
    """Rules hold for every connection unless a test says otherwise."""
    return session is not None


def keeper(session):
    """The connection of a node that hears of what other nodes do."""
    return session.talk.listens


class Session:
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(self, proxy, reader, writer):
        self.proxy, self.client, self.server = proxy, (reader, writer), None
        self.talk = Conversation()
        self.cut = None  # where the COMMIT under way is cut
        self.tasks = []

    async def run(self):
        """Until one side ends, or a test ends it."""
        framer = Framer(begins_without_tag=True)
        first = await self._startup(framer)
        if first is None:
            return
        self.server = await asyncio.open_connection(*self.proxy.target)
        self.server[1].write(first.raw)
        self.tasks = [asyncio.ensure_future(self._to_server(framer)), asyncio.ensure_future(self._to_client())]
        await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)

    async def _startup(self, framer):
        """The first message that is for the server, or None when the client leaves."""
        while data := await self._read(self.client[0], TO_SERVER):
            for message in framer.feed(data):
                code = framer.first(message)
                if code not in ENCRYPTION:
                    if code != CANCEL:
                        self.talk.begin(message)
                    return message
                self.client[1].write(b"N")
        return None

    async def _read(self, reader, direction):
        """The next bytes that are not lost, when they may pass; none at the end."""
        while True:
            data = await reader.read(65536)
            await self.proxy.pass_gate(self, direction, at_end=not data)
            if not data or not self.proxy.loses(self, direction):
                return data

    async def _to_server(self, framer):
        while data := await self._read(self.client[0], TO_SERVER):
            messages = list(framer.feed(data))
            kinds = [self.talk.see(message) for message in messages]
            if COMMIT in kinds:
                self.cut = self.proxy.choose(self)
            passing = self._passing(kinds)
            for message in messages[:passing]:
                self.server[1].write(message.raw)
            await self.server[1].drain()
            if passing < len(messages):
                await self._cut_before(messages[passing:])
                return
            if self.cut == AFTER and any(message.tag in (b"S", b"Q") for message in messages):
                await self._let_server_finish()
                return

    def _passing(self, kinds):
        """How many of these messages pass before a cut."""
        if self.cut not in (BEFORE, LATE, FLIGHT):
            return len(kinds)
        return kinds.index(BEGIN if self.cut == FLIGHT and BEGIN in kinds else COMMIT)

    async def _to_client(self):
        framer = Framer()
        while data := await self._read(self.server[0], TO_CLIENT):
            for message in framer.feed(data):
                if self.cut in SILENT or message.tag == b"A" and self.proxy.swallows(self):
                    continue
                self.client[1].write(message.raw)
                if self.cut == COMPLETE and is_commit_done(message):
                    with contextlib.suppress(ConnectionError):
                        await self.client[1].drain()
                        self.client[1].close()
                    return
            if self.cut not in SILENT:
                await self.client[1].drain()

    async def _cut_before(self, rest):
        self.client[1].transport.abort()
        if self.cut != BEFORE:
            await asyncio.sleep(self.proxy.lateness)
            for message in rest:
                self.server[1].write(message.raw)
            await self._let_server_finish()

    async def _let_server_finish(self):
        """The server carries out what it has; its answers reach nobody."""
        self.client[1].transport.abort()
        with contextlib.suppress(ConnectionError):
            await self.server[1].drain()
            self.server[1].write_eof()
        await asyncio.wait([self.tasks[1]])

    def close(self):
        """Ends both sides."""
        for task in self.tasks:
            task.cancel()
        for end in (self.client, self.server):
            if end is not None:
                end[1].close()


@dataclass
class Order:
    """COMMITs to be cut."""

    places: list
    left: int
    chance: float
    only: object


class Proxy:
    """Listens on a free port of 127.0.0.1 and leads to `target`, a pair of host and port."""

    def __init__(self, target, seed=0):
        self.target, self.random = target, random.Random(seed)
        self.sessions = set()
        self.strays = self.cuts = self.commits = 0
        self.lateness = 0.0
        self._clear()
        self.background = Background()
        self.changed = self.background.call(self._make_event())
        self.listener = self.background.call(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.host, self.port = self.listener.sockets[0].getsockname()[:2]

    def _clear(self):
        self.order, self.stalled, self.lost, self.delays, self.deaf = None, [], [], [], False

    async def _make_event(self):
        return asyncio.Event()

    def _tell(self, change):
        """Runs `change` in the loop and wakes those who wait for one."""

        async def run():
            change()
            self.changed.set()
            self.changed = asyncio.Event()

        self.background.call(run())

    # ---- for the test ----

    def cut(self, place, count=1, chance=1.0, only=everything, lateness=0.2):
        """Cuts the next `count` COMMITs there; each one is taken with `chance`. `place` may be a list to choose of."""
        places = [place] if isinstance(place, str) else list(place)

        def change():
            self.order, self.lateness = Order(places, count, chance, only), lateness

        self._tell(change)

    def stall(self, directions=BOTH, only=everything):
        """Bytes wait, in one direction or in both, until `heal`."""
        self._tell(lambda: self.stalled.append((directions, only)))

    def blackhole(self, directions=BOTH, only=everything):
        """Bytes are lost. Such connections are of no use afterwards: `heal` ends them."""
        self._tell(lambda: self.lost.append((directions, only)))

    def delay(self, seconds, only=everything):
        """Everything comes later, in both directions."""
        self._tell(lambda: self.delays.append((seconds, only)))

    def swallow_notifications(self):
        """What NOTIFY sends never arrives."""
        self._tell(lambda: setattr(self, "deaf", True))

    def heal(self):
        """No rule holds any more."""

        def change():
            ruined = [one for one in self.sessions if self.loses(one, TO_SERVER) or self.loses(one, TO_CLIENT)]
            self._clear()
            for one in ruined:
                one.close()

        self._tell(change)

    def drop(self, only=everything):
        """Ends the connections that are there now."""
        self._tell(lambda: [one.close() for one in list(self.sessions) if only(one)])

    def count(self, only=everything):
        """How many connections there are."""

        async def ask():
            return sum(1 for one in self.sessions if only(one))

        return self.background.call(ask())

    def pending_cuts(self):
        """How many of the ordered cuts have not happened."""
        return self.order.left if self.order else 0

    def close(self):
        """Ends everything."""

        async def stop():
            self.listener.close()
            for one in list(self.sessions):
                one.close()

        self.background.call(stop())
        self.background.close()

    # ---- for the sessions ----

    def choose(self, session):
        """Notes a COMMIT; answers where it is cut, or None."""
        self.commits += 1
        self.strays += session.talk.stray
        order = self.order
        if not order or order.left == 0 or not order.only(session) or self.random.random() >= order.chance:
            return None
        order.left -= 1
        self.cuts += 1
        return self.random.choice(order.places)

    def loses(self, session, direction):
        """Whether bytes are lost."""
        return any(direction in directions and only(session) for directions, only in self.lost)

    def stalls(self, session, direction):
        """Whether bytes wait."""
        return any(direction in directions and only(session) for directions, only in self.stalled)

    def swallows(self, session):
        """Whether this client hears no notifications."""
        return self.deaf and session is not None

    async def pass_gate(self, session, direction, at_end):
        """Waits while bytes may not pass, or the news that there are no more."""
        for seconds, only in self.delays:
            if only(session):
                await asyncio.sleep(seconds)
        while self.stalls(session, direction) or at_end and self.loses(session, direction):
            await self.changed.wait()

    async def _accept(self, reader, writer):
        session = Session(self, reader, writer)
        self.sessions.add(session)
        try:
            await session.run()
        except OSError:
            pass  # the server is not there, or one side broke off
        finally:
            session.close()
            self.sessions.discard(session)
