# SPDX-License-Identifier: MIT
"""Methods, paths, media types, HEAD, OPTIONS, CORS."""
import uuid

import pytest

from support.client import Client
from support.openapi import description
from support.raw import exchange
from support.server import Server
from support.waiting import wait_until

TASK = "/v1/tasks/01a203ca-194b-77a5-8c00-000000000003"
PATHS = sorted({op.path for op in description().operations})
ORIGIN = "https://app.example.com"
ORIGINS = [ORIGIN, "http://localhost:5173", "capacitor://localhost", "tauri://localhost", "app://-"]
EXPOSED = {"etag", "link", "location", "x-request-id", "retry-after", "ratelimit", "ratelimit-policy", "allow",
           "idempotency-replayed", "content-disposition", "date", "www-authenticate", "accept-patch",
           "accept-encoding"}


def concrete(path):
    """A path with its parameter filled in."""
    return path.replace("{id}", "01a203ca-194b-77a5-8c00-000000000003").replace("{code}", "not_found") \
        .replace("{file}", "page.css").replace("{name}", "home")


def allowed(path):
    """What Allow lists for a path of the description."""
    methods = {op.method for op in description().operations if op.path == path} | {"OPTIONS"}
    return methods | ({"HEAD"} if "GET" in methods else set())


def methods_of(answer):
    """The methods of an Allow field."""
    return {method.strip() for method in answer.headers["Allow"].split(",")}


@pytest.mark.parametrize("path", PATHS)
def test_other_methods_are_405(client, path):
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} - allowed(path):
        answer = client.request(method, concrete(path)).expect(405)
        assert methods_of(answer) == allowed(path)
        assert method == "HEAD" or answer.code == "method_not_allowed"
        assert method == "HEAD" or answer.headers["Allow"] in answer.json["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_options_lists_the_methods(client, path):
    assert methods_of(client.request("OPTIONS", concrete(path)).expect(204)) == allowed(path)


def test_options_of_the_server(server, client):
    answer = exchange(server, b"OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n").expect(204)
    assert {"GET", "OPTIONS"} <= methods_of(answer)
    client.request("OPTIONS", "/nowhere").expect(404)


@pytest.mark.parametrize("method", [b"FOO", b"TRACE", b"CONNECT", b"get", b"PROPFIND", b"GETX", b"G"])
def test_unknown_methods(server, method):
    answer = exchange(server, method + b" /v1/tasks HTTP/1.1\r\nHost: t\r\n\r\n")
    assert answer.status in (501, 405, 400) and (method != b"FOO" or answer.status == 501)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/tasks/", "/v1/me/", TASK + "/", "/livez/", "/v1", "/v1/", "/v2/tasks",
                                  "/V1/tasks", "/v1/Tasks", "//v1/tasks", "/v1//tasks", "/v1/tasks/x/y",
                                  "/problems", "/problems/nothing_known", "/problems/", "/favicon.ico", "/.env",
                                  "/v1/auth", "/v1/tasksx", "/index.html", "/v1/./tasks", "/v1/x/../tasks", "/..",
                                  "/%2e%2e/livez", "/v1/tasks/..", "/v1/tasks//"])
def test_what_is_no_path_is_404(client, user, path):
    client.get(path).expect(404, "not_found")
    user.client.get(path).expect(404, "not_found")


@pytest.mark.parametrize("path", ["/v1/%74asks", "/%76%31/tasks"])
def test_a_path_is_decoded_once(user, path):
    user.client.get(path).expect(200)
    user.client.get(path.replace("%", "%25")).expect(404)


@pytest.mark.parametrize("path", ["/v1/tasks%00", "/v1%2ftasks", "/v1/tasks/%ff", "/v1/%zz", "/%", "/v1/tasks/..%2f"])
def test_doubtful_paths_are_refused(user, path):
    assert user.client.get(path).status in (400, 404)


@pytest.mark.parametrize("path", [p for p in PATHS if "GET" in allowed(p)])
def test_head_is_get_without_a_body(user, path):
    made = {"/v1/tasks/{id}": ("/v1/tasks", {"title": "x"}), "/v1/lists/{id}": ("/v1/lists", {"name": "x"})}
    beginning = next((one for one in made if path.startswith(one)), None)
    if beginning:
        path = path.replace("{id}", user.client.post(*made[beginning]).expect(201).json["id"])
    path = concrete(path)
    get, head = user.client.get(path), user.client.head(path)
    assert head.status == get.status == 200
    for name in ("Content-Length", "Content-Type", "ETag", "Cache-Control", "Link"):
        assert head.headers.get(name) == get.headers.get(name), name
    if "Transfer-Encoding" in get.headers:
        assert head.headers["Transfer-Encoding"] == get.headers["Transfer-Encoding"] and get.body
    else:
        assert int(head.headers["Content-Length"]) == len(get.body) > 0


def test_head_of_an_error(user):
    for path in ("/nowhere", TASK, "/v1/tasks?limit=0"):
        get, head = user.client.get(path), user.client.head(path)
        assert head.status == get.status >= 400 and head.headers["Content-Type"] == get.headers["Content-Type"]


