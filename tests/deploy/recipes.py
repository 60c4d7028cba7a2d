# SPDX-License-Identifier: MIT
"""The shell commands of docs/deploy.md and README.md that are for another machine, run in a copy of the repository's files.

Programs that need a network, an account or a running system are stand-ins which record their arguments and standard
input. Folders of the system (/etc, /usr/local) stand in a scratch folder.
"""
import os
import pathlib
import re
import shutil
import subprocess
from dataclasses import dataclass

from support.paths import ROOT

FENCE = re.compile(r"^( *)<!-- not run: [^>]+ -->\n *```sh\n(.*?)^ *```", re.M | re.S)
STAND_INS = ("apt-get caddy curl docker dokku dpkg-buildpackage fly gcloud git heroku kubectl newman sleep systemctl "
             "taskhold").split()
SCRIPTS = "bootstrap build server test".split()
STAND_IN = """#!/bin/sh
here="$RECORD/$(ls "$RECORD" | wc -l)"
mkdir "$here"
printf '%s\\0' "${0##*/}" "$@" > "$here/arguments"
cat > "$here/input"
"""
COPIED = ("deploy", "postman", "fly.toml", "README.md")


@dataclass
class Call:
    """One call of a stand-in."""

    words: list
    stdin: bytes


def blocks():
    """(name, commands) of every block; the name says where it stands."""
    for document in ("docs/deploy.md", "README.md"):
        text = (ROOT / document).read_text()
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 3
            yield f"{document}:{line}", re.sub(rf"^{found[1]}", "", found[2], flags=re.M)


class Place:
    """A scratch copy; `play` runs a block in it."""

    def __init__(self, folder):
        self.folder, self.system, self.record = folder / "repository", folder / "system", folder / "record"
        bin_folder = folder / "bin"
        for made in (self.folder, self.system, self.record, bin_folder, self.folder / "script", self.folder / "build",
                     self.folder / "data"):
            made.mkdir()
        for made in ("etc/caddy", "etc/systemd/system", "usr/local/bin", "usr/local/src/taskhold"):
            (self.system / made).mkdir(parents=True)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, self.folder / name)
        for path in [*(bin_folder / name for name in STAND_INS), *(self.folder / "script" / name for name in SCRIPTS)]:
            path.write_text(STAND_IN)
            path.chmod(0o755)
        (self.folder / "build" / "taskhold").write_text("the program")
        for name in ("taskhold.db", "taskhold.db.jwt-secret"):
            (self.folder / "data" / name).write_text(name)
        self.environment = {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "RECORD": str(self.record),
                            "BASE": "http://127.0.0.1:8080", "HOME": str(folder)}

    def play(self, text):
        """Runs it as it stands but for the folders of the system; answers the calls."""
        text = re.sub(r"(?<![\w.])/(etc|usr/local)/", rf"{self.system}/\1/", text)
        text = re.sub(r"^cd \S+/src/taskhold$", "", text, flags=re.M)  # the clone that was just made: here
        done = subprocess.run(["sh", "-eu", "-c", text], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return [Call((at / "arguments").read_bytes().decode().rstrip("\0").split("\0"), (at / "input").read_bytes())
                for at in sorted(self.record.iterdir(), key=lambda path: int(path.name))]


def block_with(text):
    """The one block that holds `text`."""
    (found,) = [commands for _, commands in blocks() if text in commands]
    return found


def path_of(place, name):
    """A file of the system that a block made."""
    return pathlib.Path(place.system) / name
