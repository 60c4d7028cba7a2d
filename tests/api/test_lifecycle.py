# SPDX-License-Identifier: MIT
"""Starting, stopping, restarting; what stays and what is logged."""
import http.client
import json
import os
import pty
import re
import secrets
import shlex
import signal
import socket
import subprocess
import threading
import time

import pytest

from support import engine, tokens
from support.accounts import PASSWORD, User
from support.client import Client
from support.paths import binary
from support.raw import RawConnection
from support.server import SECRET, Server, environment, run
from support.waiting import wait_until


def test_a_restart_keeps_data_and_tokens(start_server, make_user):
    server = start_server()
    user = make_user(server)
    tasks = [user.task(str(number), status="completed") for number in range(5)]
    cursor = user.client.get("/v1/tasks?limit=2").json["next_cursor"]
    server.restart()
    assert user.client.get("/v1/me").expect(200).json == user.row
    assert user.client.get("/v1/tasks").json["items"] == tasks[::-1]
    assert len(user.client.get(f"/v1/tasks?cursor={cursor}").expect(200).json["items"]) == 3
    user.anonymous.post("/v1/auth/refresh", {"refresh_token": user.token["refresh_token"]}).expect(200)
    assert user.task("after")["revision"] > max(task["revision"] for task in tasks)


def test_a_kill_loses_nothing_that_was_answered(start_server, make_user):
    server = start_server()
    user = make_user(server)
    task = user.task("durable")
    server.kill()
    server.start()
    assert user.client.get(f"/v1/tasks/{task['id']}").expect(200).json == task


def test_a_rotated_secret_logs_nobody_out(start_server, make_user):
    server = start_server()
    user = make_user(server)
    cursor_page = [user.task(str(number)) for number in range(3)]
    cursor = user.client.get("/v1/tasks?limit=1").json["next_cursor"]
    new = secrets.token_urlsafe(48)
    server.restart(env={"JWT_SECRET": new, "JWT_SECRET_PREVIOUS": SECRET})
    user.client.get("/v1/me").expect(200)
    rest = user.client.get(f"/v1/tasks?cursor={cursor}").expect(200).json["items"]
    assert len(rest) == len(cursor_page) - 1
    body = {"refresh_token": user.token["refresh_token"]}
    fresh = user.anonymous.post("/v1/auth/refresh", body).expect(200).json
    old_kid, new_kid = (tokens.parts(t["access_token"])[0]["kid"] for t in (user.token, fresh))
    assert old_kid != new_kid
    server.restart(env={"JWT_SECRET_PREVIOUS": None})
    user.client.get("/v1/me").expect(401, "invalid_token")
    user.client.get("/v1/me", token=fresh["access_token"]).expect(200)
    user.anonymous.post("/v1/auth/refresh", body).expect(401, "invalid_refresh_token")
    user.anonymous.post("/v1/auth/refresh", {"refresh_token": fresh["refresh_token"]}).expect(200)


def test_a_port_that_is_taken(start_server, tmp_path):
    """The second server must not share the port in silence."""
    server = start_server()
    done = run("serve", "--port", str(server.port), cwd=tmp_path)
    assert done.returncode == 1 and "PORT" in done.stderr


def refuses(server):
    """Whether nobody listens any more. The kernel drops a SYN that meets a listener just closing: silence says nothing."""
    try:
        socket.create_connection((server.host, server.port), 1).close()
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return False


