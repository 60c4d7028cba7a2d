# SPDX-License-Identifier: MIT
"""What the server tells a service manager, and the sockets it takes over from one."""
import json
import os
import re
import signal
import socket
import subprocess
import urllib.request

import pytest

from support.paths import binary
from support.server import SANITIZER, SECRET, environment, run
from support.waiting import wait_until


class Manager:
    """The service manager's side: a datagram socket, and a server started with its name."""

    def __init__(self, folder, abstract):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.name = f"\0taskhold-test-{os.getpid()}-{folder.name}" if abstract else str(folder / "notify")
        self.socket.bind(self.name)
        self.socket.settimeout(20)
        self.folder, self.process = folder, None
        self.log = folder / "stderr.log"

    def start(self, env=None, descriptor=None, args=("--port", "0")):
        """`descriptor` becomes the inherited one, number 3."""
        script = 'exec "$@"' if descriptor is None else 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
        told = {"NOTIFY_SOCKET": self.name.replace("\0", "@"), **(env or {})}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", script, "sh", str(binary()), "serve", *args], cwd=self.folder, env=environment(told),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=() if descriptor is None else (3,),
                preexec_fn=None if descriptor is None else lambda: os.dup2(descriptor, 3))

    def receive(self):
        return self.socket.recv(4096).decode()

    def port(self):
        found = wait_until(lambda: re.search(r"listening on http://[^:]+:(\d+)", self.log.read_text()), 20, "its line")
        return int(found[1])

    def end(self):
        """Closes all; the server must end with 0."""
        status = None
        if self.process:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
            status = self.process.wait(20)
        self.socket.close()
        assert not SANITIZER.search(self.log.read_text() if self.log.exists() else "")
        return status


@pytest.fixture(params=[False, True], ids=["path", "abstract"])
def manager(request, tmp_path):
    one = Manager(tmp_path, request.param)
    yield one
    assert one.end() in (0, None)


@pytest.fixture
def one_manager(tmp_path):
    one = Manager(tmp_path, False)
    yield one
    assert one.end() == 0


def get(port, path="/readyz"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.status


def test_it_says_ready_when_it_answers_and_stopping_when_it_ends(manager):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    manager.start(args=("--port", str(port)))
    assert manager.receive() == "READY=1"
    assert get(port) == 200  # at once: nothing was waited for but the message
    manager.process.send_signal(signal.SIGTERM)
    assert manager.receive() == "STOPPING=1"


def test_it_feeds_the_watchdog(one_manager):
    one_manager.start({"WATCHDOG_USEC": "300000", "THREADS": "3"})
    said = [one_manager.receive() for _ in range(4)]
    assert sorted(said) == ["READY=1"] + ["WATCHDOG=1"] * 3


def test_it_does_not_feed_a_watchdog_that_watches_another(one_manager):
    one_manager.start({"WATCHDOG_USEC": "3000", "WATCHDOG_PID": "1"})
    assert one_manager.receive() == "READY=1"
    one_manager.process.send_signal(signal.SIGTERM)
    assert one_manager.receive() == "STOPPING=1"  # and no ping in between, though one was due every ms


def test_a_process_that_stands_still_is_silent(one_manager):
    one_manager.start({"WATCHDOG_USEC": "300000"})
    while one_manager.receive() != "READY=1":
        pass  # on a machine that is slow to start, a first round of the loops comes before
    assert one_manager.receive() == "WATCHDOG=1"
    one_manager.process.send_signal(signal.SIGSTOP)
    os.waitpid(one_manager.process.pid, os.WUNTRACED)
    one_manager.socket.settimeout(0.4)
    with pytest.raises(TimeoutError):
        for _ in range(3):  # one may have been on its way
            one_manager.receive()
    one_manager.socket.settimeout(20)
    one_manager.process.send_signal(signal.SIGCONT)
    assert one_manager.receive() == "WATCHDOG=1"


@pytest.mark.parametrize("name", ["relative", "/nowhere/at/all", "@" + "x" * 120])
def test_a_manager_that_cannot_be_reached_ends_the_start(name, tmp_path):
    ended = run("serve", "--port", "0", env={"NOTIFY_SOCKET": name}, cwd=tmp_path)
    assert ended.returncode == 1 and "NOTIFY_SOCKET" in ended.stderr


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0), backlog=128) as one:
        yield one


@pytest.mark.parametrize("threads", ["1", "3"])
def test_it_serves_an_inherited_socket(one_manager, listener, threads):
    port = listener.getsockname()[1]
    waiting = socket.create_connection(("127.0.0.1", port))  # before there is a server
    waiting.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    one_manager.start({"THREADS": threads}, listener.fileno(), args=("--port", "1"))
    assert one_manager.receive() == "READY=1" and one_manager.port() == port
    with waiting:
        assert waiting.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert [get(port) for _ in range(20)] == [200] * 20


def test_clients_wait_while_it_is_restarted(one_manager, listener):
    port = listener.getsockname()[1]
    one_manager.start(descriptor=listener.fileno())
    assert one_manager.receive() == "READY=1" and get(port) == 200
    one_manager.process.send_signal(signal.SIGTERM)
    assert one_manager.receive() == "STOPPING=1" and one_manager.process.wait(20) == 0
    waiting = socket.create_connection(("127.0.0.1", port))
    waiting.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    one_manager.start(descriptor=listener.fileno())
    with waiting:
        assert waiting.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_an_inherited_socket_that_is_no_listener_is_refused(tmp_path):
    one = Manager(tmp_path, False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        one.start(descriptor=datagrams.fileno())
        assert one.process.wait(20) == 1 and one.end() == 1
    assert "LISTEN_FDS" in one.log.read_text()


def config(env, cwd):
    ended = run("config", "--json", env=env, cwd=cwd)
    assert ended.returncode == 0, ended.stderr
    return {row["name"]: row for row in json.loads(ended.stdout)["settings"]}


def test_a_credential_is_read_where_systemd_puts_it(tmp_path):
    (tmp_path / "jwt_secret").write_text(SECRET + "\n")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path), "JWT_SECRET": None}
    assert config(env, tmp_path)["JWT_SECRET"]["origin"] == "file"
    assert config({**env, "JWT_SECRET": SECRET}, tmp_path)["JWT_SECRET"]["origin"] == "environment"
    assert config({**env, "CREDENTIALS_DIRECTORY": "/nowhere"}, tmp_path)["JWT_SECRET"]["origin"] == "default"


def test_a_credential_that_is_too_short_is_refused(tmp_path):
    (tmp_path / "jwt_secret").write_text("short\n")
    ended = run("config", env={"CREDENTIALS_DIRECTORY": str(tmp_path), "JWT_SECRET": None}, cwd=tmp_path)
    assert ended.returncode == 78 and "JWT_SECRET_FILE" in ended.stderr
