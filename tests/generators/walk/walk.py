# SPDX-License-Identifier: MIT
"""Walks through the API with the client of openapi-python-client: walk.py URL"""
import sys

from taskhold_client import AuthenticatedClient, Client
from taskhold_client.api.authentication import login, register_user
from taskhold_client.api.tasks import create_task, delete_task, get_task, list_tasks, update_task
from taskhold_client.models import (Credentials, Problem, Registration, TaskItem, TaskItemInput, TaskItemPage,
                                    TaskItemPatch, TaskItemStatus, TokenPair, User)
from taskhold_client.types import UNSET

URL = sys.argv[1]
EMAIL, PASSWORD = "python@example.com", "a long pass phrase"


def done(response, status, kind):
    """The parsed body of an answer of that status."""
    assert response.status_code == status, (response.status_code, response.content)
    assert kind is None or isinstance(response.parsed, kind), response.parsed
    return response.parsed


stranger = Client(base_url=URL)
user = done(register_user.sync_detailed(client=stranger, body=Registration(email=EMAIL, password=PASSWORD)), 201, User)
assert user.email == EMAIL
pair = done(login.sync_detailed(client=stranger, body=Credentials(email=EMAIL, password=PASSWORD)), 200, TokenPair)
client = AuthenticatedClient(base_url=URL, token=pair.access_token)

for title in ("One", "Two", "Three"):
    task = done(create_task.sync_detailed(client=client, body=TaskItemInput(title=title)), 201, TaskItem)
    assert task.description is None and task.status is TaskItemStatus.PENDING

query = {"client": client, "limit": 2, "status": [TaskItemStatus.PENDING, TaskItemStatus.IN_PROGRESS]}
first = done(list_tasks.sync_detailed(**query), 200, TaskItemPage)
assert len(first.items) == 2 and first.next_cursor
second = done(list_tasks.sync_detailed(**query, cursor=first.next_cursor), 200, TaskItemPage)
assert len(second.items) == 1 and second.next_cursor is None and second.total is UNSET

task = second.items[0]
tag = get_task.sync_detailed(task.id, client=client).headers["ETag"]
changed = done(update_task.sync_detailed(task.id, client=client, if_match=tag,
                                         body=TaskItemPatch(status=TaskItemStatus.COMPLETED)), 200, TaskItem)
assert changed.completed_at is not None and changed.revision > task.revision
late = done(update_task.sync_detailed(task.id, client=client, if_match=tag, body=TaskItemPatch(title="Late")),
            412, Problem)
assert late.code == "precondition_failed"
blank = done(create_task.sync_detailed(client=client, body=TaskItemInput(title=" ")), 422, Problem)
assert blank.errors[0].pointer == "/title"
done(delete_task.sync_detailed(task.id, client=client), 204, None)
assert done(get_task.sync_detailed(task.id, client=client), 404, Problem).code == "not_found"