BODY = b'{"title":"x"}'
ACCEPTED = ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8",
            'Application/JSON; charset="utf-8"', "application/json;", "application/json;charset=utf8",
            'application/json; charset="UTF8";', None]
REFUSED = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
           "application/json; charset=utf-16", "application/json; charset=latin1", "text/json", "application/jsonx",
           "application/merge-patch+json", "application/problem+json", "json", "*/*", "application/json, text/plain"]


@pytest.mark.parametrize("media", ACCEPTED)
def test_accepted_media_types(user, media):
    user.client.post("/v1/tasks", body=BODY, headers={"Content-Type": media}).expect(201)


@pytest.mark.parametrize("media", REFUSED)
def test_refused_media_types(user, media):
    answer = user.client.post("/v1/tasks", body=BODY, headers={"Content-Type": media})
    detail = answer.expect(415, "unsupported_media_type").json["detail"]
    assert "application/json" in detail and ("charset" if "charset" in media else "type") in detail


@pytest.mark.parametrize("method, path", [("PUT", TASK), ("POST", "/v1/auth/login"), ("PUT", "/v1/me/password"),
                                          ("POST", "/v1/auth/register"), ("PATCH", TASK), ("PATCH", "/v1/me")])
def test_every_call_with_a_body_wants_json(user, method, path):
    answer = user.client.request(method, path, body=BODY, headers={"Content-Type": "text/plain"})
    answer.expect(415, "unsupported_media_type")
    assert method != "PATCH" or "merge-patch" in answer.json["detail"]


def test_patch_takes_a_merge_patch(user):
    path = f"/v1/tasks/{user.task()['id']}"
    for media in ("application/merge-patch+json", "application/merge-patch+json; charset=utf-8", "application/json"):
        user.client.patch(path, body=BODY, headers={"Content-Type": media}).expect(200)
    user.client.put(path, body=BODY, headers={"Content-Type": "application/merge-patch+json"}).expect(415)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x"])
def test_content_codings_are_refused(user, coding):
    answer = user.client.post("/v1/tasks", body=BODY, headers={"Content-Encoding": coding}).expect(415)
    assert "Content-Encoding" in answer.json["detail"]
    user.client.post("/v1/tasks", body=BODY, headers={"Content-Encoding": "identity"}).expect(201)


