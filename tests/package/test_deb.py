# SPDX-License-Identifier: MIT
"""The Debian package: what it says, and what it does when it is built, installed, started and removed."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("TASKHOLD_BIN", str(ROOT / "build" / "taskhold"))
NOT_SOURCE = shutil.ignore_patterns("build*", ".cache", ".git", "node_modules", "data", "__pycache__", ".pytest_cache",
                                    "obj-*")


def read(path):
    """A file of the repository."""
    return (ROOT / path).read_text(encoding="utf-8")


def run(*command, **more):
    """Runs a program that must end with 0; answers what it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=800,
                          check=False, **more)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-3000:]}"
    return done.stdout


def needs(program):
    """Skips the test where the program is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def test_the_version_is_that_of_the_source():
    version = re.search(r"version: '([\d.]+)'", read("meson.build")).group(1)
    assert re.match(rf"taskhold \({re.escape(version)}-\d+\) ", read("debian/changelog"))


def test_it_depends_on_what_the_build_needs():
    wanted = re.search(r'^BUILD="(.*?)"', read("script/bootstrap"), re.DOTALL | re.MULTILINE).group(1).split()
    named = re.findall(r"^ ([\w.+-]+)", re.search(r"Build-Depends:\n(.*?)\nStandards", read("debian/control"),
                                                  re.DOTALL).group(1), re.MULTILINE)
    # What every Debian build machine has, and what only script/bootstrap itself uses.
    assert set(wanted) - set(named) <= {"gcc", "libc6-dev", "make", "python3-pip-whl", "ca-certificates"}


def test_the_default_file_names_settings_only():
    names = re.findall(r"^\| `(\w+)`( or its)?", run(BINARY, "config", "--markdown"), re.MULTILINE)
    settings = {name for name, _ in names} | {name + "_FILE" for name, secret in names if secret}
    named = set(re.findall(r"^#?([A-Z_]+)=", read("debian/taskhold.default"), re.MULTILINE))
    assert named and named <= settings


@pytest.fixture(scope="module", name="package")
def build_package(tmp_path_factory):
    """The built package."""
    for program in ("dpkg-buildpackage", "dh", "meson", "cc"):
        needs(program)
    source = tmp_path_factory.mktemp("package") / "taskhold"
    shutil.copytree(ROOT, source, ignore=NOT_SOURCE, symlinks=True)
    run("dpkg-buildpackage", "-b", "-us", "-uc", "-j2", cwd=source)
    return next(path for path in source.parent.glob("taskhold_*.deb"))


def test_lintian_has_nothing_to_say(package):
    needs("lintian")
    changes = next(package.parent.glob("*.changes"))
    assert run("lintian", "--allow-root", "--fail-on", "error,warning", str(changes)) == ""


def test_the_unit_is_that_of_the_repository_for_a_package(package, tmp_path):
    run("dpkg-deb", "-x", str(package), str(tmp_path))
    unit = next(tmp_path.glob("**/systemd/system/taskhold.service"))
    lines = unit.read_text(encoding="utf-8").splitlines()
    assert {"ExecStart=/usr/bin/taskhold serve", "EnvironmentFile=-/etc/default/taskhold", "User=taskhold",
            "StateDirectory=taskhold", "ProtectSystem=strict", "ExecReload=/bin/kill -HUP $MAINPID"} <= set(lines)
    socket = unit.with_suffix(".socket").read_text(encoding="utf-8").splitlines()
    assert {"ListenStream=127.0.0.1:8080", "Documentation=man:taskhold(1)", "WantedBy=sockets.target"} <= set(socket)
    backup = unit.with_name("taskhold-backup.service").read_text(encoding="utf-8").splitlines()
    assert {"User=taskhold", "EnvironmentFile=-/etc/default/taskhold", "StateDirectory=taskhold taskhold-backup"} <= set(backup)
    assert [line for line in backup if line.startswith("ExecStart=/bin/sh -c 'exec /usr/bin/taskhold backup --force ")]
    timer = unit.with_name("taskhold-backup.timer").read_text(encoding="utf-8").splitlines()
    assert "WantedBy=timers.target" in timer
    for line in lines + socket + backup + timer:
        assert not re.search(r"/usr/local|/etc/taskhold|/etc/systemd|DynamicUser|docs/|(?i:credential|jwt_secret)",
                             line), line
    # The service must also work alone.
    assert not [line for line in lines if "taskhold.socket" in line]
    needs("systemd-analyze")
    for name in ("taskhold.service", "taskhold-backup.service"):
        run("systemd-analyze", "security", "--offline=true", "--threshold=15", str(unit.with_name(name)))


def test_an_upgrade_leaves_the_socket_alone_and_a_removal_stops_it(package, tmp_path):
    """What systemd would be asked to do: the scripts run with a stand-in for the one who asks it."""
    run("dpkg-deb", "-e", str(package), str(tmp_path))
    (tmp_path / "systemd").mkdir()
    for name in ("deb-systemd-invoke", "deb-systemd-helper", "systemctl", "systemd-sysusers"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/asked\n', encoding="utf-8")
        (tmp_path / name).chmod(0o755)

    def asked(script, *arguments):
        """The calls that start and stop units."""
        (tmp_path / "asked").write_text("", encoding="utf-8")
        if (tmp_path / script).exists():
            text = (tmp_path / script).read_text(encoding="utf-8").replace("/run/systemd/system", f"{tmp_path}/systemd")
            run("sh", "-c", text, script, *arguments, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
        lines = (tmp_path / "asked").read_text(encoding="utf-8").replace("'", "").splitlines()
        return [line.split(" ", 1)[1] for line in lines if line.startswith("deb-systemd-invoke")]

    assert asked("postinst", "configure", "") == ["start taskhold.service"]
    assert asked("prerm", "upgrade", "0.2") == [] and asked("preinst", "upgrade", "0.0.1") == []
    assert asked("postinst", "configure", "0.0.1") == ["restart taskhold.service"]
    assert asked("prerm", "remove") == ["stop taskhold.socket taskhold-backup.timer", "stop taskhold.service"]


def test_it_starts_and_answers(package, tmp_path):
    run("dpkg-deb", "-x", str(package), str(tmp_path))
    process = subprocess.Popen([str(tmp_path / "usr/bin/taskhold"), "serve", "--port", "0"], cwd=tmp_path,
                               env={"PATH": os.environ["PATH"]}, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        url = next(found.group() for found in map(re.compile(r"http://127[\d.:]+").search, process.stderr) if found)
        with urllib.request.urlopen(url + "/readyz", timeout=20) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()


def test_the_tests_of_the_package_pass(package, tmp_path):
    """What autopkgtest runs on the installed package, on the unpacked one: nothing on standard error counts as well."""
    needs("curl")
    needs("jq")
    run("dpkg-deb", "-x", str(package), str(tmp_path / "root"))
    tests = re.findall(r"^Tests: *(.*)$", read("debian/tests/control"), re.MULTILINE)
    assert tests == ["first-task"]
    (tmp_path / "work").mkdir()
    done = subprocess.run([ROOT / "debian/tests" / tests[0]], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120,
                          check=False, env={"PATH": f"{tmp_path}/root/usr/bin:{os.environ['PATH']}",
                                            "AUTOPKGTEST_TMP": str(tmp_path / "work")})
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr


def test_it_is_installed_and_removed(package, tmp_path):
    """In a root of its own, whose scripts run from outside: nothing but files and the list of packages is there."""
    needs("deb-systemd-helper")
    needs("systemd-sysusers")
    needs("systemctl")
    if os.getuid() != 0:
        pytest.skip("only root may install")
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").touch()
    dpkg = ["dpkg", f"--root={tmp_path}", "--force-script-chrootless", "--force-depends"]
    run(*dpkg, "-i", str(package))
    for path in ("usr/bin/taskhold", "etc/default/taskhold", "usr/share/man/man1/taskhold.1.gz",
                 "usr/share/bash-completion/completions/taskhold.bash", "usr/share/zsh/vendor-completions/_taskhold",
                 "usr/share/fish/vendor_completions.d/taskhold.fish"):
        assert (tmp_path / path).is_file(), path
    assert (tmp_path / "etc/systemd/system/multi-user.target.wants/taskhold.service").is_symlink()
    wanted = tmp_path / "etc/systemd/system/sockets.target.wants/taskhold.socket"
    assert next(tmp_path.glob("**/systemd/system/taskhold.socket")).is_file() and not wanted.is_symlink()
    run("systemctl", f"--root={tmp_path}", "enable", "taskhold.socket")
    assert wanted.is_symlink()
    timer = tmp_path / "etc/systemd/system/timers.target.wants/taskhold-backup.timer"
    assert next(tmp_path.glob("**/systemd/system/taskhold-backup.timer")).is_file() and not timer.is_symlink()
    run("systemctl", f"--root={tmp_path}", "enable", "taskhold-backup.timer")
    assert timer.is_symlink()
    assert re.search(r"^taskhold:", (tmp_path / "etc/passwd").read_text(encoding="utf-8"), re.MULTILINE)
    data = tmp_path / "var/lib/taskhold/taskhold.db"
    data.parent.mkdir()
    data.touch()
    run(*dpkg, "-r", "taskhold")
    assert not (tmp_path / "usr/bin/taskhold").exists() and (tmp_path / "etc/default/taskhold").is_file()
    run(*dpkg, "--purge", "taskhold")
    assert not (tmp_path / "etc/default/taskhold").exists()
    assert not wanted.is_symlink() and not timer.is_symlink()
    assert data.is_file(), "nobody's tasks are thrown away"
