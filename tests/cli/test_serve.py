# SPDX-License-Identifier: MIT
"""The life of a server as an operator sees it: what it logs, what SIGHUP reads again, why a start fails."""
import json
import os
import secrets
import signal
import socket
import subprocess

import pytest

from support import tokens
from support.accounts import User
from support.client import Client
from support.commands import start_refusal
from support.paths import binary
from support.server import SECRET, Server, environment, run
from support.waiting import wait_until

NEW = secrets.token_urlsafe(48)
ORIGIN = "https://app.example"


def rows(server):
    """The log; each line of it is one object."""
    return [json.loads(line) for line in server.log_text().splitlines()]


def named(server, event):
    return [row for row in rows(server) if row["event"] == event]


def reload(server):
    """SIGHUP; answers the events until the end of it."""
    before = len(rows(server))
    server.signal(signal.SIGHUP)
    wait_until(lambda: any(row["event"] == "reloaded" for row in rows(server)[before:]), 10, "the end of the reload")
    return [row for row in rows(server)[before:] if row["event"].startswith("reload")]


# ---- the log ----

def test_the_log_is_one_object_a_line_from_the_first_on(tmp_path):
    server = Server(directory=tmp_path)
    User(server)
    server.terminate()
    told = {row["event"]: row for row in rows(server)}
    assert list(told)[0] == "starting" and list(told)[-1] == "stopped"
    started = told["started"]
    assert started["address"] == server.url and started["version"] and started["pid"] == server.pid
    assert started["engine"] in ("sqlite", "postgres") and told["stopping"]["signal"] == "SIGTERM"


def test_where_it_listens_is_told_whatever_the_level(start_server):
    """PORT=0 finds a port that nobody else tells."""
    assert [row["event"] for row in rows(start_server(env={"LOG_LEVEL": "off"}))] == ["started"]


def test_a_log_that_is_emptied_goes_on_at_its_beginning(start_server):
    """As logrotate's copytruncate does it; the file was opened for appending."""
    server = start_server()
    os.truncate(server.log_path, 0)
    Client(server).get("/livez").expect(200)
    wait_until(lambda: server.log_path.read_bytes().endswith(b"\n"), 10, "the request's line")
    assert [json.loads(line)["event"] for line in server.log_path.read_bytes().splitlines()] == ["request"]


def test_debug_says_more_than_info(start_server):
    events = {}
    for level in ("info", "debug"):
        server = start_server(env={"LOG_LEVEL": level})
        Client(server).get("/livez").expect(200)
        server.terminate()
        events[level] = {row["event"] for row in rows(server)}
    assert events["debug"] - events["info"] == {"connection_opened", "connection_closed"}


@pytest.mark.parametrize("env, args, says", [
    ({"PORT": "http"}, [], "PORT is"), ({}, ["--env-file", "nowhere"], "nowhere does not exist"),
    ({"DATABASE_URL": "sqlite:/proc/none/x.db"}, [], "cannot make the directory"),
    ({"HOST": "192.0.2.1"}, [], "HOST"), ({"JWT_SECRET": "short"}, [], "JWT_SECRET must be"),
    ({"K_SERVICE": "x", "DATABASE_URL": "sqlite:x.db"}, [], "ALLOW_EPHEMERAL")])
@pytest.mark.parametrize("level", ["info", "off"])
def test_why_a_start_failed_is_an_event(tmp_path, env, args, says, level):
    ended = run("serve", *args, env={"PORT": "0", "LOG_LEVEL": level, **env}, cwd=tmp_path)
    assert ended.returncode in (1, 78) and says in start_refusal(ended)
    ended = run("serve", *args, env={"PORT": "0", "LOG_FORMAT": "text", **env}, cwd=tmp_path)
    assert ended.stderr.splitlines()[-1].startswith("taskhold: ") and says in ended.stderr


def test_a_slip_in_dotenv_is_an_event(start_server, tmp_path):
    (tmp_path / ".env").write_text("PROT=1\n")
    assert "did you mean PORT?" in named(start_server(directory=tmp_path), "settings_remark")[0]["message"]


