"""A stand-in for the image that the Dockerfile begins with, for machines that reach no registry.

``python:3.11-slim-bookworm`` is Debian bookworm with a Python 3.11 built from source under /usr/local. The stand-in is
the same release of Debian with Debian's own Python 3.11 and pip, made by mmdebstrap. So what differs is where Python
lies, that it has Debian's patches, and that its pip is older; the base image's own layers are not tried.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.container.dockerfile import read_stages
from tests.mirror import REPO

DOCKERFILE = REPO / "Dockerfile"
BUILD = REPO / "build" / "container"
_PACKAGES = "ca-certificates,netbase,python3,python3-pip,tzdata"  # what the official image has and we use
_DEBIAN = "http://deb.debian.org/debian"


class UnavailableError(Exception):
    """The trial cannot be made here in this way; says what it takes."""


def official() -> str:
    """The name of the base image."""
    return read_stages(DOCKERFILE, {})[-1].base


def stand_in() -> Path:
    """The archive of the stand-in's files, made when it is not there."""
    name = re.search(r"python:3\.11-slim-([a-z]+)", official())
    if name is None:
        raise UnavailableError(f"{official()}: there is a stand-in for python:3.11-slim-<release of Debian> only")
    archive = BUILD / f"python-{name[1]}.tar"
    if not archive.exists():
        if shutil.which("mmdebstrap") is None:
            raise UnavailableError("mmdebstrap is not installed: apt-get install mmdebstrap, or use --pull")
        unfinished = archive.with_suffix(".part.tar")
        command = [
            "mmdebstrap",
            "--quiet",
            "--variant=apt",
            f"--include={_PACKAGES}",
            name[1],
            str(unfinished),
            _DEBIAN,
        ]
        try:
            subprocess.run(command, check=True, timeout=1800)
        except (OSError, subprocess.SubprocessError) as error:
            raise UnavailableError(f"the stand-in for {official()} cannot be made: {error}") from error
        unfinished.replace(archive)
    return archive
