# SPDX-License-Identifier: MIT
"""The pages for people, seen by a browser: /docs with "Try it out", and /problems/{code}."""
import json
import os
import pathlib

import pytest
from support.accounts import PASSWORD, User
from support.client import Client
from support.contract import ROWS

WIDTHS = {"desk": 1280, "phone": 390}
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


def try_out(page, operation, body):
    """Sends a call by "Try it out"; answers the status and the text of the answer."""
    seen(page, operation)
    page.click(within(operation, ".opblock-summary-control"))
    page.click(within(operation, ".try-out__btn"))
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


def no_sideways_scrolling(page):
    return page.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


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
    assert page.value("document.querySelector('.info .title').textContent").startswith("Taskhold")
    assert page.value("document.querySelectorAll('.info a[href$=\"/postman.json\"]').length") > 0
    assert page.value("document.querySelectorAll('.opblock').length") >= 25


def test_in_the_dark(with_ui, shown):
    page = shown("/docs", dark=True)
    seen(page, "createTask")
    picture(page, "dark")
    assert page.value("document.documentElement.classList.contains('dark-mode')")


def test_nothing_is_loaded_twice(with_ui, shown):
    page = shown("/docs")
    seen(page, "createTask")
    assert len(page.requests) == len(set(page.requests)), page.requests


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
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
    page.click("document.querySelector('a[href=\"/docs\"]')")
    page.wait("location.pathname === '/docs' && document.readyState === 'complete'")
