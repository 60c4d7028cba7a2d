# SPDX-License-Identifier: MIT
"""What the story is made of: requests in folders, and the variables of the collection.

`{{name}}` stands for a variable, in Postman as in the recording. A value in `before` is a pair: what the
recording uses, and the Postman template that makes a new one at every run.
"""

import dataclasses
from typing import Optional

PASSWORD = "correct horse battery"
NEW_PASSWORD = "staple under the moon"
OWN_ID = "0193c5e1-7d2a-4b6f-9a54-6d1d0c3f9e21"
ABSENT_ID = "01999999-9999-7999-8999-999999999999"

VARIABLES = {
    "base_url": ("http://127.0.0.1:8080", "Where the server is. An environment can set another one."),
    "email": ("", "Made fresh at every run."),
    "password": (PASSWORD, "Of the account that this run makes and deletes."),
    "access_token": ("", "Set by Log in and Refresh."),
    "refresh_token": ("", "Set by Log in and Refresh."),
    "session_id": ("", "A session to end."),
    "task_id": ("", "The task that most requests are about."),
    "own_task_id": ("", "An id that the client makes itself."),
    "etag": ("", "The ETag of the task, as last read."),
    "old_etag": ("", "An ETag that is not current any more."),
    "list_etag": ("", "The ETag of the list."),
    "next_cursor": ("", "Leads to the next page."),
    "idempotency_key": ("", "Made fresh at every run."),
}


@dataclasses.dataclass
class Item:
    name: str
    operation: Optional[str]  # operationId; None: the description has no such call
    status: int
    code: Optional[str] = None  # of the problem
    body: object = None  # a dict becomes JSON, a str is sent as it is
    query: dict = dataclasses.field(default_factory=dict)
    headers: dict = dataclasses.field(default_factory=dict)
    path: dict = dataclasses.field(default_factory=dict)
    token: Optional[str] = "{{access_token}}"
    before: dict = dataclasses.field(default_factory=dict)
    store: dict = dataclasses.field(default_factory=dict)  # variable -> where in the answer
    tests: list = dataclasses.field(default_factory=list)  # (name, JavaScript)
    note: str = ""
    raw: Optional[tuple] = None  # (method, target) where `operation` is None


@dataclasses.dataclass
class Folder:
    name: str
    text: str
    items: list


def check(name, subject, expectation):
    return (name, f"pm.expect({subject}).{expectation};")


SENT_TOKEN = check(
    "says that the token is at fault",
    'pm.response.headers.get("WWW-Authenticate")',
    """to.include('error="invalid_token"')""",
)
