#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keeps a copy of an account's tasks and lists in a file, with Python's standard library only.

usage: TASKHOLD_TOKEN=… sync.py BASE FILE      BASE as http://127.0.0.1:8080; FILE is made, or read to go on from it
It ends with status 3 when the token has ended: start it again with a new one. docs/clients.md explains it.
"""
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request


class Copy:
    """`things` is keyed by kind and id; `cursor` is the place in the order of changes that they stand for."""

    def __init__(self, base, token, save, things=None, cursor=""):
        self.base, self.token, self.save = base, token, save
        self.things, self.cursor, self.whole = things or {}, cursor, bool(cursor)
        self.unseen, self.retry = set(), 2.0  # what a walk that began again did not bring yet; seconds

    def get(self, path, **fields):
        request = urllib.request.Request(self.base + path, headers={"Authorization": f"Bearer {self.token}", **fields})
        return urllib.request.urlopen(request, timeout=40)  # a stream says something every 15 s

    def apply(self, change):
        key = f"{change['kind']}/{change['id']}"
        self.unseen.discard(key)
        if change["op"] == "put":
            self.things[key] = change[change["kind"]]
        else:
            self.things.pop(key, None)  # it may never have come

    def begin_again(self):
        self.cursor, self.whole, self.unseen = "", False, set(self.things)

    def walk(self):
        while not self.whole:
            with self.get("/v1/changes?limit=500" + (self.cursor and f"&cursor={self.cursor}")) as answer:
                page = json.load(answer)
            for change in page["changes"]:
                self.apply(change)
            self.cursor, self.whole = page["next_cursor"], not page["more"]
        while self.unseen:
            del self.things[self.unseen.pop()]
        self.save(self)

    def follow(self):
        event = {}
        with self.get("/v1/events", **{"Accept": "text/event-stream", "Last-Event-ID": self.cursor}) as stream:
            for line in stream:
                name, _, value = line.decode().rstrip("\n").partition(":")
                event[name] = value.removeprefix(" ")
                if not name and not value:  # an empty line ends an event
                    self.take(event)
                    event = {}

    def take(self, event):
        self.retry = int(event.get("retry", self.retry * 1000)) / 1000
        self.cursor = event.get("id", self.cursor)
        if event.get("event") == "change":
            self.apply(json.loads(event["data"]))
        elif event.get("event") == "ready":  # nothing newer is there
            self.save(self)
        elif event.get("event") == "gone":
            self.begin_again()

    def run(self):
        """Returns when the token has ended; it may be called again with another `token`."""
        while True:
            wait = None
            try:
                self.walk()
                self.follow()
            except urllib.error.HTTPError as error:
                wait = error.headers["Retry-After"]
                if error.code == 401:
                    return
                if error.code == 410:
                    self.begin_again()
                elif error.code < 500 and not wait:
                    raise
            except (OSError, http.client.HTTPException):
                pass  # no network, or a server that starts again
            time.sleep(float(wait or self.retry))


def main(base, path):
    def save(copy):
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump({"cursor": copy.cursor, "things": copy.things}, file)
        os.replace(path + ".part", path)

    kept = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
    Copy(base, os.environ["TASKHOLD_TOKEN"], save, **kept).run()
    print("the token has ended: start again with a new one", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
