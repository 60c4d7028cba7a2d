# SPDX-License-Identifier: MIT
"""The container image: its Dockerfile read by a strict check, the image made and started without a registry."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import urllib.request

import pytest

from dockerfile import parse
from support.paths import ROOT, binary
from support.server import SANITIZER
from support.waiting import wait_until

SIZE_MOST = 40 * 1000 * 1000
USER = 65532
CHROOT = shutil.which("chroot", path="/usr/sbin:/usr/bin:/sbin:/bin")
DOCKERFILE = ROOT / "Dockerfile"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change owners and the root folder")
release_only = pytest.mark.skipif("TASKHOLD_BIN" in os.environ, reason="an image is made of the release build")


@pytest.fixture(scope="module")
def stages():
    return parse(DOCKERFILE.read_text())


def test_the_build_stage_is_a_slim_debian_of_choice(stages):
    arguments, (build, _) = stages
    assert arguments == {"DEBIAN": "bookworm"}
    assert (build.base, build.name) == ("debian:${DEBIAN}-slim", "build")
    assert build.all("COPY")[-1] == ". ." and "script/bootstrap build" in build.all("RUN")


def test_the_image_holds_nothing_but_what_was_collected(stages):
    _, (build, image) = stages
    assert image.base == "scratch" and image.all("RUN") == []
    assert all(copy.startswith("--from=build ") for copy in image.all("COPY"))
    assert "deploy/container/collect /build/taskhold /image" in build.all("RUN")[-1]


def test_the_image_runs_as_nobody_in_particular_and_stops_on_sigterm(stages):
    image = stages[1][1]
    assert image.one("USER") == "${RUN_AS}" and f"RUN_AS={USER}:{USER}" in image.all("ARG")
    assert json.loads(image.one("VOLUME")) == ["/data"]
    assert image.one("STOPSIGNAL") == "SIGTERM" and image.one("EXPOSE") == "8080"
    assert json.loads(image.one("CMD")) == ["taskhold", "serve"]
    check = re.fullmatch(r"((?:--[a-z-]+=\w+ )+)CMD (\[.*\])", image.one("HEALTHCHECK"))
    assert check and json.loads(check[2]) == ["taskhold", "healthcheck"]
    assert image.pairs("ENV") == {"PATH": "/usr/local/bin", "HOST": "0.0.0.0", "DATABASE_URL": "sqlite:/data/taskhold.db"}


def test_the_labels_are_those_of_oci_and_the_version_is_the_projects(stages):
    image = stages[1][1]
    prefix = "org.opencontainers.image."
    labels = image.pairs("LABEL")
    assert {name.removeprefix(prefix) for name in labels} == {"title", "description", "licenses", "version", "revision"}
    version = re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text())[1]
    assert f"VERSION={version}" in image.all("ARG")


def test_no_data_and_no_secret_gets_into_the_build():
    ignored = set((ROOT / ".dockerignore").read_text().splitlines())
    assert {"/.env", "/.env.*", "/data", "/.git", "/build*", "/.cache", "**/node_modules"} <= ignored


@pytest.mark.parametrize("line", ["ADD x /", "MAINTAINER me", "run true"])
def test_the_check_itself_refuses_what_it_does_not_know(line):
    with pytest.raises(AssertionError):
        parse(f"FROM scratch\n{line}\n")


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """What the image is copied from, collected as the Dockerfile does it: root and data."""
    folder = tmp_path_factory.mktemp("image")
    subprocess.run([ROOT / "deploy/container/collect", binary(), folder], check=True)
    return folder


def size_of(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


@release_only
def test_the_image_is_small_and_holds_no_shell(collected):
    assert size_of(collected) <= SIZE_MOST
    programs = [path for path in collected.rglob("*") if path.is_file() and path.stat().st_mode & stat.S_IXUSR]
    names = {path.name for path in programs if ".so" not in path.name}
    assert names == {"taskhold"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Container:
    """The image's CMD in a root folder of its own, as its user: what a container runtime does, without
    namespaces. The runtime's part, /dev/null, is made here."""

    def __init__(self, root, environment):
        self.root, self.port = root, free_port()
        self.log = root.parent / "container.log"
        self.env = {**environment, "PORT": str(self.port), "RATE_LIMIT": "off"}
        with open(self.log, "wb") as log:
            self.process = self.call("serve", stdout=log, stderr=subprocess.STDOUT)

    def call(self, *arguments, **options):
        command = [CHROOT, f"--userspec={USER}:{USER}", "--groups=", str(self.root), "taskhold", *arguments]
        return subprocess.Popen(command, env=self.env, cwd="/", stdin=subprocess.DEVNULL, **options)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.status, json.loads(answer.read())

    def listening(self):
        assert self.process.poll() is None, self.log.read_text()
        return "listening on" in self.log.read_text()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


