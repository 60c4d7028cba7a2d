# SPDX-License-Identifier: MIT
"""Waiting without fixed sleeps."""
import time


def wait_at_most(seconds, condition, pause=0.005):
    """Polls until `condition()` is true, or `seconds` are over; gives its last value. `pause`: between two looks."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() >= deadline:
            return value
        time.sleep(pause)


def wait_until(condition, seconds=10.0, what="the condition", pause=0.005):
    """The same; fails when it did not come true."""
    value = wait_at_most(seconds, condition, pause)
    assert value, f"{what} did not come true within {seconds} s"
    return value
