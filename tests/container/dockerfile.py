"""A Dockerfile as stages of instructions: enough to do without an engine what it says, and no more.

dockerfile-parse finds the instructions and puts values in the place of variables. What is not understood here is an
error, never passed over: a replay that leaves something out would try another image than the one that is built.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pathspec
from dockerfile_parse import DockerfileParser
from dockerfile_parse.util import WordSplitter, extract_key_values

_FLAG = re.compile(r"--([a-z-]+)=(\S+)\s+")
_FLAGS = {"COPY": {"from"}, "HEALTHCHECK": {"interval", "timeout", "start-period", "start-interval", "retries"}}
_WORD = {"USER": "user", "WORKDIR": "directory", "STOPSIGNAL": "stop_signal"}
"""Instructions of one word, and what that says of an image."""
_NOTES = {"ENV", "LABEL", "VOLUME", "ENTRYPOINT", "CMD", "HEALTHCHECK", "EXPOSE", *_WORD}
_KNOWN = {"ARG", "FROM", "RUN", "COPY", *_NOTES}


class DockerfileError(Exception):
    """Something that is not understood; the message names file, line and instruction."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction: ``COPY`` with ``{"from": "packages"}`` and ``/opt/mirror /opt/mirror``; lines count from 1."""

    keyword: str
    value: str
    line: int
    flags: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Instruction:
        """From what dockerfile-parse found; DockerfileError when it is none that is known."""
        keyword, value, line = found["instruction"], found["value"], found["startline"] + 1
        flags = {}
        while keyword in _FLAGS and (flag := _FLAG.match(value)):
            flags[flag[1]] = flag[2]
            value = value[flag.end() :]
        instruction = cls(keyword=keyword, value=value, line=line, flags=flags)
        if keyword not in _KNOWN:
            raise instruction.error("this instruction is not known")
        unknown = sorted(flags.keys() - _FLAGS.get(keyword, set())) or re.findall(r"^--\S+", value)
        if unknown:
            raise instruction.error(f"{unknown[0]} is not known")
        if keyword in ("RUN", "COPY") and "<<" in value:
            raise instruction.error("text in the Dockerfile itself (<<) is not known")
        return instruction

    def error(self, what: str) -> DockerfileError:
        """An error that names this instruction."""
        return DockerfileError(f"Dockerfile:{self.line}: {self.keyword}: {what}")

    def words(self, variables: Mapping[str, str]) -> list[str]:
        """Its value as words, or those of its JSON list, with the values of variables in their places."""
        stated = self.value if self._listed is None else " ".join(self._listed)
        if re.search(r"\$\{\w+[^\w}]", stated):
            raise self.error("of variables only $NAME and ${NAME} are known")
        return [word for word in WordSplitter(stated, args={}, envs=dict(variables)).split() if word is not None]

    def pairs(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Its value as ``NAME=VALUE`` pairs."""
        return dict(extract_key_values(env_replace=True, args={}, envs=dict(variables), instruction_value=self.value))

    @property
    def command(self) -> list[str]:
        """Its value as the words of a command: those of a JSON list, or a line for the shell."""
        return ["/bin/sh", "-c", self.value] if self._listed is None else self._listed

    @property
    def _listed(self) -> list[str] | None:
        if not self.value.startswith("["):
            return None
        try:
            listed: list[str] = json.loads(self.value)
        except ValueError:
            return None
        return listed


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What follows a FROM; ``base`` is an image or the name of an earlier stage."""

    base: str
    name: str
    origin: Instruction
    instructions: list[Instruction]


def read_stages(path: Path, build_arguments: Mapping[str, str]) -> list[Stage]:
    """The stages of a Dockerfile in their order; DockerfileError when there is something that is not understood."""
    parser = DockerfileParser(str(path), env_replace=False)
    instructions = [Instruction.read(found) for found in parser.structure if found["instruction"] != "COMMENT"]
    variables: dict[str, str] = {}
    stages: list[Stage] = []
    for instruction in instructions:
        if instruction.keyword == "FROM":
            base, *named = instruction.words(variables)
            if named and (len(named) != 2 or named[0].upper() != "AS"):
                raise instruction.error("use FROM IMAGE or FROM IMAGE AS NAME")
            stages.append(Stage(base=base, name=named[1] if named else "", origin=instruction, instructions=[]))
        elif stages:
            stages[-1].instructions.append(instruction)
        elif instruction.keyword == "ARG":
            name, _, default = instruction.words(variables)[0].partition("=")
            variables[name] = build_arguments.get(name, default)
        else:
            raise instruction.error("only ARG can stand before the first FROM")
    if not stages:
        raise DockerfileError("Dockerfile: there is no FROM")
    return stages


@dataclasses.dataclass(slots=True, kw_only=True)
class Image:
    """What an image says of the containers that are made of it."""

    environment: dict[str, str] = dataclasses.field(
        default_factory=lambda: {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    )
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    user: str = "0:0"
    directory: str = "/"
    volumes: list[str] = dataclasses.field(default_factory=list)
    entrypoint: list[str] = dataclasses.field(default_factory=list)
    command: list[str] = dataclasses.field(default_factory=list)
    health_check: list[str] = dataclasses.field(default_factory=list)
    stop_signal: str = "SIGTERM"

    def note(self, instruction: Instruction) -> None:
        """Take in an instruction that changes no file."""
        variables = self.environment
        match instruction.keyword:
            case "ENV":
                self.environment |= instruction.pairs(variables)
            case "LABEL":
                self.labels |= instruction.pairs(variables)
            case "VOLUME":
                self.volumes += instruction.words(variables)
            case "EXPOSE":
                pass  # it publishes nothing: a word for people
            case "ENTRYPOINT":
                self.entrypoint = instruction.command
            case "CMD":
                self.command = instruction.command
            case "HEALTHCHECK":
                word, _, command = instruction.value.partition(" ")
                if word != "CMD":
                    raise instruction.error("use HEALTHCHECK CMD")
                self.health_check = dataclasses.replace(instruction, value=command.strip()).command
            case _:
                self._note_word(instruction)

    def _note_word(self, instruction: Instruction) -> None:
        if instruction.keyword not in _WORD:
            raise instruction.error("it is not known in this place")
        words = instruction.words(self.environment)
        if len(words) != 1:
            raise instruction.error("use one word")
        if instruction.keyword == "USER" and not re.fullmatch(r"\d+:\d+", words[0]):
            raise instruction.error("use fixed ids, like 10001:10001")
        if instruction.keyword == "WORKDIR" and not words[0].startswith("/"):
            raise instruction.error("use an absolute path")
        setattr(self, _WORD[instruction.keyword], words[0])


def left_out(context: Path) -> Callable[[str, list[str]], list[str]]:
    """Which files of a directory .dockerignore leaves out, as :func:`shutil.copytree` asks for it."""
    stated = (context / ".dockerignore").read_text(encoding="utf-8").splitlines()
    # Unlike git's, each of these patterns begins at the root.
    rules = pathspec.GitIgnoreSpec.from_lines(
        f"!/{rule[1:]}" if rule.startswith("!") else f"/{rule}" for rule in stated if rule and not rule.startswith("#")
    )

    def ignored(directory: str, names: list[str]) -> list[str]:
        return [name for name in names if rules.match_file((Path(directory) / name).relative_to(context))]

    return ignored
