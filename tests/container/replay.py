"""The Dockerfile done without an engine: its instructions one after the other, in a directory of Debian's files.

Containers are processes in name spaces of their own for mounts and process ids, with that directory as their root: the
image's user, no capabilities, a root that cannot be written, a /tmp in memory, the volumes, the network of the host.
Needs root on a Linux that lets it mount, and of programs only what Debian always has, and mmdebstrap for the base.
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

from tests.container.base import BUILD, DOCKERFILE, UnavailableError, official, stand_in
from tests.container.dockerfile import Image, Instruction, Stage, left_out, read_stages
from tests.mirror import REPO, wait_until

_PLACE = BUILD / "replay"
_VOLUMES = _PLACE / "volumes"
_OF_THE_START = ("unshare", "sh", "mount", "setpriv", "chroot", "env", "tini")
"""Processes that a container consists of until its program runs."""


class Replay:
    """Builds and runs what the Dockerfile says."""

    name = "a replay of the Dockerfile"

    def __init__(self) -> None:
        if os.geteuid() or subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False).returncode:
            raise UnavailableError("a replay of the Dockerfile needs root, and the right to mount")
        self._image = Image()
        self._root = _PLACE
        self._running: dict[str, subprocess.Popen[str]] = {}

    # --- the image --------------------------------------------------------------------------------------------------

    def build(self) -> tuple[int, int]:
        """Do all instructions; the bytes of the image and of its base."""
        shutil.rmtree(_PLACE, ignore_errors=True)
        roots: dict[str, Path] = {}
        for number, stage in enumerate(read_stages(DOCKERFILE, {})):
            self._root, self._image = _PLACE / str(number), Image()
            self._begin(stage, roots)
            base = _bytes(self._root)
            for instruction in stage.instructions:
                self._follow(instruction, roots)
            roots |= {str(number): self._root, stage.name: self._root}
        self._give_volumes()
        return _bytes(self._root), base

    def _begin(self, stage: Stage, roots: Mapping[str, Path]) -> None:
        self._root.mkdir(parents=True)
        if stage.base in roots:
            raise stage.origin.error("a stage on top of another one is not known")
        if stage.base != official():
            raise stage.origin.error(f"only {official()} has a stand-in")
        # The device files cannot be made everywhere, and those of the machine are put there.
        subprocess.run(["tar", "-xpf", stand_in(), "-C", self._root, "--exclude=./dev/*"], check=True, timeout=600)
        (self._root / "etc" / "resolv.conf").touch()

    def _follow(self, instruction: Instruction, roots: Mapping[str, Path]) -> None:
        match instruction.keyword:
            case "RUN":
                self._do(instruction)
            case "COPY":
                self._copy(instruction, roots)
            case _:
                self._image.note(instruction)
                self._inside(self._image.directory).mkdir(parents=True, exist_ok=True)

    def _do(self, instruction: Instruction) -> None:
        # The certificates are those under which this machine reaches the package index.
        places = {Path("/etc/ssl/certs"): "/etc/ssl/certs"}
        done = _ask(self._enter(instruction.command, self._image.environment, places, read_only=False), seconds=1800)
        if done.returncode:
            sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
            raise instruction.error(f"exit code {done.returncode}")

    def _copy(self, instruction: Instruction, roots: Mapping[str, Path]) -> None:
        *sources, target = instruction.words(self._image.environment)
        origin = instruction.flags.get("from")
        if origin is not None and origin not in roots:
            raise instruction.error(f"there is no stage {origin} before")
        if not target.startswith("/"):
            raise instruction.error("use an absolute path")
        for source in sources:
            found = (REPO if origin is None else roots[origin]) / source.lstrip("/")
            if not found.exists():
                raise instruction.error(f"there is no {source}")
            place = self._inside(target)
            if found.is_dir():
                shutil.copytree(
                    found, place, symlinks=True, dirs_exist_ok=True, ignore=None if origin else left_out(REPO)
                )
            else:
                place = place / found.name if target.endswith("/") else place
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, place)

    def _give_volumes(self) -> None:
        """Volumes begin with what the image has in their places, and with its owner."""
        _VOLUMES.mkdir()
        for place in self._image.volumes:
            subprocess.run(["cp", "-a", self._inside(place), _VOLUMES / place.strip("/")], check=True, timeout=60)

    def _inside(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    # --- containers -------------------------------------------------------------------------------------------------

    def run(
        self, words: Sequence[str], environment: Mapping[str, str], program: Sequence[str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a container to its end."""
        return _ask(self._container(words, environment, program))

    def start(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start a container; standard error comes with standard output."""
        process = self._running[name] = subprocess.Popen(
            self._container(words, environment, None),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wait_until(lambda: process.poll() is not None or _last(process.pid) not in _OF_THE_START)
        return process

    def stop(self, name: str) -> None:
        """Send a container the image's signal."""
        process = self._running.pop(name)
        for first in _children(process.pid):
            os.kill(first, signal.Signals[self._image.stop_signal])

    def is_healthy(self, name: str) -> bool:
        """Ask the image's health check in a running container."""
        (first,) = _children(self._running[name].pid)
        inside = ["nsenter", f"--target={first}", "--mount", "--pid", "--root"]
        return _ask([*inside, *self._as_user(Path("/"), self._image.health_check, {})]).returncode == 0

    def clean(self) -> None:
        """Leave nothing but the base behind."""
        shutil.rmtree(_PLACE, ignore_errors=True)

    def _container(
        self, words: Sequence[str], environment: Mapping[str, str], program: Sequence[str] | None
    ) -> list[str]:
        entrypoint = self._image.entrypoint if program is None else [*program]
        command = [*entrypoint, *(words or (self._image.command if program is None else []))]
        places = {_VOLUMES / place.strip("/"): place for place in self._image.volumes}
        return self._enter(command, {**self._image.environment, **environment}, places, read_only=True)

    def _enter(
        self, command: Sequence[str], environment: Mapping[str, str], places: Mapping[Path, str], *, read_only: bool
    ) -> list[str]:
        """The command line that runs ``command`` in the root, with directories of the machine put in their places."""
        mounts = [
            ["--bind", self._root, self._root],
            ["--types=proc", "proc", self._inside("proc")],
            ["--rbind", "/dev", self._inside("dev")],
            ["--bind", "/etc/resolv.conf", self._inside("etc/resolv.conf")],
            *(["--bind", source, self._inside(target)] for source, target in places.items()),
        ]
        if read_only:
            mounts += [["--types=tmpfs", "tmpfs", self._inside("tmp")], ["--options=remount,bind,ro", self._root]]
        lines = [shlex.join(["mount", *map(str, mount)]) for mount in mounts]
        run = self._as_user(self._root, command, environment)
        lines.append(shlex.join(["exec", *(["setpriv", "--no-new-privs"] if read_only else []), *run]))
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", "\n".join(lines)]

    def _as_user(self, root: Path, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        user = self._image.user.partition(":")[0]
        accounts = (line.split(":") for line in self._inside("etc/passwd").read_text(encoding="utf-8").splitlines())
        home = next(account[5] for account in accounts if account[2] == user)
        variables = {"HOME": home, **self._image.environment, **environment}
        return [
            *("chroot", f"--userspec={self._image.user}", "--groups=", str(root)),
            *("env", "--ignore-environment", f"--chdir={self._image.directory}"),
            *(f"{name}={value}" for name, value in variables.items()),
            *command,
        ]


def _ask(command: Sequence[str], seconds: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
    )


def _bytes(root: Path) -> int:
    counted = subprocess.run(
        ["du", "-s", "--block-size=1", root], capture_output=True, text=True, check=True, timeout=60
    )
    return int(counted.stdout.split()[0])


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
