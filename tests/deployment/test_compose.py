"""The compose files, held by two validators that share no code, and by what this deployment promises."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.conftest import ROOT
from tests.deployment.front_door import compose
from tests.services import program

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]
FILES = ["docker-compose.yml", "docker-compose.worker.yml"]
LOADER = "github.com/compose-spec/compose-go/v2"
LOADER_VERSION = "v2.16.2"


def example() -> dict[str, str]:
    """Every variable of `.env.example`, with a value where the example leaves it empty."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value or "x" for name, _, value in pairs}


#: What `docker compose config` does, by the library that it does it with.
LOAD = """
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[1:], cli.WithEnv(os.Environ()))
	if err == nil {
		project, failed := options.LoadProject(context.Background())
		if err = failed; err == nil {
			text, _ := project.MarshalYAML()
			fmt.Print(string(text))
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
"""


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference loader of the Compose Specification."""
    folder = tmp_path_factory.mktemp("loader")
    (folder / "main.go").write_text(LOAD)
    for words in (
        ["mod", "init", "loader"],
        ["get", f"{LOADER}@{LOADER_VERSION}"],
        ["mod", "tidy"],
        ["build", "-o", "load", "."],
    ):
        made = subprocess.run([program("go"), *words], cwd=folder, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
    return folder / "load"


@pytest.fixture(scope="module")
def schema(loader: Path) -> dict[str, Any]:
    """The JSON schema of the Compose Specification, which comes with the loader's source."""
    del loader
    asked = subprocess.run([program("go"), "env", "GOMODCACHE"], capture_output=True, text=True, check=True)
    folder = Path(asked.stdout.strip()) / f"{LOADER}@{LOADER_VERSION}"
    read: dict[str, Any] = json.loads((folder / "schema" / "compose-spec.json").read_text())
    return read


def load(loader: Path, name: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run([str(loader), name], cwd=ROOT, env=clean, capture_output=True, text=True)


@pytest.mark.parametrize("name", FILES)
def test_the_reference_loader_takes_the_file_with_the_example_environment(loader: Path, name: str) -> None:
    loaded = load(loader, name, example())
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    assert "celery-worker" in yaml.safe_load(loaded.stdout)["services"]


@pytest.mark.parametrize("name", FILES)
def test_the_file_conforms_to_the_schema_of_the_specification(schema: dict[str, Any], name: str) -> None:
    jsonschema.Draft7Validator(schema).validate(compose(name))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("missing", ["MYSQL_PASSWORD", "REDIS_PASSWORD", "ENCRYPTION_KEY"])
def test_without_a_secret_nothing_starts_and_the_loader_says_which(loader: Path, name: str, missing: str) -> None:
    environment = {key: value for key, value in example().items() if key != missing}
    loaded = load(loader, name, environment)
    assert loaded.returncode != 0
    assert f"required variable {missing} is missing" in loaded.stdout + loaded.stderr


@pytest.mark.parametrize("name", FILES)
def test_every_variable_that_a_file_reads_is_explained_in_the_example(name: str) -> None:
    read = set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / name).read_text()))
    assert read <= example().keys(), read - example().keys()


@pytest.mark.parametrize("name", FILES)
def test_every_service_of_ours_runs_without_rights_and_stops_gracefully(name: str) -> None:
    for service, wanted in compose(name)["services"].items():
        if "build" not in wanted:
            continue
        assert wanted["cap_drop"] == ["ALL"], service
        assert wanted["security_opt"] == ["no-new-privileges:true"], service
        assert wanted["read_only"] is True, service
        assert isinstance(wanted.get("command", []), list), (
            f"{service}: a shell between would keep SIGTERM from the program"
        )


def test_only_the_front_door_listens_for_others() -> None:
    published = {name: port for name, service in compose()["services"].items() for port in service.get("ports", ())}
    assert published.pop("nginx").startswith("${NGINX_PORT")
    for service, port in published.items():
        assert port.startswith(("127.0.0.1:", "${MYSQL_BIND:-127.0.0.1}", "${REDIS_BIND:-127.0.0.1}")), service


@pytest.mark.parametrize("stage", ["sign-in", "ares"])
def test_images_of_ours_name_a_user_without_rights(stage: str) -> None:
    text = (ROOT / "Dockerfile").read_text()
    body = text.partition(f" AS {stage}\n")[2].partition("\nFROM ")[0]
    assert re.search(r"^USER 10001$", body, re.MULTILINE)


def test_no_secret_gets_into_an_image() -> None:
    left_out = (ROOT / ".dockerignore").read_text().split()
    assert {".env", ".env.*", ".ares", ".git", "*.key"} <= set(left_out)
