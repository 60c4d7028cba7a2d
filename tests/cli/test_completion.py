# SPDX-License-Identifier: MIT
"""The manual page and the shells' completions, which are made from the tables of commands and settings."""
import json
import os
import re
import shutil
import subprocess

import pytest

from support.server import run

TEXT = run("help").stdout
COMMANDS = re.findall(r"^  (\w+) +\S", TEXT, re.MULTILINE)
FLAGS = re.findall(r"^  (--[\w-]+) ", run("help", "serve").stdout, re.MULTILINE)
SETTINGS = re.findall(r"^\| `(\w+)`", run("config", "--markdown").stdout, re.MULTILINE)
STUBS = """
compdef() { :; }
_describe() { print -l -- "${(P@)2}"; }
_arguments() { print -l -- "$@"; }
"""


def script(shell):
    """What `taskhold completion` prints."""
    done = run("completion", shell)
    assert done.returncode == 0 and done.stderr == ""
    return done.stdout


def needs(program):
    """Skips the test where the program is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def ask(program, text, *options):
    """What a shell prints that runs `text`."""
    needs(program)
    done = subprocess.run([program, *options, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def bash(*words):
    """What bash offers for the last of the words."""
    listed = " ".join(f"'{word}'" for word in words)
    return ask("bash", script("bash") + f"""
        COMP_WORDS=(taskhold {listed}); COMP_CWORD={len(words)}
        _taskhold taskhold "${{COMP_WORDS[-1]}}" "${{COMP_WORDS[-2]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"; complete -p taskhold >/dev/null""", "--norc")


def zsh(*words):
    """What the function hands over to zsh's own completion at the last of the words."""
    listed = " ".join(f"'{word}'" for word in words)
    return ask("zsh", STUBS + script("zsh") + f"words=(taskhold {listed}); CURRENT={len(words) + 1}; _taskhold", "-f")


def fish(*words):
    """What fish offers, without descriptions."""
    text = script("fish") + f"complete -C 'taskhold {' '.join(words)}'"
    return [line.split("\t")[0] for line in ask("fish", text, "--no-config")]


