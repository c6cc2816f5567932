"""What is wrong with the words of a command is one line that names it and the mend, with exit code 2."""

from __future__ import annotations

import json

import pytest

from tests.mirror import Mirror

COMMANDS = ["crawl", "schedule", "health", "verify", "render", "publish", "export", "import", "savefixture"]


def refused(mirror: Mirror, *words: str, log: str = "human") -> str:
    """Run the real command; what it says."""
    done = mirror.command(*words, MIRROR_SCHEDULE="ntdtv @daily", MIRROR_LOG=log)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.count("\n") == 1
    assert not mirror.data.exists()
    return done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option(mirror: Mirror, command: str) -> None:
    said = refused(mirror, command, "ntdtv", "--colour=red")
    assert said == (
        f"scrapy {command}: unknown option '--colour=red'; scrapy {command} -h shows those that there are\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_without_its_value(mirror: Mirror, capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        mirror.ask(command, "--logfile")
    assert capsys.readouterr().err == (
        f"scrapy {command}: argument --logfile: expected one argument; scrapy {command} -h shows how to use it\n"
    )


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("schedule", "now"), "unknown argument 'now'"),
        (("schedule", "--next", "0"), "--next 0: use a whole number from 1"),
        (("health", "bbc"), "no outlet 'bbc'; use epochtimes or ntdtv"),
        (("health", "--last", "x"), "--last x: use a whole number from 1"),
        (("export",), "--output FILE is missing; - is standard output"),
        (("import",), "name the files to import, - for standard input"),
        (("savefixture", "bbc"), "name one of the outlets epochtimes, ntdtv and the address of one of its pages"),
        (("render", "-s", "x"), "Invalid -s value, use -s NAME=VALUE"),
        (
            ("crawl", "ntdtv", "--pidfile", "/nowhere/x"),
            "/nowhere/x: cannot be written: No such file or directory; give another --pidfile",
        ),
        (("crawl", "ntdtv", "-a", "x"), "Invalid -a value, use -a NAME=VALUE"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_what_a_command_refuses_by_itself(mirror: Mirror, words: tuple[str, ...], said: str) -> None:
    assert refused(mirror, *words) == f"scrapy {words[0]}: {said}\n"


@pytest.mark.untraced
def test_in_a_log_of_json_it_is_an_object(mirror: Mirror) -> None:
    told = json.loads(refused(mirror, "schedule", "now", log="json"))
    assert (told["level"], told["message"]) == ("ERROR", "scrapy schedule: unknown argument 'now'")
    told = json.loads(refused(mirror, "verify", "now", log="json"))
    assert (told["level"], told["message"]) == ("ERROR", "scrapy verify: unknown argument 'now'")


@pytest.mark.untraced
@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_where_it_says(mirror: Mirror, command: str) -> None:
    done = mirror.command(command, "-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage\n=====\n  scrapy {command} ")


def test_what_follows_two_dashes_is_no_option(mirror: Mirror) -> None:
    done = mirror.command("import", "--", "-f.jsonl")
    assert done.returncode == 1
    assert done.stderr.startswith("-f.jsonl: cannot be read: ")
