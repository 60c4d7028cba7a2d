# SPDX-License-Identifier: MIT
"""The files that the embedded engine keeps beside one another."""
import stat

from support.client import Client
from support.server import run


def test_without_a_secret_one_is_made_and_kept(start_server, make_user):
    server = start_server(env={"JWT_SECRET": None})
    user = make_user(server)
    made = server.directory / "data" / "taskhold.db.jwt-secret"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600 and len(made.read_text().strip()) >= 43
    server.restart()
    user.client.get("/v1/me").expect(200)


def test_files_are_for_the_owner_only(start_server, make_user):
    server = start_server()
    make_user(server).task()
    files = [path for path in (server.directory / "data").iterdir()]
    assert files and all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in files), files
    assert stat.S_IMODE((server.directory / "data").stat().st_mode) & 0o077 == 0


def test_changing_the_secret_logs_nobody_out(start_server, make_user):
    """The steps of docs/operations.md: the old file becomes the previous secret, a new one is made."""
    server = start_server(env={"JWT_SECRET": None})
    user = make_user(server)
    made = server.directory / "data" / "taskhold.db.jwt-secret"
    old = made.with_name(made.name + ".previous")
    server.terminate()
    made.rename(old)
    server.env["JWT_SECRET_PREVIOUS_FILE"] = str(old)
    server.start()
    assert made.read_text() != old.read_text()
    user.client.get("/v1/me").expect(200)
    answer = user.anonymous.post("/v1/auth/refresh", {"refresh_token": user.token["refresh_token"]}).expect(200)
    server.restart(env={"JWT_SECRET_PREVIOUS_FILE": None})
    user.client.get("/v1/me").expect(401)
    user.client.copy(answer.json["access_token"]).get("/v1/me").expect(200)


def test_a_second_process_on_the_same_file_is_refused(start_server):
    server = start_server()
    database = f"sqlite:{server.directory / 'data' / 'taskhold.db'}"
    done = run("serve", "--port", "0", "--database", database, cwd=server.directory)
    assert done.returncode in (1, 78) and done.stderr.strip()
    Client(server).get("/readyz").expect(200)
