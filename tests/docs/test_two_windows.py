# SPDX-License-Identifier: MIT
"""docs/examples/two-windows.html in two browsers: what is done in one is seen in the other. The page has another origin than the API."""
import functools
import http.server
import json
import threading

import pytest
from support.accounts import User
from support.client import Client
from support.paths import ROOT
from support.server import Server
from support.waiting import wait_until

PAGE = "/two-windows.html"
TITLES = "[...document.querySelectorAll('#tasks li')].map((row) => `${row.className}: ${row.querySelector('span').textContent}`)"
STATE = "document.getElementById('state').textContent"


class Site:
    """Serves docs/examples from a port of its own; `api` is the server that its pages may ask as well."""

    def __init__(self):
        handler = functools.partial(Quiet, directory=str(ROOT / "docs" / "examples"))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing, and has no icon."""

    def log_message(self, format, *args):  # noqa: A002
        pass

    def do_GET(self):
        if self.path == "/favicon.ico":
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()


@pytest.fixture
def site():
    served = Site()
    yield served
    served.stop()


@pytest.fixture
def api(site):
    started = Server(env={"CORS_ORIGINS": site.url})
    yield started
    started.stop()


@pytest.fixture
def open_window(browser, site, api):
    """Opens the page in a profile of its own, and connects it with a token."""
    windows = []

    def open_one(token):
        window = browser.open(site, PAGE, width=700, height=500)
        windows.append(window)
        window.type("document.getElementById('base')", api.url)
        window.type("document.getElementById('token')", token)
        window.click("document.getElementById('hold')")
        return window

    yield open_one
    for window in windows:
        leave(window)
        window.forgive(f"a request to somebody else: {api.url}/v1/")  # which is what it is for
        window.forgive("net::ERR_")  # while the server starts again
        window.close()


def leave(window):
    """Ends what the page does; what went wrong up to then has been noted."""
    window.call("Page.navigate", url="about:blank")
    window.wait("location.href === 'about:blank'")


def shows(window, *rows):
    window.wait(f"JSON.stringify({TITLES}) === {json.dumps(json.dumps(rows, separators=(',', ':'), ensure_ascii=False))}")


def add(window, title):
    window.type("document.getElementById('title')", title)
    window.press("Enter")


def row(number, selector):
    return f"document.querySelectorAll('#tasks li')[{number}]?.querySelector('{selector}')"


def test_two_windows_see_each_others_changes(open_window, api):
    user = User(api)
    user.task("Was there before")
    one, two = open_window(user.token["access_token"]), open_window(user.login()["access_token"])
    shows(one, "pending: Was there before")
    shows(two, "pending: Was there before")
    add(one, "Écrire <b>à</b> Zoë")
    shows(two, "pending: Was there before", "pending: Écrire <b>à</b> Zoë")
    shows(one, "pending: Was there before", "pending: Écrire <b>à</b> Zoë")
    two.click(row(0, "input"))
    shows(one, "completed: Was there before", "pending: Écrire <b>à</b> Zoë")
    one.click(row(0, "input"))
    shows(two, "pending: Was there before", "pending: Écrire <b>à</b> Zoë")
    one.click(row(1, "button"))
    shows(two, "pending: Was there before")
    shows(one, "pending: Was there before")
    assert user.client.get("/v1/tasks?include=total").expect(200).json["total"] == 1


def test_a_window_comes_back_after_a_restart(open_window, api):
    user = User(api)
    window = open_window(user.token["access_token"])
    window.wait(f"{STATE} === 'Connected.'")
    port = api.port
    api.terminate()
    window.wait(f"{STATE}.startsWith('Not connected')")
    api.start(port)
    user.task("Made meanwhile")
    shows(window, "pending: Made meanwhile")


def test_a_window_says_that_its_token_ended(open_window, api):
    user = User(api)
    session = user.login()
    window = open_window(session["access_token"])
    window.wait(f"{STATE} === 'Connected.'")
    Client(api, session["access_token"]).post("/v1/auth/logout").expect(204)
    window.wait(f"{STATE}.startsWith('The token has ended')")
    user.task("Made meanwhile")
    window.type("document.getElementById('token')", user.login()["access_token"])
    window.click("document.getElementById('hold')")
    shows(window, "pending: Made meanwhile")
    assert window.forgive("401")  # which the browser puts on its console


def test_a_page_of_an_origin_that_is_not_allowed_gets_nothing(browser, site):
    stranger = Server()
    try:
        window = browser.open(site, PAGE)
        window.type("document.getElementById('base')", stranger.url)
        window.type("document.getElementById('token')", "x")
        window.click("document.getElementById('hold')")
        window.wait(f"{STATE}.startsWith('Not connected')")
        wait_until(lambda: window.value("true") and any("CORS" in one for one in window.wrong), what="the refusal")
        leave(window)
        assert window.forgive("CORS") and window.forgive("net::ERR_")
        assert window.forgive("a request to somebody else")
        window.close()
    finally:
        stranger.stop()
