# SPDX-License-Identifier: MIT
"""Export, import and move of every resource that has a descriptor, from the engine under test to SQLite."""
import json

from resources import RESOURCES
from support.server import environment, run


def fill(user):
    """Items with every value, changes of some, and a deletion of each resource."""
    client = user.client.copy()
    client.checked = False
    for resource in RESOURCES:
        items = [client.post(resource.path, resource.whole(number)).expect(201).json for number in range(8)]
        for number, item in enumerate(items[:4]):
            client.patch(f"{resource.path}/{item['id']}", resource.whole(number + 3)).expect(200)
        client.delete(f"{resource.path}/{items[-1]['id']}").expect(204)
    client.close()


def exported(server, database):
    """All that a database holds, as lines."""
    done = run("export", cwd=server.directory, env=database)
    assert done.returncode == 0, done
    return done.stdout


def test_there_and_elsewhere(start_server, make_user):
    """The lines come back byte for byte, and a move finds both databases the same."""
    server = start_server()
    fill(make_user(server))
    lines = exported(server, server.database)
    header, *rows = [json.loads(line) for line in lines.split("\n")[:-1]]
    assert {resource.collection: header[resource.collection] for resource in RESOURCES} == \
        {resource.collection: 7 for resource in RESOURCES}
    befores = [row["before"] for row in rows if row["type"] == "change" and row["verb"] == "delete"]
    assert len(befores) == len(RESOURCES) and all(
        set(before) >= {member.name for member in resource.members} for before, resource in zip(befores, RESOURCES))
    (server.directory / "lines").write_text(lines)
    copies = [{"DATABASE_URL": f"sqlite:{server.directory}/{name}.db"} for name in ("imported", "moved", "again")]
    assert run("import", "lines", cwd=server.directory, env=copies[0]).returncode == 0
    assert exported(server, copies[0]) == lines
    server.terminate()
    url = environment(server.database).get("DATABASE_URL") or f"sqlite:{server.directory}/data/taskhold.db"
    for origin, target in [(url, copies[1]["DATABASE_URL"]), (copies[1]["DATABASE_URL"], copies[2]["DATABASE_URL"])]:
        done = run("move", "--from", origin, "--to", target, cwd=server.directory)
        assert done.returncode == 0, done
    assert run("move", "--compare", "--from", url, "--to", copies[2]["DATABASE_URL"]).returncode == 0
    assert exported(server, copies[2]) == lines


def test_back_into_the_engine_under_test(start_server, make_user, tmp_path):
    """What came from SQLite, or from PostgreSQL, is the same in the other."""
    source = start_server({"DATABASE_URL": f"sqlite:{tmp_path}/source.db"})
    fill(make_user(source))
    source.terminate()
    lines = exported(source, {"DATABASE_URL": f"sqlite:{tmp_path}/source.db"})
    (tmp_path / "lines").write_text(lines)
    empty = start_server()
    empty.terminate()
    done = run("import", str(tmp_path / "lines"), cwd=empty.directory, env=empty.database)
    assert done.returncode == 0, done
    assert exported(empty, empty.database) == lines
