# SPDX-License-Identifier: MIT
"""Debian's HAProxy before the nodes, which asks each whether it is ready."""
import http.client
import shutil
import subprocess

from containers import PATH
from support.cluster import free_port
from support.waiting import wait_until

# HAProxy's own 503 says that nobody was asked; in the words of the nodes a client understands it.
REFUSED = """HTTP/1.0 503 Service Unavailable\r
Content-Type: application/problem+json\r
Cache-Control: no-store\r
Retry-After: 1\r
Connection: close\r
\r
{"type":"about:blank","title":"Service Unavailable","status":503,"code":"unavailable"}
"""
CONFIG = """
global
    tune.bufsize 32768
    tune.maxrewrite 1024
defaults
    mode http
    timeout connect 2s
    timeout check 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
    option forwardfor
    option redispatch
    errorfile 503 {refused}
frontend clients
    bind 127.0.0.1:{port}
    default_backend nodes
frontend clients_by_token
    bind 127.0.0.1:{by_token}
    default_backend nodes_by_token
backend nodes
    balance roundrobin
    option httpchk GET /readyz
    default-server check inter 500ms fall 2 rise 1
{servers}
backend nodes_by_token
    balance hdr(Authorization)
    option httpchk GET /readyz
    default-server check inter 500ms fall 2 rise 1
{servers}
"""


def missing():
    """Why it cannot be started here; None when it can."""
    return None if shutil.which("haproxy", path=PATH) else "no HAProxy is installed (Debian: haproxy)"


class Front:
    """One process in front of `nodes`; for clients it is a server like any other. At `by_token` each token has a node of its
    own: behind poolers the others hear of the end of a session up to a second later, and the collection does not wait."""

    env = {}

    def __init__(self, folder, nodes):
        self.host, self.port = "127.0.0.1", free_port()
        self.url = f"http://{self.host}:{self.port}"
        self.by_token = free_port()
        self.log_path = folder / "haproxy.log"
        refused, config = folder / "503.http", folder / "haproxy.cfg"
        refused.write_bytes(REFUSED.encode())
        servers = "\n".join(f"    server n{number} {one.host}:{one.port}" for number, one in enumerate(nodes, 1))
        config.write_text(CONFIG.format(port=self.port, by_token=self.by_token, refused=refused, servers=servers))
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([shutil.which("haproxy", path=PATH), "-db", "-f", str(config)], cwd=folder,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self.is_ready, 30, "a ready node behind HAProxy")
        except BaseException:
            self.close()
            raise

    def is_ready(self):
        """Does it lead to a node that can work?"""
        assert self.process.poll() is None, self.log_path.read_text(errors="replace")[-2000:]
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def close(self):
        """Ends it."""
        self.process.kill()
        self.process.wait(10)
