# SPDX-License-Identifier: MIT
"""The sandbox of the real server: what an attacker inside it meets, and that everything else works as before.

    /usr/bin/python3 -m pytest tests/fault/sandbox                        SQLite
    tests/with-postgres /usr/bin/python3 -m pytest tests/fault/sandbox    PostgreSQL"""
import errno
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess

import pytest

from refuse import without
from support import engine
from support.accounts import User
from support.metrics import metrics_of
from support.paths import binary
from support.server import SECRET, Server, environment, run
from support.waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent
SANITIZED = re.search(r"build/(asan|tsan|fuzz)", str(binary()))
pytestmark = pytest.mark.skipif(SANITIZED is not None, reason="a build with sanitizers has no sandbox")
DEADLY = ("execve", "ptrace", "fork", "listen", "io_uring_setup")


def landlock_version():
    """What the kernel has; 0: none."""
    listed = pathlib.Path("/sys/kernel/security/lsm")
    if listed.exists() and "landlock" not in listed.read_text(encoding="ascii"):
        return 0
    code = "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))"
    return max(0, int(subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, text=True, check=True).stdout))


NEEDS_LANDLOCK = pytest.mark.skipif(landlock_version() < 4, reason="this kernel's Landlock knows no ports, or it has none")


@pytest.fixture(name="probe", scope="module")
def fixture_probe(tmp_path_factory):
    """The library that tries, from inside."""
    made = tmp_path_factory.mktemp("probe") / "probe.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", str(made), str(HERE / "probe.c"), "-ldl"], check=True)
    return made


@pytest.fixture(name="start")
def fixture_start():
    """Starts servers, which end in the test or here."""
    made = []

    def start(*args, env=None, directory=None):
        made.append(Server(env=env, args=args, directory=directory))
        return made[-1]
    yield start
    for server in made:
        server.kill()
        server.remove()


def threads(server):
    """What each thread has given up: (name, no new privileges, the filter of calls)."""
    found = []
    for task in pathlib.Path(f"/proc/{server.pid}/task").iterdir():
        fields = dict(re.findall(r"^(\w+):\s*(.*)$", (task / "status").read_text(), re.M))
        found.append((fields["Name"], fields["NoNewPrivs"], fields["Seccomp"]))
    return found


def results(server):
    """What the probe has told."""
    return {name: int(number) for name, number in re.findall(r"^probe (\w+) (\d+)$", server.log_text(), re.M)}


