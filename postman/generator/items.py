# SPDX-License-Identifier: MIT
"""What the collection is made of: requests in folders, the examples of a request, and the variables.

`{{name}}` stands for a variable. In Postman the script before.js makes it; the recorder has its own samples.
"""

import dataclasses
from typing import Optional

ABSENT_ID = "01999999-9999-7999-8999-999999999999"
PASSWORD = "correct horse battery"
PURGED = {"title": "Buy tea"}  # what a request made whose task has gone from the trash since

VARIABLES = {
    "base_url": ("http://127.0.0.1:8080", "Where the server is. An environment can set another one."),
    "email": ("", "Your account. Empty: a new one with a random address is made."),
    "password": (PASSWORD, "Of that account."),
    "access_token": ("", "Of the last login."),
    "refresh_token": ("", "Of the last login."),
    "logged_in_as": ("", "Whose tokens these are."),
    "server": ("", "Where they are good."),
    "new_email": ("", "Made before each request that names it: a random address."),
    "new_password": ("", "Made before each request that names it."),
    "task_id": ("", "Made before a request that names it, if it is not there: a task."),
    "task_revision": ("", "Made before each request that names it: the last change of that task."),
    "list_id": ("", "Made before a request that names it, if it is not there: a list."),
    "etag": ("", "Of that task, as it is now."),
    "old_etag": ("", "Of that task, before another client changed it."),
    "list_etag": ("", "Of the list, as it is now."),
    "next_cursor": ("", "Leads to the next page."),
    "weekly_id": ("", "Made before a request that names it, if it is not there: a task that comes every week."),
    "label": ("", "Made before a request that names it: a label of that task."),
    "new_label": ("", "Made before each request that names it."),
    "today": ("", "Made before each request, as the next three: a date in UTC."),
    "yesterday": ("", "The date before."),
    "tomorrow": ("", "The date after."),
    "next_week": ("", "The date a week later."),
    "used_key": ("", "An Idempotency-Key with which a task was made."),
    "used_id": ("", "That task."),
    "session_id": ("", "Made before each request that names it: a login on another device."),
    "script_token": ("", "Made before a request that names it, if it is not there: a token for a script that only reads."),
    "script_token_id": ("", "Made before a request that names it, if it is not there: the id of that token."),
    "ended_token": ("", "An access token that was logged out."),
    "gone_email": ("nobody@example.com", "The address of an account that was deleted."),
}


@dataclasses.dataclass
class Item:
    """A request of the collection, or an example of one."""

    name: Optional[str]  # None: the summary of the description
    operation: Optional[str]  # operationId; None: the description has no such call
    status: int
    code: Optional[str] = None  # of the problem
    body: object = None  # a dict becomes JSON, a str is sent as it is
    query: dict = dataclasses.field(default_factory=dict)
    headers: dict = dataclasses.field(default_factory=dict)
    path: dict = dataclasses.field(default_factory=dict)
    token: Optional[str] = "{{access_token}}"
    before: dict = dataclasses.field(default_factory=dict)  # variable -> (its value, JavaScript for it)
    tests: list = dataclasses.field(default_factory=list)  # JavaScript, after the tests of status and shape
    note: str = ""
    method: Optional[str] = None  # None: that of the operation
    raw: Optional[tuple] = None  # (method, target) where `operation` is None
    examples: list = dataclasses.field(default_factory=list)  # further ones, each an Item
    first: bool = False  # recorded before its further examples, not after them
    # Of an example only: the flags of its server, whether that is asked to stop, and whether the request is
    # sent until it answers as it shall.
    server: tuple = ()
    stopping: bool = False
    until: bool = False


@dataclasses.dataclass
class Folder:
    name: str
    text: str
    items: list


def call(operation, status, examples=(), name=None, **more):
    """The request of a call, with an example of each answer that is particular to it. An example is
    (name, status, code, what it changes in the request)."""
    item = Item(name, operation, status, **more)
    plain = {"tests": [], "note": "", "before": {}, "first": False}
    for title, other, code, changes in examples:
        fields = {**plain, "name": title, "status": other, "code": code, **changes}
        item.examples.append(dataclasses.replace(item, **fields, examples=[]))
    return item


def check(name, subject, expectation):
    """A line of JavaScript that tests something of the answer; `body` is its JSON."""
    return f'pm.test("{name}", () => pm.expect({subject}).{expectation});'


def keep(name, value):
    return f'pm.collectionVariables.set("{name}", {value});'
