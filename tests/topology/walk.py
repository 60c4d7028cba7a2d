# SPDX-License-Identifier: MIT
"""The Postman collection, walked with newman through a proxy."""
import json
import os
import pathlib
import shutil
import subprocess

from containers import PATH
from support.paths import ROOT

COLLECTION = ROOT / "postman" / "taskhold.postman_collection.json"
NOT_THROUGH_CADDY = {
    "417 An expectation that cannot be met": "Caddy refuses an Expect that it does not know itself",
    "Can the server work?": "asks a single node, which says 503 rightly when it is about to end",
}


def missing():
    """Why newman cannot be run here; None when it can."""
    return None if shutil.which("newman", path=PATH) else "newman is not installed (script/bootstrap test)"


def _without(items, names):
    kept = [one for one in items if one["name"] not in names]
    return [{**one, "item": _without(one["item"], names)} if "item" in one else one for one in kept]


def collection_through_caddy(folder):
    """A copy of the collection without what has another answer there."""
    collection = json.loads(COLLECTION.read_text(encoding="utf-8"))
    collection["item"] = _without(collection["item"], NOT_THROUGH_CADDY)
    path = pathlib.Path(folder) / "collection.json"
    path.write_text(json.dumps(collection), encoding="utf-8")
    return path


class Walk:
    """One walk, under way. `authority`: the certificate to trust, if there is one."""

    def __init__(self, folder, url, authority=None):
        self.report = pathlib.Path(folder) / "report.json"
        self.log_path = pathlib.Path(folder) / "newman.log"
        self.report.unlink(missing_ok=True)
        command = ["newman", "run", str(collection_through_caddy(folder)), "--env-var", f"base_url={url}",
                   *(["--ssl-extra-ca-certs", str(authority)] if authority else []), "--reporters", "json", "--reporter-json-export",
                   str(self.report)]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PATH": PATH, "NO_COLOR": "1"},
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_over(self):
        """Has it come to its end?"""
        return self.process.poll() is not None

    def failures(self, seconds=60):
        """What newman found wrong, one line each; waits for the end."""
        try:
            status = self.process.wait(seconds)
        finally:
            self.process.kill()
            self.process.wait()
        assert self.report.exists(), self.log_path.read_text(errors="replace")[-2000:]
        found = json.loads(self.report.read_text(encoding="utf-8"))["run"]
        assert found["stats"]["assertions"]["total"] >= found["stats"]["requests"]["total"] > 50
        lines = [f"{one['source']['name']}: {one['error'].get('test') or ''} {one['error']['message']}"
                 for one in found["failures"]]
        assert (status == 0) == (not lines), self.log_path.read_text(errors="replace")[-2000:]
        return lines
