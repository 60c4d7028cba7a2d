# SPDX-License-Identifier: MIT
"""A page of a list ends at its limit or at 256 KiB, and an export is no larger in memory."""
import json

import pytest

from support.accounts import User

PAGE = 256 * 1024
LARGE = "\U0001f600" * 16000  # four bytes each
TASKS = 11


@pytest.fixture(scope="module")
def large(server):
    """An account with eleven tasks of 64 KB."""
    user = User(server)
    user.ids = [user.task(f"Task {number:02}", description=LARGE)["id"] for number in range(TASKS)]
    return user


@pytest.mark.parametrize("query", ["sort=created_at", "sort=-created_at", "sort=title", "sort=-updated_at",
                                   "sort=status", "sort=created_at&status=pending"])
def test_pages(large, query):
    """Every page is small enough, none is empty, Link and next_cursor agree, and each task is there once."""
    path, seen, pages = f"/v1/tasks?limit=100&{query}&include=total", [], 0
    while path:
        answer = large.client.get(path).expect(200)
        page = answer.json
        assert len(answer.body) <= PAGE and page["items"] and page["total"] == TASKS
        assert (page["next_cursor"] is not None) == ("Link" in answer.headers)
        seen += [item["id"] for item in page["items"]]
        path = answer.headers["Link"].partition(">")[0].lstrip("<") if page["next_cursor"] else None
        pages += 1
    assert pages >= TASKS * 64000 // PAGE and sorted(seen) == sorted(large.ids)
    if query == "sort=created_at" or query == "sort=title":
        assert seen == large.ids


def test_small_rows_fill_the_limit(server):
    user = User(server)
    for number in range(7):
        user.task(f"{number}", description="\"" * 16000)
    page = user.client.get("/v1/tasks?limit=5").expect(200)
    assert len(page.json["items"]) == 5 and page.json["next_cursor"]
    page = user.client.get(f"/v1/tasks?limit=5&cursor={page.json['next_cursor']}").expect(200)
    assert len(page.json["items"]) == 2 and page.json["next_cursor"] is None


@pytest.mark.parametrize("query", ["sort=created_at", "sort=title"])
def test_a_page_takes_all_that_fit(server, query):
    """However large the next one might be."""
    user = User(server)
    ids = [user.task(f"Task {number:02}", description="x" * 16000)["id"] for number in range(16)]
    page = user.client.get(f"/v1/tasks?limit=100&{query}").expect(200)
    assert [item["id"] for item in page.json["items"]] == ids[:15] and len(page.body) <= PAGE
    page = user.client.get(f"/v1/tasks?limit=100&{query}&cursor={page.json['next_cursor']}").expect(200)
    assert [item["id"] for item in page.json["items"]] == ids[15:] and page.json["next_cursor"] is None


def test_an_export_is_whole(large):
    body = large.client.get("/v1/me/export").expect(200).body
    assert [task["id"] for task in json.loads(body)["tasks"]] == large.ids
