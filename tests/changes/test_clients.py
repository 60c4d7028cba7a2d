# SPDX-License-Identifier: MIT
"""The clients of docs/examples hold what the account holds, whatever happens to them and to the server.

Each keeps its copy in a file. The file must say what GET /v1/tasks and GET /v1/lists say, once nobody writes.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import uuid

import pytest
from support.accounts import User
from support.client import Client
from support.paths import ROOT, binary
from support.waiting import wait_until

EXAMPLES = ROOT / "docs" / "examples"
NODE = ROOT / ".cache" / "bin" / "node"
TSC = ROOT / "tests" / "generators" / "node_modules" / "typescript" / "bin" / "tsc"
TYPES = ROOT / "tests" / "generators" / "node_modules" / "@types"
JARS = ROOT / ".cache" / "maven"
KOTLIN = [JARS / f"{name}.jar" for name in (
    "kotlin-compiler-embeddable-2.0.21", "kotlin-stdlib-2.0.21", "kotlin-script-runtime-2.0.21", "kotlin-reflect-1.6.10",
    "kotlin-daemon-embeddable-2.0.21", "trove4j-1.0.20200330", "annotations-13.0", "kotlinx-coroutines-core-jvm-1.6.4")]
JSON = JARS / "json-20240303.jar"
TOKEN_ENDED = 3
SECONDS = 20
# What the Kotlin client lacks to be a program: the file that the other two keep their copy in.
MAIN_KT = """
import java.io.File
import org.json.JSONObject

fun main(arguments: Array<String>) {
    val (base, path) = arguments
    val copy = Copy(base, System.getenv("TASKHOLD_TOKEN")) { copy ->
        val kept = JSONObject().put("cursor", copy.cursor).put("things", JSONObject(copy.things as Map<*, *>))
        File("$path.part").writeText(kept.toString())
        File("$path.part").renameTo(File(path))
    }
    if (File(path).exists()) {
        val kept = JSONObject(File(path).readText())
        copy.cursor = kept.getString("cursor")
        val things = kept.getJSONObject("things")
        things.keys().forEach { copy.things[it] = things.getJSONObject(it) }
    }
    copy.run()
    kotlin.system.exitProcess(3)
}
"""


def compile_kotlin(folder):
    """Makes a program of the Kotlin client; answers its class path."""
    (folder / "main.kt").write_text(MAIN_KT)
    libraries = os.pathsep.join(map(str, [KOTLIN[1], JSON]))
    command = ["java", "-XX:+UseSerialGC", "-cp", os.pathsep.join(map(str, KOTLIN)), "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler",
               "-no-stdlib", "-no-reflect", "-Werror", "-cp", libraries, "-d", folder / "client.jar", EXAMPLES / "sync.kt",
               folder / "main.kt"]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                          timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    return os.pathsep.join([str(folder / "client.jar"), libraries])


@pytest.fixture(scope="module", params=["python", "typescript", "kotlin"])
def command(request, tmp_path_factory):
    """How a client is started, up to its two arguments."""
    if request.param == "python":
        return [sys.executable, str(EXAMPLES / "sync.py")]
    if request.param == "typescript":
        if not NODE.exists():
            pytest.skip("Node is not installed: script/bootstrap test installs it")
        return [str(NODE), "--experimental-strip-types", str(EXAMPLES / "sync.ts")]
    if not shutil.which("java") or not all(jar.exists() for jar in [*KOTLIN, JSON]):
        pytest.skip("the Kotlin compiler is not installed: script/bootstrap test installs it where it can")
    return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", compile_kotlin(tmp_path_factory.mktemp("kotlin")), "MainKt"]


class Follower:
    """A client that runs, and the file that it keeps its copy in."""

    def __init__(self, command, server, folder):
        self.command, self.server, self.file = command, server, folder / "copy.json"
        self.process = None

    def start(self, token):
        with open(self.file.with_suffix(".log"), "ab") as log:
            self.process = subprocess.Popen([*self.command, self.server.url, str(self.file)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env={**os.environ, "TASKHOLD_TOKEN": token})

    def stop(self, how=signal.SIGKILL):
        """Ends it the hard way: what it has to know again stands in its file."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()

    def log(self):
        return self.file.with_suffix(".log").read_text(encoding="utf-8")

    def holds(self):
        """What it holds, by kind and id."""
        return json.loads(self.file.read_text(encoding="utf-8"))["things"] if self.file.exists() else None

    def await_copy(self, user):
        """Waits until it holds exactly what the account holds."""
        wanted = everything(user)

        def same():
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.log()}"
            return self.holds() == wanted

        try:
            wait_until(same, SECONDS, "the copy")
        except AssertionError:
            held = self.holds() or {}
            differ = [key for key in wanted.keys() | held.keys() if wanted.get(key) != held.get(key)]
            raise AssertionError(f"{len(differ)} of {len(wanted)} differ, {differ[:3]}: {self.log()[-2000:]}") from None


