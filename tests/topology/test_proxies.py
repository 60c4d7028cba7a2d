# SPDX-License-Identifier: MIT
"""Caddy (Debian's and the newest, with our files), nginx, HAProxy and Apache: compression, kept connections, refused bodies."""
import gzip
import http.client
import json
import re
import socket
import threading
import time

import pytest

from proxies import PROXIES, Proxy, missing
from support.accounts import User
from support.events import Stream
from support.metrics import metrics_of
from support.server import Server
from support.waiting import wait_until

BODY = b'{"title":"' + b"x" * (1 << 20) + b'"}'
REFUSED = 40
RACING = 4
CALLERS = 40


@pytest.fixture(scope="module")
def server():
    """The server that all of them stand before."""
    one = Server(env={"TRUSTED_PROXIES": "127.0.0.1", "METRICS_ADDR": "127.0.0.1:0"})
    yield one
    one.stop()


@pytest.fixture(name="proxy", scope="module", params=list(PROXIES))
def start_proxy(request, server, tmp_path_factory):
    """One after the other."""
    if missing(request.param):
        pytest.skip(missing(request.param))
    folder = tmp_path_factory.mktemp("proxy")
    folder.chmod(0o755)
    one = Proxy(request.param, folder, server)
    one.name = request.param
    yield one
    one.stop()


@pytest.fixture(scope="module")
def user(server):
    """An account, made past the proxies."""
    return User(server)


class Through:
    """One kept connection to a proxy, of a client that takes gzip."""

    def __init__(self, proxy, user):
        self.connection = http.client.HTTPConnection("localhost", proxy.port, timeout=30)
        self.fields = {"Authorization": f"Bearer {user.token['access_token']}", "Accept-Encoding": "gzip",
                       "Content-Type": "application/json"}

    def call(self, method, path, value=None, **fields):
        """The status, the fields, the body."""
        fields = {name.replace("_", "-"): text for name, text in fields.items()}
        self.connection.request(method, path, None if value is None else json.dumps(value), {**self.fields, **fields})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return answer.status, answer.headers, body

    def close(self):
        """Closes it."""
        self.connection.close()


@pytest.fixture
def through(proxy, user):
    """A client of the proxy."""
    one = Through(proxy, user)
    yield one
    one.close()


def test_an_edit_with_the_tag_of_a_compressed_answer(proxy, through, user):
    """The tag as the proxy made it is good until the task really changed."""
    task = user.task("through a proxy", description="much to compress " * 100)
    path = f"/v1/tasks/{task['id']}"
    status, fields, body = through.call("GET", path)
    first = fields["ETag"]
    assert status == 200 and json.loads(body) == task and fields["Content-Encoding"] == "gzip"
    unchanged = through.call("GET", path, If_None_Match=first)[0]
    edited, fields, _ = through.call("PATCH", path, {"status": "completed"}, If_Match=first)
    stale = through.call("PATCH", path, {"status": "pending"}, If_Match=first)[0]
    second = through.call("PATCH", path, {"status": "pending"}, If_Match=fields["ETag"])[0]
    print(f"\n{proxy.name:22} ETag {first}: If-None-Match {unchanged}, If-Match {edited}, after a change {stale}, "
          f"with the new one {second}")
    assert (unchanged, edited, stale, second) == (304, 200, 412, 200)


def accepted(server):
    """How many connections the server has taken."""
    return metrics_of(server).get("taskhold_http_connections_accepted_total")


def test_the_connections_to_the_server_are_used_again(proxy, server, user):
    """Also those of clients that come with a connection each, and of answers that are compressed."""
    path = f"/v1/tasks/{user.task('again and again', description='much to compress ' * 100)['id']}"
    before, answers = accepted(server), set()
    for _ in range(CALLERS):
        one = Through(proxy, user)
        for _ in range(2):
            status, fields, _ = one.call("GET", path)
            answers.add((status, fields["Content-Encoding"]))
        one.close()
    opened = accepted(server) - before
    print(f"\n{proxy.name:22} {2 * CALLERS} calls over {CALLERS} connections of clients: {opened:.0f} new ones to the server")
    assert answers == {(200, "gzip")} and opened <= CALLERS / 4


def test_a_list_and_an_account_too(through, user):
    """Every call that has a tag takes the proxy's."""
    for number in range(20):
        user.task(f"one of many {number}", description="text " * 50)
    for path in ("/v1/tasks", "/v1/me"):
        status, fields, _ = through.call("GET", path)
        assert status == 200 and through.call("GET", path, If_None_Match=fields["ETag"])[0] == 304, fields["ETag"]


def send_large(proxy, answers):
    """As a program that writes all before it reads."""
    with socket.create_connection(("127.0.0.1", proxy.port), 30) as one:
        try:
            one.sendall(b"POST /v1/auth/login HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n" % (proxy.port, len(BODY)))
            one.sendall(BODY)
        except OSError:
            pass  # the answer may have come already
        try:
            status = one.recv(4096)
        except OSError as error:
            status = repr(error).encode()
    found = re.match(rb"HTTP/1\.1 (\d+)", status)
    answers.append(int(found[1]) if found else status)


def test_large_bodies_are_refused_and_others_served(proxy, through):
    """A client without a token, again and again: each is told 413, never 502, and nobody else notices."""
    answers = []

    def again():
        for _ in range(REFUSED // RACING):
            send_large(proxy, answers)
    threads = [threading.Thread(target=again) for _ in range(RACING)]
    for thread in threads:
        thread.start()
    others = []
    while any(thread.is_alive() for thread in threads):
        others.append(through.call("GET", "/v1/me")[0])
        others.append(through.call("POST", "/v1/tasks", {"title": "meanwhile"})[0])
    print(f"\n{proxy.name:22} {answers.count(413)} of {REFUSED} bodies of 1 MB: 413; others {len(others)} calls, all answered")
    assert answers == [413] * REFUSED
    assert set(others) == {200, 201}


def test_events_come_as_they_are_made(proxy, user):
    """One by one, uncompressed, in both directions of a stream's life: the client leaves, or the session ends."""

    class Place:
        """Where the proxy is."""

        host, port = "localhost", proxy.port

    session = user.login()["access_token"]
    stream = Stream(Place, session, headers={"Accept-Encoding": "gzip"})
    assert stream.response.headers["Content-Encoding"] is None
    assert "no-transform" in stream.response.headers["Cache-Control"]
    stream.expect("ready")
    late = []
    for number in range(5):
        began = time.monotonic()
        task = user.task(f"through {proxy.name} {number}")
        assert [change["id"] for change in stream.changes(5)] == [task["id"]]
        late.append(time.monotonic() - began)
    print(f"\n{proxy.name:22} an event after {max(late) * 1000:.0f} ms at most")
    assert max(late) < 1
    again = Stream(Place, session, last_event_id=stream.last_id)
    stream.close()
    assert again.changes() == []
    user.client.copy(session).post("/v1/auth/logout").expect(204)
    again.expect_end(5)


def test_a_client_that_leaves_is_seen_through_it(proxy, server, user):
    """A proxy that kept the server's half open would keep a place."""

    class Place:
        """Where the proxy is."""

        host, port = "localhost", proxy.port

    def left():
        return metrics_of(server).get("taskhold_streams")

    streams = [Stream(Place, user.token["access_token"]) for _ in range(5)]
    for stream in streams:
        stream.expect("ready")
    wait_until(lambda: left() == 5, 20, "the end of one that came before")
    for stream in streams:
        stream.close()

    def have_left():
        user.task("moves the proxy")
        return left() == 0

    wait_until(have_left, 20, "their places")