def probed(start, probe, tmp_path, **more):
    """A server in which the probe has done what it can, and that has ended where that was the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    secret = tmp_path / "secrets" / "jwt"
    secret.parent.mkdir()
    secret.write_text(SECRET)
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").write_text("somebody else's")
    with listener:
        server = start(env={"LD_PRELOAD": str(probe), "PROBE_GO": str(other / "go"), "PROBE_FILE": str(other / "file"),
                            "PROBE_NEW": str(other / "new"), "PROBE_SECRET": str(secret), "JWT_SECRET": None,
                            "JWT_SECRET_FILE": str(secret), "PROBE_PORT": str(listener.getsockname()[1]), **more})
        (other / "go").write_text("")
        with socket.create_connection((server.host, server.port), 10):
            wait_until(lambda: "end" in results(server) or server.process.poll() is not None, 20, "the probe")
    return server


@NEEDS_LANDLOCK
def test_what_an_attacker_inside_meets(start, probe, tmp_path):
    server = probed(start, probe, tmp_path)
    found = results(server)
    for name in ("shadow", "read", "make"):
        assert found[name] == errno.EACCES, (name, found)
    assert found["secret"] == 0  # it is read again at SIGHUP
    assert found["netlink"] == errno.ENOSYS
    assert found["signal"] == errno.ENOSYS
    if engine.is_postgres():
        assert (found["socket"], found["connect"]) == (0, errno.EACCES)
    else:
        assert found["socket"] == errno.ENOSYS and "connect" not in found
    assert found["executable"] == errno.ENOSYS
    User(server).task("and the server goes on")
    server.stop()


def test_without_it_all_of_that_goes_well(start, probe, tmp_path):
    """The control: the probe can tell the difference."""
    server = probed(start, probe, tmp_path, SANDBOX="off")
    found = results(server)
    expected = {"read", "make", "secret", "netlink", "signal", "executable", "socket", "connect"}
    assert {name for name in expected if found[name] == 0} == expected, found
    assert "off: SANDBOX=off" in server.log_text()


@pytest.mark.parametrize("call", DEADLY)
def test_calls_that_are_the_end(start, probe, tmp_path, call):
    server = probed(start, probe, tmp_path, PROBE_CALL=call)
    assert server.wait() == -signal.SIGSYS
    assert call not in results(server)


@pytest.mark.parametrize("mode", ["on", "off"])
def test_every_thread_gives_it_up(start, mode):
    server = start(env={"SANDBOX": mode, "METRICS_ADDR": "127.0.0.1:0"})
    User(server)  # hashed by a thread
    found = threads(server)
    assert {"signals", "log", "loop", "hasher", "metrics"} <= {name for name, _, _ in found}
    assert {(privileges, calls) for _, privileges, calls in found} == {("1", "2" if mode == "on" else "0")}
    server.stop()


# ---- kernels that cannot ----

def refused(start_env, *names):
    """Starts a server on a kernel without these calls, until it serves or ends; gives both."""
    return subprocess.Popen([str(binary()), "serve", "--port", "0"], env=environment(start_env), stderr=subprocess.PIPE,
                            stdin=subprocess.DEVNULL, text=True, preexec_fn=without(*names))


@pytest.mark.parametrize("missing,words", [("landlock_create_ruleset", "Landlock"), ("seccomp", "seccomp")])
def test_a_kernel_that_cannot(tmp_path, missing, words):
    """It serves, and says so in the log and in its metrics; with require it does not start."""
    env = {**(engine.database_for(tmp_path) or {"DATABASE_URL": f"sqlite:{tmp_path}/t.db"}), "METRICS_ADDR": "127.0.0.1:0"}
    process = refused(env, missing)
    lines = []
    for line in process.stderr:
        lines.append(line)
        if '"event":"started"' in line:
            break
    text = "".join(lines)
    assert '"event":"hardening_refused"' in text and words in text, text
    url = re.search(r'"metrics":"([^"]+)"', text).group(1)
    try:
        body = subprocess.run(["curl", "-sS", url], capture_output=True, text=True, check=True).stdout
        assert "\ntaskhold_hardening_refused 1\n" in body
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stderr.close()
    for how in ({"SANDBOX": "require"}, None):
        command = [str(binary()), "serve", "--port", "0"] + ([] if how else ["--require-sandbox"])
        ended = subprocess.run(command, env=environment({**env, **(how or {})}), capture_output=True, text=True, timeout=30,
                               check=False, preexec_fn=without(missing))
        assert ended.returncode == 1, ended.stderr
        assert "SANDBOX=require" in ended.stderr and words in ended.stderr
        assert '"event":"started"' not in ended.stderr
    engine.drop_database_for(tmp_path)


def test_required_and_there(start):
    server = start("--require-sandbox")
    User(server)
    assert {calls for _, _, calls in threads(server)} == {"2"}
    server.stop()


# ---- what works as before ----

def test_a_secret_is_replaced(start, tmp_path):
    """By another file of the same name, as an editor and Kubernetes do it; and SIGHUP takes it."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    for version in ("1", "2"):
        (folder / f"..{version}").mkdir()
        (folder / f"..{version}" / "jwt").write_text(secrets.token_urlsafe(48))
    (folder / "..data").symlink_to("..1")
    (folder / "jwt").symlink_to("..data/jwt")
    server = start(env={"JWT_SECRET": None, "JWT_SECRET_FILE": str(folder / "jwt")})
    user = User(server)
    (folder / "..new").symlink_to("..2")
    (folder / "..new").rename(folder / "..data")
    shutil.rmtree(folder / "..1")
    server.signal(signal.SIGHUP)
    wait_until(lambda: '"event":"reloaded","changed":"the secrets"' in server.log_text(), 20, "the reload")
    user.client.checked = False
    wait_until(lambda: user.client.get("/v1/me").status == 401, 20, "the end of old tokens")
    server.stop()


