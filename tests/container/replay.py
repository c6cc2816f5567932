"""The Dockerfiles done without an engine: their instructions one after the other, in directories of Debian's files.

Containers are processes in name spaces of their own for mounts and process ids, with that directory as their root: the
image's user, no capabilities, a root that cannot be written, a /tmp in memory, the volumes, the network of the host.
Needs root on a Linux that lets it mount, and of programs only what Debian always has, and mmdebstrap for the bases.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.container.base import BUILD, MIRROR, Recipe, UnavailableError, certificates, stand_in
from tests.container.dockerfile import Image, Instruction, Stage, left_out, read_stages
from tests.mirror import wait_until

_PLACE = BUILD / "replay"
_VOLUMES = _PLACE / "volumes"
_OF_THE_START = ("unshare", "sh", "mount", "setpriv", "chroot", "env", "tini")
"""Processes that a container consists of until its program runs."""


class Replay:
    """Builds and runs what the Dockerfiles say."""

    name = "a replay of the Dockerfile"

    def __init__(self) -> None:
        if os.geteuid() or subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False).returncode:
            raise UnavailableError("a replay of the Dockerfile needs root, and the right to mount")
        self._built: dict[str, Root] = {}
        self._running: dict[str, tuple[Root, subprocess.Popen[str]]] = {}

    def build(self, recipe: Recipe) -> tuple[int, int]:
        """Do all instructions; the bytes of the image and of its base."""
        roots: dict[str, Root] = {}
        for number, stage in enumerate(read_stages(recipe.dockerfile, {})):
            root = Root(_PLACE / recipe.name / str(number), recipe)
            root.begin(stage)
            base = root.size
            for instruction in stage.instructions:
                root.follow(instruction, roots)
            roots |= {str(number): root, stage.name: root}
        root.give_volumes()
        self._built[recipe.name] = root
        return root.size, base

    def run(
        self, words: Sequence[str], environment: Mapping[str, str], program: Sequence[str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a container to its end."""
        return _ask(self._built[MIRROR.name].container(words, environment, program))

    def start(
        self, name: str, words: Sequence[str], environment: Mapping[str, str], recipe: Recipe = MIRROR
    ) -> subprocess.Popen[str]:
        """Start a container; standard error comes with standard output."""
        root = self._built[recipe.name]
        process = subprocess.Popen(
            root.container(words, environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._running[name] = root, process
        wait_until(lambda: process.poll() is not None or _last(process.pid) not in _OF_THE_START)
        return process

    def stop(self, name: str) -> None:
        """Send a container the image's signal."""
        root, process = self._running.pop(name)
        for first in _children(process.pid):
            os.kill(first, signal.Signals[root.image.stop_signal])

    def is_healthy(self, name: str) -> bool:
        """Ask the image's health check in a running container."""
        root, process = self._running[name]
        (first,) = _children(process.pid)
        inside = ["nsenter", f"--target={first}", "--mount", "--pid", "--root"]
        return _ask([*inside, *root.as_user(Path("/"), root.image.health_check, {})]).returncode == 0

    def clean(self) -> None:
        """Leave nothing but the bases behind."""
        for _, process in self._running.values():
            process.kill()
        shutil.rmtree(_PLACE, ignore_errors=True)


class Root:
    """The files of an image under way or of one that is made, and what it says of its containers."""

    def __init__(self, place: Path, recipe: Recipe) -> None:
        self.place = place
        self.image = Image()
        self._recipe = recipe

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        command = ["du", "-s", "--block-size=1", str(self.place)]
        counted = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return int(counted.stdout.split()[0])

    # --- making it --------------------------------------------------------------------------------------------------

    def begin(self, stage: Stage) -> None:
        """Put the files of the base there."""
        if stage.base != self._recipe.official:
            raise stage.origin.error(f"only {self._recipe.official} has a stand-in")
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        # The device files cannot be made everywhere, and those of the machine are put there.
        command = ["tar", "-xpf", str(stand_in(self._recipe)), "-C", str(self.place), "--exclude=./dev/*"]
        subprocess.run(command, check=True, timeout=600)
        for place in ("/etc/resolv.conf", *certificates().values()):
            self._inside(place).touch()

    def follow(self, instruction: Instruction, roots: Mapping[str, Root]) -> None:
        """Do an instruction; ``roots`` are the earlier stages by name."""
        match instruction.keyword:
            case "RUN":
                self._do(instruction)
            case "COPY":
                self._copy(instruction, roots)
            case _:
                self.image.note(instruction)
                self._inside(self.image.directory).mkdir(parents=True, exist_ok=True)

    def give_volumes(self) -> None:
        """Volumes begin with what the image has in their places, and with its owner."""
        _VOLUMES.mkdir(exist_ok=True)
        for place in self.image.volumes:
            subprocess.run(["cp", "-a", self._inside(place), _VOLUMES / place.strip("/")], check=True, timeout=60)

    def _do(self, instruction: Instruction) -> None:
        command = self._enter(instruction.command, self.image.environment, certificates(), read_only=False)
        done = _ask(command, seconds=1800)
        if done.returncode:
            sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
            raise instruction.error(f"exit code {done.returncode}")

    def _copy(self, instruction: Instruction, roots: Mapping[str, Root]) -> None:
        *sources, target = instruction.words(self.image.environment)
        origin = instruction.flags.get("from")
        if origin is not None and origin not in roots:
            raise instruction.error(f"there is no stage {origin} before")
        if not target.startswith("/"):
            raise instruction.error("use an absolute path")
        context = self._recipe.context
        for source in sources:
            found = (context if origin is None else roots[origin].place) / source.lstrip("/")
            if not found.exists():
                raise instruction.error(f"there is no {source}")
            place = self._inside(target)
            if found.is_dir():
                shutil.copytree(
                    found, place, symlinks=True, dirs_exist_ok=True, ignore=None if origin else left_out(context)
                )
            else:
                place = place / found.name if target.endswith("/") else place
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, place)

    def _inside(self, path: str) -> Path:
        return self.place / path.lstrip("/")

    # --- containers -------------------------------------------------------------------------------------------------

    def container(
        self, words: Sequence[str], environment: Mapping[str, str], program: Sequence[str] | None = None
    ) -> list[str]:
        """The command line that runs a container; ``program`` takes the place of the image's entry point."""
        entrypoint = self.image.entrypoint if program is None else [*program]
        command = [*entrypoint, *(words or (self.image.command if program is None else []))]
        places = {_VOLUMES / place.strip("/"): place for place in self.image.volumes}
        return self._enter(command, {**self.image.environment, **environment}, places, read_only=True)

    def as_user(self, root: Path, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """The command line that runs ``command`` as the image's user, in its directory under ``root``."""
        user = self.image.user.partition(":")[0]
        accounts = (line.split(":") for line in self._inside("etc/passwd").read_text(encoding="utf-8").splitlines())
        home = next(account[5] for account in accounts if account[2] == user)
        variables = {"HOME": home, **self.image.environment, **environment}
        return [
            *("chroot", f"--userspec={self.image.user}", "--groups=", str(root)),
            *("env", "--ignore-environment", f"--chdir={self.image.directory}"),
            *(f"{name}={value}" for name, value in variables.items()),
            *command,
        ]

    def _enter(
        self, command: Sequence[str], environment: Mapping[str, str], places: Mapping[Path, str], *, read_only: bool
    ) -> list[str]:
        """The command line that runs ``command`` in the root, with what the machine has at ``places`` put there."""
        mounts = [
            ["--bind", self.place, self.place],
            ["--types=proc", "proc", self._inside("proc")],
            ["--rbind", "/dev", self._inside("dev")],
            ["--bind", "/etc/resolv.conf", self._inside("etc/resolv.conf")],
            *(["--bind", source, self._inside(target)] for source, target in places.items()),
        ]
        if read_only:
            mounts += [["--types=tmpfs", "tmpfs", self._inside("tmp")], ["--options=remount,bind,ro", self.place]]
        lines = [shlex.join(["mount", *map(str, mount)]) for mount in mounts]
        run = self.as_user(self.place, command, environment)
        lines.append(shlex.join(["exec", *(["setpriv", "--no-new-privs"] if read_only else []), *run]))
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", "\n".join(lines)]


def _ask(command: Sequence[str], seconds: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
    )


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _last(process: int) -> str:
    """The name of the program that a process has come to: that of its child's child, while it has one."""
    try:
        if not _children(process):
            return _OF_THE_START[0]  # its own name may still be that of the one that started it
        while children := _children(process):
            process = children[0]
        return Path(f"/proc/{process}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return _OF_THE_START[0]
