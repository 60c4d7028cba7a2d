# SPDX-License-Identifier: MIT
"""What the service says about itself."""
import contextlib
import http.client
import json
import re
import socket

import pytest
import yaml

from support.contract import ROWS
from support.paths import DESCRIPTION, ROOT
from support.server import run


def test_root(client):
    body = client.get("/").expect(200).json
    assert body["name"] == "taskhold"
    for link in body["links"].values():
        client.get(link).expect(200)
    version = run("version")
    assert version.returncode == 0 and body["version"] in version.stdout


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/health"])
def test_liveness(client, path):
    assert client.get(path).expect(200).json == {"status": "ok"}


def test_readiness(client):
    body = client.get("/readyz").expect(200).json
    assert body["status"] == "ok" and set(body["checks"].values()) == {"ok"} and len(body["checks"]) >= 3


def test_the_files_are_those_of_the_repository(client):
    answer = client.get("/openapi.yaml").expect(200)
    assert answer.body == DESCRIPTION.read_bytes()
    assert client.get("/openapi.json").expect(200).json == yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    collection = ROOT / "postman" / "taskhold.postman_collection.json"
    assert client.get("/postman.json").expect(200).json == json.loads(collection.read_text(encoding="utf-8"))


def test_the_description_for_tools_that_read_openapi_3_0(client):
    described, old = (client.get(path).expect(200).json for path in ("/openapi.json", "/openapi-3.0.json"))
    assert old["openapi"] == "3.0.3"
    calls = {(path, method, call["operationId"], *call["responses"]) for path, item in described["paths"].items()
             for method, call in item.items() if method != "parameters"}
    assert calls == {(path, method, call["operationId"], *call["responses"]) for path, item in old["paths"].items()
                     for method, call in item.items() if method != "parameters"}
    assert old["components"]["schemas"].keys() == described["components"]["schemas"].keys()
    text = json.dumps(old)
    assert '"null"' not in text and '"const"' not in text
    assert old["components"]["schemas"]["TaskItemDescription"]["nullable"] is True


def test_the_documentation_page_asks_nobody_else(client):
    answer = client.get("/docs").expect(200)
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe-eval" not in policy and "http" not in policy
    page = answer.body.decode("utf-8")
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page), "a link to somebody else's server"
    assert "/openapi" in page


@pytest.mark.parametrize("code", sorted(ROWS))
def test_every_problem_has_a_page(client, code):
    answer = client.get(f"/problems/{code}").expect(200)
    page = answer.body.decode("utf-8")
    status, title = ROWS[code]
    assert answer.headers["Content-Type"].startswith("text/html")
    assert code in page and str(status) in page and title in page
    assert "Content-Security-Policy" in answer.headers


def test_a_problem_nobody_knows(client):
    client.get("/problems/no_such_problem").expect(404, "not_found")


def test_outside_v1_a_query_is_ignored(client):
    for path in ("/", "/livez", "/docs", "/openapi.json", "/problems/not_found"):
        client.get(f"{path}?utm_source=x&utm_source=y&empty=").expect(200)


def test_the_public_pages_may_be_cached_but_not_mistaken(client):
    for path in ("/openapi.json", "/openapi-3.0.json", "/openapi.yaml", "/postman.json"):
        answer = client.get(path).expect(200)
        assert answer.etag and "no-store" not in (answer.headers.get("Cache-Control") or "")


def test_localhost_is_both_families(start_server):
    server = start_server(env={"HOST": "localhost", "THREADS": "2"})
    hosts = ["127.0.0.1"]
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        hosts.append("::1")
    for host in hosts:
        for _ in range(4):
            connection = http.client.HTTPConnection(host, server.port, timeout=20)
            connection.request("GET", "/livez")
            assert connection.getresponse().status == 200
            connection.close()
