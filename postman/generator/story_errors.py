# SPDX-License-Identifier: MIT
"""The part of the story in which every request fails on purpose."""

from .story_items import ABSENT_ID, SENT_TOKEN, Folder, Item, check

NO_TOKEN = check(
    "does not blame a token",
    'pm.response.headers.get("WWW-Authenticate")',
    'to.match(/^Bearer/).and.not.include("error=")',
)

WHO = Folder(
    "Who are you?",
    "401, 403, 404 and 409.",
    [
        Item("No token", "listTasks", 401, "unauthorized", token=None, tests=[NO_TOKEN]),
        Item(
            "Not a token of ours", "listTasks", 401, "invalid_token", token="not.a.token", tests=[SENT_TOKEN]
        ),
        Item(
            "Wrong password at login",
            "login",
            401,
            "invalid_credentials",
            token=None,
            body={"email": "{{email}}", "password": "not the password"},
            tests=[NO_TOKEN],
        ),
        Item(
            "Refresh token that is none",
            "refreshTokens",
            401,
            "invalid_refresh_token",
            token=None,
            body={"refresh_token": "bm90IGEgdG9rZW4"},
        ),
        Item(
            "Wrong password with a token",
            "changePassword",
            403,
            "wrong_password",
            body={"current_password": "not the password", "new_password": "staple under the sun"},
        ),
        Item(
            "A task that is not mine",
            "getTask",
            404,
            "not_found",
            path={"id": ABSENT_ID},
            note="A task of another account answers exactly the same.",
        ),
        Item(
            "E-mail address taken",
            "registerUser",
            409,
            "email_taken",
            token=None,
            body={"email": "{{email}}", "password": "{{password}}"},
        ),
    ],
)

VALID = Folder(
    "What did you send?",
    "400, 406, 413, 415 and 422.",
    [
        Item("Broken JSON", "createTask", 400, "invalid_json", body='{"title": "Buy'),
        Item(
            "The same member twice",
            "createTask",
            400,
            "invalid_json",
            body='{"title": "Buy milk", "title": "Buy bread"}',
        ),
        Item(
            "Query parameters that are not valid",
            "listTasks",
            400,
            "invalid_parameter",
            query={"limit": "1000", "colour": "red"},
            tests=[
                check(
                    "names both",
                    "body.errors.map((one) => one.parameter)",
                    'to.have.members(["limit", "colour"])',
                )
            ],
        ),
        Item(
            "A cursor that was tampered with",
            "listTasks",
            400,
            "invalid_parameter",
            query={"cursor": "bm90IGEgY3Vyc29y"},
            tests=[check("names it", "body.errors[0].parameter", 'to.eql("cursor")')],
        ),
        Item(
            "A malformed If-Match",
            "deleteTask",
            400,
            "invalid_header",
            path={"id": ABSENT_ID},
            headers={"If-Match": "42"},
        ),
        Item(
            "A media type that there is not",
            "listTasks",
            406,
            "not_acceptable",
            headers={"Accept": "text/csv"},
        ),
        Item(
            "A body that is too large",
            "registerUser",
            413,
            "content_too_large",
            token=None,
            before={"large": ("x" * 5000, "{{=x*5000}}")},
            body={"email": "{{email}}", "password": "{{password}}", "name": "{{large}}"},
        ),
        Item(
            "A body that is no JSON",
            "createTask",
            415,
            "unsupported_media_type",
            headers={"Content-Type": "text/plain"},
            body="Buy milk",
        ),
        Item(
            "A body that the call does not take",
            "deleteTask",
            422,
            "validation_failed",
            path={"id": ABSENT_ID},
            body={"title": "Buy milk"},
        ),
        Item(
            "A task with many faults",
            "createTask",
            422,
            "validation_failed",
            body={"title": " ", "status": "someday", "colour": "red"},
            tests=[
                check(
                    "names them all",
                    "body.errors.map((one) => one.pointer)",
                    'to.have.members(["/title", "/status", "/colour"])',
                )
            ],
        ),
        Item(
            "An account with many faults",
            "registerUser",
            422,
            "validation_failed",
            token=None,
            body={"email": "ada", "password": "short"},
            tests=[
                check(
                    "names them all",
                    "body.errors.map((one) => one.pointer)",
                    'to.have.members(["/email", "/password"])',
                )
            ],
        ),
    ],
)

PLAIN = Folder(
    "HTTP itself",
    "What the server says before it knows which call is meant. The description has no such calls.",
    [
        Item("A path that there is not", None, 404, "not_found", token=None, raw=("GET", "/v2/tasks")),
        Item(
            "A method that the path has not",
            None,
            405,
            "method_not_allowed",
            token=None,
            raw=("DELETE", "/v1/tasks"),
            tests=[
                check(
                    "says which it has",
                    'pm.response.headers.get("Allow")',
                    'to.include("GET").and.include("POST")',
                )
            ],
        ),
        Item(
            "The header fields only",
            None,
            200,
            token=None,
            raw=("HEAD", "/livez"),
            tests=[check("has no body", "pm.response.text()", "to.eql('')")],
        ),
        Item(
            "What can this path do?",
            None,
            204,
            token=None,
            raw=("OPTIONS", "/v1/tasks"),
            tests=[
                check(
                    "says it",
                    'pm.response.headers.get("Allow")',
                    'to.include("GET").and.include("POST").and.include("OPTIONS")',
                )
            ],
        ),
        Item(
            "A method that the server does not know",
            None,
            501,
            "not_implemented",
            token=None,
            raw=("BREW", "/v1/tasks"),
        ),
        Item(
            "An address that is too long",
            None,
            414,
            "uri_too_long",
            token=None,
            before={"long": ("x" * 9000, "{{=x*9000}}")},
            raw=("GET", "/livez?{{long}}"),
        ),
        Item(
            "A header field that is too large",
            None,
            431,
            "header_fields_too_large",
            token=None,
            before={"wide": ("x" * 20000, "{{=x*20000}}")},
            raw=("GET", "/livez"),
            headers={"X-Large": "{{wide}}"},
        ),
        Item(
            "An expectation that cannot be met",
            None,
            417,
            "expectation_failed",
            token=None,
            raw=("GET", "/livez"),
            headers={"Expect": "200-ok"},
        ),
    ],
)

ERRORS = Folder(
    "Errors",
    "Every error is `application/problem+json` with a stable `code`. Each request fails on purpose and checks how.",
    [WHO, VALID, PLAIN],
)
