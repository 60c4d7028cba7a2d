# SPDX-License-Identifier: MIT
"""Accounts to test with."""
import secrets

from .client import Client

PASSWORD = "Correct-horse 7 battery"


class User:
    """A registered account with one login. `client` sends its access token."""

    def __init__(self, server, headers=None, password=PASSWORD):
        self.server, self.password = server, password
        self.email = f"someone.{secrets.token_hex(6)}@example.com"
        self.anonymous = Client(server)
        self.anonymous.headers.update(headers or {})
        body = {"email": self.email, "password": password}
        self.row = self.anonymous.post("/v1/auth/register", body).expect(201).json
        self.id = self.row["id"]
        self.token = self.login()
        self.client = Client(server, self.token["access_token"])
        self.client.headers.update(headers or {})

    def login(self, password=None, headers=None):
        """Begins one more session; answers its tokens."""
        body = {"email": self.email, "password": password or self.password}
        return self.anonymous.post("/v1/auth/login", body, headers=headers).expect(200).json

    def login_client(self):
        """A client with a session of its own."""
        return self.client.copy(self.login()["access_token"])

    def script_token(self, *scopes, name="A script", **members):
        """Makes a token for scripts; answers it as JSON."""
        body = {"name": name, "scopes": list(scopes), "password": self.password, **members}
        return self.client.post("/v1/me/tokens", body).expect(201).json

    def task(self, title="Buy milk", **members):
        """Creates a task; answers it as JSON."""
        return self.client.post("/v1/tasks", {"title": title, **members}).expect(201).json

    def reader(self):
        """Another connection with the same token."""
        return self.client.copy()