@pytest.fixture
def follow(command, tmp_path):
    """Starts the client under test; it is ended with the test."""
    started = []

    def start(server, token):
        started.append(Follower(command, server, tmp_path))
        started[-1].start(token)
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


def everything(user):
    """What the account holds, as a client keys it."""
    things = {f"list/{one['id']}": one for one in user.client.get("/v1/lists").expect(200).json["items"]}
    cursor = ""
    while cursor is not None:
        page = user.client.get("/v1/tasks?limit=100" + (cursor and f"&cursor={cursor}")).expect(200).json
        things.update({f"task/{one['id']}": one for one in page["items"]})
        cursor = page["next_cursor"]
    return things


class Writer:
    """Another device of the user, which writes by chance."""

    def __init__(self, user, seed):
        self.chance, self.client = random.Random(seed), user.login_client()
        self.tasks, self.lists = [], []

    def write(self, times):
        for _ in range(times):
            self.chance.choice([self.create, self.create, self.create, self.change, self.change, self.move, self.delete,
                                self.make_list, self.delete_list])()

    def some(self, things):
        return self.chance.choice(things) if things else None

    def create(self):
        task = {"title": f"Task {self.chance.random()} é 🌱", "list_id": self.some([None, *self.lists]),
                "labels": [self.chance.choice("abc")]}
        if self.tasks and self.chance.random() < 0.3:
            task = {"title": "a part", "parent_id": self.some(self.tasks)}
        answer = self.client.post("/v1/tasks", task)
        if answer.status == 201:  # a tree may be as deep as it gets
            self.tasks.append(answer.json["id"])

    def change(self):
        if self.tasks:
            body = self.chance.choice([{"status": "completed"}, {"title": str(uuid.UUID(int=self.chance.getrandbits(128)))},
                                       {"description": "x" * self.chance.randrange(3000)}, {"labels": []}])
            self.client.patch(f"/v1/tasks/{self.some(self.tasks)}", body).expect(200)

    def move(self):
        if self.tasks:
            self.client.post(f"/v1/tasks/{self.some(self.tasks)}/move", {"after": None}).expect(200)

    def delete(self):
        if self.tasks:
            self.client.delete(f"/v1/tasks/{self.some(self.tasks)}").expect(204)
            self.forget()

    def make_list(self):
        self.lists.append(self.client.post("/v1/lists", {"name": f"List {len(self.lists)}"}).expect(201).json["id"])

    def delete_list(self):
        if self.lists:
            one = self.lists.pop(self.chance.randrange(len(self.lists)))
            self.client.delete(f"/v1/lists/{one}?tasks={self.chance.choice(['delete', 'inbox'])}").expect(204)
            self.forget()

    def forget(self):
        """What went with what was deleted."""
        self.tasks = [one for one in self.tasks if self.client.get(f"/v1/tasks/{one}").status == 200]


def test_it_holds_what_the_account_holds(start_server, follow, request):
    server = start_server()
    user = User(server)
    writer = Writer(user, request.node.name)
    writer.write(60)
    follower = follow(server, user.token["access_token"])
    follower.await_copy(user)
    writer.write(60)
    follower.await_copy(user)
    port = server.port
    server.terminate()  # while it listens
    server.start(port)
    writer.write(60)
    follower.await_copy(user)
    server.kill()
    server.start(port)
    writer.write(20)
    follower.await_copy(user)


