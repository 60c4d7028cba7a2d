# SPDX-License-Identifier: MIT
"""One `taskhold serve` process in a folder of its own."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import weakref

from . import engine, faketime
from .paths import binary
from .waiting import wait_until

SECRET = "k3Yq0-a-secret-that-only-these-tests-know-8Zp"
LISTENING = re.compile(r"listening on http://(127\.0\.0\.1|localhost):(\d+)")
SANITIZER = re.compile(r"AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:")
PASSED_ON = ("PATH", "HOME", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")


def environment(extra=None):
    """What the server sees: nothing of the caller's settings. None as a value leaves a name out."""
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    env.update({"RATE_LIMIT": "off", "JWT_SECRET": SECRET, "LOG_FORMAT": "json"})
    env.update(extra or {})
    return {name: value for name, value in env.items() if value is not None}


def run(*args, env=None, cwd=None, stdin=None, timeout=30, stdout=subprocess.PIPE):
    """Runs the program to its end; answers the CompletedProcess with text output."""
    return subprocess.run([str(binary()), *args], env=environment(env), cwd=cwd, input=stdin, timeout=timeout,
                          stdout=stdout, stderr=subprocess.PIPE, encoding="utf-8", check=False)


class Server:
    """Starts at once; `stop` ends it. Without `directory` it makes one and removes it at the end."""

    def __init__(self, env=None, args=(), directory=None, port=0):
        self.env, self.args = dict(env or {}), tuple(args)
        self.database = None
        self.own_directory = directory is None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="taskhold-test-"))
        self.log_path = self.directory / "stderr.log"
        if "DATABASE_URL" not in self.env and not any(arg.startswith("--database") for arg in self.args):
            self.database = engine.database_for(self.directory)
        self.process = None
        self.clients = weakref.WeakSet()
        try:
            self.start(port)
        except BaseException:
            self.kill()
            self.remove()
            raise

    def start(self, port=0):
        """Starts the process (again, on the same files) and waits until it listens."""
        self.spawn(port)
        self.await_listening()

    def await_listening(self, seconds=20):
        """Waits until it listens, and learns where."""
        self.host, self.port = wait_until(self._address, seconds, "listening")
        self.url = f"http://{self.host}:{self.port}"

    def spawn(self, port=0):
        """Starts the process and waits for nothing."""
        self.log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        self._remove_left()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(binary()), "serve", "--port", str(port), *self.args], cwd=self.directory,
                env=environment({**(self.database or {}), **self.env}), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _remove_left(self):
        if faketime.is_in(self.env):
            faketime.remove_left()

    def _address(self):
        match = LISTENING.search(self.log_text(this_run=True))
        if match:
            return match.group(1), int(match.group(2))
        assert self.process.poll() is None, f"ended while starting: {self.log_text()}"
        return None

    @property
    def pid(self):
        """The id of the process."""
        return self.process.pid

    def log_text(self, this_run=False):
        """Standard error up to now."""
        data = self.log_path.read_bytes() if self.log_path.exists() else b""
        return data[self.log_start if this_run else 0:].decode("utf-8", "replace")

    def signal(self, number):
        """Sends a signal to this process only."""
        self.process.send_signal(number)

    def hang_up(self):
        """Closes the connections of all clients: a server that ends gives open ones some time."""
        for client in list(self.clients):
            client.close()

    def terminate(self):
        """SIGTERM; it must end with 0."""
        self.hang_up()
        self.signal(signal.SIGTERM)
        status = self.wait()
        assert status == 0, f"exit status {status}\n{self.log_text()[-4000:]}"

    def kill(self):
        """Ends it the hard way and waits."""
        if self.process is not None:
            self.process.kill()
            self.wait(None)

    def wait(self, seconds=30):
        """The exit status."""
        status = self.process.wait(seconds)
        self._remove_left()
        return status

    def stop(self):
        """SIGTERM; it must end with 0 and without a report of a sanitizer."""
        try:
            if self.process.returncode != 0:
                self.terminate()
            log = self.log_text()
            assert not SANITIZER.search(log), log[-8000:]
        finally:
            self.kill()
            self.remove()

    def restart(self, env=None, port=0):
        """Stops it with SIGTERM and starts it on the same files."""
        self.terminate()
        self.env.update(env or {})
        self.start(port)

    def remove(self):
        """Removes the folder if it was made here."""
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            engine.drop_database_for(self.directory)
