# SPDX-License-Identifier: MIT
"""Under a prefix of every path: PUBLIC_URL."""
import json
import re
import urllib.parse

import pytest

from support.client import Client

PREFIX = "/apps/todo"
BASE = f"https://example.com{PREFIX}"
PLAIN_LINK = re.compile(r"\]\(/(?!apps/todo/)")
LINK = re.compile(r'<([^>]+)>; rel="next"')


@pytest.fixture(scope="module")
def public(request):
    """A server that clients reach under a prefix, which a proxy may take away or not."""
    from support.server import Server
    server = Server({"PUBLIC_URL": BASE + "/"})
    request.addfinalizer(server.stop)
    return server


@pytest.fixture(params=["", PREFIX])
def client(public, request):
    """Asks without or with the prefix. What the paths of problems look like is checked here."""
    client = Client(public, checked=False)
    client.prefix = request.param
    return client


def account(client):
    """Registers and logs in; answers the access token."""
    body = {"email": f"someone{len(client.prefix)}@example.com", "password": "correct horse battery staple"}
    made = client.post(client.prefix + "/v1/auth/register", body)
    assert made.status == 409 or made.headers["Location"] == PREFIX + "/v1/me"
    return client.post(client.prefix + "/v1/auth/login", body).expect(200).json["access_token"]


def test_what_an_answer_names_stands_under_the_prefix(client):
    token = account(client)
    for title in ("one", "two", "three"):
        made = client.post(client.prefix + "/v1/tasks", {"title": title}, token=token).expect(201)
        assert made.headers["Location"] == f"{PREFIX}/v1/tasks/{made.json['id']}"
        assert client.get(made.headers["Location"], token=token).expect(200).json == made.json
    for _ in range(2):
        page = client.get(client.prefix + "/v1/tasks?limit=2", token=token).expect(200)
        link = LINK.fullmatch(page.headers["Link"]).group(1)
        assert link.startswith(PREFIX + "/v1/tasks?") and client.get(link, token=token).expect(200).json["items"]
    links = client.get(client.prefix + "/").expect(200).json["links"]
    assert all(path.startswith(PREFIX + "/") and client.get(path).expect(200) for path in links.values())


def test_problems_name_themselves_under_the_prefix(client):
    for path, status in (("/nowhere", 404), ("/v1/tasks", 401), ("/v1//tasks", 404)):
        problem = client.get(client.prefix + path).expect(status).json
        assert problem["instance"] == PREFIX + path and problem["type"] == f"{PREFIX}/problems/{problem['code']}"
        page = client.get(problem["type"]).expect(200).body.decode()
        assert f'href="{PREFIX}/docs/page.css"' in page and f'href="{PREFIX}/docs"' in page


def test_the_documentation_loads_under_the_prefix(client):
    page = client.get(client.prefix + "/docs").expect(200).body.decode()
    named = re.findall(r'(?:href|src)="([^"]+)"', page)
    for path in named:
        url = urllib.parse.urljoin(BASE + "/docs", path)
        assert path == "data:," or url.startswith(BASE + "/")
        if path != "data:,":
            client.get(url[len("https://example.com"):], headers={"Accept-Encoding": "gzip"}).expect(200)
    script = client.get(PREFIX + "/docs/init.js").expect(200).body.decode()
    assert f"'{PREFIX}/openapi.json'" in script and "'/openapi" not in script


def test_the_description_names_the_public_url(client):
    for name in ("openapi.json", "openapi-3.0.json"):
        described = client.get(f"{client.prefix}/{name}").expect(200).json
        assert described["servers"][0]["url"] == BASE
        assert PLAIN_LINK.search(json.dumps(described)) is None
    yaml = client.get(client.prefix + "/openapi.yaml").expect(200).body.decode()
    assert f"servers:\n  - url: {BASE}\n" in yaml and PLAIN_LINK.search(yaml) is None
    collection = client.get(client.prefix + "/postman.json").expect(200).json
    assert {v["key"]: v["value"] for v in collection["variable"]}["base_url"] == BASE


def test_without_the_setting_nothing_is_rewritten(server):
    plain = Client(server)
    assert plain.get("/openapi.json").json["servers"][0]["url"] == "/"
    plain.get(PREFIX + "/livez").expect(404)
    assert plain.get("/").json["links"]["docs"] == "/docs"
