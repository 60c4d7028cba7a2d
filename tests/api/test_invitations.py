# SPDX-License-Identifier: MIT
"""Registration by invitation only, and `taskhold user invite`."""
import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.accounts import PASSWORD
from support.client import Client
from support.server import Server, run


def invite(server, *args):
    """What `taskhold user invite` answers, as JSON."""
    done = run("user", "invite", *args, "--json", cwd=server.directory, env=server.database)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def somebody():
    """An e-mail that nobody has yet."""
    return f"{uuid.uuid4().hex}@example.com"


def register(server, email=None, **members):
    """The answer to a registration."""
    return Client(server).post("/v1/auth/register", {"email": email or somebody(), "password": PASSWORD, **members})


@pytest.fixture(scope="module")
def closed():
    """A server that takes no strangers."""
    server = Server({"REGISTRATION": "closed"})
    yield server
    server.stop()


def test_closed_takes_an_invitation_once(closed):
    refused = register(closed).expect(403, "registration_closed")
    assert "operator" in refused.json["detail"]
    register(closed, invitation="x" * 43).expect(403, "invalid_invitation")
    register(closed, invitation="").expect(403, "invalid_invitation")
    row = invite(closed)
    assert row["email"] is None and row["link"] is None and len(row["invitation"]) == 43
    register(closed, invitation=row["invitation"]).expect(201)
    register(closed, invitation=row["invitation"]).expect(403, "invalid_invitation")


def test_what_is_wrong_with_a_body_is_said_first(closed):
    answer = register(closed, email="nobody", invitation=5).expect(422, "validation_failed")
    assert answer.errors == {("/email", "email"), ("/invitation", "type")}
    assert register(closed, invitation="x" * 1025).expect(422).errors == {("/invitation", "too_long")}


def test_an_invitation_may_be_for_one_email(closed):
    email = somebody()
    token = invite(closed, email)["invitation"]
    register(closed, invitation=token).expect(403, "invalid_invitation")
    register(closed, email.upper(), invitation=token).expect(201)


def test_an_email_that_is_taken_leaves_the_invitation(closed):
    email = somebody()
    register(closed, email, invitation=invite(closed)["invitation"]).expect(201)
    # Nobody learns who has an account without one that is good.
    register(closed, email).expect(403, "registration_closed")
    register(closed, email, invitation="x" * 43).expect(403, "invalid_invitation")
    token = invite(closed)["invitation"]
    register(closed, email, invitation=token).expect(409, "email_taken")
    register(closed, invitation=token).expect(201)


def test_of_many_at_once_one_wins(closed):
    token = invite(closed)["invitation"]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: register(closed, invitation=token), range(12)))
    assert sorted(answer.status for answer in answers) == [201] + [403] * 11
    assert {answer.json["code"] for answer in answers if answer.status == 403} == {"invalid_invitation"}


def test_the_operator_adds_without_one(closed):
    email = somebody()
    done = run("user", "add", email, cwd=closed.directory, env=closed.database, stdin=PASSWORD)
    assert done.returncode == 0, done.stderr
    Client(closed).post("/v1/auth/login", {"email": email, "password": PASSWORD}).expect(200)


def test_open_needs_none_but_looks_at_one_that_is_sent(server):
    register(server).expect(201)
    register(server, invitation="x" * 43).expect(403, "invalid_invitation")
    token = invite(server)["invitation"]
    register(server, invitation=token).expect(201)
    register(server, invitation=token).expect(403, "invalid_invitation")


def test_a_token_stands_in_no_log(closed):
    token = invite(closed)["invitation"]
    register(closed, invitation=token + "!").expect(403)
    register(closed, invitation=token).expect(201)
    assert token not in closed.log_text()