def make_device(root):
    """/dev/null, or a skip where even root may not make one."""
    device = root / "dev" / "null"
    device.parent.mkdir(exist_ok=True)
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        os.chmod(device, 0o666)
        with open(device, "wb"):
            pass
    except OSError as error:
        pytest.skip(f"no device can be made here: {error}")


def answers_and_stops(root, environment):
    make_device(root)
    container = Container(root, environment)
    try:
        wait_until(container.listening, 20, "listening")
        status, ready = container.get("/readyz")
        assert status == 200 and set(ready["checks"].values()) == {"ok"}, "with the time zones too"
        status = pathlib.Path(f"/proc/{container.process.pid}/status").read_text()
        assert re.search(rf"^Uid:\s+{USER}\s+{USER}", status, re.M)
        assert container.call("healthcheck", stdout=subprocess.DEVNULL).wait(timeout=10) == 0
        database = root / "data" / "taskhold.db"
        assert database.stat().st_uid == USER and stat.S_IMODE(database.stat().st_mode) == 0o600
        assert container.stop() == 0
        assert not SANITIZER.search(container.log.read_text())
    finally:
        if container.process.poll() is None:
            container.process.kill()
            container.process.wait()


def written_outside_data(root):
    return [path for path in root.rglob("*") if path.lstat().st_uid == USER and path.parts[len(root.parts)] != "data"]


@root_only
@release_only
def test_it_answers_as_a_stranger_to_its_own_files(collected, stages, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(collected / "root", root, symlinks=True)
    shutil.copytree(collected / "data", root / "data")
    os.chown(root / "data", USER, USER)
    answers_and_stops(root, stages[1][1].pairs("ENV"))
    assert written_outside_data(root) == []


def build_image(collected, stages, folder):
    """The last stage of the Dockerfile, its COPY reading from a folder instead of the first stage."""
    text = "\n".join(stages[1][1].text).replace("--from=build ", "").replace(" /image/", " image/")
    (folder / "context").mkdir()
    (folder / "context" / "Dockerfile").write_text(text)
    shutil.copytree(collected, folder / "context" / "image", symlinks=True)
    # Debian 13's will not begin without a netavark, although nothing here has a network.
    (folder / "helpers").mkdir()
    (folder / "helpers" / "netavark").symlink_to("/bin/false")
    (folder / "containers.conf").write_text(f'[engine]\nhelper_binaries_dir=["{folder}/helpers"]\n')
    store = ["env", f"CONTAINERS_CONF={folder}/containers.conf", "buildah", "--storage-driver", "vfs",
             "--root", str(folder / "store"), "--runroot", str(folder / "run")]
    build = ["bud", "-q", "--isolation", "chroot", "--format", "docker", "-t", "taskhold:test", str(folder / "context")]
    made = subprocess.run(["unshare", "-n", *store, *build], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"buildah does not run here: {made.stderr.strip().splitlines()[-1]}")
    return store


def output(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@root_only
@release_only
@pytest.mark.skipif(not shutil.which("buildah"), reason="buildah is not installed")
def test_buildah_makes_the_image_and_it_answers(collected, stages, tmp_path):
    store = build_image(collected, stages, tmp_path)
    inspected = json.loads(output([*store, "inspect", "--type", "image", "taskhold:test"]))
    config = inspected["Docker"]["config"]
    assert config["User"] == f"{USER}:{USER}" and config["StopSignal"] == "SIGTERM"
    assert config["Cmd"] == ["taskhold", "serve"] and list(config["Volumes"]) == ["/data"]
    assert config["Healthcheck"]["Test"] == ["CMD", "taskhold", "healthcheck"]
    container = output([*store, "from", "--pull-never", "taskhold:test"])
    root = pathlib.Path(output([*store, "mount", container]))
    try:
        assert size_of(root) <= SIZE_MOST
        answers_and_stops(root, dict(pair.split("=", 1) for pair in config["Env"]))
    finally:
        output([*store, "umount", container])
