"""What a trial of the image without an engine understands of the Dockerfile; the trial is ``make container-check``."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mirror_crawler.health import EXIT_CODES
from tests.container.base import MIRROR, SPLASH, Recipe, UnavailableError, release_of
from tests.container.dockerfile import DockerfileError, Image, Stage, left_out, read_stages

FILES = ("COPY", "RUN")


def stages_of(tmp_path: Path, text: str, **arguments: str) -> list[Stage]:
    (tmp_path / "Dockerfile").write_text(text)
    return read_stages(tmp_path / "Dockerfile", arguments)


def image_of(stage: Stage) -> Image:
    image = Image()
    for instruction in stage.instructions:
        if instruction.keyword not in FILES:
            image.note(instruction)
    return image


def test_our_own() -> None:
    """Nothing in it is beyond what the replay understands."""
    stages = read_stages(MIRROR.dockerfile, {})
    assert [(stage.base, stage.name) for stage in stages] == [(MIRROR.official, "packages"), (MIRROR.official, "")]
    image = image_of(stages[-1])
    assert image.user == "10001:10001"
    assert image.volumes == ["/data", "/output"]
    assert image.entrypoint[:2] == ["tini", "--"]
    assert image.entrypoint[-1:] + image.command == ["scrapy", "schedule"]
    assert image.health_check[:2] == ["sh", "-c"]
    assert image.stop_signal == "SIGTERM"
    assert image.environment["MIRROR_SCHEDULE"] == "epochtimes 17 * * * *; ntdtv 47 * * * *"


@pytest.mark.parametrize("verdict", EXIT_CODES)
def test_a_mirror_is_healthy_whose_last_runs_were_worth_publishing(tmp_path: Path, verdict: str) -> None:
    health = tmp_path / "scrapy"
    health.write_text(f'#!/bin/sh\n[ "$*" = "health --last 1" ] && exit {EXIT_CODES[verdict]}\n')
    health.chmod(0o700)
    check = image_of(read_stages(MIRROR.dockerfile, {})[-1]).health_check
    done = subprocess.run(check, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False)
    assert (done.returncode == 0) is (verdict in ("ok", "degraded"))


def test_that_of_splash() -> None:
    (stage,) = read_stages(SPLASH.dockerfile, {})
    image = image_of(stage)
    assert (image.user, image.volumes, image.entrypoint) == ("10002:10002", [], [])
    assert image.command[0] == image.health_check[0] == "/opt/splash/bin/python"


def test_stages_and_variables(tmp_path: Path) -> None:
    first, second = stages_of(
        tmp_path,
        'ARG BASE=debian:12\nFROM ${BASE} AS made\nRUN make \\\n  # why\n  all\nFROM scratch\nENV A=x B="$A y"\n'
        'ENV C="$A z" D=e\\ f\nWORKDIR /$A/in\nCOPY --from=made /a ${A} /b/\nLABEL "it s"=so\n',
        BASE="debian:13",
    )
    assert (first.base, first.name, second.base, second.name) == ("debian:13", "made", "scratch", "")
    assert first.instructions[0].command == ["/bin/sh", "-c", "make   all"]
    image = image_of(second)
    assert {name: image.environment[name] for name in "ACD"} == {"A": "x", "C": "x z", "D": "e f"}
    assert (image.directory, image.labels) == ("/x/in", {"it s": "so"})
    copy = second.instructions[3]
    assert (copy.flags, copy.words(image.environment)) == ({"from": "made"}, ["/a", "x", "/b/"])


def test_commands_as_lists_and_as_lines(tmp_path: Path) -> None:
    (stage,) = stages_of(
        tmp_path,
        'FROM x\nENTRYPOINT ["a", "b c"]\nCMD d $E\nHEALTHCHECK --interval=5m CMD f || g\n'
        "VOLUME /v /w\nSTOPSIGNAL SIGINT",
    )
    image = image_of(stage)
    assert image.entrypoint == ["a", "b c"]
    assert image.command == ["/bin/sh", "-c", "d $E"]
    assert image.health_check == ["/bin/sh", "-c", "f || g"]
    assert (image.volumes, image.stop_signal) == (["/v", "/w"], "SIGINT")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Dockerfile: there is no FROM"),
        ("RUN x", "Dockerfile:1: RUN: only ARG can stand before the first FROM"),
        ("FROM x\nADD a b", "Dockerfile:2: ADD: this instruction is not known"),
        ("FROM x\n\nCOPY --chown=1 a b", "Dockerfile:3: COPY: chown is not known"),
        ("FROM x\nRUN --mount=type=cache,target=/x y", "Dockerfile:2: RUN: --mount=type=cache,target=/x is not known"),
        ("FROM --platform=x y", "Dockerfile:1: FROM: --platform=x is not known"),
        ("FROM x\nCOPY <<E /a\nb\nE\n", "Dockerfile:2: COPY: text in the Dockerfile itself (<<) is not known"),
        ("FROM x y", "Dockerfile:1: FROM: use FROM IMAGE or FROM IMAGE AS NAME"),
    ],
)
def test_what_is_not_understood_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DockerfileError) as refused:
        stages_of(tmp_path, text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ARG x", "ARG: it is not known in this place"),
        ("USER mirror", "USER: use fixed ids, like 10001:10001"),
        ("WORKDIR a b", "WORKDIR: use one word"),
        ("WORKDIR a", "WORKDIR: use an absolute path"),
        ("WORKDIR ${A:-b}", "WORKDIR: of variables only $NAME and ${NAME} are known"),
        ("HEALTHCHECK NONE", "HEALTHCHECK: use HEALTHCHECK CMD"),
    ],
)
def test_what_an_image_cannot_take_in_is_an_error(tmp_path: Path, line: str, message: str) -> None:
    (stage,) = stages_of(tmp_path, f"FROM x\n{line}")
    with pytest.raises(DockerfileError) as refused:
        image_of(stage)
    assert str(refused.value) == f"Dockerfile:2: {message}"


def test_what_dockerignore_leaves_out(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("# all\n*\n!kept\n**/*.pyc\n")
    ignored = left_out(tmp_path)
    assert ignored(str(tmp_path), ["kept", "other"]) == ["other"]
    assert ignored(str(tmp_path / "kept" / "in"), ["a.py", "a.pyc"]) == ["a.pyc"]


@pytest.mark.parametrize("recipe", [MIRROR, SPLASH], ids=["mirror", "splash"])
def test_there_is_a_stand_in_for_what_an_image_begins_with(recipe: Recipe) -> None:
    assert release_of(recipe.official) == "bookworm"


@pytest.mark.parametrize("image", ["python:3.12-slim-bookworm", "alpine:3.20", "debian:bookworm-backports"])
def test_there_is_none_for_others(image: str) -> None:
    with pytest.raises(UnavailableError, match=image):
        release_of(image)