GOOD_ACCEPT = ["*/*", "application/*", "application/json", "text/html, application/json;q=0.1", "text/*, */*;q=0.5",
               "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;q=1.0",
               "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/problem+json, */*",
               "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "*", "text/html, *;q=.1"]
BAD_ACCEPT = ["text/html", "text/*", "application/xml", "application/json;q=0", "*/*;q=0", "application/*;q=0.000",
              "application/json;q=0, */*", "image/png, text/plain"]


@pytest.mark.parametrize("accept", GOOD_ACCEPT)
def test_accept_that_fits(user, accept):
    user.client.get("/v1/tasks", headers={"Accept": accept}).expect(200)


@pytest.mark.parametrize("accept", BAD_ACCEPT)
def test_accept_that_excludes_json(user, accept):
    answer = user.client.get("/v1/tasks", headers={"Accept": accept}).expect(406, "not_acceptable")
    assert "application/json" in answer.json["detail"]
    before = user.client.get("/v1/tasks?include=total").json["total"]
    user.client.post("/v1/tasks", {"title": "x"}, headers={"Accept": accept}).expect(406, "not_acceptable")
    assert user.client.get("/v1/tasks?include=total").json["total"] == before


def test_accept_fits_each_resource(client):
    cases = [("/docs", "text/html", "application/json"), ("/problems/not_found", "text/html", "application/json"),
             ("/openapi.yaml", "application/yaml", "text/html"), ("/", "application/json", "text/html")]
    for path, good, bad in cases:
        client.get(path, headers={"Accept": good}).expect(200)
        client.get(path, headers={"Accept": bad}).expect(406, "not_acceptable")


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/health", "/readyz"])
def test_probes_ignore_accept(client, path):
    answer = client.get(path, headers={"Accept": "text/html"}).expect(200)
    assert "Accept" not in (answer.headers["Vary"] or "")


@pytest.mark.parametrize("path, fields", [
    ("/", {"Accept"}), ("/v1/tasks", {"Accept", "Authorization"}), ("/docs/page.css", {"Accept"}),
    ("/v1/tasks?x=1", {"Accept", "Authorization"})])
def test_vary_names_what_the_answer_depends_on(user, path, fields):
    for headers in ({}, {"Accept": "image/png"}, {"Authorization": None}):
        answer = user.client.get(path, headers={"Accept-Encoding": "gzip", **headers})
        assert {name.strip() for line in answer.headers.get_all("Vary") for name in line.split(",")} == fields


def test_a_body_that_a_call_does_not_take_is_refused(user):
    path = f"/v1/tasks/{user.task()['id']}"
    for method, where in (("GET", path), ("DELETE", path), ("GET", "/v1/me"), ("GET", "/v1/tasks"), ("GET", "/docs")):
        answer = user.client.request(method, where, body=b"{}").expect(422, "validation_failed")
        assert answer.errors == {("", "not_allowed")} and "no body" in answer.json["detail"]
    user.client.get(path).expect(200)
    user.client.get("/livez", body=b"{}").expect(200)


def test_no_accept_is_any(server, user):
    head = f"GET /v1/tasks HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {user.client.token}\r\n\r\n"
    exchange(server, head.encode()).expect(200)


def test_without_a_body_the_content_type_does_not_matter(user):
    user.client.get("/v1/me", headers={"Content-Type": "text/plain"}).expect(200)
    path = f"/v1/tasks/{user.task()['id']}"
    user.client.delete(path, headers={"Content-Type": "text/plain"}).expect(204)


@pytest.mark.parametrize("sent, kept", [("checkout-42", True), ("a" * 64, True), ("A.b_c-9", True), ("a" * 65, False),
                                        ("", False), ("a b", False), ("a/b", False), ("ä", False), ("a;b", False)])
def test_request_ids(client, sent, kept):
    for path in ("/livez", "/nowhere"):
        answer = client.get(path, headers={"X-Request-Id": sent})
        assert (answer.headers["X-Request-Id"] == sent) == kept


def test_made_request_ids_differ(client):
    assert len({client.get("/livez").headers["X-Request-Id"] for _ in range(20)}) == 20


# ---- CORS ----

@pytest.fixture(scope="module")
def cors():
    """A client of a server that trusts two origins."""
    server = Server({"CORS_ORIGINS": ",".join(ORIGINS)})
    yield Client(server)
    server.stop()


def preflight(client, origin, path="/v1/tasks", method="POST"):
    """What a browser asks first."""
    return client.request("OPTIONS", path, headers={
        "Origin": origin, "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers":
        "authorization,content-type,if-match,if-none-match,idempotency-key,x-request-id"}).expect(204)


@pytest.mark.parametrize("origin", ORIGINS)
def test_preflight_of_a_trusted_origin(cors, origin):
    answer = preflight(cors, origin)
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    names = answer.headers["Access-Control-Allow-Headers"].lower()
    for name in ("authorization", "content-type", "if-match", "if-none-match", "idempotency-key", "x-request-id"):
        assert name in names
    assert "Origin" in answer.headers["Vary"]
    assert preflight(cors, origin, f"/v1/tasks/{uuid.uuid4()}", "DELETE").status == 204


@pytest.mark.parametrize("path, method", [("/nowhere", "GET"), ("/livez", "DELETE"), ("/v1/tasks/x", "PATCH")])
def test_a_preflight_is_never_refused(cors, path, method):
    asked = "traceparent, baggage,sentry-trace,cache-control,X-Of-An-App"
    answer = cors.request("OPTIONS", path, headers={
        "Origin": ORIGIN, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": asked}).expect(204)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Headers"] == asked
    assert {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} == \
        set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert "Access-Control-Request-Headers" in ",".join(answer.headers.get_all("Vary"))


@pytest.mark.parametrize("asked", ["a b", "x,,y", "é".encode().decode("latin-1"), "x" * 3000, "", "x: y"])
def test_names_of_fields_that_are_none_are_not_repeated(cors, asked):
    answer = cors.request("OPTIONS", "/v1/tasks", headers={
        "Origin": ORIGIN, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": asked}).expect(204)
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"].split(", ")


def test_vary_without_an_origin(cors):
    for path in ("/livez", "/nowhere", "/v1/tasks"):
        assert "Origin" in cors.get(path).headers["Vary"]


def test_an_answer_to_a_trusted_origin(cors):
    for path in ("/livez", "/v1/tasks", "/nowhere"):
        answer = cors.get(path, headers={"Origin": ORIGIN})
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN and "Origin" in answer.headers["Vary"]
        exposed = answer.headers["Access-Control-Expose-Headers"].lower()
        assert {name.strip() for name in exposed.split(",")} == EXPOSED
    assert answer.headers.get("Access-Control-Allow-Credentials") is None


@pytest.mark.parametrize("origin", ["https://evil.example", ORIGIN + ".evil.example", "null", ORIGIN.upper(),
                                    "http://app.example.com", ORIGIN + ":8443", ORIGIN + "/", "*"])
def test_no_other_origin_is_trusted(cors, origin):
    for answer in (preflight(cors, origin), cors.get("/livez", headers={"Origin": origin})):
        assert answer.headers.get("Access-Control-Allow-Origin") is None


def test_by_default_no_origin_is_trusted(start_server):
    server = start_server()
    client = Client(server)
    client.get("/livez", headers={"Origin": f"http://{server.host}:{server.port}", "Host": f"{server.host}:{server.port}"})
    client.get("/livez").expect(200)
    for answer in (preflight(client, ORIGIN), client.get("/livez", headers={"Origin": ORIGIN})):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    wait_until(lambda: "origin_refused" in server.log_text(), what="the line in the log")
    told = [line for line in server.log_text().splitlines() if "origin_refused" in line]
    assert len(told) == 1 and ORIGIN in told[0] and "CORS_ORIGINS" in told[0], "once, and not of the server's own pages"
