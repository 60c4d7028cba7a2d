# SPDX-License-Identifier: MIT
"""Waiting without fixed sleeps."""
import time


def wait_until(condition, seconds=10.0, what="the condition", pause=0.005):
    """Polls until `condition()` is true and returns its value; fails after `seconds`. `pause`: between two looks."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds} s"
        time.sleep(pause)
