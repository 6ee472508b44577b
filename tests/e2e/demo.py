"""The etcl demo: where it is, how it is laid out, and its seed."""

import subprocess
import sys
from pathlib import Path

from config import group_user
from server import APPS

DEMO = APPS / "etcl"
LOCALE = r"(?i)locale.*en_US\.UTF-8|en_US\.UTF-8.*locale"


def deploy(base: Path) -> None:
    subprocess.run([DEMO / "deploy", base, group_user()], check=True)


def seed_for(base: Path) -> str:
    """Word for word, but for the place and the Python of this machine."""
    here = "python{}.{}".format(*sys.version_info)
    return (DEMO / "seed.conf").read_text().replace(
        "/srv/etcl", str(base)).replace("python3.11", here)
