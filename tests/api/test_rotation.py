# SPDX-License-Identifier: MIT
"""A new secret on several nodes, by the steps of docs/operations.md: whatever one node signed, every node takes, after each
restart of a single node."""
import pytest

from support import cluster, tokens
from support.accounts import User
from support.client import Client
from support.server import SECRET

NEW = "n7Wb2-another-secret-that-only-these-tests-know-Lq4"
STEPS = [  # what each node gets in turn: (JWT_SECRET, JWT_SECRET_PREVIOUS)
    (SECRET, NEW),  # make the new one known
    (NEW, SECRET),  # sign with it
    (NEW, None),  # forget the old one
]


@pytest.fixture(scope="module", name="shared")
def start_cluster():
    """A PostgreSQL server of this file's own."""
    why = cluster.missing()
    if why:
        pytest.skip(why)
    started = cluster.Cluster()
    yield started
    started.remove()


@pytest.fixture(name="nodes")
def start_nodes(shared, start_server):
    """Two servers on one database, with the old secret."""
    url = shared.url(shared.create_database())
    return [start_server(env={"DATABASE_URL": url}) for _ in range(2)]


class Login:
    """A session that was begun on one node and goes on wherever it likes."""

    def __init__(self, node, user):
        self.user, self.token = user, Client(node).post(
            "/v1/auth/login", {"email": user.email, "password": user.password}).expect(200).json
        self.cursor = self.client(node).get("/v1/tasks?limit=1").expect(200).json["next_cursor"]

    def client(self, node):
        """Its access token on a node."""
        return Client(node, self.token["access_token"])

    def use(self, node):
        """Reads, goes on in a list, and refreshes."""
        self.client(node).get("/v1/me").expect(200)
        self.client(node).get(f"/v1/tasks?limit=1&cursor={self.cursor}").expect(200)
        self.token = Client(node).post("/v1/auth/refresh", {"refresh_token": self.token["refresh_token"]}) \
            .expect(200).json
        self.client(node).get("/v1/me").expect(200)

    @property
    def kid(self):
        """Which secret signed its access token."""
        return tokens.parts(self.token["access_token"])[0]["kid"]


def prepare(nodes):
    """An account with some tasks."""
    user = User(nodes[0])
    for number in range(3):
        user.task(f"Task {number}")
    user.client.close()
    return user


def test_step_by_step_nobody_is_logged_out(nodes):
    user = prepare(nodes)
    idle = Login(nodes[0], user)  # shows its refresh token only at the end of the second step
    logins = [Login(node, user) for node in nodes]
    kids = [logins[0].kid]
    for secret, previous in STEPS:
        for node in nodes:
            node.restart(env={"JWT_SECRET": secret, "JWT_SECRET_PREVIOUS": previous})
            logins += [Login(other, user) for other in nodes]
            for login in logins:
                for other in nodes:
                    login.use(other)
                    login.use(other)
        kids.append(Login(nodes[0], user).kid)
        if secret == NEW and previous:
            for node in nodes:
                idle.use(node)
            # A page of a list is a matter of minutes, not of the 30 days that the old secret is kept.
            for login in logins + [idle]:
                login.cursor = login.client(node).get("/v1/tasks?limit=1").expect(200).json["next_cursor"]
    assert kids[0] == kids[1] != kids[2] == kids[3]


def test_without_the_first_step_somebody_is(nodes):
    """That is what the first step is for."""
    user = prepare(nodes)
    nodes[0].restart(env={"JWT_SECRET": NEW, "JWT_SECRET_PREVIOUS": SECRET})
    login = Login(nodes[0], user)
    login.client(nodes[1]).get("/v1/me").expect(401, "invalid_token")
    Client(nodes[1]).post("/v1/auth/refresh", {"refresh_token": login.token["refresh_token"]}) \
        .expect(401, "invalid_refresh_token")
