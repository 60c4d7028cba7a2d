# SPDX-License-Identifier: MIT
"""Where a task is, and what it is now."""


def path_of(task, rest=""):
    """Where it is."""
    return f"/v1/tasks/{task['id']}{rest}"


def get(user, task):
    """The task as it is now."""
    return user.client.get(path_of(task)).expect(200).json