def test_an_answer_that_nobody_took_is_told_as_such(start_server, make_user):
    server = start_server()
    user = make_user(server)
    for number in range(150):
        user.task(str(number), description="x" * 16000)
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect((server.host, server.port))
        one.sendall(f"GET /v1/me/export HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {user.token['access_token']}\r\n"
                    "\r\n".encode())
        assert one.recv(100).startswith(b"HTTP/1.1 200")
    user.client.get("/v1/me/export").expect(200)
    told = wait_until(lambda: [row for row in named(server, "request") if row["route"] == "/v1/me/export"][1:] and
                      [row for row in named(server, "request") if row["route"] == "/v1/me/export"], 20, "both lines")
    assert sorted(row.get("outcome", "") for row in told) == ["", "abandoned"]
    abandoned = next(row for row in told if "outcome" in row)
    assert abandoned["bytes"] < 150 * 16000


def test_a_command_that_was_stopped_and_goes_on_tells_no_error(start_server, make_user):
    """With a time limit on a socket the kernel does not take a wait up again by itself."""
    server = start_server(env={"DATABASE_URL": "sqlite:x.db"})
    make_user(server)
    server.signal(signal.SIGSTOP)
    try:
        command = subprocess.Popen([binary(), "user", "list", "--database", "sqlite:x.db"], cwd=server.directory,
                                   env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")

        def waits():
            call = open(f"/proc/{command.pid}/wchan", encoding="utf-8").read()
            return "unix_stream" in call or call in ("0", "")
        wait_until(waits, 10, "the command to wait for its answer")
        for number in (signal.SIGSTOP, signal.SIGCONT, signal.SIGSTOP, signal.SIGCONT):
            command.send_signal(number)
            if number == signal.SIGSTOP:
                wait_until(lambda: open(f"/proc/{command.pid}/stat").read().split(") ")[1][0] == "T", 10, "its stop")
    finally:
        server.signal(signal.SIGCONT)
    out, err = command.communicate(timeout=20)
    assert command.returncode == 0 and "@" in out and err == ""


# ---- starts that fail on a loop ----

@pytest.mark.parametrize("limit", range(60, 200, 10))
def test_too_few_descriptors_are_told(tmp_path, limit):
    """Wherever they run out: one line that says what to do; or it starts, and serves."""
    command = f'ulimit -n {limit}; exec "$@"'
    process = subprocess.Popen(["/bin/sh", "-c", command, "sh", binary(), "serve", "--port", "0", "--threads", "16"],
                               cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, encoding="utf-8")
    try:
        for line in process.stderr:
            row = json.loads(line)
            if row["event"] == "started":
                host, port = row["address"].removeprefix("http://").split(":")
                with socket.create_connection((host, int(port)), 10) as one:
                    one.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    assert one.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 503")
                break
            assert row["event"] in ("starting", "sandbox", "start_failed", "control_refused"), row
        else:
            assert process.wait(10) == 1 and row["event"] == "start_failed"
            assert "descriptor" in row["message"] or "Too many open files" in row["message"], row
            assert "ulimit" in row["message"], row
    finally:
        process.terminate()
        process.wait(20)
        process.stderr.close()


# ---- the standard descriptors ----

def closing(which, *args, cwd):
    """Runs a command with some of the standard descriptors closed."""
    command = 'exec "$@" ' + " ".join(f"{number}>&-" for number in which)
    return subprocess.run(["/bin/sh", "-c", command, "sh", binary(), *args], cwd=cwd, env=environment(), timeout=30,
                          capture_output=True, encoding="utf-8", check=False)


def test_what_is_closed_gets_nobody_elses_lines(tmp_path):
    """The first file that is opened would be standard error."""
    server = Server(directory=tmp_path, env={"DATABASE_URL": "sqlite:x.db"})
    User(server)
    server.terminate()
    before = (tmp_path / "x.db.lock").read_bytes()
    process = subprocess.Popen(["/bin/sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", binary(), "serve", "--port", "0",
                                "--database", "sqlite:x.db"], cwd=tmp_path, env=environment({"LOG_LEVEL": "debug"}))
    wait_until(lambda: (tmp_path / "x.db.control").exists(), 10, "a server")
    process.terminate()
    assert process.wait(20) == 0
    assert (tmp_path / "x.db.lock").read_bytes() == before
    for which in ([2], [1, 2], [0, 1, 2]):
        closing(which, "export", "x.jsonl", "--force", "--database", "sqlite:x.db", cwd=tmp_path)
        for line in (tmp_path / "x.jsonl").read_text().splitlines():
            json.loads(line)


PRINTING = [["help"], ["help", "serve"], ["version"], ["version", "--json"], ["config"], ["config", "--json"],
            ["config", "--markdown"], ["routes"], ["routes", "--json"], ["man"], ["completion", "bash"],
            ["completion", "zsh"], ["completion", "fish"], ["doctor", "--port", "0"], ["doctor", "--port", "0", "--json"],
            ["migrate"], ["user", "list"], ["user", "list", "--json"], ["export"], ["backup", "copy.db", "--force"],
            ["backup", "copy.db", "--force", "--json"], ["--help"], ["--version"]]


@pytest.mark.parametrize("args", PRINTING, ids=" ".join)
def test_what_does_not_arrive_is_no_success(tmp_path, args):
    database = [] if args[0].startswith("--") or args[0] in ("help", "version", "routes", "man", "completion") \
        or "--markdown" in args else ["--database", "sqlite:x.db"]
    made = run("user", "add", "someone@example.com", "--database", "sqlite:x.db", cwd=tmp_path, stdin="Nobody-Knows-7\n")
    assert made.returncode == 0, made
    assert run(*args, *database, cwd=tmp_path).returncode == 0
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = run(*args, *database, cwd=tmp_path, stdout=full)
    assert done.returncode == 1 and done.stderr.startswith("taskhold: "), done
    assert done.stderr.count("\n") == 1


# ---- SIGHUP ----

def test_a_hangup_reads_secrets_again_and_logs_nobody_out(start_server, make_user, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "previous").write_text(NEW)
    files = {"JWT_SECRET": None, "JWT_SECRET_FILE": "secret", "JWT_SECRET_PREVIOUS_FILE": "previous", "THREADS": "3"}
    server = start_server(directory=tmp_path, env=files)
    user = make_user(server)
    for number in range(3):
        user.task(str(number))
    cursor = user.client.get("/v1/tasks?limit=1").json["next_cursor"]
    assert [row.get("changed") for row in reload(server)] == ["nothing"]
    (tmp_path / "secret").write_text(NEW + "\n")
    (tmp_path / "previous").write_text(SECRET + "\n")
    assert reload(server)[-1]["changed"] == "the secrets"
    fresh = user.anonymous.post("/v1/auth/refresh", {"refresh_token": user.token["refresh_token"]}).expect(200).json
    assert tokens.parts(fresh["access_token"])[0]["kid"] != tokens.parts(user.token["access_token"])[0]["kid"]
    for _ in range(12):  # on whatever loop
        Client(server, user.token["access_token"]).get("/v1/me").expect(200)
        Client(server, user.token["access_token"]).get(f"/v1/tasks?cursor={cursor}").expect(200)
    (tmp_path / "previous").write_text(secrets.token_urlsafe(48))
    assert reload(server)[-1]["changed"] == "the secrets"
    for _ in range(12):  # what was remembered of it is forgotten as well
        Client(server, user.token["access_token"]).get("/v1/me").expect(401)
        Client(server, fresh["access_token"]).get("/v1/me").expect(200)
        Client(server, fresh["access_token"]).get(f"/v1/tasks?cursor={cursor}").expect(400)
    assert server.process.poll() is None


def test_a_hangup_reads_level_origins_and_proxies_again(start_server, tmp_path):
    settings = tmp_path / "settings"
    settings.write_text("LOG_LEVEL=error\n")
    server = start_server(directory=tmp_path, args=["--env-file", "settings"])
    settings.write_text(f"LOG_LEVEL=info\nCORS_ORIGINS={ORIGIN}\nTRUSTED_PROXIES=127.0.0.0/8\n")
    client = Client(server)  # a connection that is open stays so, under the new rules
    client.get("/livez", headers={"Origin": ORIGIN, "X-Forwarded-For": "192.0.2.7"}).expect(200)
    assert not named(server, "request")
    assert reload(server)[-1]["changed"] == "LOG_LEVEL, CORS_ORIGINS, TRUSTED_PROXIES"
    answer = client.get("/livez", headers={"Origin": ORIGIN, "X-Forwarded-For": "192.0.2.7"}).expect(200)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    wait_until(lambda: named(server, "request"), 10, "the line of the request")
    assert named(server, "request")[0]["client"] == "192.0.2.7"
    settings.write_text("")
    assert reload(server)[-1]["changed"] == "CORS_ORIGINS, TRUSTED_PROXIES"  # info is the default
    assert "Access-Control-Allow-Origin" not in client.get("/livez", headers={"Origin": ORIGIN}).expect(200).headers


def test_what_is_wrong_at_a_hangup_is_told_and_the_old_stays(start_server, make_user, tmp_path):
    settings = tmp_path / "settings"
    (tmp_path / "secret").write_text(SECRET)
    good = f"CORS_ORIGINS={ORIGIN}\nJWT_SECRET_FILE=secret\n"
    settings.write_text(good)
    server = start_server(directory=tmp_path, env={"JWT_SECRET": None}, args=["--env-file", "settings"])
    user = make_user(server)

    def refused():
        told = reload(server)
        user.client.get("/v1/me").expect(200)
        answer = Client(server).get("/livez", headers={"Origin": ORIGIN}).expect(200)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        return [row["message"] for row in told if row["event"] != "reloaded"], told[-1]["changed"]

    settings.write_text("CORS_ORIGINS=nonsense\nJWT_SECRET_FILE=secret\nLOG_LEVEL=debug\nTRUSTED_PROXIES=x\nPORT=9\n")
    messages, changed = refused()
    assert changed == "LOG_LEVEL" and len(messages) == 2 and all("the old value stays" in one for one in messages)
    assert any("CORS_ORIGINS" in one for one in messages) and any("TRUSTED_PROXIES" in one for one in messages)
    settings.write_text(good + "THREADS=7\n")
    messages, _ = refused()
    assert messages == ["THREADS has changed: restart to use it"]
    (tmp_path / "secret").write_text("short")
    assert "JWT_SECRET" in refused()[0][0]
    (tmp_path / "secret").unlink()
    assert "does not exist" in refused()[0][0]
    settings.write_text("nonsense\n")
    server.signal(signal.SIGHUP)
    wait_until(lambda: "line 1 is not NAME=VALUE" in server.log_text(), 10, "the refusal")
    settings.unlink()
    server.signal(signal.SIGHUP)
    wait_until(lambda: "settings does not exist" in server.log_text(), 10, "the refusal")
    user.client.get("/v1/me").expect(200)


def test_hangups_under_load_lose_no_request(start_server, make_user, tmp_path):
    """Both secrets are good all the time; they only change places."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "previous").write_text(NEW)
    server = start_server(directory=tmp_path, env={"JWT_SECRET": None, "JWT_SECRET_FILE": "secret", "THREADS": "2",
                                                   "JWT_SECRET_PREVIOUS_FILE": "previous"})
    user = make_user(server)
    for number in range(40):
        (tmp_path / "secret").write_text((SECRET, NEW)[number % 2])
        (tmp_path / "previous").write_text((NEW, SECRET)[number % 2])
        server.signal(signal.SIGHUP)
        for _ in range(4):
            fresh = user.anonymous.post("/v1/auth/refresh", {"refresh_token": user.token["refresh_token"]}).expect(200)
            user.token = fresh.json
            Client(server, fresh.json["access_token"]).get("/v1/tasks?limit=1").expect(200)


def test_a_hangup_of_nohup_and_one_during_the_start(tmp_path):
    """Ignored by the caller, it is taken all the same; it never ends the process."""
    log = tmp_path / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen(["nohup", binary(), "serve", "--port", "0"], cwd=tmp_path, stderr=out, stdout=out,
                                   stdin=subprocess.DEVNULL, env=environment())
    try:
        wait_until(lambda: '"event":"starting"' in log.read_text(), 10, "the start")
        os.kill(process.pid, signal.SIGHUP)
        wait_until(lambda: '"event":"reloaded"' in log.read_text(), 10, "the reload")
    finally:
        process.terminate()
        assert process.wait(20) == 0


# ---- a crash ----

def test_a_crash_says_what_and_where(tmp_path):
    server = Server(directory=tmp_path)
    try:
        server.signal(signal.SIGSEGV)
        assert server.wait() == -signal.SIGSEGV
        if "AddressSanitizer" not in server.log_text():
            crash = rows(server)[-1]
            assert crash["event"] == "crashed" and crash["message"].startswith("SIGSEGV at 0x"), crash
            assert crash["version"] and crash["thread"] == "taskhold", crash
            functions = subprocess.run(["addr2line", "-fe", binary(), *crash["addr2line"].split()], capture_output=True,
                                       text=True, check=True).stdout.splitlines()
            assert "http_server_run" in functions, functions
    finally:
        server.kill()
