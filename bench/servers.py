# SPDX-License-Identifier: MIT
"""The four servers: how each is started, and the users and tasks it gets before it is measured."""
import os
import secrets

import client
import procs

BENCH = os.path.dirname(os.path.abspath(__file__))
PASSWORD = "six green bottles"
TITLE = "Water the plants on the balcony 00000000"
READER_TASKS = 100
PATCHED_TASKS = 64
LIST_PATH = "/v1/tasks?limit=20"
PAGES = 1_024  # four times as many as a loop of Taskhold keeps


class Server:
    """A server that runs: name, port, process and what a case needs to ask it."""

    def __init__(self, name, folder, core=procs.SERVER_CORE):
        self.name = name
        self.core = core
        self.folder = os.path.join(folder, name)
        self.port = client.free_port()
        self.process = None
        self.reader = self.writer = None
        self.read_ids = self.patch_ids = ()
        self.pager = None  # whose lists the file `paths` names
        os.makedirs(self.folder, exist_ok=True)
        self.database = "sqlite:" + self.file("taskhold.db")  # of Taskhold: its DATABASE_URL

    @property
    def pid(self):
        return self.process.pid

    def file(self, name):
        return os.path.join(self.folder, name)

    def launch(self, command, env=None, cwd=None):
        self.process = procs.start(command, self.file("log"), env, cwd or self.folder, self.core)

    def stop(self, seconds=20):
        procs.stop(self.process, seconds)

    def call(self, method, path, token=None, body=None, expect=None):
        return client.call(self.port, method, path, token, body, expect)


def register(server, name):
    """Makes a user and logs in; gives the access token."""
    credentials = {"email": name + "@example.com", "password": PASSWORD}
    server.call("POST", "/v1/auth/register", body=credentials, expect=201)
    return log_in(server, name)


def log_in(server, name):
    credentials = {"email": name + "@example.com", "password": PASSWORD}
    return server.call("POST", "/v1/auth/login", body=credentials, expect=200).json()["access_token"]


def create_tasks(server, token, count):
    return [server.call("POST", "/v1/tasks", token, {"title": TITLE}, 201).json()["id"]
            for _ in range(count)]


def prepare(server):
    """The same users and tasks on every server: one who reads, one who writes, one who logs in."""
    server.reader = register(server, "ann")
    server.writer = register(server, "bob")
    register(server, "cleo")
    server.read_ids = create_tasks(server, server.reader, READER_TASKS)
    server.patch_ids = create_tasks(server, server.writer, PATCHED_TASKS)
    found = server.call("GET", LIST_PATH, server.reader, expect=200).json()["items"]
    if len(found) != 20:
        raise procs.Failed(f"{server.name}: a list of {len(found)} where 20 were expected")


def write_paths(server, paths):
    """What paths.lua asks for. Gives the file."""
    file = server.file("paths")
    with open(file, "w", encoding="ascii") as out:
        out.write("\n".join(paths) + "\n")
    return file


def pages(server, token, step, query="limit=20"):
    """PAGES paths of lists, each `step` tasks after the one before."""
    paths, cursor = [], ""
    while len(paths) < PAGES:
        paths.append(f"/v1/tasks?{query}{cursor}")
        answer = server.call("GET", f"/v1/tasks?limit={step}{cursor}", token, expect=200).json()
        if not answer["next_cursor"]:
            raise procs.Failed(f"{server.name}: too few tasks for {PAGES} pages")
        cursor = "&cursor=" + answer["next_cursor"]
    return paths


def prepare_pages(server):
    """Lists that were not asked before. Only Taskhold keeps lists: the others may as well be asked for one and the same."""
    if server.name == "taskhold":
        server.pager = register(server, "dora")
        create_tasks(server, server.pager, PAGES + 20)
        write_paths(server, pages(server, server.pager, 1))
    else:
        server.pager = server.reader
        write_paths(server, [LIST_PATH])


def launch_taskhold(server, binary, **settings):
    env = {"THREADS": "1", "RATE_LIMIT": "off", "LOG_LEVEL": "warn",
           "USER_TASKS_MOST": "1000000000", "USER_BYTES_MOST": str(1 << 40), **settings}
    server.launch([binary, "serve", "--host", client.HOST, "--port", str(server.port),
                   "--database", server.database], env)


def start_taskhold(folder, binary, **settings):
    server = Server("taskhold", folder)
    launch_taskhold(server, binary, **settings)
    client.wait_ready(server.port, server.process)
    return server


def start_flask(folder):
    server = Server("flask", folder)
    env = {"DATABASE": server.file("flask.db"), "SECRET_KEY": secrets.token_hex(32)}
    server.launch(["/usr/bin/python3", "-m", "gunicorn", "--config", "gunicorn.conf.py",
                   "--bind", f"{client.HOST}:{server.port}", "app:app"],
                  env, os.path.join(BENCH, "flask"))
    client.wait_ready(server.port, server.process)
    return server


def start_fastify(folder):
    server = Server("fastify", folder)
    server.launch(["node", "server.js", str(server.port), server.file("fastify.db")],
                  {"NODE_ENV": "production"}, os.path.join(BENCH, "fastify"))
    client.wait_ready(server.port, server.process)
    return server


def record_answers(model, folder):
    """The bytes that model answers to each case, for the bare server: [start of request, file, …]."""
    login = {"email": "cleo@example.com", "password": PASSWORD}
    calls = (
        ("GET /v1/tasks/", "read", "GET", "/v1/tasks/" + model.read_ids[0], model.reader, None),
        ("GET /v1/tasks?", "list", "GET", LIST_PATH, model.reader, None),
        ("POST /v1/tasks", "create", "POST", "/v1/tasks", model.writer, {"title": TITLE}),
        ("PATCH ", "patch", "PATCH", "/v1/tasks/" + model.patch_ids[0], model.writer, {"title": TITLE + "."}),
        ("POST /v1/auth", "login", "POST", "/v1/auth/login", None, login),
    )
    arguments = []
    for start, name, method, path, token, body in calls:
        answer = model.call(method, path, token, body)
        if answer.status not in (200, 201):
            raise procs.Failed(f"{model.name}: {method} {path} answered {answer.status}")
        file = os.path.join(folder, name + ".http")
        with open(file, "wb") as out:
            out.write(answer.raw)
        arguments += [start, file]
    return arguments


def start_bare(folder, binary, model):
    """The bare server, which answers what model, a prepared server, answers."""
    server = Server("bare", folder)
    server.launch([binary, str(server.port), *record_answers(model, server.folder)])
    client.wait_ready(server.port, server.process)
    server.reader, server.writer = model.reader, model.writer
    prepare_pages(server)
    server.read_ids, server.patch_ids = model.read_ids, model.patch_ids
    return server
