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

from tests.container.base import BUILD, MIRROR, SPLASH, Recipe, UnavailableError, certificates, stand_in
from tests.mirror import wait_until

_PREFIX = "mirror_check_"
_CGROUPS = Path("/sys/fs/cgroup")
_INSIDE = "MIRROR_CHECK_INSIDE"


class Engine:
    """Builds the images and runs containers of them as compose.yaml does: read-only, without capabilities.

    Args:
        command: how the engine is called.
        build: options of its ``build`` that this machine makes necessary.
        run: those of its ``run``.
        pull: build on the base images that the Dockerfiles name, and not on stand-ins.

    """

    def __init__(
        self, command: Sequence[str], build: Sequence[str] = (), run: Sequence[str] = (), *, pull: bool
    ) -> None:
        self._command = tuple(command)
        self._build = tuple(build)
        self._run = tuple(run)
        self._pull = pull
        self._started: dict[str, Recipe] = {}

    @property
    def name(self) -> str:
        """``docker`` or ``podman``."""
        return self._command[0]

    # --- the images -------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Have the base images, and run a container of each; UnavailableError when this machine does not let it."""
        try:
            for recipe in (MIRROR, SPLASH):
                base = _base_of(recipe)
                if self._pull:
                    self._must("pull", recipe.official)
                    self._must("tag", recipe.official, base)
                elif self._ask("image", "inspect", base).returncode:
                    self._must("import", str(stand_in(recipe)), base)
                self._must(*self._safely(), base, "true")
        except subprocess.SubprocessError as error:
            raise UnavailableError(f"{self.name} cannot run a container here: {error}") from error

    def build(self, recipe: Recipe) -> tuple[int, int]:
        """Build an image; its bytes and those of its base."""
        image, base = _image_of(recipe), _base_of(recipe)
        options = [*self._build, f"--build-arg={recipe.argument}={base}", f"--tag={image}"]
        self._must("build", *options, str(recipe.context), seconds=1800)
        size, of_base = (int(self._must("image", "inspect", "--format={{.Size}}", name)) for name in (image, base))
        return size, of_base

    # --- containers -------------------------------------------------------------------------------------------------

    def run(
        self, words: Sequence[str], environment: Mapping[str, str], program: Sequence[str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a container to its end."""
        if program is not None:
            return self._ask(*self._container(MIRROR, environment, f"--entrypoint={program[0]}"), *program[1:], *words)
        return self._ask(*self._container(MIRROR, environment), *words)

    def start(
        self, name: str, words: Sequence[str], environment: Mapping[str, str], recipe: Recipe = MIRROR
    ) -> subprocess.Popen[str]:
        """Start a container; standard error comes with standard output."""
        self._started[name] = recipe
        process = subprocess.Popen(
            [*self._command, *self._container(recipe, environment, f"--name={_PREFIX}{name}"), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running = ("container", "inspect", "--format={{.State.Running}}", _PREFIX + name)
        wait_until(lambda: process.poll() is not None or self._ask(*running).stdout == "true\n")
        return process

    def stop(self, name: str) -> None:
        """Send a container the image's signal, and end it when it has not after half a minute, as Kubernetes does."""
        self._must("stop", "--time=30", _PREFIX + name)

    def is_healthy(self, name: str) -> bool:
        """Ask the image's health check in a running container."""
        if self.name == "podman":
            return self._ask("healthcheck", "run", _PREFIX + name).returncode == 0
        image = _image_of(self._started[name])
        shown = self._must("image", "inspect", "--format={{json .Config.Healthcheck.Test}}", image)
        return self._ask("exec", _PREFIX + name, *json.loads(shown)[1:]).returncode == 0

    def clean(self) -> None:
        """Remove containers and volumes."""
        if self._started:
            self._ask("rm", "--force", *(_PREFIX + name for name in self._started))
        self._ask("volume", "rm", "--force", *map(_volume, MIRROR.volumes))

    def _container(self, recipe: Recipe, environment: Mapping[str, str], *options: str) -> list[str]:
        return [
            *self._safely(),
            *(f"--volume={_volume(place)}:{place}" for place in recipe.volumes),
            *(f"--env={name}={value}" for name, value in environment.items()),
            *options,
            _image_of(recipe),
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


def _image_of(recipe: Recipe) -> str:
    return f"localhost/{_PREFIX}{recipe.name}"


def _base_of(recipe: Recipe) -> str:
    return f"localhost/{_PREFIX}{recipe.argument.lower()}"


def _volume(place: str) -> str:
    return _PREFIX + place.strip("/")


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
        # Only this format keeps a health check.
        build=[
            *("--format=docker", "--isolation=chroot", "--network=host"),
            *(f"--volume={file}:{place}:ro" for file, place in certificates().items()),
        ],
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
