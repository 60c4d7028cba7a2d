# SPDX-License-Identifier: MIT
"""script/bootstrap where it cannot do its work."""
import shutil
import subprocess

from support.paths import ROOT


def test_without_root_and_sudo_it_says_what_to_do(tmp_path):
    for name in ("sh", "dirname", "grep"):
        (tmp_path / name).symlink_to(shutil.which(name))
    for name, body in (("id", "echo 1000"), ("dpkg-query", "exit 1")):  # somebody else than root, and nothing installed
        (tmp_path / name).write_text(f"#!{tmp_path}/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run([ROOT / "script" / "bootstrap", "build"], env={"PATH": str(tmp_path)}, capture_output=True,
                          encoding="utf-8", check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert "run this as root, or install sudo" in done.stderr and "libsodium-dev" in done.stderr
