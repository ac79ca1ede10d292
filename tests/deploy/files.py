"""Reads what the files below deploy/ say: commands, environments and where secrets are mounted."""

import io
import json
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OURS = "live-dashboards"


@dataclass(frozen=True)
class Run:
    """A command with its environment; `secrets` are the paths at which something is mounted."""

    command: tuple[str, ...]
    environment: dict[str, str]
    secrets: frozenset[str] = frozenset()


@cache
def dockerfile(name):
    """The instructions of the last stage, as pairs."""
    parser = DockerfileParser(fileobj=io.BytesIO((DEPLOY / "docker" / name).read_bytes()))
    pairs = [(row["instruction"], row["value"]) for row in parser.structure if row["instruction"] != "COMMENT"]
    last = max(index for index, (instruction, _) in enumerate(pairs) if instruction == "FROM")
    return tuple(pairs[last:])


def image():
    """What the dashboards' image runs by itself."""
    said = dict(dockerfile("Dockerfile"))
    environment = dict(pair.split("=", 1) for pair in shlex.split(said["ENV"]))
    return Run((*json.loads(said["ENTRYPOINT"]), *json.loads(said["CMD"])), environment)


def health_check():
    return tuple(json.loads(dict(dockerfile("Dockerfile"))["HEALTHCHECK"].partition(" CMD ")[2]))


def _in_image(arguments, environment, secrets, entrypoint=None):
    entry = json.loads(dict(dockerfile("Dockerfile"))["ENTRYPOINT"]) if entrypoint is None else entrypoint
    return Run((*entry, *arguments), {**image().environment, **environment}, frozenset(secrets))


@cache
def compose():
    return yaml.safe_load((DEPLOY / "docker/compose.yaml").read_text())


def composed(name):
    """What a service of ours runs."""
    service = compose()["services"][name]
    return _in_image(service["command"], service.get("environment", {}), {f"/run/secrets/{secret}" for secret in service.get("secrets", ())}, service.get("entrypoint"))


@cache
def manifests():
    """Every object by kind and name."""
    files = [path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml"]
    return {(item["kind"], item["metadata"]["name"]): item for path in files for item in yaml.safe_load_all(path.read_text())}


def kustomization():
    return yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text())


def pods():
    """The pod specifications by the name of what makes them."""
    job = manifests()["CronJob", "live-dashboards-pictures"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    web = manifests()["Deployment", "live-dashboards-web"]["spec"]["template"]["spec"]
    return {"pictures": job, "web": web}


def contained(pod):
    """What the pod's container runs, with the keys of the Secret at their mounted paths."""
    container = pod["containers"][0]
    maps = [manifests()["ConfigMap", source["configMapRef"]["name"]]["data"] for source in container.get("envFrom", ())]
    environment = {name: value for data in maps for name, value in data.items()} | {row["name"]: row["value"] for row in container.get("env", ())}
    volume = next(volume["secret"] for volume in pod["volumes"] if "secret" in volume)
    keys = manifests()["Secret", volume["secretName"]]["stringData"]
    paths = {row["path"] for row in volume["items"]} if "items" in volume else set(keys)
    folder = next(mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "secrets")
    return _in_image(container["args"], environment, {f"{folder}/{path}" for path in paths})


def unit(path):
    """The unit's settings by name, each a tuple, since some may be repeated."""
    found = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name] = (*found.get(name, ()), value)
    return found


def credentials(path):
    """Where systemd puts a service's credentials."""
    return f"/run/credentials/{path.name}"


def started(path, setting="ExecStart"):
    said = unit(path)
    folder = credentials(path)
    environment = dict(value.replace("%d", folder).split("=", 1) for value in said["Environment"])
    command = shlex.split(said[setting][0].lstrip("-"))
    return Run(tuple(command), settings_example() | environment, frozenset(f"{folder}/{value.partition(':')[0]}" for value in said["LoadCredential"]))


def settings_example():
    lines = (DEPLOY / "systemd/settings.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def crontab():
    """The variables, and the lines as (schedule, user, command)."""
    lines = [line for line in (DEPLOY / "cron/crontab").read_text().splitlines() if line and not line.startswith("#")]
    variables = dict(line.split("=", 1) for line in lines if line[0].isalpha())
    rows = [line.split(None, 6) for line in lines if not line[0].isalpha()]
    return variables, [(" ".join(row[:5]), row[5], row[6]) for row in rows]
