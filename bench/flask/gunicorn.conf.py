# SPDX-License-Identifier: MIT
"""One core, so 2 x 1 + 1 workers as gunicorn advises, of its own kind: sync, one request at a time."""
workers = 3
loglevel = "warning"
