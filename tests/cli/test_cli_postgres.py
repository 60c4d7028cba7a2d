# SPDX-License-Identifier: MIT
"""The operator's commands on PostgreSQL: accounts, export and import, and what they have in common with SQLite."""
import json
import os
import subprocess

import pytest

from test_cli_export import check_old

from support import cluster
from support.accounts import PASSWORD
from support.client import Client
from support.commands import refused, taskhold
from support.paths import SCHEMA, binary
from support.server import environment, run
from support.waiting import wait_until

if cluster.missing():
    pytest.skip(cluster.missing(), allow_module_level=True)

EMAIL = "Ann@Example.org"
OTHER = "another long pass phrase"


@pytest.fixture
def filled(start_server, make_user):
    """A server on SQLite with two accounts, tasks of every kind and deletions; and the first of the two."""
    server = start_server()
    users = [make_user(server) for _ in range(2)]
    for user in users:
        for status in ("pending", "in-progress", "completed"):
            for text in ("plain", "é\u4e2d\U0001f600", "a\u2028b \\ \" /", "x" * 1024):
                user.task(text, status=status, description=None if status == "pending" else text + "\n\ttab")
        for number in range(3):
            gone = user.task(f"Deleted {number}")
            user.client.delete(f"/v1/tasks/{gone['id']}").expect(204)
    users[1].client.patch("/v1/me", {"name": "Ada \U0001f600"}).expect(200)
    return server, users[0]


def listed(client):
    """All tasks, as they are answered."""
    return client.get("/v1/tasks?limit=100&include=total").expect(200).json


def test_the_same_bytes_from_both(filled, url, tmp_path):
    server, user = filled
    first = tmp_path / "first.jsonl"
    assert taskhold(server.directory, "export", str(first)).returncode == 0
    done = taskhold(tmp_path, "import", str(first), "--database", url)
    assert done.returncode == 0 and done.stdout == "imported 2 users, 2 spaces, 0 lists, 24 tasks, 36 changes, 6 trash\n", done
    second = tmp_path / "second.jsonl"
    assert taskhold(tmp_path, "export", str(second), "--database", url).returncode == 0
    assert second.read_bytes() == first.read_bytes()
    assert taskhold(tmp_path, "import", str(second), "--database", "sqlite:back.db").returncode == 0
    assert taskhold(tmp_path, "export", "--database", "sqlite:back.db").stdout == first.read_text()
    one = [taskhold(tmp_path, "export", "--user", user.email.upper(), "--database", where).stdout
           for where in (url, "sqlite:back.db")]
    assert one[0] == one[1] and json.loads(one[0].split("\n")[0])["tasks"] == 12
    refused(taskhold(tmp_path, "export", "--user", "nobody@example.com", "--database", url), "no account")
    refused(taskhold(tmp_path, "import", str(first), "--database", url), "holds users already")


