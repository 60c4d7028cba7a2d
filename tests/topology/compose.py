# SPDX-License-Identifier: MIT
"""deploy/compose/compose.postgres.yaml, started by hand: its two nodes, its proxy, a private PostgreSQL as its `db`.

Changed are addresses and ports (loopback), the folder of the secrets, and in front of the Caddyfile stands a block of
global options: no administration socket, no port 80, nothing put into the system's list of certificates. Caddy signs
the certificate of `localhost` itself, as it does for the deployment without DOMAIN.
"""
import secrets
import shutil
import subprocess

from containers import PATH, Node, image_environment, on_loopback, write_secret
from shapes import read_yaml
from support.cluster import free_port
from support.paths import ROOT
from support.waiting import wait_until
from writers import Caller

FILE = ROOT / "deploy" / "compose" / "compose.postgres.yaml"
MOUNTED = "/run/secrets/"
OPTIONS = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tdefault_bind 127.0.0.1\n}\n"


def missing():
    """Why Caddy cannot be started here; None when it can."""
    return None if shutil.which("caddy", path=PATH) else "there is no Caddy (script/bootstrap test)"


class Proxy:
    """Caddy as the file configures it, in folders of its own."""

    def __init__(self, folder, service, upstreams):
        self.folder, self.port = folder, free_port()
        self.log_path = folder / "log"
        mounted = next(v.split(":")[0] for v in service["volumes"] if v.endswith(":/etc/caddy/Caddyfile:ro"))
        config = folder / "Caddyfile"
        config.write_text(OPTIONS + (FILE.parent / mounted).read_text())
        given = {**service["environment"], "DOMAIN": f"localhost:{self.port}", "UPSTREAMS": upstreams}
        self.url = f"https://{given['DOMAIN']}"
        environment = {"PATH": PATH, "HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"),
                       "XDG_CONFIG_HOME": str(folder / "config"), **given}
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([shutil.which("caddy", path=PATH), "run", "--config", str(config)], cwd=folder,
                                            env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def authority(self):
        """The certificate that signed Caddy's own."""
        return self.folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    def has_authority(self):
        """Whether Caddy has made that certificate: it makes the file first and writes into it afterwards."""
        return self.authority.exists() and self.authority.read_text().rstrip().endswith("-----END CERTIFICATE-----")

    def log_text(self):
        """What it logged."""
        return self.log_path.read_text(errors="replace")

    def stop(self):
        """Ends it."""
        self.process.terminate()
        self.process.wait(20)


class Deployment:
    """All of it. `stop` ends it."""

    def __init__(self, folder, postgres):
        self.services = read_yaml(FILE)["services"]
        self.nodes, self.proxy = {}, None
        try:
            self._make_secrets(folder, postgres)
            for name in ("node-1", "node-2"):
                (folder / name).mkdir()
                self.nodes[name] = Node(self._environment(name, folder), directory=folder / name)
                wait_until(self.nodes[name].is_healthy, 10, f"{name} being healthy")
            (folder / "proxy").mkdir()
            self.proxy = Proxy(folder / "proxy", self.services["proxy"], self._upstreams())
            wait_until(self._is_served, 20, "an answer through Caddy, whose certificate takes a moment")
        except BaseException:
            self.kill()
            raise

    def _is_served(self):
        proxy = self.proxy
        return proxy.has_authority() and Caller(proxy.port, proxy.authority).call("GET", "/livez")[0] == 200

    def _make_secrets(self, folder, postgres):
        """The three files of docs/deploy.md; `db:5432` is the private cluster."""
        db = self.services["db"]["environment"]
        user, self.database, password = db["POSTGRES_USER"], db["POSTGRES_DB"], secrets.token_hex(24)
        postgres.psql(f"CREATE DATABASE {self.database}; ALTER ROLE {user} PASSWORD '{password}'")
        write_secret(folder, "jwt_secret", secrets.token_urlsafe(48))
        url = f"postgres://{user}:{password}@127.0.0.1:{postgres.port}/{self.database}"
        write_secret(folder, "database_url", url)

    def _environment(self, name, folder):
        given = on_loopback({**image_environment(), **self.services[name]["environment"]})
        return {key: str(folder / value.removeprefix(MOUNTED)) if value.startswith(MOUNTED) else value
                for key, value in given.items()}

    def _upstreams(self):
        """Of the file, with the address of the node for its name."""
        places = self.services["proxy"]["environment"]["UPSTREAMS"].split()
        assert {place.partition(":")[0] for place in places} == set(self.nodes)
        return " ".join(f"127.0.0.1:{self.nodes[place.partition(':')[0]].port}" for place in places)

    def stop(self):
        """Each must end with 0."""
        try:
            if self.proxy:
                self.proxy.stop()
            for node in self.nodes.values():
                node.stop()
        finally:
            self.kill()

    def kill(self):
        """Ends whatever still runs."""
        for one in [*self.nodes.values(), *filter(None, [self.proxy])]:
            if one.process and one.process.poll() is None:
                one.process.kill()
                one.process.wait()
