# SPDX-License-Identifier: MIT
"""What the tests over HTTP share: a server to talk to, a client that checks every answer, accounts."""
