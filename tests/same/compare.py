# SPDX-License-Identifier: MIT
"""One server of the two, and its answers in a form that can be compared byte for byte.

What is replaced, and by what; nothing else is changed or left out:

    ids that the server made             <id N>, in the body and in header fields
    what a space's tags begin with       <space N>
    versions of an account in its tag    <version N>
    times                                <time N>
    access and refresh tokens            <access N>, <refresh N>
    cursors                              <cursor N>, in `next_cursor` and in Link; what they lead to is compared
    Date                                 <date>, when it has the form that RFC 9110 demands
    RateLimit and, of a 429, Retry-After each number of requests and seconds left is <left>
    the seconds in the text of a 429     <left>, from ten on
    refresh_expires_in                   <left>, when it is at most an hour less than the setting: it counts down

N counts the different values of one kind in the order in which this server first showed them, so the same value must
come again wherever the other server repeats its own. Ids that a client made stay as they are. At the end `swapped` tells
which times follow each other in another order, which must be none but those that two clocks explain."""
import datetime
import http.client
import re
import time

ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
REPLACED = re.compile(
    rf'(?P<id>\b{ID}\b)'
    r'|(?P<time>\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)'
    r'|(?<="access_token":")(?P<access>[\w-]+\.[\w-]+\.[\w-]{43})(?=")'
    r'|(?<="refresh_token":")(?P<refresh>[\w-]+)(?=")'
    r'|(?<="refresh_expires_in":)(?P<left>2592000|25(?:89|9[01])\d{3})(?=\})'
    r'|(?<=is used up\. Try again in )(?P<wait>\d\d+)(?= seconds\.)'
    r'|(?:(?<="next_cursor":")|(?<=[?&]cursor=))(?P<cursor>[\w-]+)(?=["&>])'
    r'|(?<=^")(?P<space>[0-9A-Za-z]{6})(?=-[lu]?\d+"$)'
    r'|(?<=-u)(?P<version>\d+)(?="$)')
DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
LEFT = re.compile(r"(?<=;[rt]=)\d+")
REFERENCE = re.compile("«([^»]*)»")
NOWHERE = "99999999-9999-4999-8999-999999999999"
# Items have the machine's time, sessions and the journal that of the database, which is read in whole milliseconds too.
CLOCKS_APART = datetime.timedelta(milliseconds=3)
CONNECTIONS = 3  # of each side, used in turn: a server's loops each get some


class Answer:
    """One response as it came."""

    def __init__(self, status, reason, fields, body):
        self.status, self.reason, self.fields, self.body = status, reason, fields, body

    def field(self, name):
        """The value of one header field, or None."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    def text(self):
        """All of it, for people."""
        head = "".join(f"{name}: {value}\n" for name, value in self.fields)
        return f"{self.status} {self.reason}\n{head}\n{self.body.decode('utf-8', 'backslashreplace')}"


class Names:
    """What stands for the values that differ from one server to the other."""

    def __init__(self, ours=()):
        self.ours = set(ours)  # ids that the client made
        self.numbers = {}

    def name(self, kind, value):
        """The name of a value, the same each time."""
        if kind == "id" and value in self.ours:
            return value
        if kind in ("left", "wait"):
            return "<left>"
        known = self.numbers.setdefault(kind, {})
        return f"<{kind} {known.setdefault(value, len(known) + 1)}>"

    def times(self):
        """Each time by its number."""
        known = self.numbers.get("time", {})
        return {number: datetime.datetime.fromisoformat(value.replace("Z", "+00:00")) for value, number in known.items()}

    def replaced(self, text):
        """The text with names for what differs."""
        return REPLACED.sub(lambda match: self.name(match.lastgroup, match.group(match.lastgroup)), text)

    def comparable(self, answer):
        """All of an answer, in lines; bytes that are no UTF-8 stay apart from each other."""
        lines = [f"{answer.status} {answer.reason}"]
        for name, value in answer.fields:
            if name == "Date":
                value = "<date>" if DATE.fullmatch(value) else value
            elif name == "RateLimit":
                value = LEFT.sub("<left>", value)
            elif name == "Retry-After" and answer.status == 429:
                value = "<left>" if value.isdigit() and int(value) > 0 else value
            lines.append(f"{name}: {self.replaced(value)}")
        return lines + ["", self.replaced(answer.body.decode("utf-8", "surrogateescape"))]


class Side:
    """One server, what it was asked to remember, and its names."""

    def __init__(self, label, server, ours):
        self.label, self.server, self.names = label, server, Names(ours)
        self.saved = {}
        self.connections = [http.client.HTTPConnection(server.host, server.port, timeout=60)
                            for _ in range(CONNECTIONS)]

    def fill(self, text):
        """`«name»` becomes what this server answered under that name."""
        return REFERENCE.sub(lambda match: self.saved.get(match.group(1), NOWHERE), text)

    def send(self, step, number):
        """Sends one step of the plan and remembers what it says."""
        connection = self.connections[number % CONNECTIONS]
        fields = {name: self.fill(value) for name, value in step.fields.items()}
        body = step.body
        if isinstance(body, str):
            body = self.fill(body).encode("utf-8")
        connection.request(step.method, self.fill(step.path), body, fields)
        response = connection.getresponse()
        answer = Answer(response.status, response.reason, response.getheaders(), response.read())
        if response.will_close:
            connection.close()
        for name, find in step.saves:
            value = find(answer)
            if value is not None:
                self.saved[name] = value
        self._next_millisecond()
        return answer

    @staticmethod
    def _next_millisecond():
        """What comes after this has a later time: no order hangs on two writes in one millisecond."""
        now = time.time_ns() // 1_000_000
        while time.time_ns() // 1_000_000 <= now:
            pass

    def close(self):
        """Closes the connections."""
        for connection in self.connections:
            connection.close()


def swapped(first, second):
    """The pairs of times, by number, that follow each other in another order on the second side by more than two clocks
    explain."""
    assert first.keys() == second.keys(), "one side showed more times"
    order = sorted(first, key=first.get)
    wrong = []
    for at, earlier in enumerate(order):
        wrong += [(earlier, later) for later in order[at + 1:]
                  if first[later] > first[earlier] and second[later] < second[earlier]
                  and max(first[later] - first[earlier], second[earlier] - second[later]) > CLOCKS_APART]
    return wrong


def difference(sides, answers):
    """The lines in which the answers differ, for people; empty when they are the same."""
    first, second = (side.names.comparable(answer) for side, answer in zip(sides, answers))
    if first == second:
        return []
    lines = []
    for number in range(max(len(first), len(second))):
        pair = [lines_of[number] if number < len(lines_of) else "(no line)" for lines_of in (first, second)]
        if pair[0] != pair[1]:
            lines += [f"{side.label}: {_around(pair, at)}" for at, side in enumerate(sides)]
    return lines


def _around(pair, which):
    """A long line is shown from shortly before the first difference."""
    same = 0
    while same < min(map(len, pair)) and pair[0][same] == pair[1][same]:
        same += 1
    start = max(0, same - 60)
    return ("…" if start else "") + pair[which][start:start + 400].encode("utf-8", "backslashreplace").decode()
