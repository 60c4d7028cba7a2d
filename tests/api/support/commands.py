# SPDX-License-Identifier: MIT
"""The operator's commands, as the tests of several of them run and judge them."""
import json
import signal

from .server import SANITIZER, run

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def taskhold(directory, *args, **more):
    """Runs a command in a folder; nothing that a sanitizer complains of."""
    done = run(*args, cwd=directory, timeout=60, **more)
    assert not SANITIZER.search(done.stderr), done.stderr
    return done


def refused(done, says, status=1):
    """One line, and nothing on standard output."""
    assert done.returncode == status and done.stdout == "", done
    assert done.stderr.startswith("taskhold: ") and done.stderr.count("\n") == 1 and says in done.stderr, done.stderr


def start_refusal(ended):
    """Why `serve` did not start: the last event of a log in which each line is an object."""
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert lines[-1]["event"] == "start_failed" and all(line["event"] == "starting" for line in lines[:-1]), lines
    return lines[-1]["message"]


def heed_signals():
    """For a new process (preexec_fn): whoever runs the tests may have ignored some."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_DFL)
