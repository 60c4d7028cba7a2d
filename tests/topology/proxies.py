# SPDX-License-Identifier: MIT
"""Reverse proxies in front of one server, over plain HTTP on loopback, each compressing and keeping its connections."""
import os
import shutil
import subprocess

from containers import PATH
from support.cluster import free_port
from support.paths import ROOT
from support.waiting import wait_until
from writers import Caller

TYPES = "application/json application/problem+json"
OPTIONS = "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n"


def _caddy_compose(folder, port, upstream):
    config = folder / "Caddyfile"
    config.write_text(OPTIONS + (ROOT / "deploy/compose/Caddyfile").read_text())
    return ["run", "--config", str(config)], {"DOMAIN": f"http://localhost:{port}", "UPSTREAMS": f"127.0.0.1:{upstream}"}


def _caddy_vps(folder, port, upstream):
    shipped = (ROOT / "deploy/vps/Caddyfile").read_text()
    assert "\ntasks.example.com {" in shipped and " 127.0.0.1:8080 {" in shipped
    changed = shipped.replace("\ntasks.example.com {", f"\nhttp://localhost:{port} {{")
    config = folder / "Caddyfile"
    config.write_text(OPTIONS + changed.replace(" 127.0.0.1:8080 {", f" 127.0.0.1:{upstream} {{"))
    return ["run", "--config", str(config)], {}


def _nginx(folder, port, upstream):
    config = folder / "nginx.conf"
    paths = "".join(f"    {name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(f"""
daemon off; {user} worker_processes 1; pid {folder}/pid; error_log stderr;
events {{}}
http {{
{paths}    access_log off;
    gzip on; gzip_types {TYPES}; gzip_proxied any; gzip_min_length 100;
    upstream taskhold {{ server 127.0.0.1:{upstream} max_fails=0; keepalive 16; keepalive_timeout 60s; }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 8m;
        location / {{
            proxy_pass http://taskhold;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
""")
    return ["-e", "stderr", "-p", str(folder), "-c", str(config)], {}


def _haproxy(folder, port, upstream):
    config = folder / "haproxy.cfg"
    config.write_text(f"""
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
    option forwardfor
    compression algo gzip
    compression type {TYPES}
frontend clients
    bind 127.0.0.1:{port}
    default_backend nodes
backend nodes
    http-reuse always
    server node 127.0.0.1:{upstream}
""")
    return ["-db", "-f", str(config)], {}


def _apache(folder, port, upstream):
    config = folder / "apache.conf"
    modules = next((path for path in (ROOT / ".cache/debian/usr/lib/apache2/modules", "/usr/lib/apache2/modules")
                    if os.path.isdir(path)))
    loaded = "".join(f"LoadModule {name}_module {modules}/mod_{name}.so\n" for name in
                     ("mpm_event", "authz_core", "filter", "deflate", "proxy", "proxy_http"))
    owner = "User nobody\nGroup nogroup\n" if os.geteuid() == 0 else ""
    config.write_text(f"""{loaded}{owner}
ServerRoot {folder}
ServerName localhost
DefaultRuntimeDir {folder}
PidFile {folder}/pid
Mutex posixsem
ErrorLog {folder}/log
Listen 127.0.0.1:{port}
AddOutputFilterByType DEFLATE {TYPES}
ProxyPass / http://127.0.0.1:{upstream}/ retry=0 ttl=60
""")
    return ["-DFOREGROUND", "-f", str(config)], {}


# name -> (program, how it is configured)
PROXIES = {
    "caddy-newest, compose": ("caddy-newest", _caddy_compose),
    "caddy-newest, vps": ("caddy-newest", _caddy_vps),
    "caddy, compose": ("caddy", _caddy_compose),
    "caddy, vps": ("caddy", _caddy_vps),
    "nginx": ("nginx", _nginx),
    "haproxy": ("haproxy", _haproxy),
    "apache": ("apache2", _apache),
}


def missing(name):
    """Why it cannot be started here; None when it can."""
    program = PROXIES[name][0]
    return None if shutil.which(program, path=PATH) else f"there is no {program} (script/bootstrap test)"


class Proxy:
    """One of them, in a folder of its own, in front of `server`; `stop` ends it."""

    def __init__(self, name, folder, server):
        program, configure = PROXIES[name]
        self.port = free_port()
        words, more = configure(folder, self.port, server.port)
        self.log_path = folder / "stderr.log"
        environment = {"PATH": PATH, "HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"),
                       "XDG_CONFIG_HOME": str(folder / "config"), **more}
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([shutil.which(program, path=PATH), *words], cwd=folder, env=environment,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self._is_served, 20, f"an answer through {name}")
        except BaseException as error:
            self.stop()
            raise AssertionError(self.log_path.read_text(errors="replace")[-2000:]) from error

    def _is_served(self):
        assert self.process.poll() is None, "it ended"
        caller = Caller(self.port)
        status, _ = caller.call("GET", "/livez", headers={"Host": f"localhost:{self.port}"})
        caller.close()
        return status == 200

    def stop(self):
        """Ends it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
