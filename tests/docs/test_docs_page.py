# SPDX-License-Identifier: MIT
"""The pages for people, seen by a browser: /docs with "Try it out", and /problems/{code}."""
import functools
import http.server
import json
import os
import pathlib
import re
import struct
import subprocess
import threading

import pytest
import yaml
from support.accounts import PASSWORD, User
from support.client import Client
from support.contract import ROWS
from support.paths import DESCRIPTION, ROOT
from support.server import Server

WIDTHS = {"desk": 1280, "phone": 390}
HEIGHTS = {"desk": 900, "phone": 844}
SCHEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
FIRST_CALL = {"desk": 700, "phone": 1000}  # pixels from the top, at most
AXE = ROOT / "tests" / "tools" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = os.environ.get("DOCS_PICTURES")  # a folder: the tests leave pictures there


@pytest.fixture
def with_ui(server):
    """Skips where the server was built without Swagger UI."""
    if Client(server).get("/docs/swagger-ui.css", headers={"Accept-Encoding": "gzip"}).status == 404:
        pytest.skip("this build has no Swagger UI: script/bootstrap build installs it")


@pytest.fixture
def shown(browser, server):
    """Opens pages; all of them must end without anything wrong."""
    pages = []

    def show(path, **more):
        pages.append(browser.open(server, path, **more))
        return pages[-1]

    yield show
    for page in pages:
        page.close()


def picture(page, name):
    if PICTURES:
        page.screenshot(str(pathlib.Path(PICTURES) / f"{name}.png"))


def call(operation):
    """The box of a call, as JavaScript."""
    return f"document.querySelector('[id$=\"-{operation}\"]')"


def within(operation, selector):
    """An element of the box of a call."""
    return f"{call(operation)}?.querySelector({json.dumps(selector)})"


def seen(page, operation):
    page.wait(f"{call(operation)} !== null")


def try_out(page, operation, body=None):
    """Opens a call and sends it; answers the status and the text of the answer."""
    seen(page, operation)
    page.click(within(operation, ".opblock-summary-control"))
    if body is not None:
        page.type(within(operation, "textarea.body-param__text"), json.dumps(body))
    assert no_sideways_scrolling(page)
    page.click(within(operation, "button.execute"))
    status = page.wait(within(operation, ".live-responses-table .response .response-col_status") + "?.textContent")
    return int(status[:3]), page.value(within(operation, ".live-responses-table .response .response-col_description") + ".textContent")


def expect(status, answer):
    assert answer[0] == status, answer[1]


def authorize(page, token):
    """Gives the page a token by its own dialog."""
    page.click("document.querySelector('.auth-wrapper .authorize')")
    page.type("document.querySelector('.auth-container input')", token)
    page.click("document.querySelector('.auth-btn-wrapper .authorize')")
    page.click("document.querySelector('.auth-btn-wrapper .btn-done')")


# What ends beyond the right edge of the window, and does not scroll within something that ends before it.
TOO_WIDE = """(() => {
  const edge = document.documentElement.clientWidth;
  const scrolls = (one) => /auto|scroll/.test(getComputedStyle(one).overflowX) && one.getBoundingClientRect().right <= edge;
  return [...document.body.querySelectorAll('*')].filter((one) => {
    if (one.getBoundingClientRect().right <= edge + 0.5 || !one.checkVisibility()) return false;
    for (let above = one.parentElement; above; above = above.parentElement) if (scrolls(above)) return false;
    return true;
  }).map((one) => one.outerHTML.slice(0, 120));
})()"""


