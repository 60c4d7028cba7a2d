# SPDX-License-Identifier: MIT
"""What a container of ours gets to see, by the Dockerfile and a platform's file; and the program started with just that."""
import os
import pathlib
import signal
import subprocess

from dockerfile import parse
from support.cluster import free_port
from support.paths import ROOT, binary
from support.server import PASSED_ON, Server

PATH = os.pathsep.join([str(ROOT / ".cache" / "bin"), str(ROOT / "tests" / "tools" / "node_modules" / ".bin"),
                        os.environ["PATH"], "/usr/sbin"])
SANITIZERS = {name: os.environ[name] for name in PASSED_ON if name in os.environ and name.endswith("SAN_OPTIONS")}


def image_environment():
    """ENV of the image; not PATH, which is about the image's own folders."""
    image = parse((ROOT / "Dockerfile").read_text())[1][-1]
    return {name: value for name, value in image.pairs("ENV").items() if name != "PATH"}


def on_loopback(environment):
    """The same environment for a process on this machine: addresses and ports of its own, the proxy on loopback.

    Nothing else is changed, and a name that the file does not have is not added, but for PORT, whose default is the
    same for all.
    """
    changed = dict(environment, HOST="127.0.0.1", PORT=str(free_port()))
    if "METRICS_ADDR" in changed:
        changed["METRICS_ADDR"] = f"127.0.0.1:{free_port()}"
    if "TRUSTED_PROXIES" in changed:
        changed["TRUSTED_PROXIES"] = "127.0.0.1"
    return changed


class Node(Server):
    """The program with an environment that is whole: nothing of the tests' own settings, no flag."""

    def spawn(self, port=0):
        """As CMD of the image does."""
        self.log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([str(binary()), "serve"], cwd=self.directory, env={**self.env, **SANITIZERS},
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self):
        """SIGINT after the first signal ends it without a delay for load balancers."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGINT)
        super().stop()

    def is_healthy(self):
        """HEALTHCHECK of the image."""
        return subprocess.run([str(binary()), "healthcheck"], cwd=self.directory, env={**self.env, **SANITIZERS},
                              stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def write_secret(folder, name, text):
    """A file as `secrets:` mounts it."""
    path = pathlib.Path(folder) / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path