def begun(server, user, body):
    """A request whose head the server has read, and whose body is still to come."""
    connection = RawConnection(server)
    connection.send(f"POST /v1/tasks HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {user.client.token}\r\n"
                    f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    assert connection.read().status == 100
    return connection


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_in_flight_is_finished(start_server, make_user, number):
    server = start_server()
    user = make_user(server)
    body = json.dumps({"title": "in flight"}).encode()
    connection = begun(server, user, body)
    server.hang_up()
    server.signal(number)
    wait_until(lambda: refuses(server), 5, "not listening any more")
    connection.send(body)
    answer = connection.read().expect(201)
    assert answer.headers["Connection"].lower() == "close" and connection.closed()
    connection.close()
    assert server.wait(10) == 0
    server.start()
    assert user.client.get(f"/v1/tasks/{answer.json['id']}").expect(200).json == answer.json


def test_idle_connections_do_not_delay_the_end(start_server):
    server = start_server()
    connections = [RawConnection(server) for _ in range(5)]
    for connection in connections[:3]:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n")
        connection.read().expect(200)
    started = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.wait(10) == 0 and time.monotonic() - started < 5
    for connection in connections:
        connection.close()


def test_idle_connections_end_after_the_time_that_is_set(start_server):
    """Not sooner, so that a proxy that gives up its own a little sooner never meets one that is being closed."""
    server = start_server(env={"IDLE_SECONDS": "5"})
    connection = RawConnection(server)
    connection.send(b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n")
    connection.read().expect(200)
    started = time.monotonic()
    assert connection.closed() and 4.9 < time.monotonic() - started < 8
    connection.close()


def test_a_drain_has_an_end(start_server, make_user):
    """A client that never finishes does not keep the server alive."""
    server = start_server(env={"DRAIN_SECONDS": "1"})
    connection = begun(server, make_user(server), b"x" * 100)
    started = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.wait(10) == 0 and time.monotonic() - started < 6
    connection.close()


def test_a_delay_lets_a_load_balancer_notice(start_server):
    """/readyz says that the end is near, and whoever comes all the same is still served."""
    server = start_server(env={"DRAIN_DELAY_SECONDS": "2"})
    user = User(server)
    started = time.monotonic()
    server.signal(signal.SIGTERM)
    wait_until(lambda: Client(server).get("/readyz").status == 503, 1, "the end of readiness")
    Client(server).get("/livez").expect(200)
    answer = user.client.post("/v1/tasks", {"title": "late"}).expect(201)
    assert answer.headers["Connection"].lower() == "close"
    assert server.wait(10) == 0 and 2 <= time.monotonic() - started < 5
    assert refuses(server)
    server.start()
    user.client.get(f"/v1/tasks/{answer.json['id']}").expect(200)


def test_a_second_sigterm_changes_nothing(start_server, make_user):
    """Hosts send more than one (Heroku), and so does a wrapper that passes on what its whole group was sent."""
    server = start_server(env={"DRAIN_DELAY_SECONDS": "1"})
    user = make_user(server)
    body = json.dumps({"title": "in flight"}).encode()
    connection = begun(server, user, body)
    for _ in range(3):
        server.signal(signal.SIGTERM)
    wait_until(lambda: refuses(server), 5, "not listening any more")
    server.signal(signal.SIGTERM)
    connection.send(body)
    connection.read().expect(201)
    connection.close()
    assert server.wait(10) == 0
    assert server.log_text().count('"event":"stopping"') == 1


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_ctrl_c_ends_a_drain_at_once(start_server, make_user, first):
    """Somebody at a terminal cannot wait."""
    server = start_server(env={"DRAIN_SECONDS": "600"})
    connection = begun(server, make_user(server), b"x" * 100)
    server.signal(first)
    wait_until(lambda: refuses(server), 5, "not listening any more")
    server.signal(signal.SIGINT)
    assert server.wait(10) == 0
    connection.close()


def test_passwords_being_hashed_outlive_a_drain_without_time(start_server):
    """What the pool still works on when the drain's time is over is answered into nothing freed."""
    server = start_server(env={"DRAIN_SECONDS": "0", "RATE_LIMIT": "off"})
    body = json.dumps({"email": "nobody@example.com", "password": PASSWORD}).encode()
    head = f"POST /v1/auth/login HTTP/1.1\r\nHost: t\r\nContent-Length: {len(body)}\r\n\r\n"
    connections = [RawConnection(server) for _ in range(20)]
    for connection in connections:
        connection.send(head.encode() + body)
    server.signal(signal.SIGTERM)
    assert server.wait(10) == 0
    for connection in connections:
        connection.close()


def test_every_acknowledged_write_survives_a_stop_under_load(start_server, make_user):
    server = start_server()
    user = make_user(server)
    acknowledged, stop = [], threading.Event()

    def write(number):
        client, step = user.reader(), 0
        client.checked = False
        while not stop.is_set():
            try:
                answer = client.post("/v1/tasks", {"title": f"{number}.{step}"})
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 201:
                acknowledged.append(answer.json)
            step += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(acknowledged) > 200, 20, "200 writes")
    server.signal(signal.SIGTERM)
    assert server.wait(15) == 0
    stop.set()
    for thread in threads:
        thread.join()
    server.start()
    for task in acknowledged[-100:] + acknowledged[:20]:
        assert user.client.get(f"/v1/tasks/{task['id']}").expect(200).json == task


def read_terminal(terminal, until):
    """What a terminal shows up to `until`."""
    text = b""
    while until not in text:
        text += os.read(terminal, 4096)
    return text.decode("utf-8", "replace")


def open_terminal():
    """Both ends of a pseudo-terminal; skips where the system has none (a bare chroot, say)."""
    try:
        return pty.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo-terminal can be had here: {error}")


def greeting(folder, *args, until=b"stop ", **env):
    """What `serve` says on a terminal; then it is ended, and that is its exit status."""
    ours, theirs = open_terminal()
    process = subprocess.Popen([str(binary()), "serve", "--port", "0", *args], cwd=folder,
                               env=environment({"LOG_FORMAT": None, **env}), stdin=subprocess.DEVNULL, stdout=theirs,
                               stderr=theirs)
    try:
        return read_terminal(ours, until), process
    finally:
        process.terminate()
        process.wait(20)
        os.close(theirs)
        os.close(ours)


def test_start_with_no_configuration_at_all(tmp_path):
    """On a terminal it says where to look first, where the data is, and shows a request that can be pasted."""
    text, process = greeting(tmp_path, until=b"phrase\"}'", JWT_SECRET=None, RATE_LIMIT=None, DATABASE_URL=None)
    assert process.returncode == 0
    url = re.search(r"listening on (http://127\.0\.0\.1:\d+)\r\n", text)[1]
    assert f"documentation  {url}/docs\r\n" in text and "stop           Ctrl-C\r\n" in text
    assert f"data           {tmp_path}/data/taskhold.db\r\n" in text and (tmp_path / "data" / "taskhold.db").exists()
    pasted = text[text.index("curl"):].replace("\r", "")
    words = shlex.split(pasted.replace("\\\n", ""))
    assert words[:3] == ["curl", "-sS", f"{url}/v1/auth/register"]
    assert words[3:-1] == ["-H", "Content-Type: application/json", "-d"]  # also of curls without --json
    assert set(json.loads(words[-1])) == {"email", "password"}
    assert text.startswith("taskhold ") and "\x1b" not in text  # no line of the log stands before it
    assert all(len(line) <= 80 for line in text.splitlines() if str(tmp_path) not in line)


@pytest.mark.parametrize("host, local", [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("127.0.0.1", "127.0.0.1")])
def test_the_greeting_names_addresses_that_can_be_opened(tmp_path, host, local):
    if ":" in host and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    text, _ = greeting(tmp_path, "--host", host)
    assert re.search(rf"documentation  http://{re.escape(local)}:\d+/docs\r\n", text), text


def test_an_ipv6_address_may_be_written_as_in_a_url(tmp_path):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    text, _ = greeting(tmp_path, HOST="[::1]")
    assert re.search(r"listening on http://\[::1\]:\d+\r\n", text), text
    assert json.loads(run("config", "--json", env={"HOST": "[::1]"}).stdout)["settings"][0]["value"] == "::1"


def test_the_greeting_of_a_closed_server(tmp_path):
    text, _ = greeting(tmp_path, "--registration", "closed", until=b"user add")
    assert "/v1/auth/register" not in text and "by invitation" in text


def test_a_password_of_the_database_is_in_no_greeting(tmp_path):
    settings = engine.database_for(tmp_path)
    if settings is None:
        settings = {"DATABASE_URL": "sqlite:here.db"}
    else:
        settings["DATABASE_URL"] += "?password=Never-Told-77"
    try:
        text, _ = greeting(tmp_path, **settings)
        where = r"/\S+/here\.db" if not engine.is_postgres() else r"postgres\S+password=\*{8}"
        assert re.search(rf"data           {where}\r\n", text) and "Never-Told-77" not in text, text
    finally:
        engine.drop_database_for(tmp_path)


# ---- the log ----

@pytest.fixture(scope="module")
def logged():
    """Everything worth hiding, done once; the log of it and what must not be in it."""
    server = Server({"LOG_LEVEL": "debug"})
    user = User(server)
    wrong, title = "Wrong-" + secrets.token_hex(8), "Title-" + secrets.token_hex(8)
    user.anonymous.post("/v1/auth/login", {"email": user.email, "password": wrong}).expect(401)
    task = user.task(title, description=title)
    user.client.get("/v1/me", headers={"X-Request-Id": "find-me-1"}).expect(200)
    user.client.patch(f"/v1/tasks/{task['id']}", {"title": title, "status": "done"}).expect(422)
    user.client.get(f"/v1/tasks?cursor={title}").expect(400)
    user.client.get(f"/v1/tasks?access_token={user.token['access_token']}").expect(400)
    user.client.get("/v1/me", token="not.a." + title).expect(401)
    fresh = user.anonymous.post("/v1/auth/refresh", {"refresh_token": user.token["refresh_token"]}).expect(200).json
    user.client.get("/v1/%1b%5b31mred%0d%0aforged").expect(400)
    user.client.get("/v1/nowhere%22%7d", headers={"User-Agent": "x\x9b[31m\"}"}).expect(404)
    user.client.post("/v1/me/deletion", {"password": PASSWORD}).expect(204)
    server.terminate()
    hidden = [user.email, PASSWORD, wrong, title, SECRET, "argon2"]
    hidden += [part for token in (user.token, fresh) for part in
               (token["access_token"], token["refresh_token"], token["access_token"].split(".")[2])]
    yield server.log_text(), hidden, user
    server.remove()


def test_the_log_holds_no_secret(logged):
    log, hidden, _ = logged
    assert not [secret for secret in hidden if secret in log]


def test_a_client_cannot_forge_a_line(logged):
    log, _, _ = logged
    assert "\x1b" not in log and "\r" not in log
    assert not [line for line in log.splitlines() if line.startswith("forged")]


def test_each_request_has_one_line(logged):
    log, _, user = logged
    rows = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    mine = [row for row in rows if "find-me-1" in row.values()]
    assert len(mine) == 1
    values = {str(value) for value in mine[0].values()}
    assert {"200", user.id, "127.0.0.1", "/v1/me"} <= values


def test_a_log_nobody_reads_blocks_nobody(tmp_path):
    """Standard error is a full pipe: requests are answered all the same."""
    class Address:
        """What a client needs to know of a server."""
        env, host = {}, "127.0.0.1"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        Address.port = probe.getsockname()[1]
    process = subprocess.Popen([str(binary()), "serve", "--port", str(Address.port)], cwd=tmp_path, env=environment(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    client = Client(Address, checked=False)
    try:
        wait_until(lambda: not refuses(Address), 10, "listening")
        for _ in range(2000):
            client.get("/livez").expect(200)
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0
