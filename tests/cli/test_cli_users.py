# SPDX-License-Identifier: MIT
"""`taskhold user`: the same with and without a running server, and at once for whoever is logged in."""
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import unicodedata
from datetime import datetime, timezone

import pytest

from support.accounts import PASSWORD, User
from support.client import Client
from support.paths import binary
from support.server import SANITIZER, environment, run
from support.waiting import wait_until

EMAIL = "ann@example.org"
OTHER = "another long pass phrase"
NOBODY = 65534
VARYING = re.compile(r"[-\w]{43}(?![-\w])|[0-9a-f]{8}-[0-9a-f]{4}-7[-0-9a-f]{21}|\d{4}-\d\d-\d\dT[\d:.]+Z")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user")


def user(where, *args, stdin=None):
    """Runs `taskhold user` for the database of a server's folder."""
    done = run("user", *args, cwd=where, stdin=stdin)
    assert not SANITIZER.search(done.stderr), done.stderr
    return done


def add(where, email=EMAIL, *more):
    """An account that must be made."""
    done = user(where, "add", email, *more, stdin=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    return done


def control(server):
    """The control socket of a server."""
    return server.directory / "data" / "taskhold.db.control"


def login(server, email=EMAIL, password=PASSWORD):
    """The answer to a login."""
    return Client(server).post("/v1/auth/login", {"email": email, "password": password})


STEPS = (
    (("add", EMAIL, "--name", "Ann"), PASSWORD, 0),
    (("add", "Ann@EXAMPLE.org"), PASSWORD, 1),
    (("add", "nonsense"), "short", 1),
    (("add", "bob@example.org", "--json"), PASSWORD, 0),
    (("list",), None, 0),
    (("list", "--json"), None, 0),
    (("passwd", EMAIL), "password", 1),
    (("passwd", EMAIL), OTHER, 0),
    (("passwd", "nobody@example.org"), OTHER, 1),
    (("disable", EMAIL), None, 0),
    (("disable", EMAIL, "--json"), None, 0),
    (("disable", "nobody@example.org"), None, 1),
    (("list",), None, 0),
    (("enable", EMAIL), None, 0),
    (("delete", "bob@example.org"), None, 2),
    (("delete", "bob@example.org", "--yes"), None, 0),
    (("delete", "bob@example.org", "--yes"), None, 1),
    (("list", "--json"), None, 0),
    (("invite",), None, 0),
    (("invite", EMAIL, "--days", "365", "--json"), None, 0),
    (("invite", "nonsense", "--days", "366"), None, 1),
    (("invite", EMAIL, EMAIL), None, 2),
    (("list", "--days", "7"), None, 2),
    (("token", "add", EMAIL, "--scope", "tasks:read", "--json"), None, 0),
    (("token", "add", "nobody@example.org", "--scope", "tasks:read"), None, 1),
    (("token", "add", EMAIL, "--scope", "tasks:delete"), None, 1),
    (("token", "add", EMAIL), None, 2),
    (("token", "list", EMAIL, "--scope", "tasks:read"), None, 2),
    (("token", "list", EMAIL), None, 0),
    (("token", "list", EMAIL, "--json"), None, 0),
    (("token", "rm", EMAIL, "01a203cb-0d5a-7c41-9b22-000000000007"), None, 1),
    (("token", "rm", EMAIL), None, 2),
    (("token",), None, 2),
    (("token", "drop"), None, 2),
)


def play(where):
    """What every step says, but for ids and times."""
    said = []
    for args, stdin, status in STEPS:
        done = user(where, *args, stdin="" if stdin is None else stdin)
        assert done.returncode == status, (args, done.stderr)
        assert bool(done.stdout) == (status == 0) and done.stderr.count("\n") == (status != 0)
        said.append((args, VARYING.sub("*", done.stdout), done.stderr))
    return said


def test_the_same_with_and_without_a_server(start_server, tmp_path):
    server = start_server()
    assert stat.S_IMODE(control(server).stat().st_mode) == 0o600
    beside = play(server.directory)
    assert play(tmp_path) == beside
    assert not (tmp_path / "data" / "taskhold.db.control").exists()
    assert "no password" not in str(beside) and PASSWORD not in str(beside)
    assert not {"password", OTHER} & set(server.log_text().split('"'))
    texts = {args: out + err for args, out, err in beside}
    assert "Must have at least 8 characters" in texts["add", "nonsense"] and "e-mail" in texts["add", "nonsense"]
    assert "no account" in texts["disable", "nobody@example.org"]
    assert [row["email"] for row in json.loads(texts["list", "--json"])] == [EMAIL]
    assert texts["invite",] == "*\nfor one registration of anyone until *, as `invitation` in POST /v1/auth/register\n"
    assert json.loads(texts["invite", EMAIL, "--days", "365", "--json"]) \
        == {"invitation": "*", "email": EMAIL, "expires_at": "*", "link": None}
    assert "e-mail" in texts["invite", "nonsense", "--days", "366"] and "from 1 to 365" in texts["invite", "nonsense", "--days", "366"]


def test_the_socket_goes_with_the_server_and_a_stale_one_is_replaced(start_server):
    server = start_server()
    assert control(server).is_socket()
    server.terminate()
    assert not control(server).exists()
    add(server.directory)
    server.start()
    server.kill()
    assert control(server).is_socket()
    assert EMAIL in user(server.directory, "list").stdout
    server.start()
    assert EMAIL in user(server.directory, "list").stdout and login(server).status == 200


def test_an_invitation_is_good_for_its_days_and_only_its_hash_is_kept(start_server):
    server = start_server(env={"PUBLIC_URL": "https://example.com/todo"})
    for days, args in ((7, ()), (3, ("--days", "3"))):
        row = json.loads(user(server.directory, "invite", *args, "--json").stdout)
        until = datetime.fromisoformat(row["expires_at"].replace("Z", "+00:00"))
        assert abs((until - datetime.now(timezone.utc)).total_seconds() - days * 86400) < 60
        assert row["link"] == "https://example.com/todo/#invitation=" + row["invitation"]
        files = b"".join(path.read_bytes() for path in (server.directory / "data").iterdir() if path.is_file())
        assert row["invitation"].encode() not in files
        assert hashlib.sha256(row["invitation"].encode()).digest() in files


def test_disabled_is_refused_at_once_and_comes_back(start_server):
    server = start_server()
    someone, other = User(server), User(server)
    task = someone.task()
    path = f"/v1/tasks/{task['id']}"
    someone.client.get(path).expect(200)
    assert user(server.directory, "disable", someone.email).returncode == 0
    someone.client.get(path).expect(401)
    right, wrong = login(server, someone.email), login(server, someone.email, "not this one, surely")
    assert right.status == wrong.status == 401 and right.json["code"] == "invalid_credentials"
    assert {**right.json, "request_id": 0} == {**wrong.json, "request_id": 0}
    body = {"refresh_token": someone.token["refresh_token"]}
    assert Client(server).post("/v1/auth/refresh", body).expect(401).json["code"] == "invalid_refresh_token"
    other.client.get("/v1/me").expect(200)

    assert user(server.directory, "enable", someone.email).returncode == 0
    someone.client.get(path).expect(401)
    someone.login_client().get(path).expect(200)


def test_a_new_password_ends_every_session(start_server):
    server = start_server()
    someone = User(server)
    assert user(server.directory, "passwd", someone.email, stdin=OTHER).returncode == 0
    someone.client.get("/v1/me").expect(401)
    assert login(server, someone.email).status == 401
    assert login(server, someone.email, OTHER).status == 200


def test_a_password_may_be_typed_with_its_marks_apart(start_server):
    server = start_server()
    composed, apart = (unicodedata.normalize(form, "Größe in Ångström") for form in ("NFC", "NFD"))
    assert user(server.directory, "add", EMAIL, stdin=apart + "\n").returncode == 0
    login(server, password=composed).expect(200)
    assert user(server.directory, "passwd", EMAIL, stdin=composed + "!\n").returncode == 0
    login(server, password=apart + "!").expect(200)


def test_delete_takes_the_tasks_and_the_token(start_server):
    server = start_server()
    someone = User(server)
    someone.task()
    assert user(server.directory, "delete", someone.email, "--yes").returncode == 0
    someone.client.get("/v1/tasks").expect(401)
    assert user(server.directory, "list", "--json").stdout == "[]\n"


def test_list_goes_over_pages(start_server):
    server = start_server({"PASSWORD_MIN_LENGTH": "8"})
    emails = [f"u{number:03}@example.org" for number in range(101)]
    client = Client(server)
    for email in emails:
        client.post("/v1/auth/register", {"email": email, "password": PASSWORD}).expect(201)
    assert [line.split("\t")[0] for line in user(server.directory, "list").stdout.splitlines()] == emails
    rows = json.loads(user(server.directory, "list", "--json").stdout)
    assert [row["email"] for row in rows] == emails
    assert set(rows[0]) == {"id", "email", "name", "time_zone", "created_at", "disabled_at"}


@pytest.mark.parametrize("args, says", [
    ([], "say what to do"),
    (["lst"], "did you mean user list?"),
    (["disabel", EMAIL], "did you mean user disable?"),
    (["frobnicate"], "see taskhold help user"),
    (["add"], "give one e-mail"),
    (["add", EMAIL, PASSWORD], "give one e-mail"),
    (["add", EMAIL, "--name"], "--name needs a value"),
    (["list", EMAIL], "takes no argument"),
    (["list", "--yes"], "--yes goes with user delete"),
    (["disable", EMAIL, "--name", "x"], "--name goes with user add"),
    (["delete", EMAIL], "add --yes"),
    (["list", "--databse", "x"], "did you mean --database?"),
], ids=str)
def test_usage(tmp_path, args, says):
    done = user(tmp_path, *args, stdin="")
    assert done.returncode == 2 and done.stdout == "" and says in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    done = user(tmp_path, "list")
    assert done.returncode == 1 and "there is no database data/taskhold.db" in done.stderr
    assert not (tmp_path / "data").exists()
    done = run("user", "list", "--database", "postgres://127.0.0.1:1/d", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith("taskhold: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["", "\n", "\x00", "a\x00bcdefghijkl\n", "x" * 5000], ids=repr)
def test_no_good_password(tmp_path, text):
    done = user(tmp_path, "add", EMAIL, stdin=text)
    assert done.returncode == 1 and done.stderr.count("\n") == 1


def test_a_path_longer_than_a_socket_address(start_server, tmp_path):
    directory = tmp_path / ("long" * 20) / ("path" * 20)
    directory.mkdir(parents=True)
    server = start_server(directory=directory)
    assert control(server).is_socket() and len(str(control(server))) > 180
    add(directory)
    assert EMAIL in user(directory, "list").stdout


# ---- a terminal ----

def read_until(terminal, text):
    """What the program writes, up to a text."""
    seen = b""
    while text not in seen:
        seen += os.read(terminal, 1024)
    return seen


@contextlib.contextmanager
def on_terminal(where, *args):
    """`taskhold user` with a terminal as all of its streams: (process, our end)."""
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo-terminal here: {error}")
    process = subprocess.Popen([str(binary()), "user", *args], cwd=where, env=environment(), stdin=theirs,
                               stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_a_password_is_typed_twice_and_never_shown(tmp_path):
    with on_terminal(tmp_path, "add", EMAIL) as (process, terminal):
        read_until(terminal, b"Password: ")
        os.write(terminal, PASSWORD.encode() + b"\n")
        seen = read_until(terminal, b"Once more: ")
        command_line = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
        os.write(terminal, PASSWORD.encode() + b"\n")
        seen += read_until(terminal, b"added " + EMAIL.encode())
        assert process.wait(20) == 0
    assert PASSWORD.encode() not in seen and PASSWORD.encode() not in command_line
    with on_terminal(tmp_path, "passwd", EMAIL) as (process, terminal):
        read_until(terminal, b"Password: ")
        os.write(terminal, OTHER.encode() + b"\n")
        read_until(terminal, b"Once more: ")
        os.write(terminal, b"something else\n")
        read_until(terminal, b"the two passwords differ")
        assert process.wait(20) == 1


def test_delete_asks_on_a_terminal(tmp_path):
    add(tmp_path)
    for answer, says, status in ((b"n\n", b"nothing was deleted", 1), (b"y\n", b"deleted " + EMAIL.encode(), 0)):
        with on_terminal(tmp_path, "delete", EMAIL) as (process, terminal):
            read_until(terminal, b"[y/N] ")
            os.write(terminal, answer)
            read_until(terminal, says)
            assert process.wait(20) == status
    assert user(tmp_path, "list").stdout == ""


# ---- who may use the socket ----

def refused(server, says):
    """A command that must not send anything."""
    done = user(server.directory, "add", "eve@example.org", stdin=PASSWORD)
    assert done.returncode == 1 and says in done.stderr and done.stderr.count("\n") == 1
    assert str(control(server)) in done.stderr


def test_a_socket_that_others_may_use_is_not_trusted(start_server):
    server = start_server()
    control(server).chmod(0o666)
    refused(server, "others may use the socket")


def test_what_is_no_socket_is_neither_used_nor_removed(start_server):
    server = start_server()
    server.terminate()
    control(server).write_text("mine")
    server.start()
    wait_until(lambda: "control_refused" in server.log_text(this_run=True), 10, "a warning")
    refused(server, "no socket")
    assert control(server).read_text() == "mine"


@as_root
def test_a_foreign_socket_is_not_trusted(start_server):
    server = start_server()
    os.chown(control(server), NOBODY, NOBODY)
    refused(server, "belongs to a stranger")


@as_root
def test_another_user_gets_no_answer_even_with_the_mode(start_server):
    """SO_PEERCRED holds where the mode of the file has been loosened."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="taskhold-peer-"))
    try:
        server = start_server(directory=directory)
        for folder in (directory, directory / "data"):
            folder.chmod(0o755)
        control(server).chmod(0o666)
        ask = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
               "try:\n    s.sendall(b'GET /users HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print(s.recv(20))\n"
               "except OSError: print(b'')")
        for uid, answer in ((0, "b'HTTP/1.1 200 OK"), (NOBODY, "b''")):
            done = subprocess.run(["/usr/bin/python3", "-c", ask, str(control(server))], user=uid, timeout=20,
                                  capture_output=True, encoding="utf-8", check=False)
            assert done.stdout.startswith(answer), done
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def test_the_network_has_no_such_calls(server, client):
    client.get("/users").expect(404)
    client.post("/users/disable", {"email": EMAIL}).expect(404)
    with socket.socket(socket.AF_UNIX) as local:
        local.connect(str(control(server)))
        local.sendall(b"GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert local.recv(12) == b"HTTP/1.1 404"


def test_a_token_for_scripts(start_server):
    """The one that is printed is good for its scopes, at once, until it is ended."""
    server = start_server()
    add(server.directory)
    done = user(server.directory, "token", "add", EMAIL, "--scope", "tasks:write", "--scope=account:read",
                "--name", "Doorbell", "--expires", "2030-01-31")
    assert done.returncode == 0, done.stderr
    token = done.stdout.strip()
    assert re.fullmatch(r"thk_[0-9A-Za-z]{43}", token)
    client = Client(server, token)
    client.post("/v1/tasks", {"title": "Somebody rang"}).expect(201)
    client.get("/v1/me").expect(200)
    row = json.loads(user(server.directory, "token", "list", EMAIL, "--json").stdout)[0]
    assert (row["name"], row["scopes"], row["expires_at"]) \
        == ("Doorbell", ["tasks:write", "account:read"], "2030-01-31T00:00:00.000Z")
    assert user(server.directory, "token", "rm", EMAIL, row["id"]).returncode == 0
    client.get("/v1/tasks").expect(401, "invalid_token")
    assert user(server.directory, "token", "list", EMAIL).stdout == ""
