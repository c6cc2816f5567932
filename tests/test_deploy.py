"""The files under deploy/, compose.yaml and the Dockerfile: valid by their schemas, and of one mind with each other.

The image itself is built and tried by ``make container-check``, Scrapyd in test_scrapyd.py.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from mirror_crawler.schedule import read_schedule
from tests.container.base import MIRROR, SPLASH
from tests.container.dockerfile import read_stages
from tests.mirror import REPO
from tests.test_fixtures import OUTLETS

DEPLOY = REPO / "deploy"
COMPOSE = REPO / "compose.yaml"
WORKFLOW = DEPLOY / "workflow" / "mirror.yaml"
KUBERNETES = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "mirror.yaml").read_text(encoding="utf-8")))
CRON_JOBS = [document for document in KUBERNETES if document["kind"] == "CronJob"]
DOCKERFILE = (REPO / "Dockerfile").read_text(encoding="utf-8")
USER = 10001
GIT = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}


def loaded(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


STEPS = loaded(WORKFLOW)["jobs"]["crawl"]["steps"]


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        pytest.param("vendor.compose-spec", COMPOSE, id="compose"),
        pytest.param("vendor.compose-spec", DEPLOY / "compose.secrets.yaml", id="secrets"),
        pytest.param("vendor.github-workflows", WORKFLOW, id="workflow"),
    ],
)
@pytest.mark.untraced
def test_schema(schema: str, path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "document", KUBERNETES, ids=lambda document: f"{document['kind']}-{document['metadata']['name']}"
)
def test_kubernetes_schema(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_a_cron_job_for_every_outlet() -> None:
    pods = [job["spec"]["jobTemplate"]["spec"]["template"]["spec"] for job in CRON_JOBS]
    assert [pod["containers"][0]["args"] for pod in pods] == [["crawl", outlet] for outlet in OUTLETS]
    for job, pod in zip(CRON_JOBS, pods, strict=True):
        read_schedule(f"{pod['containers'][0]['args'][1]} {job['spec']['schedule']}")
        assert job["spec"]["concurrencyPolicy"] == "Forbid"
        assert {pod["securityContext"][name] for name in ("runAsUser", "runAsGroup", "fsGroup")} == {USER}
        mounted = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounted.keys() == {volume["name"] for volume in pod["volumes"]}
        assert (mounted["data"], mounted["output"]) == ("/data", "/output")


def test_the_image_has_the_user_and_the_places_of_the_manifests() -> None:
    assert f"\nUSER {USER}:{USER}\n" in DOCKERFILE
    assert '\nVOLUME ["/data", "/output"]\n' in DOCKERFILE
    assert "MIRROR_DATA=/data" in DOCKERFILE
    assert "MIRROR_OUTPUT=/output" in DOCKERFILE


def test_nothing_secret_goes_into_the_image() -> None:
    """What is not named is left out, so a store, a secret or an environment that lies about cannot get in."""
    lines = (REPO / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule for rule in rules if rule.startswith("!")} == {"!requirements.txt", "!scrapy.cfg", "!mirror_crawler"}
    assert set(re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE)) == {
        "requirements.txt",
        "scrapy.cfg",
        "mirror_crawler",
    }


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "deploy/splash/requirements.txt"])
def test_every_package_is_pinned(name: str) -> None:
    lines = (REPO / name).read_text(encoding="utf-8").splitlines()
    stated = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert all(re.fullmatch(r"[\w.-]+(\[[\w,]+\])?==[\w.]+", line) for line in stated), stated


@pytest.mark.parametrize("name", ["Dockerfile", "deploy/splash/Dockerfile"])
def test_every_base_image_is_pinned_by_its_digest(name: str) -> None:
    bases = {stage.base for stage in read_stages(REPO / name, {})}
    assert bases
    assert all(re.fullmatch(r"docker\.io/library/\w+:[\w.-]+@sha256:[0-9a-f]{64}", base) for base in bases), bases


def test_compose_publishes_no_port_and_runs_without_rights() -> None:
    services = loaded(COMPOSE)["services"]
    assert services.keys() == {"mirror", "splash"}
    for service in services.values():
        assert "ports" not in service
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    assert services["splash"]["profiles"] == ["splash"]
    assert (REPO / services["splash"]["build"]).samefile(SPLASH.context)
    assert "command" not in services["mirror"]  # so it is the image's own: the schedule


def test_compose_has_nothing_that_only_its_latest_versions_know() -> None:
    assert isinstance(loaded(COMPOSE)["services"]["mirror"]["env_file"], str)


def test_the_image_says_what_it_is() -> None:
    stated = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", DOCKERFILE))
    assert stated >= {"title", "description", "version"}


def test_the_schedule_of_the_image_can_be_read() -> None:
    stated = re.search(r'MIRROR_SCHEDULE="(.*)"', DOCKERFILE)
    assert stated is not None
    assert [entry.outlet for entry in read_schedule(stated[1])] == list(OUTLETS)


def test_secrets_are_read_from_the_files_that_compose_mounts() -> None:
    content = loaded(DEPLOY / "compose.secrets.yaml")
    environment = content["services"]["mirror"]["environment"]
    assert environment.keys() == {"MIRROR_PROXY", "MIRROR_HOOK_URL", "MIRROR_REMOTES"}
    named = environment.values()
    assert set(named) == {f"@/run/secrets/{name}" for name in content["secrets"]}
    assert content["services"]["mirror"]["secrets"] == list(content["secrets"])


SHELLCHECK = Path(sys.executable).with_name("shellcheck")
SCRIPTS = [
    *(pytest.param("bash", step["run"], id=step.get("name", step["run"])) for step in STEPS if "run" in step),
    *(
        pytest.param("sh", instruction.value, id=f"{recipe.name}-{instruction.line}")
        for recipe in (MIRROR, SPLASH)
        for stage in read_stages(recipe.dockerfile, {})
        for instruction in stage.instructions
        if instruction.keyword == "RUN"
    ),
    pytest.param("sh", (SPLASH.context / "install").read_text(encoding="utf-8"), id="install"),
]


@pytest.mark.skipif(not SHELLCHECK.exists(), reason="ShellCheck is not installed: pip install -r requirements-dev.txt")
@pytest.mark.parametrize(("shell", "script"), SCRIPTS)
def test_scripts_are_sound(shell: str, script: str) -> None:
    """SC2154: steps of a workflow hand variables on to later ones by a file."""
    command = [str(SHELLCHECK), f"--shell={shell}", "--exclude=SC2154", "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


class Job:
    """A run of the workflow on a machine of its own: its shell steps, in a fresh checkout of ``origin``."""

    def __init__(self, place: Path, origin: Path) -> None:
        self.place = place
        self._environment = os.environ | GIT | {"HOME": str(place.parent)}
        self.must("git", "clone", "--quiet", "--depth=1", f"file://{origin}", str(place), cwd=place.parent)
        self.step("Take out the branches")

    def must(self, *command: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=cwd or self.place,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def step(self, name: str) -> None:
        """As the code host runs it."""
        (script,) = (step["run"] for step in STEPS if step.get("name") == name)
        self.must("bash", "-e", "-c", script)


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository at a code host that has the program and nothing else."""
    source, bare = tmp_path / "source", tmp_path / "origin.git"
    script = f"""
        git init --quiet --initial-branch main {source}
        cd {source}
        echo data/ > .gitignore
        echo output/ >> .gitignore
        git add .
        git -c user.name=me -c user.email=me@localhost commit --quiet --message "The program"
        git clone --quiet --bare . {bare}
    """
    subprocess.run(["bash", "-e", "-c", script], env=os.environ | GIT, check=True, timeout=60)
    return bare