def test_the_tables_were_found():
    assert {"serve", "migrate", "completion", "man", "help"} <= set(COMMANDS)
    assert {"--host", "--port", "--log-level"} <= set(FLAGS) and {"HOST", "JWT_SECRET"} <= set(SETTINGS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_and_flag_is_in_every_script(shell):
    text = script(shell)
    for name in COMMANDS + [flag.removeprefix("--") for flag in FLAGS]:
        assert re.search(rf"(?:^|[^\w-]|--){name}(?![\w-])", text), name


def test_bash_completes_commands():
    assert bash("") == COMMANDS + ["--help", "--version"]
    assert bash("ser") == ["serve"]
    assert bash("nothing") == [""]


def test_bash_completes_flags():
    assert set(bash("serve", "--")) == {"--help", *FLAGS}
    assert bash("serve", "--log-") == ["--log-level", "--log-format"]
    assert bash("serve", "--port", "1", "--drain-s") == ["--drain-seconds"]
    assert "--json" in bash("config", "--") and "--port" in bash("config", "--")
    assert set(bash("routes", "--")) == {"--help", "--json"}


def test_bash_leaves_values_alone():
    assert bash("serve", "--host", "") == [""] and bash("serve", "--host", "=", "") == [""]


def test_bash_completes_words():
    assert bash("completion", "") == ["--help", "bash", "zsh", "fish"]
    assert bash("help", "rou") == ["routes"]


def test_zsh():
    assert [line.split(":")[0] for line in zsh("")] == COMMANDS
    assert {line.split("=[")[0] for line in zsh("serve", "--")} == {"--help[print help]", *FLAGS}
    assert "1:what:(bash zsh fish)" in zsh("completion", "")


def test_zsh_keeps_words_and_flags_apart():
    """A flag among the words of the choice would end their quotes."""
    offered = zsh("user", "")
    assert "1:what:(add invite list passwd disable enable delete token)" in offered
    assert {"--name", "--days", "--yes", "--json"} <= set(offered)


def test_fish():
    assert set(fish("")) >= set(COMMANDS)
    assert set(fish("serve", "--log-")) == {"--log-level", "--log-format"}
    assert set(fish("completion", "")) >= {"bash", "zsh", "fish"}


@pytest.mark.parametrize("args", [[], ["tcsh"], ["bash", "extra"]], ids=str)
def test_which_shell_must_be_said(args):
    done = run("completion", *args)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("taskhold: ")


def test_help_has_the_tables_as_json():
    """What the page and the scripts are made of."""
    table = json.loads(run("help", "--json").stdout)
    assert [one["name"] for one in table["commands"]] == COMMANDS
    assert ["--" + one["flag"] for one in table["settings"] if one["flag"]] + ["--env-file"] == FLAGS[1:] + FLAGS[:1]
    assert [one["name"] for one in table["settings"]] + [one["names"].split(",")[0] for one in table["variables"]] == SETTINGS
    one = json.loads(run("help", "backup", "--json").stdout)
    assert one == {**table, "commands": [command for command in table["commands"] if command["name"] == "backup"]}
    assert [word["word"] for word in one["commands"][0]["words"]] == ["FILE", "--force", "--json"]
    assert run("help", "--json", "bakup").returncode == 2


@pytest.fixture(scope="module", name="page")
def make_page(tmp_path_factory):
    """The manual page as a file."""
    path = tmp_path_factory.mktemp("man") / "taskhold.1"
    done = run("man", env={"SOURCE_DATE_EPOCH": "1000000000"})
    assert done.returncode == 0 and done.stderr == ""
    path.write_text(done.stdout, encoding="utf-8")
    return path


def test_the_manual_has_every_row(page):
    text = page.read_text(encoding="utf-8").replace("\\-", "-")
    assert text.startswith(".TH TASKHOLD 1 2001-09-09 ")
    for name in COMMANDS:
        assert f"\\fBtaskhold {name}\\fR" in text
    for name in SETTINGS:
        assert re.search(rf"\\fB{name}[^\n]*\\fR", text)
    for flag in FLAGS:
        assert f"\\fB{flag}\\fR" in text
    assert run("man", "extra").returncode == 2


def test_the_manual_has_the_sections_that_are_looked_for(page):
    """In the order of man-pages(7), each with what belongs there."""
    text = page.read_text(encoding="utf-8").replace("\\-", "-")
    parts = re.split(r"^\.SH (.+)\n", text, flags=re.M)
    sections = dict(zip(parts[1::2], parts[2::2]))
    assert list(sections) == ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "ENVIRONMENT", "FILES", "SIGNALS",
                              "EXIT STATUS", "EXAMPLES", "BUGS", "SEE ALSO"]
    for name in [*SETTINGS, "ALLOW_EPHEMERAL", "TMPDIR"]:
        assert name in sections["ENVIRONMENT"], name
    for name in (".jwt-secret", ".control", ".lock", ".last-backup", ".env"):
        assert name in sections["FILES"]
    assert re.findall(r"^\.B (\d+)$", sections["EXIT STATUS"], re.M) == ["0", "1", "2", "70", "78"]
    for flag in ("--env-file", "--json", "--help", "--version"):
        assert flag in sections["OPTIONS"]
    for flag in ("--force", "--user", "--compare", "--days"):
        assert flag in sections["COMMANDS"]


def test_man_has_nothing_to_warn_of(page):
    needs("man")
    done = subprocess.run(["man", "--warnings", "-l", str(page)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "MANWIDTH": "80"}, encoding="utf-8",
                          timeout=20, check=False)
    assert done.returncode == 0 and done.stderr == ""
    shown = re.sub(".\b", "", done.stdout)
    assert "taskhold serve [FLAGS]" in shown and "--port N" in shown and "EXIT STATUS" in shown


def test_mandoc_has_nothing_to_warn_of(page):
    needs("mandoc")
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", str(page)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=20, check=False)
    assert done.returncode == 0, done.stdout