def no_sideways_scrolling(page):
    assert page.value(TOO_WIDE) == []
    return page.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def check_contrast(page, within="html"):
    """What axe measures of every text: WCAG's 4.5 to 1, or 3 to 1 where it is large. Answers where it could tell."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: script/bootstrap test installs it")
    if page.value("typeof axe") == "undefined":
        page.value(AXE.read_text(encoding="utf-8") + "; 0")
    found = page.value("""axe.run('%s', {preload: false, runOnly: ['color-contrast']}).then((found) => ({
      bad: found.violations.flatMap((rule) => rule.nodes.map((node) => `${node.target}: ${node.any[0].message}`)),
      good: found.passes.flatMap((rule) => rule.nodes.map((node) => node.target.join(' '))),
    }))""" % within)
    assert not found["bad"], "\n".join(found["bad"])
    return found["good"]


def note(page):
    return page.value("document.querySelector('[role=status]').textContent")


def tags(page):
    """Name -> the calls that are shown below it, in the order of the page."""
    return dict(page.value("""[...document.querySelectorAll('.opblock-tag-section')].map((section) => [
      section.querySelector('.opblock-tag').dataset.tag,
      [...section.querySelectorAll('.opblock .opblock-summary-path')].map((path) => path.dataset.path),
    ])"""))


@pytest.mark.parametrize("kind", WIDTHS)
def test_a_task_by_try_it_out(with_ui, server, shown, kind):
    user = User(server)
    page = shown("/docs", width=WIDTHS[kind])
    seen(page, "createTask")
    picture(page, f"{kind}-top")
    assert no_sideways_scrolling(page)
    authorize(page, user.token["access_token"])
    status, text = try_out(page, "createTask", {"title": "Made on the page"})
    picture(page, f"{kind}-created")
    assert status == 201 and "Made on the page" in text
    assert no_sideways_scrolling(page)
    assert [task["title"] for task in user.client.get("/v1/tasks").json["items"]] == ["Made on the page"]


def test_register_and_log_in_on_the_page(with_ui, server, shown):
    account = {"email": "page@example.com", "password": PASSWORD}
    page = shown("/docs")
    expect(201, try_out(page, "registerUser", account))
    expect(200, try_out(page, "login", account))
    # The token of the answer is used from now on, and is still there when the page is opened again.
    expect(201, try_out(page, "createTask", {"title": "First"}))
    page.go("/docs")
    expect(201, try_out(page, "createTask", {"title": "Second"}))
    picture(page, "second")


def test_the_page_says_what_this_is(with_ui, shown):
    page = shown("/docs")
    seen(page, "createTask")
    info = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))["info"]
    assert page.value("document.querySelector('h1').textContent") == "Taskhold"
    assert page.value("document.querySelector('.about p').textContent") == f"{info['summary']}. Base URL: {page.server.url}"
    page.click("document.querySelector('.about summary')")
    page.wait("document.querySelector('.about details').open")
    text = page.value("document.querySelector('.about details').innerText")
    assert "Start here." in text and f"Version {info['version']}. Licence: MIT." in text


@pytest.mark.parametrize("kind", WIDTHS)
@SCHEMES
def test_the_first_call_is_seen_at_once(with_ui, shown, kind, dark):
    page = shown("/docs", width=WIDTHS[kind], height=HEIGHTS[kind], dark=dark)
    seen(page, "createTask")
    picture(page, f"{kind}-{'dark' if dark else 'light'}")
    assert page.value("document.documentElement.classList.contains('dark-mode')") == dark
    first = page.value("document.querySelector('.opblock').getBoundingClientRect().top")
    print(f"first call at {first:.0f} px, {WIDTHS[kind]} px wide")
    assert first <= FIRST_CALL[kind]
    assert no_sideways_scrolling(page)


def test_accounts_and_tasks_first_and_the_service_folded(with_ui, shown):
    page = shown("/docs")
    seen(page, "createTask")
    shown_calls = tags(page)
    described = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    assert list(shown_calls) == [tag["name"] for tag in described["tags"]]
    assert list(shown_calls)[:2] == ["Authentication", "Tasks"] and list(shown_calls)[-2:] == ["Documentation", "Service"]
    assert shown_calls["Authentication"][:2] == ["/v1/auth/register", "/v1/auth/login"]
    of_task = [f"/v1/tasks/{{id}}{more}" for more in ("/move", "/occurrences", "/history", "/skip", "/undo")]
    assert shown_calls["Tasks"] == ["/v1/tasks"] * 4 + ["/v1/tasks/batch"] + ["/v1/tasks/{id}"] * 4 + of_task + ["/v1/summary"]
    assert shown_calls["Trash"] == ["/v1/trash"] * 2 + ["/v1/trash/{id}", "/v1/trash/{id}/restore"]
    assert shown_calls["Changes"] == ["/v1/changes", "/v1/events"]
    assert shown_calls["Lists"] == ["/v1/lists"] * 2 + ["/v1/lists/{id}"] * 4 + ["/v1/lists/{id}/move"]
    assert shown_calls["Labels"] == ["/v1/labels"] + ["/v1/labels/{name}"] * 2
    assert shown_calls["Account"] and shown_calls["Sessions"]
    assert shown_calls["Documentation"] == [] == shown_calls["Service"]
    page.click("document.querySelector('#operations-tag-Service')")
    page.wait("document.querySelector('[id$=-getReadiness]') !== null")
    # A link to a call of a folded part opens it.
    page = shown("/docs#/Documentation/getPostmanCollection")
    page.wait("document.querySelector('[id$=-getPostmanCollection].is-open') !== null")


def test_the_description_has_accounts_and_tasks_first():
    described = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    groups = [path.split("/")[2] if path.startswith("/v1/") else "" for path in described["paths"]]
    assert list(dict.fromkeys(groups)) == ["auth", "lists", "tasks", "trash", "labels", "summary", "changes", "events", "me", ""]
    folded = {tag["name"] for tag in described["tags"] if tag.get("x-folded")}
    for path, entry in described["paths"].items():
        for call in (one for one in entry.values() if "tags" in one):
            assert set(call["tags"]) <= folded or path.startswith("/v1/"), path


@pytest.mark.parametrize("kind", WIDTHS)
def test_the_files_are_linked(with_ui, shown, kind):
    page = shown("/docs", width=WIDTHS[kind])
    links = page.value("[...document.querySelectorAll('header a')].map((a) => [a.getAttribute('href'), a.download])")
    assert dict(links)["/postman.json"] == "taskhold.postman_collection.json"
    assert {"/openapi.yaml", "/openapi.json", "/openapi-3.0.json"} <= set(dict(links))
    for path in dict(links):
        if path.startswith("/"):
            Client(page.server).get(path).expect(200)


def test_the_sources_are_linked_where_the_build_knows_them(tmp_path):
    template = tmp_path / "template.html"
    template.write_text("@LINKS@", encoding="utf-8")
    run = [ROOT / "script" / "docs-page", template, openapi_json(tmp_path), tmp_path / "out"]
    subprocess.run([*run, ""], check=True)
    assert "Source code" not in (tmp_path / "out").read_text(encoding="utf-8")
    subprocess.run([*run, "https://example.com/a?b&c"], check=True)
    assert '<a href="https://example.com/a?b&amp;c">Source code</a>' in (tmp_path / "out").read_text(encoding="utf-8")
    refused = subprocess.run([*run, "javascript:alert(1)"], check=False, capture_output=True, encoding="utf-8")
    assert refused.returncode == 1 and "sources_url" in refused.stderr


@pytest.mark.parametrize("prefix", ["", "/apps/todo"])
def test_log_in_and_list_tasks_by_the_page_alone(with_ui, server, shown, browser, prefix, request):
    """Under a prefix the public address is another one; the page asks the server that it came from."""
    if prefix:
        server = Server({"PUBLIC_URL": f"https://example.com{prefix}"})
        request.addfinalizer(server.stop)
    page = browser.open(server, prefix + "/docs")
    account = {"email": "alone@example.com", "password": PASSWORD}
    seen(page, "login")
    assert note(page).startswith("Not logged in.")
    expect(201, try_out(page, "registerUser", account))
    expect(200, try_out(page, "login", account))
    assert re.fullmatch(r"Logged in\. The page sends the token with every call, until \d.*\d.*\.", note(page))
    status, text = try_out(page, "listTasks")
    assert status == 200 and '"items": []' in text
    asked = [url for url in page.requests if url.startswith(f"{server.url}{prefix}/v1/tasks")]
    assert len(asked) == 1, page.requests
    # The note is still true after a reload, after a refusal, and after the session's end.
    page.go(prefix + "/docs")
    seen(page, "listTasks")
    assert note(page).startswith("Logged in.")
    expect(204, try_out(page, "logout"))
    page.wait("document.querySelector('[role=status]').textContent.startsWith('Not logged in.')")
    page.close()


def test_a_token_that_is_refused_is_said(with_ui, server, shown):
    user = User(server)
    page = shown("/docs")
    seen(page, "createTask")
    authorize(page, user.token["access_token"])
    page.wait("document.querySelector('[role=status]').textContent.startsWith('Logged in.')")
    user.client.post("/v1/auth/logout").expect(204)
    expect(401, try_out(page, "listTasks"))
    assert note(page).startswith("The server refused the token")
    assert page.forgive("status of 401") == 1
    expect(200, try_out(page, "login", {"email": user.email, "password": user.password}))
    assert note(page).startswith("Logged in.")


@SCHEMES
def test_every_text_can_be_read(with_ui, server, shown, dark):
    user = User(server)
    page = shown("/docs", dark=dark)
    seen(page, "createTask")
    page.click("document.querySelector('.about summary')")
    expect(200, try_out(page, "login", {"email": user.email, "password": user.password}))
    for call_to_open in ("listTasks", "replaceTask", "updateTask", "deleteTask"):
        page.click(within(call_to_open, ".opblock-summary-control"))
        page.wait(f"!!{within(call_to_open, 'button.execute')}")
    measured = " ".join(check_contrast(page))
    for place in (".opblock-summary-method", ".curl", ".language-json", ".about", ".renderedMarkdown", "h1"):
        assert place in measured, f"nothing was measured in {place}"
    page.click("document.querySelector('.auth-wrapper .authorize')")
    page.wait("!!document.querySelector('.auth-container')")
    picture(page, f"dialog-{'dark' if dark else 'light'}")
    assert check_contrast(page, ".auth-container")


def test_by_the_keyboard(with_ui, shown):
    page = shown("/docs")
    seen(page, "createTask")
    focused = "document.activeElement"
    for _ in range(20):
        page.press("Tab")
        assert page.value(f"getComputedStyle({focused}).outlineStyle") != "none", page.value(f"{focused}.outerHTML")
        if page.value(f"{call('registerUser')}.contains({focused})"):
            break
    page.press("Enter")
    page.wait(f"!!{within('registerUser', 'button.execute')}")


def openapi_json(folder):
    """The description in JSON, as the build makes it."""
    made = folder / "openapi.json"
    subprocess.run([ROOT / "script" / "yaml-to-json", DESCRIPTION, made], check=True)
    return made


class Files(http.server.SimpleHTTPRequestHandler):
    """Serves the page of a build without Swagger UI, under the policy of the real one."""

    policy = ""

    def end_headers(self):
        self.send_header("Content-Security-Policy", self.policy)
        super().end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def plain(server, tmp_path_factory):
    """A server of the plain page, whatever the program under test carries."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "docs").mkdir()
    pages = ROOT / "src" / "api" / "docs"
    (folder / "docs" / "page.css").write_bytes((pages / "page.css").read_bytes())
    made = folder / "plain.html"
    subprocess.run([ROOT / "script" / "docs-page", pages / "plain.html", openapi_json(folder), made, ""], check=True)
    Files.policy = Client(server).get("/docs").headers["Content-Security-Policy"]
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=folder))
    served.url = f"http://127.0.0.1:{served.server_port}"
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


