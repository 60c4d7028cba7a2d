# SPDX-License-Identifier: MIT
"""As much of PostgreSQL's protocol (version 3, PostgreSQL manual chapter 55) as it takes to see transactions go by."""
import re
import struct

BEGIN, COMMIT, ROLLBACK, LISTEN, OTHER = "begin", "commit", "rollback", "listen", "other"
WORDS = {"BEGIN": BEGIN, "START": BEGIN, "COMMIT": COMMIT, "END": COMMIT, "ROLLBACK": ROLLBACK, "ABORT": ROLLBACK,
         "LISTEN": LISTEN}
STARTUP, CANCEL, ENCRYPTION = 196608, 80877102, (80877103, 80877104)


def kind_of(text):
    """What a statement does to the transaction."""
    word = re.match(rb"\s*([A-Za-z]*)", text).group(1)
    return WORDS.get(word.decode().upper(), OTHER)


class Message:
    """One message. `tag` is its first byte, empty for the first message of a client."""

    __slots__ = ("tag", "body", "raw")

    def __init__(self, tag, body, raw):
        self.tag, self.body, self.raw = tag, body, raw

    def strings(self, count):
        """The first `count` texts of the body, which end in a zero byte each."""
        return self.body.split(b"\0", count)[:count]


class Framer:
    """Cuts a stream of bytes into messages."""

    def __init__(self, begins_without_tag=False):
        self.bare, self.rest = begins_without_tag, b""

    def feed(self, data):
        """The messages that are complete now."""
        self.rest += data
        while True:
            head = 4 if self.bare else 5
            if len(self.rest) < head:
                return
            size = struct.unpack("!I", self.rest[head - 4:head])[0] + head - 4
            if len(self.rest) < size:
                return
            raw, self.rest = self.rest[:size], self.rest[size:]
            yield Message(raw[:1] if not self.bare else b"", raw[head:], raw)

    def first(self, message):
        """What the first message of a client asks for; a startup message is followed by tagged ones."""
        code = struct.unpack("!I", message.body[:4])[0]
        if code not in ENCRYPTION:
            self.bare = False
        return code


class Conversation:
    """What one client says: which statements it prepared, and where its transactions begin and end."""

    def __init__(self):
        self.statements, self.portals = {}, {}
        self.parameters = {}
        self.listens = False
        self.open = False  # a BEGIN was sent and no end of it
        self.stray = False  # the last COMMIT had no BEGIN before it: PostgreSQL answers that with success

    def begin(self, message):
        """Notes what the startup message says."""
        words = [word.decode() for word in message.body[4:].split(b"\0")]
        self.parameters = dict(zip(words[::2], words[1::2]))

    def see(self, message):
        """What the message does: one of the kinds above when it runs a statement, None otherwise.

        A COMMIT is seen at the first message that belongs to it alone, so that all of it can be held back."""
        if message.tag == b"P":
            name, text = message.strings(2)
            self.statements[name] = kind_of(text)
            return self._parsed(name)
        if message.tag == b"B":
            portal, name = message.strings(2)
            kind = self.portals[portal] = self.statements.get(name, OTHER)
            return self._run(kind) if name else None
        if message.tag == b"Q":
            return self._run(kind_of(message.strings(1)[0]))
        return None

    def _parsed(self, name):
        """A statement without a name runs at once; one with a name when it is bound."""
        return None if name else self._run(self.statements[name])

    def _run(self, kind):
        if kind == BEGIN:
            self.open = True
        elif kind in (COMMIT, ROLLBACK):
            self.stray = kind == COMMIT and not self.open
            self.open = False
        elif kind == LISTEN:
            self.listens = True
        return kind


def is_commit_done(message):
    """The server says that a transaction is committed."""
    return message.tag == b"C" and message.strings(1) == [b"COMMIT"]