def test_a_file_of_settings_is_replaced(start, tmp_path):
    path = tmp_path / "conf" / "taskhold.env"
    path.parent.mkdir()
    path.write_text("CORS_ORIGINS=https://a.example\n")
    server = start("--env-file", str(path))
    new = path.with_suffix(".new")
    new.write_text("CORS_ORIGINS=https://b.example\n")
    new.rename(path)
    server.signal(signal.SIGHUP)
    wait_until(lambda: '"changed":"CORS_ORIGINS"' in server.log_text(), 20, "the reload")
    server.stop()


def test_a_dotenv_that_comes_later(start):
    server = start()
    (server.directory / ".env").write_text("CORS_ORIGINS=https://a.example\n")
    server.signal(signal.SIGHUP)
    wait_until(lambda: '"changed":"CORS_ORIGINS"' in server.log_text(), 20, "the reload")
    server.stop()


def test_zones_metrics_and_descriptors(start):
    """Files of zones and of /proc are read as they are needed."""
    server = start(env={"METRICS_ADDR": "127.0.0.1:0"})
    user = User(server)
    user.client.patch("/v1/me", {"time_zone": "Pacific/Chatham"}).expect(200)
    assert {"process_open_fds", "process_resident_memory_bytes"} <= set(metrics_of(server).families)
    server.stop()


@pytest.mark.skipif(engine.is_postgres(), reason="the commands are those of the file")
def test_the_file_beside_a_running_server(start, tmp_path):
    """Backup and export while it serves, accounts over the control socket, and the copy put back."""
    server = start()
    user = User(server)
    task = user.task("kept")
    url = {"DATABASE_URL": f"sqlite:{server.directory}/data/taskhold.db"}
    copy = tmp_path / "copy.db"
    done = run("backup", str(copy), env=url)
    assert done.returncode == 0, done.stderr
    done = run("user", "list", env=url)
    assert done.returncode == 0 and user.email in done.stdout, done.stderr
    done = run("export", str(tmp_path / "export.jsonl"), env=url)
    assert done.returncode == 0, done.stderr
    user.task("more")
    server.terminate()
    done = run("restore", "--force", str(copy), env=url)
    assert done.returncode == 0, done.stderr
    server.start()
    assert user.client.get(f"/v1/tasks/{task['id']}").expect(200).json["title"] == "kept"
    assert len(user.client.get("/v1/tasks").expect(200).json["items"]) == 1
    server.stop()


@pytest.mark.skipif(engine.is_postgres(), reason="of the file's folder")
def test_a_database_through_a_link(start, tmp_path):
    """The folder that the link leads to is the one that is written."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "real" / "taskhold.db")
    server = start(env={"DATABASE_URL": f"sqlite:{tmp_path}/link.db"})
    User(server).task("through")
    server.restart()
    User(server).task("again")
    assert (tmp_path / "real" / "taskhold.db").exists()
    server.stop()


@pytest.mark.skipif(not engine.is_postgres(), reason="of a database server")
def test_the_database_is_found_again_by_name(start):
    """The name is looked up, and libraries for that are loaded, while the sandbox holds."""
    server = start()
    named = re.sub(r"127\.0\.0\.1", "localhost", server.database["DATABASE_URL"])
    server.kill()
    server.env["DATABASE_URL"] = named
    server.start()
    user = User(server)
    engine_url = engine.SERVER
    from support import cluster
    cluster.query(engine_url, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'taskhold'"
                  " AND pid <> pg_backend_pid()")
    user.client.checked = False
    wait_until(lambda: user.client.post("/v1/tasks", {"title": "again"}).status == 201, 20, "a write")
    assert {calls for _, _, calls in threads(server)} == {"2"}
    server.stop()


def descriptors(server):
    """How many it has when it opens no more: connections to PostgreSQL are made after the start too."""
    seen = []

    def settled():
        seen.append(len(os.listdir(f"/proc/{server.pid}/fd")))
        return len(seen) >= 50 and len(set(seen[-50:])) == 1
    wait_until(settled, 20, "the last descriptor", 0.01)
    return seen[-1]


def test_every_descriptor_in_use(start):
    """Where none is left, the one kept for that is opened again from /dev/null."""
    server = start()
    user = User(server)
    import resource
    kept = descriptors(server)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (kept + 4, kept + 4))
    held = []
    for _ in range(20):
        held.append(socket.create_connection((server.host, server.port), 10))
    for sock in held:
        sock.close()
    user.client.checked = False
    wait_until(lambda: user.client.get("/v1/me").status == 200, 20, "room")
    server.stop()