@pytest.mark.parametrize("kind", WIDTHS)
@SCHEMES
def test_the_plain_page(plain, browser, kind, dark):
    page = browser.open(plain, "/plain.html", width=WIDTHS[kind], dark=dark)
    name = f"plain-{kind}-{'dark' if dark else 'light'}"
    picture(page, name)
    first = "document.querySelector('main > details')"
    assert page.value(f"{first}.querySelector('code').textContent") == "/v1/auth/register"
    assert page.value(f"{first}.getBoundingClientRect().top") <= FIRST_CALL[kind]
    assert page.value("[...document.querySelectorAll('h2')].map((h2) => h2.textContent)")[:2] == ["Authentication", "Tasks"]
    described = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    calls = {call["operationId"] for entry in described["paths"].values() for call in entry.values() if "operationId" in call}
    assert calls == set(page.value("[...document.querySelectorAll('details[id]')].map((call) => call.id)"))
    assert page.value("document.getElementById('getReadiness').checkVisibility()") is False
    assert no_sideways_scrolling(page)
    page.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    picture(page, name + "-open")
    assert no_sideways_scrolling(page)
    measured = " ".join(check_contrast(page))
    assert "pre" in measured and "#createTask > summary" in measured
    page.close()


def test_the_picture_of_the_page():
    """`tests/docs/picture.py` makes it."""
    data = (ROOT / "docs" / "docs-page.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) <= 150 * 1024
    assert struct.unpack(">I", data[16:20]) == (1280,)


def test_nothing_is_loaded_twice(with_ui, shown):
    page = shown("/docs")
    seen(page, "createTask")
    assert len(page.requests) == len(set(page.requests)), page.requests


@SCHEMES
def test_the_page_of_a_problem(shown, dark):
    page = shown("/problems/validation_failed", width=390, dark=dark)
    picture(page, f"problem-{'dark' if dark else 'light'}")
    assert ROWS["validation_failed"][1] == page.value("document.querySelector('h1').textContent")
    assert page.value("[...document.querySelectorAll('p code')].map(code => code.textContent)") == [
        "validation_failed",
        "errors",
    ]
    assert page.value("getComputedStyle(document.querySelector('main')).maxWidth") == "640px", "the style is not there"
    assert no_sideways_scrolling(page)
    check_contrast(page)
    page.click("document.querySelector('a[href=\"/docs\"]')")
    page.wait("location.pathname === '/docs' && document.readyState === 'complete'")
