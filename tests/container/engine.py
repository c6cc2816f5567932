"""A container engine: docker where its daemon answers, else podman, which needs none.

Podman gets a storage of its own under ``build/``. In sandboxes that have cgroups of version 1 and lack some rights its
containers do without cgroups and keep the limits of this process.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.container.base import BUILD, UnavailableError, official, stand_in
from tests.mirror import REPO, wait_until

_IMAGE, _BASE = "localhost/mirror_check", "localhost/mirror_check_python"
_VOLUMES = {"mirror_check_data": "/data", "mirror_check_output": "/output"}
_PREFIX = "mirror_check_"
_CGROUPS = Path("/sys/fs/cgroup")
_INSIDE = "MIRROR_CHECK_INSIDE"


class Engine:
    """Builds the image and runs containers of it as compose.yaml does: read-only, without capabilities.

    Args:
        command: how the engine is called.
        build: options of its ``build`` that this machine makes necessary.
        run: those of its ``run``.
        pull: build on the base image that the Dockerfile names, and not on the stand-in.

    """

    def __init__(
        self, command: Sequence[str], build: Sequence[str] = (), run: Sequence[str] = (), *, pull: bool
    ) -> None:
        self._command = tuple(command)
        self._build = tuple(build)
        self._run = tuple(run)
        self._pull = pull
        self._names: list[str] = []

    @property
    def name(self) -> str:
        """``docker`` or ``podman``."""
        return self._command[0]

    # --- the image --------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Have the base image, and run a container of it; UnavailableError when this machine does not let it."""
        try:
            if self._pull:
                self._must("pull", official())
                self._must("tag", official(), _BASE)
            elif self._ask("image", "inspect", _BASE).returncode:
                self._must("import", str(stand_in()), _BASE)
            self._must(*self._safely(), _BASE, "true")
        except subprocess.SubprocessError as error:
            raise UnavailableError(f"{self.name} cannot run a container here: {error}") from error

    def build(self) -> tuple[int, int]:
        """Build the image; its bytes and those of its base."""
        self._must("build", *self._build, f"--build-arg=PYTHON={_BASE}", f"--tag={_IMAGE}", str(REPO), seconds=1800)
        size, base = (int(self._must("image", "inspect", "--format={{.Size}}", name)) for name in (_IMAGE, _BASE))
        return size, base

    # --- containers -------------------------------------------------------------------------------------------------

    def run(
        self, words: Sequence[str], environment: Mapping[str, str], program: Sequence[str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a container to its end."""
        if program is not None:
            return self._ask(*self._container(environment, f"--entrypoint={program[0]}"), *program[1:], *words)
        return self._ask(*self._container(environment), *words)

    def start(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start a container; standard error comes with standard output."""
        self._names.append(_PREFIX + name)
        process = subprocess.Popen(
            [*self._command, *self._container(environment, f"--name={_PREFIX}{name}"), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running = ("container", "inspect", "--format={{.State.Running}}", _PREFIX + name)
        wait_until(lambda: process.poll() is not None or self._ask(*running).stdout == "true\n")
        return process

    def stop(self, name: str) -> None:
        """Send a container the image's signal, and end it when it has not after a minute."""
        self._must("stop", "--time=60", _PREFIX + name)

    def is_healthy(self, name: str) -> bool:
        """Ask the image's health check in a running container."""
        if self.name == "podman":
            return self._ask("healthcheck", "run", _PREFIX + name).returncode == 0
        shown = self._must("image", "inspect", "--format={{json .Config.Healthcheck.Test}}", _IMAGE)
        return self._ask("exec", _PREFIX + name, *json.loads(shown)[1:]).returncode == 0

    def clean(self) -> None:
        """Remove containers and volumes."""
        if self._names:
            self._ask("rm", "--force", *self._names)
        self._ask("volume", "rm", "--force", *_VOLUMES)

    def _container(self, environment: Mapping[str, str], *options: str) -> list[str]:
        return [
            *self._safely(),
            *(f"--volume={volume}:{place}" for volume, place in _VOLUMES.items()),
            *(f"--env={name}={value}" for name, value in environment.items()),
            *options,
            _IMAGE,
        ]

    def _safely(self) -> list[str]:
        """How every container is run."""
        options = ("--rm", "--network=host", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL")
        return ["run", *self._run, *options, "--security-opt=no-new-privileges"]

    def _ask(self, *words: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        command = [*self._command, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)

    def _must(self, *words: str, seconds: float = 600) -> str:
        """Its output. CalledProcessError, told on standard error, when it fails."""
        done = self._ask(*words, seconds=seconds)
        if done.returncode:
            sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
        done.check_returncode()
        return done.stdout


def find_engine(*, pull: bool) -> Engine:
    """The engine to use; UnavailableError without one. May start this program anew, see below."""
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        return Engine(["docker"], pull=pull)
    if shutil.which("podman") is None or shutil.which("crun") is None:
        raise UnavailableError("docker does not answer, and podman is not installed: apt-get install podman crun")
    _leave_old_cgroups()
    storage = BUILD / "storage"
    limits = [f"--ulimit=nofile={_limit(resource.RLIMIT_NOFILE)}", f"--ulimit=nproc={_limit(resource.RLIMIT_NPROC)}"]
    podman = [
        *("podman", f"--root={storage}", f"--runroot={storage}-run"),
        *("--runtime=crun", "--cgroup-manager=cgroupfs", "--log-level=fatal"),
    ]
    if subprocess.run([*podman, "info"], capture_output=True, check=False, timeout=120).returncode:
        raise UnavailableError("docker does not answer, and podman does not run here")
    return Engine(
        podman,
        # Only this format keeps a health check. The certificates are those under which this machine reaches PyPI.
        build=["--format=docker", "--isolation=chroot", "--network=host", "--volume=/etc/ssl/certs:/etc/ssl/certs:ro"],
        run=["--cgroups=disabled", "--read-only-tmpfs=false", *limits],
        pull=pull,
    )


def _limit(kind: int) -> str:
    """What this process is allowed: a container may be given no more."""
    hard = min(resource.getrlimit(kind)[1], 4096)
    return f"{hard}:{hard}"


def _leave_old_cgroups() -> None:
    """Go on in a mount namespace without cgroups when they are not those of version 2, which crun refuses.
    UnavailableError when that is not allowed.
    """
    if (_CGROUPS / "cgroup.controllers").exists() or os.environ.get(_INSIDE):
        return
    script = 'umount -R /sys/fs/cgroup 2>/dev/null; mount -t tmpfs none /sys/fs/cgroup && exec "$@"'
    anew = ["unshare", "--mount", "sh", "-c", script, "sh"]
    if subprocess.run([*anew, "true"], capture_output=True, check=False).returncode:
        raise UnavailableError("crun needs control groups of version 2, or the right to mount")
    os.environ[_INSIDE] = "1"
    os.execvp(anew[0], [*anew, sys.executable, *sys.orig_argv[1:]])
