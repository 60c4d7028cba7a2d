# SPDX-License-Identifier: MIT
"""The fixtures of the tests over HTTP and of the command line."""
import pytest

from .accounts import User
from .client import Client
from .server import Server


@pytest.fixture(scope="session")
def server():
    """The server that most tests share, without quotas. It must end with 0."""
    started = Server()
    yield started
    started.stop()


@pytest.fixture
def start_server():
    """Starts servers with settings of their own: start_server(env={…}, args=[…]). All end with 0."""
    started = []

    def start(env=None, args=(), directory=None):
        started.append(Server(env, args, directory))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def client(server):
    """A client without a token."""
    one = Client(server)
    yield one
    one.close()


@pytest.fixture(scope="module")
def user(server):
    """An account shared by the tests of one file, with a login that no test may end."""
    return User(server)


@pytest.fixture(scope="module")
def other(server):
    """Another account, for one file."""
    return User(server)


@pytest.fixture
def make_user(server):
    """Makes accounts for tests that need one of their own. It costs two password hashes."""

    def make(on=None, **more):
        return User(on or server, **more)

    return make


@pytest.fixture
def own(make_user):
    """An account that no other test has filled."""
    return make_user()
