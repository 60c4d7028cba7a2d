# SPDX-License-Identifier: MIT
"""Clients that create tasks one after the other, without an Idempotency-Key, and note each answer."""
import http.client
import json
import ssl
import threading

from support.accounts import PASSWORD

PAUSE_S = 0.06  # so that the quota of an account, 20 a second, is never reached


class Caller:
    """One connection to a port on loopback, with TLS when `authority` names the certificate to trust; `source`: the
    address it comes from."""

    def __init__(self, port, authority=None, source="127.0.0.1"):
        self.port, self.source, self.token, self.connection = port, source, None, None
        self.context = ssl.create_default_context(cafile=str(authority)) if authority else None

    def _connect(self):
        where = {"port": self.port, "timeout": 30, "source_address": (self.source, 0)}
        if self.context:
            return http.client.HTTPSConnection("localhost", context=self.context, **where)
        return http.client.HTTPConnection("127.0.0.1", **where)

    def call(self, method, path, value=None, headers=None):
        """Sends a request; answers the status and the body, or 0 and the reason when there was no answer."""
        fields = {"Content-Type": "application/json", **(headers or {})}
        if self.token:
            fields["Authorization"] = f"Bearer {self.token}"
        self.connection = self.connection or self._connect()
        try:
            self.connection.request(method, path, None if value is None else json.dumps(value), fields)
            answer = self.connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return 0, repr(error)

    def close(self):
        """Closes the connection."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def log_in(self, email, headers=None):
        """Makes an account and logs it in."""
        account = {"email": email, "password": PASSWORD}
        status, body = self.call("POST", "/v1/auth/register", account)
        assert status == 201, (status, body)
        status, body = self.call("POST", "/v1/auth/login", account, headers)
        assert status == 200, body
        self.token = json.loads(body)["access_token"]
        return self


class Writers:
    """Several of them, each with an account and a thread; `stop` answers what they were told."""

    def __init__(self, callers):
        self.answers, self.ended = [], threading.Event()
        self.threads = [threading.Thread(target=self._write, args=(number, caller))
                        for number, caller in enumerate(callers)]
        for thread in self.threads:
            thread.start()

    def _write(self, number, caller):
        step = 0
        while not self.ended.wait(PAUSE_S):
            step += 1
            self.answers.append(caller.call("POST", "/v1/tasks", {"title": f"written {number}.{step}"}))
        caller.close()

    def stop(self):
        """Ends them; every answer as (status, body)."""
        self.ended.set()
        for thread in self.threads:
            thread.join()
        return self.answers
