# SPDX-License-Identifier: MIT
"""The story: one account from its beginning to its end, with conditional and repeated writes."""

from .calls import LOGIN, SAME_TASK, TASK, TOKENS
from .errors import INVALID_TOKEN
from .items import ABSENT_ID, Folder, Item, check, keep

ETAG = 'pm.response.headers.get("ETag")'
BREAD = {"title": "Buy bread"}


def kept(name):
    return f'pm.collectionVariables.get("{name}")'


STORY = Folder(
    "The story",
    "An account from its beginning to its end: two devices, two clients that change one task, a write that is sent"
    " twice, pages. Run the folder from top to bottom, or any request of it alone. It leaves nothing on the server."
    " The examples stand with the calls above.",
    [
        Item(
            "Make an account",
            "registerUser",
            201,
            body={"email": "{{new_email}}", "password": "{{password}}"},
            tests=[check("has no name", "body.name", "to.be.null"), keep("email", "body.email")],
            note="Its address is random, and is kept in `email`.",
        ),
        Item(
            "The address is taken now",
            "registerUser",
            409,
            "email_taken",
            body=LOGIN,
            note="No second account can have it.",
        ),
        Item(
            "Log in",
            "login",
            200,
            body=LOGIN,
            tests=[check("is a JWT", "body.access_token.split('.').length", "to.eql(3)"), *TOKENS],
            note="Both tokens are kept. The access token is good for 15 minutes.",
        ),
        Item(
            "Stay logged in",
            "refreshTokens",
            200,
            body={"refresh_token": "{{refresh_token}}"},
            tests=TOKENS,
            note="Each refresh token is good for one use, and brings the next one.",
        ),
        Item(
            "Create a task",
            "createTask",
            201,
            body={"title": "Write to Charles", "status": "in-progress"},
            tests=[check("is in progress", "body.status", 'to.eql("in-progress")'), keep("task_id", "body.id")],
            note="Its id is kept in `task_id`.",
        ),
        Item(
            "Create another, safe to repeat",
            "createTask",
            201,
            headers={"Idempotency-Key": "{{$guid}}"},
            body=BREAD,
            tests=[
                keep("used_key", 'pm.request.headers.get("Idempotency-Key")'),
                keep("used_id", "body.id"),
            ],
            note="The client makes a key and sends it along.",
        ),
        Item(
            "The answer got lost: send it again",
            "createTask",
            201,
            headers={"Idempotency-Key": "{{used_key}}"},
            body=BREAD,
            tests=[
                check("is the same task", "body.id", f"to.eql({kept('used_id')})"),
                check("says so", 'pm.response.headers.get("Idempotency-Replayed")', 'to.eql("true")'),
            ],
            note="No second task is made: the first answer comes again.",
        ),
        Item(
            "The same key for something else",
            "createTask",
            422,
            "idempotency_key_reused",
            headers={"Idempotency-Key": "{{used_key}}"},
            body={"title": "Buy butter"},
            note="A key stands for one request.",
        ),
        Item(
            "Create one under an id of my own",
            "replaceTask",
            201,
            path={"id": "{{$guid}}"},
            body={"title": "Made offline"},
            tests=[check("has that id", "pm.request.url.toString()", "to.include(body.id)")],
            note="A client that works offline makes the id itself.",
        ),
        Item(
            "Filter by status",
            "listTasks",
            200,
            query={"status": "pending,in-progress"},
            tests=[check("has only those", "body.items.some((one) => one.status === 'completed')", "to.be.false")],
            note="Several values are separated by commas.",
        ),
        Item(
            "Sort by title",
            "listTasks",
            200,
            query={"sort": "title"},
            tests=[
                "const titles = body.items.map((one) => one.title);",
                check("is in order", "titles", "to.eql([...titles].sort())"),
            ],
            note="A `-` before the name turns the order round.",
        ),
        Item(
            "The first page, with a total",
            "listTasks",
            200,
            query={"limit": "1", "include": "total"},
            tests=[
                check("has one at most", "body.items.length", "to.be.at.most(1)"),
                check("counts all", "body.total", "to.be.at.least(body.items.length)"),
                check("links to the next", "!!pm.response.headers.get('Link')", "to.eql(!!body.next_cursor)"),
                keep("next_cursor", 'body.next_cursor || ""'),
            ],
            note="`next_cursor` leads to the next page; `Link` has its address.",
        ),
        Item(
            "The next page",
            "listTasks",
            200,
            query={"limit": "1", "cursor": "{{next_cursor}}"},
            tests=[check("has one at most", "body.items.length", "to.be.at.most(1)")],
            note="The same filter and order, and the cursor.",
        ),
        Item(
            "Nothing new in the list",
            "listTasks",
            304,
            headers={"If-None-Match": "{{list_etag}}"},
            note="The list has an ETag too. A 304 has no body.",
        ),
        Item(
            "Read the task",
            "getTask",
            200,
            path=TASK,
            tests=[SAME_TASK, check("has the ETag", ETAG, f"to.eql({kept('etag')})")],
            note="Its ETag is its version.",
        ),
        Item(
            "Nothing new in the task",
            "getTask",
            304,
            path=TASK,
            headers={"If-None-Match": "{{etag}}"},
            note="The client sends the ETag that it has.",
        ),
        Item(
            "Change it if nobody else has",
            "updateTask",
            200,
            path=TASK,
            headers={"If-Match": "{{etag}}"},
            body={"title": "Write to Mary"},
            tests=[SAME_TASK, check("keeps the rest", "body", 'to.include.all.keys("description", "status")')],
            note="`If-Match` names the version that the client has read.",
        ),
        Item(
            "Change it with an old ETag",
            "updateTask",
            412,
            "precondition_failed",
            path=TASK,
            headers={"If-Match": "{{old_etag}}"},
            body={"title": "Write to Charles"},
            note="Before it is sent, the script of the collection changes the task as another client would.",
            tests=[check("tells the current one", ETAG, f"to.eql({kept('etag')})")],
        ),
        Item(
            "Create it only if it is not there",
            "replaceTask",
            412,
            "precondition_failed",
            path=TASK,
            headers={"If-None-Match": "*"},
            body={"title": "Write to Charles"},
            note="`If-None-Match: *` asks for what does not exist.",
        ),
        Item(
            "Delete it if nobody changed it",
            "deleteTask",
            204,
            path=TASK,
            headers={"If-Match": "{{etag}}"},
            note="Conditions hold for every write.",
        ),
        Item(
            "A task that is not mine",
            "getTask",
            404,
            "not_found",
            path={"id": ABSENT_ID},
            note="What another account has looks the same as what is not there.",
        ),
        Item(
            "Log out another device",
            "endSession",
            204,
            path={"id": "{{session_id}}"},
            note="Its tokens stop working at once.",
        ),
        Item(
            "Take my data along",
            "exportMe",
            200,
            tests=[
                check(
                    "is to be saved as a file", 'pm.response.headers.get("Content-Disposition")', 'to.include("attachment")'
                )
            ],
            note="The account, its sessions and its tasks in one file.",
        ),
        Item(
            "Change the password with a wrong one",
            "changePassword",
            403,
            "wrong_password",
            body={"current_password": "not the password", "new_password": "{{new_password}}"},
            note="The token is good, the password is not: 403, and not 401.",
        ),
        Item(
            "Log out",
            "logout",
            204,
            tests=[keep("ended_token", 'pm.request.headers.get("Authorization").slice(7)')],
            note="The session of the token ends.",
        ),
        Item(
            "The token has stopped working",
            "getMe",
            401,
            "invalid_token",
            token="{{ended_token}}",
            tests=[INVALID_TOKEN],
            note="Though its 15 minutes are not over.",
        ),
        Item(
            "Delete my account",
            "deleteAccount",
            204,
            body={"password": "{{password}}"},
            note="The script of the collection logs in again first.",
            tests=[keep("gone_email", kept("email")), keep("email", '""')],
        ),
        Item(
            "The account is gone",
            "login",
            401,
            "invalid_credentials",
            body={"email": "{{gone_email}}", "password": "{{password}}"},
            note="The same answer as for a wrong password.",
        ),
    ],
)
