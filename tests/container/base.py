"""The images that are tried, and stand-ins for those that they begin with, for machines that reach no registry.

``python:3.11-slim-bookworm`` is Debian bookworm with a Python 3.11 built from source under /usr/local. The stand-in is
the same release of Debian with Debian's own Python 3.11 and pip, made by mmdebstrap. So what differs is where Python
lies, that it has Debian's patches, and that its pip is older; the base image's own layers are not tried. The stand-in
for ``debian:bookworm-slim`` is that release and nothing else.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

from tests.container.dockerfile import read_stages
from tests.mirror import REPO

BUILD = REPO / "build" / "container"
_DEBIAN = "http://deb.debian.org/debian"
_RELEASE = re.compile(r"(?:python:3\.11(?:\.\d+)?-slim-|debian:)([a-z]+)(?:-\d+)?(?:-slim)?(?:@sha256:\w+)?$")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_IN_A_BUILD = "/run/certificates.crt"


class UnavailableError(Exception):
    """The trial cannot be made here in this way; says what it takes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An image that is tried.

    Attributes:
        name: what it is called here.
        context: the directory with its Dockerfile.
        argument: the build argument that names the image it begins with.
        packages: what the image that it begins with has beyond Debian itself, and is used.
        volumes: the places of its volumes.

    """

    name: str
    context: Path
    argument: str
    packages: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()

    @property
    def dockerfile(self) -> Path:
        """Its Dockerfile."""
        return self.context / "Dockerfile"

    @property
    def official(self) -> str:
        """The name of the image that it begins with."""
        return read_stages(self.dockerfile, {})[-1].base


MIRROR = Recipe(
    name="mirror",
    context=REPO,
    argument="PYTHON",
    packages=("ca-certificates", "netbase", "python3", "python3-pip", "tzdata"),
    volumes=("/data", "/output"),
)
SPLASH = Recipe(name="splash", context=REPO / "deploy" / "splash", argument="DEBIAN")


def stand_in(recipe: Recipe) -> Path:
    """The archive of the files that stand in for what the image begins with, made when it is not there."""
    release = release_of(recipe.official)
    archive = BUILD / f"{recipe.argument.lower()}-{release}.tar"
    if not archive.exists():
        if shutil.which("mmdebstrap") is None:
            raise UnavailableError("mmdebstrap is not installed: apt-get install mmdebstrap, or use --pull")
        unfinished = archive.with_suffix(".part.tar")
        packages = [f"--include={','.join(recipe.packages)}"] if recipe.packages else []
        command = ["mmdebstrap", "--quiet", "--variant=apt", *packages, release, str(unfinished), _DEBIAN]
        try:
            subprocess.run(command, check=True, timeout=1800)
        except (OSError, subprocess.SubprocessError) as error:
            raise UnavailableError(f"the stand-in for {recipe.official} cannot be made: {error}") from error
        unfinished.replace(archive)
    return archive


def release_of(image: str) -> str:
    """The release of Debian that an image is made of, by its name; UnavailableError when it does not tell."""
    if (found := _RELEASE.search(image)) is None:
        raise UnavailableError(f"{image}: there is a stand-in for releases of Debian and Python 3.11 only")
    return found[1]


def certificates() -> dict[Path, str]:
    """Files of this machine → where a build finds them, so that its pip reaches the package index as this machine does.

    They are not put in the place of Debian's own, which a build may install.
    """
    settings = BUILD / "pip.conf"
    settings.write_text(f"[global]\ncert = {_IN_A_BUILD}\n", encoding="utf-8")
    return {settings: "/etc/pip.conf", _CERTIFICATES: _IN_A_BUILD}
