# SPDX-License-Identifier: MIT
"""Two devices: one follows what the other does, and takes back what should not have been."""

from .items import ABSENT_ID, Folder, Item, check, keep

SHARED = {"id": "{{shared_id}}"}
TRASHED = {"id": "{{trashed_id}}"}
OTHER = "{{other_token}}"


def kept(name):
    return f'pm.collectionVariables.get("{name}")'


DEVICES = Folder(
    "Two devices",
    "A phone follows what a computer does: what changed since it last asked, what went into the trash and comes back,"
    " who did what, and what is taken back. Run the folder from top to bottom, or any request of it alone. It leaves"
    " nothing on the server. The examples stand with the calls above.",
    [
        Item(
            "Everything there is",
            "listChanges",
            200,
            query={"limit": "500"},
            tests=[
                "const keys = body.changes.map((one) => `${one.kind}/${one.id}`);",
                check("has each thing once", "new Set(keys).size", "to.eql(keys.length)"),
                check("leads on", "body.next_cursor", "to.be.a('string').and.not.empty"),
            ],
            note="Without a cursor. A client keeps this by kind and id, and goes on with `next_cursor` until `more` is false.",
        ),
        Item(
            "What the computer did meanwhile",
            "listChanges",
            200,
            query={"cursor": "{{changes_cursor}}"},
            tests=[
                f"const change = body.changes.find((one) => one.id === {kept('shared_id')});",
                check("tells it", "change.op", 'to.eql("put")'),
                check("has the task as it is now", "change.task.revision", "to.eql(change.revision)"),
                check("is all there is", "body.more", "to.be.false"),
            ],
            note="Before it is sent, the script of the collection reads up to the end, and changes a task as the other"
            " device would.",
        ),
        Item(
            "Nothing new",
            "listChanges",
            200,
            query={"cursor": "{{last_cursor}}"},
            tests=[
                check("has no change", "body.changes", "to.eql([])"),
                check("stays where it is", "body.next_cursor", f"to.eql({kept('last_cursor')})"),
            ],
            note="The same cursor comes back.",
        ),
        Item(
            "Listen from there",
            "streamEvents",
            200,
            method="HEAD",
            headers={"Last-Event-ID": "{{last_cursor}}"},
            note="Instead of asking again and again: each change comes when it happens. HEAD, because GET stays open.",
        ),
        Item(
            "The computer deletes the task",
            "deleteTask",
            204,
            path=SHARED,
            token=OTHER,
            tests=[keep("trashed_id", kept("shared_id")), keep("shared_id", '""')],
            note="With the token of the other device.",
        ),
        Item("It is not there", "getTask", 404, "not_found", path=TRASHED, note="Not for any call but the next ones."),
        Item(
            "It is in the trash",
            "listTrash",
            200,
            tests=[
                check("keeps each for a while", "body.items.every((one) => one.expires_at > one.deleted_at)", "to.be.true"),
            ],
            note="With what else was deleted, the newest first, for 30 days.",
        ),
        Item(
            "Restore it",
            "restoreTask",
            200,
            path=TRASHED,
            tests=[
                check("has its old id", "body.id", f"to.eql({kept('trashed_id')})"),
                keep("shared_id", "body.id"),
                keep("trashed_id", '""'),
            ],
            note="With what of its list, its parent and its steps is still there.",
        ),
        Item(
            "Who did what",
            "listHistory",
            200,
            path=SHARED,
            tests=[
                "const revisions = body.items.map((one) => one.revision);",
                check("has the newest first", "revisions", "to.eql([...revisions].sort((a, b) => b - a))"),
                check("says who", "body.items[0].by.session_id", "to.be.a('string')"),
            ],
            note="Each change with its members, from and to, and the session or token that made it.",
        ),
        Item(
            "Take the last change back",
            "undoTask",
            200,
            path=SHARED,
            body='{"revision": {{changed_revision}}}',
            tests=[check("has the title from before", "body.title", f"to.not.eql({kept('changed_title')})")],
            note="Before it is sent, the other device changes the title. An undo is a change itself, and can be undone.",
        ),
        Item(
            "Too late to take it back",
            "undoTask",
            409,
            "changed_since",
            path=SHARED,
            body='{"revision": {{old_revision}}}',
            tests=[check("has the task as it is", "body.task.revision", "to.eql(body.revision)")],
            note="Somebody has changed the task since.",
        ),
        Item(
            "Delete it for good",
            "purgeTask",
            204,
            path=TRASHED,
            tests=[keep("trashed_id", '""')],
            note="From the trash, and from its history.",
        ),
        Item(
            "Delete the account of the two devices",
            "deleteAccount",
            204,
            body={"password": "{{password}}"},
            tests=[keep("gone_email", kept("email")), keep("email", '""')],
            note="Only one that this collection made; yours stays.",
        ),
    ],
)

VARIABLES = {
    "other_token": ("", f"Of *{DEVICES.name}*: the access token of the other device."),
    "shared_id": ("", f"Of *{DEVICES.name}*: a task that both see."),
    "trashed_id": (ABSENT_ID, f"Of *{DEVICES.name}*: a task in the trash."),
    "changes_cursor": ("", "Made before each request that names it: a place before the last change of that task."),
    "last_cursor": ("", "Made before each request that names it: the end of the changes."),
    "changed_revision": ("", "Made before each request that names it: the last change of that task."),
    "changed_title": ("", "The title that it brought."),
    "old_revision": ("", "Made before each request that names it: the change before the last one."),
}
