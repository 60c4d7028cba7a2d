# SPDX-License-Identifier: MIT
"""What the scripts of the first start say, and what they do where they cannot do their work."""
import shutil
import subprocess

import pytest

from support.paths import ROOT

PACKAGES = "apt-get install -y --no-install-recommends gcc libc6-dev make meson"


def stand_in(path, body):
    """A program of shell."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture(name="bare")
def make_bare(tmp_path):
    """A folder of programs where nothing is installed, and the user is not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cat", "dirname", "fold", "mkdir", "sed", "tr"):
        (folder / name).symlink_to(shutil.which(name))
    for name, body in (("id", "echo 1000"), ("dpkg-query", "exit 1"), ("apt-get", "echo tried"), ("apt-cache", "exit 0")):
        stand_in(folder / name, body)
    return folder


def bootstrap(folder):
    """What it says on standard error, without a terminal; it must fail and try nothing."""
    done = subprocess.run([ROOT / "script" / "bootstrap", "build"], env={"PATH": str(folder)}, capture_output=True,
                          encoding="utf-8", check=False, start_new_session=True)
    assert done.returncode == 1 and done.stdout == "", done
    return done.stderr


def test_without_root_and_sudo_it_gives_the_command(bare):
    said = bootstrap(bare)
    assert "only root may install" in said and "there is no sudo" in said
    assert f"  apt-get update && {PACKAGES}" in said and "libsodium-dev" in said and "curl" in said


def test_a_sudo_that_asks_without_a_terminal_is_told(bare):
    stand_in(bare / "sudo", "exit 1")
    said = bootstrap(bare)
    assert "sudo asks for a password, and there is no terminal" in said and PACKAGES in said


def test_another_system_is_told_of_docker_and_of_the_libraries(bare):
    (bare / "apt-get").unlink()
    said = bootstrap(bare)
    assert "docker build -t taskhold ." in said and "libutf8proc-dev" in said and "script/build" in said


def test_where_all_is_there_it_says_nothing():
    done = subprocess.run([ROOT / "script" / "bootstrap", "build"], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("before", [[], ["--"]])
def test_the_servers_options_are_taken_with_and_without_dashes(before, tmp_path):
    (tmp_path / "script").mkdir()
    shutil.copy(ROOT / "script" / "server", tmp_path / "script")
    for name in ("script/bootstrap", "script/build"):
        stand_in(tmp_path / name, "exit 0")
    stand_in(tmp_path / "build" / "taskhold", 'echo "$@"')
    done = subprocess.run([tmp_path / "script" / "server", *before, "--port", "9000"], capture_output=True,
                          encoding="utf-8", check=True)
    assert done.stdout == "serve --port 9000\n"


@pytest.mark.parametrize("given, shown", [
    ("@1 3 cc a\n@2 3 cc b\n@3 3 link\n", "build: step 1 of 3\nbuild: step 3 of 3\n"),
    ("ninja: no work to do.\n", "build: up to date\n"),
    ("@1 2 cc a\na.c:1: warning: what a compiler says\n", "build: step 1 of 2\na.c:1: warning: what a compiler says\n"),
    ("dlstatus:1:20.5:Retrieving\n", "build: downloading, 20 %\n"),
    ("pmstatus:gcc:41.6:Unpacking gcc\npmerror:gcc:50:it failed\n", "build: unpacking, 41 %\n"),
], ids=["steps", "nothing", "warning", "download", "packages"])
def test_progress_off_a_terminal(given, shown):
    done = subprocess.run([ROOT / "script" / "progress", "build"], input=given, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == shown


def test_progress_on_a_terminal_is_one_line():
    text = r"printf '@1 3 a\n@2 3 b\n@3 3 c\n' | script/progress build"
    done = subprocess.run(["script", "-qec", text, "/dev/null"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                          check=True)
    assert done.stdout.rstrip(b"\r\n").split(b"\r") == [b"", *(b"build: step %d of 3\x1b[K" % n for n in (1, 2, 3))]