def heads(origin: Path) -> dict[str, str]:
    """Branch → the paths in its last commit, one a line."""
    form = ["for-each-ref", "--format=%(refname:short)", "refs/heads"]
    names = subprocess.run(["git", "-C", str(origin), *form], capture_output=True, text=True, check=True).stdout.split()
    listing = ["git", "-C", str(origin), "ls-tree", "-r", "--name-only"]
    return {name: subprocess.run([*listing, name], capture_output=True, text=True, check=True).stdout for name in names}


def test_the_workflow_publishes_what_there_is(tmp_path: Path, origin: Path) -> None:
    """A first run that brings nothing, one that brings something, one on another machine that adds to it."""
    publish = "Publish what there is"
    Job(tmp_path / "first", origin).step(publish)
    assert heads(origin) == {"main": ".gitignore\n"}

    second = Job(tmp_path / "second", origin)
    (second.place / "output" / "README.md").write_text("news\n")
    second.step(publish)
    assert heads(origin) == {"main": ".gitignore\n", "pages": "README.md\n"}

    third = Job(tmp_path / "third", origin)
    assert (third.place / "output" / "README.md").read_text() == "news\n"
    feed = third.place / "data" / "feeds" / "ntdtv" / "articles-20261122T010000Z.jsonl"
    feed.parent.mkdir()
    feed.write_text("{}\n")
    third.step(publish)
    third.step(publish)
    assert heads(origin) == {
        "main": ".gitignore\n",
        "pages": "README.md\n",
        "feeds": "ntdtv/articles-20261122T010000Z.jsonl\n",
    }
    for branch in ("pages", "feeds"):
        assert third.must("git", "-C", str(origin), "rev-list", "--count", branch) == "1\n"


def test_the_workflow_keeps_what_a_run_that_failed_has_brought() -> None:
    by_action = {step["uses"].partition("@")[0]: step for step in STEPS if "uses" in step}
    restored, saved = by_action["actions/cache/restore"], by_action["actions/cache/save"]
    assert saved["if"] == "always()"
    assert saved["with"]["path"] == restored["with"]["path"]
    assert saved["with"]["key"] == restored["with"]["key"]
    assert saved["with"]["path"].split() == ["data/mirror.db*", "data/images", "data/runs"]


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed: apt-get install systemd"
)
def test_systemd_units(tmp_path: Path) -> None:
    """Both are sound once the program is where the unit expects it."""
    for name in ("mirror@.service", "mirror@.timer"):
        unit = (DEPLOY / "systemd" / name).read_text(encoding="utf-8")
        (tmp_path / name.replace("@", "@epochtimes")).write_text(
            unit.replace("/srv/mirror/.venv/bin/scrapy", "/bin/true")
        )
    command = ["systemd-analyze", "verify", *(str(path) for path in sorted(tmp_path.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
