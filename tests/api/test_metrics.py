# SPDX-License-Identifier: MIT
"""/metrics on its own listener: its format, its figures, what watches them, and what it must not show."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from support import engine
from support.accounts import PASSWORD, User
from support.client import Client
from support.commands import start_refusal
from support.metrics import histogram, metrics_of, parse, read, url_of
from support.raw import exchange
from support.server import Server, run
from support.waiting import wait_until

MONITORING = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "monitoring"
REQUESTS, DURATION = "taskhold_http_requests_total", "taskhold_http_request_duration_seconds"
ONLY_OF_A_FILE = {"taskhold_last_backup_timestamp_seconds"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
PROMTOOL = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (package prometheus) is not installed")


@pytest.fixture(scope="module")
def watched():
    """A server with quotas and a metrics listener."""
    server = Server({"METRICS_ADDR": "127.0.0.1:0", "THREADS": "2", "RATE_LIMIT": "on"})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def somebody(watched):
    """An account there."""
    return User(watched)


def grown(server, name, change, **labels):
    """By how much `change()` raises a counter."""
    before = metrics_of(server).get(name, labels)
    change()
    return metrics_of(server).get(name, labels) - before


# ---- the page ----

def test_the_page_is_in_the_text_format(watched, somebody):
    somebody.client.get("/v1/tasks").expect(200)
    status, headers, body = read(url_of(watched))
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    page = parse(body.decode())  # strict: it fails on whatever the format does not allow
    assert len(page.families) > 20
    for name, family in page.families.items():
        assert (family.type == "counter") == name.endswith("_total"), name
        assert family.type != "histogram" or name.endswith(("_seconds", "_operations")), name


@PROMTOOL
def test_promtool_finds_nothing(watched):
    page = read(url_of(watched))[2]
    result = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_prometheus_asks_like_this(watched):
    accept = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
              "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
    assert read(url_of(watched), {"Accept": accept, "Accept-Encoding": "gzip"})[0] == 200


@pytest.mark.parametrize("path, status", [("/livez", 200), ("/readyz", 200), ("/", 404), ("/v1/tasks", 404),
                                          ("/metrics/", 404), ("/docs", 404)])
def test_the_listener_answers_little_else(watched, path, status):
    assert read(url_of(watched, path))[0] == status


def test_the_public_listener_has_no_metrics(watched):
    Client(watched).get("/metrics").expect(404, "not_found")


def test_it_is_off_by_default(server):
    assert '"metrics":' not in server.log_text()


def test_every_route_has_its_series(watched):
    page = metrics_of(watched)
    rows = json.loads(run("routes", "--json").stdout)
    assert len(rows) > 20
    for row in rows:
        labels = {"route": row["path"], "method": row["method"]}
        for status in ("2xx", "3xx", "4xx", "5xx"):
            assert page.get(REQUESTS, labels | {"status": status}) >= 0
        assert page.get(DURATION + "_count", labels) >= 0


# ---- what is counted ----

def test_requests_are_counted_by_route_method_and_status(watched, somebody):
    task = somebody.task()
    path = {"route": "/v1/tasks/{id}"}
    client = somebody.client

    def get():
        for _ in range(3):
            client.get(f"/v1/tasks/{task['id']}").expect(200)
    before = metrics_of(watched).get(DURATION + "_count", path | {"method": "GET"})
    assert grown(watched, REQUESTS, get, method="GET", status="2xx", **path) == 3
    after = metrics_of(watched)
    assert after.get(DURATION + "_count", path | {"method": "GET"}) == before + 3
    assert 0 < after.get(DURATION + "_sum", path | {"method": "GET"}) < 60
    missing = f"/v1/tasks/{somebody.id}"
    assert grown(watched, REQUESTS, lambda: client.get(missing).expect(404), method="GET", status="4xx", **path) == 1
    assert grown(watched, REQUESTS, lambda: client.head(missing).expect(404), method="HEAD", status="4xx", **path) == 1
    assert grown(watched, REQUESTS, lambda: client.delete(f"/v1/tasks/{task['id']}").expect(204), method="DELETE",
                 status="2xx", **path) == 1


def test_what_has_no_route_is_counted_too(watched):
    client, none = Client(watched), {"route": "unmatched", "status": "4xx"}
    assert grown(watched, REQUESTS, lambda: client.get("/nowhere").expect(404), method="GET", **none) == 1
    assert grown(watched, REQUESTS, lambda: client.post("/livez").expect(405), method="POST", **none) == 1
    assert grown(watched, REQUESTS, lambda: exchange(watched, b"nonsense\r\n\r\n").expect(400), method="unknown",
                 **none) == 1


def test_connections_are_counted(watched):
    before = metrics_of(watched)
    name = "taskhold_http_connections"
    open_ones = []
    try:
        for _ in range(5):
            open_ones.append(Client(watched))
            open_ones[-1].get("/livez").expect(200)
        during = metrics_of(watched)
        assert during.get(name) == before.get(name) + 5
        assert during.get(name + "_accepted_total") == before.get(name + "_accepted_total") + 5
    finally:
        for client in open_ones:
            client.close()
    deadline = time.monotonic() + 10
    while metrics_of(watched).get(name) != before.get(name):
        assert time.monotonic() < deadline


def test_writes_are_counted(watched, somebody):
    before = metrics_of(watched)
    for _ in range(4):
        somebody.task()
    after = metrics_of(watched)
    batches = "taskhold_store_batch_operations"
    assert after.get(batches + "_sum") == before.get(batches + "_sum") + 4
    assert after.get(batches + "_count") - before.get(batches + "_count") in range(1, 5)
    commits = "taskhold_store_commit_duration_seconds"
    assert after.get(commits + "_count") - before.get(commits + "_count") in range(1, 5)
    assert after.get(commits + "_sum") > before.get(commits + "_sum")
    assert after.get("taskhold_store_connections" if engine.is_postgres() else "taskhold_store_wal_pages") > 0
    assert after.get("taskhold_store_queue_operations") == 0


def test_passwords_and_tokens_are_counted(watched, somebody):
    hashes, events = "taskhold_password_hash_duration_seconds_count", "taskhold_security_events_total"
    tokens = "taskhold_tokens_refused_total"
    wrong = {"email": somebody.email, "password": PASSWORD + "!"}
    client = Client(watched)
    assert grown(watched, hashes, somebody.login) == 1
    assert grown(watched, events, somebody.login, event="login_ok") == 1
    assert grown(watched, events, lambda: client.post("/v1/auth/login", wrong).expect(401), event="login_failed") == 1
    assert grown(watched, tokens, lambda: client.get("/v1/me").expect(401), reason="missing") == 1
    assert grown(watched, tokens, lambda: client.get("/v1/me", token="a.b.c").expect(401), reason="malformed") == 1
    foreign = somebody.token["access_token"][:-4] + "AAAA"
    assert grown(watched, tokens, lambda: client.get("/v1/me", token=foreign).expect(401), reason="bad_signature") == 1
    own = somebody.login_client()
    own.post("/v1/auth/logout").expect(204)
    assert grown(watched, tokens, lambda: own.get("/v1/me").expect(401), reason="session_ended") == 1


def test_throttled_requests_are_counted(start_server):
    server = start_server({"METRICS_ADDR": "127.0.0.1:0", "RATE_LIMIT": "on"})
    client = Client(server)
    statuses = [client.post("/v1/auth/refresh", {"refresh_token": "x"}).status for _ in range(62)]
    assert statuses.count(429) == 2
    assert metrics_of(server).get("taskhold_throttled_total", {"quota": "auth"}) == 2


def test_the_process_tells_of_itself(watched):
    page = metrics_of(watched)
    assert 0 < page.get("process_cpu_seconds_total") < 600
    assert 1 << 20 < page.get("process_resident_memory_bytes") < page.get("process_virtual_memory_bytes")
    assert 5 < page.get("process_open_fds") < page.get("process_max_fds")
    assert abs(page.get("process_start_time_seconds") - time.time()) < 3600
    assert page.get("taskhold_build_info", {"version": run("version").stdout.split()[1]}) == 1
    assert page.get("taskhold_log_lines_dropped_total") == 0


def test_readiness_and_the_disk_are_told(watched):
    page = metrics_of(watched)
    assert page.get("taskhold_ready") == 1 and page.get("taskhold_store_damaged") == 0
    assert {name for name in ONLY_OF_A_FILE if exists(page, name)} == (set() if engine.is_postgres() else ONLY_OF_A_FILE)
    size, free = page.get("taskhold_store_disk_bytes"), page.get("taskhold_store_disk_free_bytes")
    if engine.is_postgres():
        assert (size, free) == (0, 0)
        return
    disk = os.statvfs(watched.directory)
    assert size == disk.f_blocks * disk.f_frsize
    assert 0 < free <= size and abs(free - disk.f_bavail * disk.f_frsize) < size / 10  # others write there too


@pytest.mark.skipif(engine.is_postgres(), reason="damages a file of SQLite's")
def test_damage_is_told(start_server, make_user):
    """As soon as the server meets it; `ready` falls with it."""
    server = start_server({"METRICS_ADDR": "127.0.0.1:0"})
    user = make_user(server)
    for number in range(50):
        user.task(f"Task {number}", description="x" * 4000)
    server.terminate()
    path = server.directory / "data" / "taskhold.db"
    server.restart()
    assert metrics_of(server).get("taskhold_store_damaged") == 0
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096):  # all but the first, which holds the schema
            file.seek(page * 4096)
            file.write(b"\xee" * 4096)
    user.client.get("/v1/tasks").expect(503)
    user.client.post("/v1/tasks", {"title": "Lost?"}).expect(503)
    page = metrics_of(server)
    assert page.get("taskhold_store_damaged") == 1 and page.get("taskhold_ready") == 0
    wait_until(lambda: "database_damaged" in server.log_text(), 10, "the log's line")


def test_nobody_can_be_found_in_it(watched, somebody):
    task = somebody.task("A very secret title")
    Client(watched).get(f"/v1/tasks/{task['id']}?token=hidden", token=None).expect(401)
    Client(watched).get("/wp-login-probe").expect(404)
    page = read(url_of(watched))[2].decode()
    for hidden in (somebody.id, somebody.email, task["id"], "secret", "hidden", "wp-login", "127.0.0.1"):
        assert hidden not in page


def test_every_security_event_has_its_name(watched):
    """Those of the sources, the labels of the metric and the rows of the page are the same."""
    root = MONITORING.parents[1]
    sources = "".join(path.read_text(encoding="utf-8") for path in (root / "src" / "api").glob("*.c"))
    # In the call itself, or where the name of one is chosen.
    named = r'(?:access_event\([^"]*?LOG_\w+, |call->event = |\[STORE_USER_\w+\] = )"(\w+)"'
    logged = set(re.findall(named, sources))
    counted = {s.labels["event"] for s in metrics_of(watched).families["taskhold_security_events_total"].samples}
    text = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    table, _, others = text.partition("Of the life of the process:")
    explained = set(re.findall(r"^\| `(\w+)` \| (?:info|warn) ", table, re.M))
    assert "login_failed" in logged and "starting" in others
    assert logged == counted - {"other"} == explained


def test_every_event_of_the_log_is_explained():
    root = MONITORING.parents[1]
    sources = "".join(path.read_text(encoding="utf-8") for path in (root / "src").rglob("*.c"))
    logged = set(re.findall(r'\blog_(?:message|write|always)\(\s*LOG_\w+,\s*"(\w+)"', sources))
    explained = set(re.findall(r"`(\w+)`", (root / "docs" / "operations.md").read_text(encoding="utf-8")))
    assert len(logged) > 25 and not logged - explained


def test_every_metric_is_explained(watched):
    text = (MONITORING.parents[1] / "docs" / "operations.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `(taskhold_\w+)` \|", text, re.M))
    absent = ONLY_OF_A_FILE if engine.is_postgres() else set()
    assert explained - absent == {name for name in metrics_of(watched).families if name.startswith("taskhold_")}


# ---- the setting ----

@pytest.mark.parametrize("address", ["9100", ":9100", "127.0.0.1:", "127.0.0.1:99999", "::1:9100", "a b:1"])
def test_a_malformed_address_is_78(address, tmp_path):
    result = run("serve", "--port", "0", env={"METRICS_ADDR": address}, cwd=tmp_path)
    assert result.returncode == 78
    assert re.fullmatch(r"METRICS_ADDR is .*HOST:PORT.*", start_refusal(result))


def test_an_address_in_use_is_78(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = run("serve", "--port", "0", "--metrics-addr", address, cwd=tmp_path)
    assert result.returncode == 78
    assert f'METRICS_ADDR is "{address}" (held by pid {os.getpid()}, ' in start_refusal(result)
    assert "; another program listens there" in start_refusal(result)


def test_an_ipv6_address_stands_in_brackets(start_server):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 address here")
    server = start_server({"METRICS_ADDR": "[::1]:0"})
    assert read(url_of(server))[0] == 200


def test_readiness_is_told_while_the_server_drains(tmp_path):
    """The listener answers until the last request is done."""
    server = Server({"METRICS_ADDR": "127.0.0.1:0", "DRAIN_SECONDS": "20"}, directory=tmp_path)
    ready = url_of(server, "/readyz")
    with socket.create_connection((server.host, server.port), 20) as slow:
        slow.sendall(b"POST /v1/auth/login HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n")
        assert read(ready)[0] == 200
        server.signal(15)
        deadline = time.monotonic() + 10
        while read(ready)[0] != 503:
            assert time.monotonic() < deadline
        assert read(url_of(server, "/livez"))[0] == 200
        slow.sendall(b"{}")
        assert slow.recv(100).startswith(b"HTTP/1.1 422")
    assert server.wait() == 0
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        read(ready)


# ---- what watches them ----

def names_in(text):
    """Every metric that an expression names."""
    return set(re.findall(r"\b(?:taskhold|process)_[a-z_]+\b", text))


def exists(page, name):
    """Whether the page has this name, be it a part of a histogram."""
    return any(sample.name == name for family in page.families.values() for sample in family.samples)


def dashboard_expressions():
    board = json.loads((MONITORING / "grafana-dashboard.json").read_text(encoding="utf-8"))
    targets = [target for panel in board["panels"] for target in panel.get("targets", [])]
    queries = [variable["definition"] for variable in board["templating"]["list"] if "definition" in variable]
    return [target["expr"] for target in targets] + queries


def rule_expressions():
    text = (MONITORING / "taskhold.rules.yaml").read_text(encoding="utf-8")
    yaml = pytest.importorskip("yaml")
    return [rule["expr"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("expressions", [dashboard_expressions, rule_expressions])
def test_dashboard_and_rules_name_what_there_is(watched, expressions):
    page, found = metrics_of(watched), set()
    for expression in expressions():
        names = {name for name in names_in(expression) if not name.endswith("taskhold_")}
        assert names or "up{" in expression, expression
        found |= names
    assert len(found) >= 10
    absent = ONLY_OF_A_FILE if engine.is_postgres() else set()
    assert {name for name in found if not exists(page, name)} == found & absent


def test_the_dashboard_shows_every_metric(watched):
    named = set().union(*(names_in(expression) for expression in dashboard_expressions()))
    for name, family in metrics_of(watched).families.items():
        parts = {sample.name for sample in family.samples}
        assert parts & named, f"{name} is on no panel"


@PROMTOOL
@pytest.mark.parametrize("what, file", [("rules", "taskhold.rules.yaml"), ("config", "prometheus.yaml")])
def test_promtool_takes_the_files(what, file):
    result = subprocess.run(["promtool", "check", what, str(MONITORING / file)], capture_output=True, text=True,
                            check=False)
    assert result.returncode == 0, result.stdout + result.stderr


# ---- the parser of these tests can fail ----

@pytest.mark.parametrize("page", [
    "a 1", "a 1\n", "# TYPE a gauge\na 1\n", "# HELP a x\n# TYPE a gauge\na 1\na 1\n",
    "# HELP a x\n# TYPE a gauge\na{b=c} 1\n", "# HELP a x\n# TYPE a gauge\nb 1\n", "# HELP a x\n# TYPE a counter\na -1\n",
    "# HELP a x\n# TYPE a gauge\na one\n",
    '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n',
    '# HELP a x\n# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n',
])
def test_the_parser_is_strict(page):
    with pytest.raises(AssertionError):
        parse(page)


# ---- traces ----

@pytest.mark.parametrize("value, known", [
    (f"00-{TRACE}-b7ad6b7169203331-01", True), (f"01-{TRACE}-b7ad6b7169203331-01-more", True),
    (f"00-{TRACE}-b7ad6b7169203331-01-more", False), (f"ff-{TRACE}-b7ad6b7169203331-01", False),
    (f"00-{TRACE.upper()}-b7ad6b7169203331-01", False), (f"00-{'0' * 32}-b7ad6b7169203331-01", False),
    (f'00-{TRACE[:-1]}"-b7ad6b7169203331-01', False),
])
def test_a_trace_is_taken_up_strictly(tmp_path, value, known):
    server = Server(directory=tmp_path)
    Client(server).get("/livez", headers={"traceparent": value}).expect(200)
    Client(server).get("/v1/me", token="x", headers={"traceparent": value}).expect(401)
    server.terminate()
    rows = [json.loads(line) for line in server.log_text().splitlines() if line.startswith("{")]
    rows = [row for row in rows if row["event"] in ("request", "token_rejected")]
    assert [row.get("trace_id") for row in rows] == [TRACE if known else None] * 3


def test_histograms_grow_to_the_right(watched):
    buckets = histogram(metrics_of(watched), "taskhold_store_commit_duration_seconds")
    assert buckets[0][0] == 0.0001 and buckets[-2][0] == 10
    assert buckets[-1][0] == float("inf")
