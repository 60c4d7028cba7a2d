# SPDX-License-Identifier: MIT
"""One version in all files, and the commit that a build tells of."""
import json
import os
import re
import shutil
import subprocess

import pytest

from support.paths import ROOT
from support.server import run

VERSION = re.search(r"^  version: '([\d.]+)',$", (ROOT / "meson.build").read_text(encoding="utf-8"), re.M)[1]
# Where the version stands beside meson.build, which the binary has it from: what is before it, and how often at least.
PLACES = {
    "api/openapi.yaml": (r"^  version: |^ +version: ", 2),
    "CHANGELOG.md": (r"\A# Changelog\n[^#]*^## \[Unreleased\]\n(?:(?!## ).*\n)*^## \[", 1),
    "Dockerfile": (r"^ARG VERSION=", 1),
    "debian/changelog": (r"\Ataskhold \(", 1),
    "deploy/cloud-run/service.yaml": (r"/taskhold:", 1),
    "deploy/kubernetes/kustomization.yaml": (r"newTag: ", 1),
    "docs/deploy.md": (r"/taskhold:", 1),
    "postman/taskhold.postman_collection.json": (r'\\"version\\": \\"', 1),
}
# Old versions stay in the history, figures belong to the version they were measured with, and a test invents one.
HISTORY = {"CHANGELOG.md", "debian/changelog", "docs/benchmarks.md", "docs/benchmarks.svg", "tests/docs/test_benchmarks.py"}
NAMED = re.compile(r"taskhold[-_ :/v]{1,2}(\d+\.\d+\.\d+)", re.I)


@pytest.mark.parametrize("name", PLACES)
def test_every_place_has_the_version_of_the_build(name):
    before, least = PLACES[name]
    text = (ROOT / name).read_text(encoding="utf-8")
    found = re.findall(rf"(?:{before})(\d+\.\d+\.\d+)", text, re.M)
    assert set(found) <= {VERSION} and len(found) >= least, found


def test_the_policy_supports_it():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\S+) \| yes \|$", text, re.M) == [VERSION.rsplit(".", 1)[0] + ".x"]


def test_the_program_has_it():
    assert json.loads(run("version", "--json").stdout)["version"] == VERSION


def files():
    """The names of all files of the repository; without one, of the folders that a stranger reads."""
    done = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, encoding="utf-8", check=False)
    names = [name for name in done.stdout.split("\0") if name]
    return names or [str(path.relative_to(ROOT)) for folder in ("docs", "deploy", "debian", "api")
                     for path in (ROOT / folder).rglob("*") if path.is_file()] + ["README.md", "Dockerfile"]


def test_no_other_place_names_another():
    """Whatever looks like a version of Taskhold is this one: names of packages, images and files."""
    other = []
    for name in {name for name in files() if not name.startswith("tests/")} - HISTORY:
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        other += [(name, found[0]) for found in NAMED.finditer(text) if found[1] != VERSION]
    assert not other


# ---- the commit ----

def commit(folder, **env):
    """What script/commit says in a folder."""
    done = subprocess.run([str(folder / "script" / "commit")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={"PATH": os.environ["PATH"], **env}, encoding="utf-8", timeout=20, check=False)
    return done.returncode == 0, done.stdout.strip()


def git(folder, *args):
    """Runs git as somebody."""
    subprocess.run(["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com", *args], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          encoding="utf-8", check=False).stdout.strip()


@pytest.fixture(name="sources")
def make_sources(tmp_path):
    """A folder with script/commit alone."""
    folder = tmp_path / "sources"
    (folder / "script").mkdir(parents=True)
    shutil.copy(ROOT / "script" / "commit", folder / "script")
    return folder


def test_the_commit_of_a_repository(sources):
    git(sources, "init", "-q")
    assert commit(sources) == (False, "")
    git(sources, "add", ".")
    made = git(sources, "commit", "-qm", "all")
    assert commit(sources) == (True, made[:12])
    (sources / "new").write_text("not of the commit")
    assert commit(sources) == (True, made[:12])
    with open(sources / "script" / "commit", "a", encoding="utf-8") as file:
        file.write("\n")
    assert commit(sources) == (True, made[:12] + "-dirty")
    assert commit(sources, SOURCE_COMMIT="0123456789abcdef0123") == (True, "0123456789ab")


def test_without_a_repository_there_is_none(sources):
    """Neither that of a repository that the archive was unpacked in."""
    git(sources.parent, "init", "-q")
    git(sources.parent, "add", ".")
    git(sources.parent, "commit", "-qm", "all")
    assert commit(sources) == (False, "")
    assert commit(sources, SOURCE_COMMIT="") == (False, "")
    for wrong in ("unknown", "0123456789a", "0123456789abcdefg", '0123456789ab";'):
        assert commit(sources, SOURCE_COMMIT=wrong) == (False, "")
