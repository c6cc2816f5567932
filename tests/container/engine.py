"""A container engine: docker where its daemon answers, else podman, which needs none.

Podman gets a storage of its own under ``build/``. In sandboxes that have cgroups of version 1 and lack some rights its
containers do without cgroups and keep the limits of this process.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_INSIDE = "MIRROR_CHECK_INSIDE"


class NoEngineError(Exception):
    """No engine can be used here; says how to get one."""


class Engine:
    """The command of an engine, with the options that this machine makes necessary."""

    def __init__(self, command: Sequence[str], build: Sequence[str] = (), run: Sequence[str] = ()) -> None:
        self._command = tuple(command)
        self._build = tuple(build)
        self._run = tuple(run)

    @property
    def name(self) -> str:
        """``docker`` or ``podman``."""
        return self._command[0]

    def words(self, *words: str) -> list[str]:
        """The command line of ``docker WORDS``."""
        options = {"build": self._build, "run": self._run}.get(words[0], ())
        return [*self._command, words[0], *options, *words[1:]]

    def ask(self, *words: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """Run ``docker WORDS`` to its end."""
        return subprocess.run(self.words(*words), capture_output=True, text=True, timeout=seconds, check=False)

    def must(self, *words: str, seconds: float = 600) -> str:
        """The same; its output. CalledProcessError, told on standard error, when it fails."""
        done = self.ask(*words, seconds=seconds)
        if done.returncode:
            sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
        done.check_returncode()
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start ``docker WORDS``; standard error comes with standard output."""
        return subprocess.Popen(
            self.words(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


def find_engine(storage: Path) -> Engine:
    """The engine to use; ``storage`` is where podman may keep images. May start this program anew, see below."""
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        return Engine(["docker"])
    if shutil.which("podman") is None or shutil.which("crun") is None:
        raise NoEngineError("docker does not answer, and podman is not installed: apt-get install podman crun")
    _leave_old_cgroups()
    limits = [f"--ulimit=nofile={_limit(resource.RLIMIT_NOFILE)}", f"--ulimit=nproc={_limit(resource.RLIMIT_NPROC)}"]
    return Engine(
        [
            "podman",
            f"--root={storage}",
            f"--runroot={storage}-run",
            "--runtime=crun",
            "--cgroup-manager=cgroupfs",
            "--log-level=fatal",
        ],
        # Only this format keeps a health check. The certificates are those under which this machine reaches PyPI.
        build=["--format=docker", "--isolation=chroot", "--network=host", "--volume=/etc/ssl/certs:/etc/ssl/certs:ro"],
        run=["--cgroups=disabled", "--read-only-tmpfs=false", *limits],
    )


def _limit(kind: int) -> str:
    """What this process is allowed: a container may be given no more."""
    hard = min(resource.getrlimit(kind)[1], 4096)
    return f"{hard}:{hard}"


def _leave_old_cgroups() -> None:
    """Go on in a mount namespace without cgroups when they are not those of version 2, which crun refuses."""
    if (_CGROUPS / "cgroup.controllers").exists() or os.environ.get(_INSIDE):
        return
    script = 'umount -R /sys/fs/cgroup 2>/dev/null; mount -t tmpfs none /sys/fs/cgroup && exec "$@"'
    os.environ[_INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--mount", "sh", "-c", script, "sh", sys.executable, *sys.orig_argv[1:]])
