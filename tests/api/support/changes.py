# SPDX-License-Identifier: MIT
"""A client that holds what it was told by GET /v1/changes, and what it ought to hold."""


def pages(client, path):
    """All items of a list, page by page."""
    items, cursor = [], ""
    while cursor is not None:
        answer = client.get(f"{path}?limit=100{cursor and '&cursor=' + cursor}").expect(200).json
        items += answer["items"]
        cursor = answer["next_cursor"]
    return items


def content(client):
    """What the account holds, as the lists answer it."""
    held = {}
    for kind, path in (("task", "/v1/tasks"), ("list", "/v1/lists")):
        held.update({(kind, one["id"]): one for one in pages(client, path)})
    return held


class Follower:
    """`held` is what the changes came to, by (kind, id)."""

    def __init__(self, client):
        self.client, self.held, self.cursor = client, {}, None
        self.revision = 0

    def apply(self, change):
        """One change."""
        key = (change["kind"], change["id"])
        if change["op"] == "delete":
            assert change["kind"] not in change
            self.held.pop(key, None)
            return
        thing = change[change["kind"]]
        assert change["op"] == "put" and thing["id"] == change["id"] and thing["revision"] == change["revision"]
        assert key not in self.held or self.held[key]["revision"] <= thing["revision"]
        self.held[key] = thing

    def path(self, limit=None):
        """What to ask next."""
        query = [f"limit={limit}"] if limit else []
        query += [f"cursor={self.cursor}"] if self.cursor else []
        return "/v1/changes" + (query and "?" + "&".join(query) or "")

    def read(self, limit=None):
        """Reads one page and applies it; answers it."""
        answer = self.client.get(self.path(limit)).expect(200)
        page = answer.json
        keys = [(change["kind"], change["id"]) for change in page["changes"]]
        assert len(keys) == len(set(keys)) <= (limit or 100)
        assert len(page["next_cursor"]) <= 128
        for change in page["changes"]:
            self.apply(change)
        self.cursor = page["next_cursor"]
        if not page["more"]:
            self.revision = page["revision"]
        return answer

    def follow(self, limit=None):
        """Reads until there is no more; answers all the changes that came."""
        changes, more = [], True
        while more:
            page = self.read(limit).json
            changes += page["changes"]
            more = page["more"]
        return changes