def test_lines_that_are_wrong(filled, postgres, url, tmp_path):
    """The line is named, and nothing at all is imported."""
    server, _ = filled
    header, *rows = taskhold(server.directory, "export").stdout.split("\n")[:-1]
    rows = [json.loads(row) for row in rows]
    twin = {**rows[1], "email": rows[0]["email"].upper()}
    cases = [
        (6, {**rows[4], "space_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12}, "line 6: no line before has its space"),
        (6, {**rows[4], "revision": 10 ** 6}, "line 6: no line before has its space"),
        (7, rows[4], "line 7: the same id or e-mail"),
        (3, twin, "line 3: the same id or e-mail"),
        (3, rows[0], "line 3: the same id or e-mail"),
        (6, {**rows[4], "title": " "}, "line 6: not a good value for title"),
    ]
    path = tmp_path / "wrong.jsonl"
    for number, row, says in cases:
        lines = [header, *map(json.dumps, rows)]
        lines[number - 1] = json.dumps(row)
        path.write_text("\n".join(lines) + "\n")
        refused(taskhold(tmp_path, "import", str(path), "--database", url), says)
    assert postgres.rows("SELECT count(*) FROM users", url.rpartition("/")[2]) == [["0"]]
    refused(taskhold(tmp_path, "export", "--database", url.rpartition("/")[0] + "/nowhere"), "does not exist")


def test_an_export_of_0_2_0(start_server, url, tmp_path):
    """The same as on SQLite."""
    (tmp_path / "other").mkdir()
    assert check_old(start_server, tmp_path, url) == check_old(start_server, tmp_path / "other", "sqlite:new.db")


def test_nobody_is_logged_out_by_a_move(filled, url, start_server, tmp_path):
    """Tokens, idempotency keys and lists are as they were, there and back."""
    server, user = filled
    before = listed(user.client)
    repeated = {"Idempotency-Key": "once-only"}
    made = user.client.post("/v1/tasks", {"title": "Once"}, headers=repeated).expect(201).json
    server.terminate()
    source = f"sqlite:{server.directory}/data/taskhold.db"
    for origin, target in [(source, url), (url, f"sqlite:{tmp_path}/back.db")]:
        assert run("move", "--from", origin, "--to", target).returncode == 0
        moved = start_server(env={"DATABASE_URL": target})
        refused(run("move", "--from", target, "--to", f"sqlite:{tmp_path}/other.db"),
                "stop every taskhold" if target == url else "another process is using")
        client = Client(moved, user.token["access_token"])
        assert client.post("/v1/tasks", {"title": "Once"}, headers=repeated).expect(201).json == made
        found = listed(client)
        assert found["total"] == before["total"] + 1
        assert [item for item in found["items"] if item["id"] != made["id"]] == before["items"]
        body = {"refresh_token": user.token["refresh_token"]}
        user.token = Client(moved).post("/v1/auth/refresh", body).expect(200).json
        moved.terminate()


def test_accounts(url, start_server, tmp_path):
    """Each verb beside two servers, which see it at once; and nothing is left of the socket."""
    (tmp_path / "place").mkdir()
    env = {"DATABASE_URL": url, "TMPDIR": str(tmp_path / "place")}

    def user(*args, stdin=None, status=0):
        done = taskhold(tmp_path, "user", *args, env=env, stdin=stdin)
        assert done.returncode == status, done
        return done

    assert user("list").stdout == ""
    servers = [start_server(env={"DATABASE_URL": url}) for _ in range(2)]
    assert user("add", EMAIL, "--name", "Ann", stdin=PASSWORD + "\n").stdout == f"added {EMAIL}\n"
    assert "exists" in user("add", EMAIL.lower(), stdin=PASSWORD + "\n", status=1).stderr
    assert user("list").stdout.startswith(f"{EMAIL}\tactive\t")
    login = {"email": EMAIL, "password": PASSWORD}
    token = Client(servers[0]).post("/v1/auth/login", login).expect(200).json["access_token"]
    clients = [Client(server, token) for server in servers]
    for client in clients:
        client.get("/v1/me").expect(200)
    user("disable", EMAIL)
    for client in clients:
        wait_until(lambda one=client: one.get("/v1/me").status == 401, 2, "the end of the session")
    Client(servers[1]).post("/v1/auth/login", login).expect(401, "invalid_credentials")
    assert json.loads(user("list", "--json").stdout)[0]["disabled_at"]
    user("enable", EMAIL)
    Client(servers[1]).post("/v1/auth/login", login).expect(200)
    user("passwd", EMAIL, stdin=OTHER + "\n")
    Client(servers[0]).post("/v1/auth/login", login).expect(401, "invalid_credentials")
    Client(servers[0]).post("/v1/auth/login", {**login, "password": OTHER}).expect(200)
    assert "no account" in user("delete", "nobody@example.com", "--yes", status=1).stderr
    user("delete", EMAIL, "--yes")
    assert user("list").stdout == ""
    assert not list((tmp_path / "place").iterdir())
    assert "TMPDIR" in taskhold(tmp_path, "user", "list", env={**env, "TMPDIR": str(tmp_path / "nowhere")}).stderr


def doctor(url, env=None):
    """Its exit status and its findings: check -> (level, finding)."""
    done = run("doctor", "--json", "--port", "0", "--database", url, env=env)
    report = json.loads(done.stdout)
    return done.returncode, {one["check"]: (one["level"], one["finding"]) for one in report["checks"]}


def test_doctor(postgres, url):
    """What is good in a server that was made for tests, what is not, and one change after the other."""
    name = url.rpartition("/")[2]
    status, found = doctor(url)
    assert status == 0 and set(found) == {
        "settings", "database", "postgres", "schema", "durability", "standby", "connections", "server-clock", "threads", "time-zones", "tls",
        "secret", "clock", "descriptors", "sandbox", "address", "quotas", "proxies"}
    assert found["durability"][0] == "warning" and "fsync is off" in found["durability"][1]
    assert found["schema"] == ("warning", f"0 of {SCHEMA}: run taskhold migrate, or serve")
    assert not postgres.rows("SELECT 1 FROM pg_tables WHERE schemaname = 'public'", name)
    assert all(found[check][0] == "ok" for check in found.keys() - {"durability", "schema", "descriptors", "sandbox", "quotas"}), found
    assert taskhold(".", "migrate", "--database", url).returncode == 0
    assert doctor(url)[1]["schema"] == ("ok", f"{SCHEMA}, the newest")
    for change, back, check, says in [
            ("UPDATE taskhold_schema SET version = 99", "UPDATE taskhold_schema SET version = 1", "schema", "newer"),
            ("CREATE TABLE unfinished_move ()", "DROP TABLE unfinished_move", "schema", "was not finished")]:
        postgres.psql(change, name)
        status, found = doctor(url)
        assert status == 1 and found[check][0] == "error" and says in found[check][1]
        postgres.psql(back, name)
    status, found = doctor(url, env={"DATABASE_POOL": "64", "THREADS": "2"})
    assert status == 0 and found["connections"][0] == "warning" and "would use 128," in found["connections"][1]
    for address in ("postgres://127.0.0.1:1/d", url + "-missing"):
        status, found = doctor(address)
        assert status == 1 and found["database"][0] == "error" and "DATABASE_URL" in found["database"][1]
    postgres.psql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    assert "UTF8" in doctor(postgres.url("latin"))[1]["database"][1]


def test_backup_and_restore_name_the_commands(filled, postgres, url, tmp_path):
    """And what they name does it."""
    server, user = filled
    server.terminate()
    name = postgres.create_database()
    assert run("move", "--from", f"sqlite:{server.directory}/data/taskhold.db", "--to", url).returncode == 0
    (tmp_path / "taskhold").symlink_to(binary())
    path = os.pathsep.join([str(cluster.programs()), str(tmp_path), os.environ["PATH"]])
    for command, where, begin, end in [("backup", url, "pg_dump", " (or"),
                                       ("restore", postgres.url(name), "pg_restore", None)]:
        done = taskhold(tmp_path, command, "copy.dump", "--database", where)
        refused(done, begin, 78)
        line = done.stderr.strip()
        subprocess.run(line[line.index(begin):line.index(end) if end else None], shell=True, check=True, cwd=tmp_path,
                       env=environment({"DATABASE_URL": where, "PATH": path}))
    assert run("move", "--compare", "--from", url, "--to", postgres.url(name)).returncode == 0
    assert user.email in taskhold(tmp_path, "export", "--database", postgres.url(name)).stdout
    postgres.drop_database(name)


def test_a_database_of_an_old_form(postgres, url, tmp_path):
    """Is refused with what to do, and stays as it is."""
    name = url.rpartition("/")[2]
    postgres.psql("CREATE TABLE taskhold_schema (version integer NOT NULL); INSERT INTO taskhold_schema VALUES (1); "
                  "CREATE TABLE users (user_id uuid PRIMARY KEY, revision bigint NOT NULL); "
                  "CREATE TABLE tasks (user_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (user_id, id))", name)
    tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
    before = postgres.rows(tables, name)
    (tmp_path / "all.jsonl").write_text('{"format":"taskhold","version":3,"users":0,"spaces":0,"lists":0,"tasks":0,"changes":0,"trash":0}\n')
    for command in (["migrate"], ["serve", "--port", "0"], ["export"], ["import", "all.jsonl"], ["user", "list"],
                    ["move", "--from", url, "--to", "sqlite:new.db"]):
        where = [] if command[0] == "move" else ["--database", url]
        done = run(*command, *where, cwd=tmp_path)
        assert done.returncode == 1 and "taskhold import FILE" in done.stderr, (command, done)
    findings = json.loads(run("doctor", "--json", "--port", "0", "--database", url, cwd=tmp_path).stdout)["checks"]
    assert [one["level"] for one in findings if "taskhold import FILE" in one["finding"]] == ["error"], findings
    assert postgres.rows(tables, name) == before and not (tmp_path / "new.db").exists()