def test_it_goes_on_from_its_file(start_server, follow):
    server = start_server()
    user = User(server)
    writer = Writer(user, 7)
    writer.write(40)
    follower = follow(server, user.token["access_token"])
    follower.await_copy(user)
    follower.stop()
    writer.write(60)
    before = follower.holds()
    assert before != everything(user)
    follower.start(user.token["access_token"])
    follower.await_copy(user)


def test_it_begins_again_and_drops_what_is_gone(start_server, follow):
    """Its cursor is of another time of the database, as after a restore."""
    server = start_server()
    user = User(server)
    writer = Writer(user, 8)
    writer.write(40)
    follower = follow(server, user.token["access_token"])
    follower.await_copy(user)
    follower.stop()
    writer.write(20)
    kept = json.loads(follower.file.read_text(encoding="utf-8"))
    kept["things"]["task/01999999-9999-7999-8999-999999999999"] = {"id": "01999999-9999-7999-8999-999999999999"}
    follower.file.write_text(json.dumps(kept), encoding="utf-8")
    new_epoch(server)
    follower.start(user.token["access_token"])
    follower.await_copy(user)


def new_epoch(server):
    """Makes every cursor an old one, as after a restore."""
    port = server.port
    server.terminate()
    done = subprocess.run([binary(), "migrate", "--new-epoch"], cwd=server.directory, capture_output=True,
                          env={**os.environ, **(server.database or {})}, encoding="utf-8", timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    server.start(port)


def test_it_tells_when_the_token_ended(start_server, follow):
    server = start_server()
    user = User(server)
    user.task()
    session = user.login()
    follower = follow(server, session["access_token"])
    follower.await_copy(user)
    Client(server, session["access_token"]).post("/v1/auth/logout").expect(204)
    assert follower.process.wait(SECONDS) == TOKEN_ENDED
    user.task("Made meanwhile")
    follower.start(user.login()["access_token"])
    follower.await_copy(user)


def test_it_follows_with_a_token_of_a_script(start_server, follow):
    server = start_server()
    user = User(server)
    body = {"name": "A copy", "scopes": ["tasks:read"], "password": user.password}
    made = user.client.post("/v1/me/tokens", body).expect(201).json
    follower = follow(server, made["token"])
    user.task()
    follower.await_copy(user)
    user.task("While it listens")
    follower.await_copy(user)
    user.client.delete(f"/v1/me/tokens/{made['id']}").expect(204)
    assert follower.process.wait(SECONDS) == TOKEN_ENDED


def test_the_typescript_is_typed(tmp_path):
    if not TSC.exists():
        pytest.skip("TypeScript is not installed: script/bootstrap test installs it")
    done = subprocess.run([NODE, TSC, "--noEmit", "--strict", "--erasableSyntaxOnly", "--target", "es2022", "--module", "esnext",
                           "--moduleResolution", "bundler", "--lib", "es2022,dom,dom.iterable", "--types", "node", "--typeRoots",
                           TYPES, EXAMPLES / "sync.ts"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_the_swift_is_compiled(tmp_path):
    """Where there is a compiler: on Linux its Foundation lacks what streams an answer, so it is a Mac's."""
    if not (swift := shutil.which("swiftc")) or sys.platform != "darwin":
        pytest.skip("Swift's compiler is for a Mac: docs/examples/sync.swift is only read")
    done = subprocess.run([swift, "-typecheck", EXAMPLES / "sync.swift"], cwd=tmp_path, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["sync.py", "sync.ts", "sync.kt", "sync.swift", "two-windows.html"])
def test_each_knows_every_part_of_the_contract(name):
    """What a client must not forget, in whatever language."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    for word in ("/v1/changes", "/v1/events", "Last-Event-ID", "next_cursor", "more", "retry", "401", "410", '"gone"', '"put"'):
        assert word in text, f"{name}: {word}"
    assert max(map(len, text.splitlines())) <= 140
