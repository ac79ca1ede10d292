"""The files below deploy/ are valid as far as machines can tell, keep to what a cautious operator asks, and name only settings that exist."""

import json
import os
import re
import subprocess

import kubernetes_validate
import pytest
import yaml

from live_dashboards.settings import load_settings
from live_dashboards.settings.table import all_settings
from tests.deploy import files
from tests.deploy.files import DEPLOY, ROOT, UNITS

KNOWN = {setting.name for setting in all_settings()} | {f"{setting.name}_FILE" for setting in all_settings() if setting.secret}
OF_THE_SYSTEM = {"HOME", "MPLCONFIGDIR", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PATH", "SHELL", "MAILTO"}
KUBERNETES_VERSIONS = ("1.28", "1.31", "1.34", "1.37")
RUNS = {
    "image": files.image(),
    **{f"compose {name}": files.composed(name) for name, service in files.compose()["services"].items() if service.get("image") == "live-dashboards:local"},
    **{f"kubernetes {name}": files.contained(pod) for name, pod in files.pods().items()},
    **{path.name: files.started(path) for path in UNITS},
    "crontab": files.Run((), files.crontab()[0]),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_variable_is_a_setting(name):
    assert set(RUNS[name].environment) - OF_THE_SYSTEM <= KNOWN


@pytest.mark.parametrize("name", RUNS)
def test_every_value_can_be_used_and_every_secret_is_a_mounted_file(name, tmp_path):
    environment = {name: value for name, value in RUNS[name].environment.items() if name not in OF_THE_SYSTEM}
    for setting, path in list(environment.items()):
        if setting.endswith("_FILE"):
            assert path in RUNS[name].secrets
            del environment[setting]
    load_settings(environment=environment, base_folder=tmp_path)


@pytest.mark.parametrize("name", RUNS)
def test_no_secret_stands_in_an_environment(name):
    assert not {setting.name for setting in all_settings() if setting.secret} & set(RUNS[name].environment)


@pytest.mark.parametrize("name", ["Dockerfile", "mlflow.Dockerfile"])
def test_the_linter_finds_nothing_in_the_dockerfiles(name):
    done = subprocess.run([ROOT / ".venv-dev/bin/hadolint", DEPLOY / "docker" / name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", ["Dockerfile", "mlflow.Dockerfile"])
def test_images_start_from_a_tag_run_as_nobody_special_and_install_by_hash(name):
    text, said = (DEPLOY / "docker" / name).read_text(), dict(files.dockerfile(name))
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE)[-1] == "python:3.11-slim-bookworm"
    assert said["USER"] == "10001:10001"
    assert text.count("pip install") == text.count("--require-hashes --only-binary=:all:") == 1
    assert not re.search(r"^(ARG|ADD) ", text, re.MULTILINE)


def test_the_image_runs_its_programs_itself_so_that_sigterm_arrives():
    said = dict(files.dockerfile("Dockerfile"))
    assert all(isinstance(json.loads(said[name]), list) for name in ("ENTRYPOINT", "CMD"))
    assert (said["EXPOSE"], said["STOPSIGNAL"]) == ("8050", "SIGTERM")
    assert files.health_check()[0] == files.image().command[0]


def test_what_an_image_copies_is_let_through_and_nothing_else_is():
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        part
        for name in ("Dockerfile", "mlflow.Dockerfile")
        for line in re.findall(r"^COPY (?!--from)(.+)", (DEPLOY / "docker" / name).read_text(), re.MULTILINE)
        for part in line.split()[:-1]
    ]
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
    assert all(any((ROOT / part) in [ROOT / rule, *ROOT.glob(rule)] for rule in let_through) for part in copied)
    assert not any("secrets" in rule or "env" in rule for rule in let_through)


def test_the_lock_of_mlflows_image_holds_what_the_tests_run():
    def pins(path):
        return set(re.findall(r"^([a-z0-9-]+==[^ ;]+)", path.read_text(), re.MULTILINE))

    assert pins(DEPLOY / "docker/mlflow.lock") <= pins(ROOT / "requirements-dev.lock")


def test_composed_services_are_confined_and_open_on_loopback_alone():
    for name, service in files.compose()["services"].items():
        assert service["read_only"] is True, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service.get("privileged"), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        if service["image"] != "postgres:15":  # which takes its folder over as root, then changes its user
            assert service["cap_drop"] == ["ALL"], name


def test_composed_services_name_what_is_there():
    made = files.compose()
    assert set(made["services"]) == {"postgres", "mlflow", "sample-runs", "traffic", "prometheus", "dashboard", "pictures"}
    for name, service in made["services"].items():
        assert set(service.get("secrets", ())) <= set(made["secrets"]), name
        assert set(service["networks"]) <= set(made["networks"]), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / "docker" / source).exists() if source.startswith(".") else source in made["volumes"], volume
        for other, wish in service.get("depends_on", {}).items():
            assert wish == {"condition": "service_healthy"}
            assert "healthcheck" in made["services"][other]
    assert all(secret["file"].startswith("./secrets/") for secret in made["secrets"].values())
    assert "/deploy/docker/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_only_long_running_services_without_a_check_rely_on_the_images_own():
    for name, service in files.compose()["services"].items():
        assert "healthcheck" in service or name == "dashboard"


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
@pytest.mark.parametrize("kind", sorted(files.manifests()), ids="/".join)
def test_kubernetes_knows_every_field(kind, version):
    kubernetes_validate.validate(files.manifests()[kind], version, strict=True)


def test_a_field_that_kubernetes_does_not_know_would_be_named():
    service = {**files.manifests()["Service", "live-dashboards-web"], "specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError, match="specs"):
        kubernetes_validate.validate(service, KUBERNETES_VERSIONS[-1], strict=True)


def test_the_kustomization_names_every_manifest_but_the_example_of_the_secret():
    there = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml", "secret.example.yaml"}
    assert set(files.kustomization()["resources"]) == there
    assert set(files.kustomization()) == {"apiVersion", "kind", "namespace", "labels", "resources", "images"}


def test_the_examples_hold_no_secret():
    assert all("REPLACE-ME" in value for value in files.manifests()["Secret", "live-dashboards"]["stringData"].values())


@pytest.mark.parametrize("name", ["pictures", "web"])
def test_pods_may_do_nothing_that_they_need_not(name):
    pod = files.pods()[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == dict(files.dockerfile("Dockerfile"))["USER"]
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        assert {mount["name"] for mount in container["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}


def test_runs_of_the_cron_job_cannot_pile_up():
    spec = files.manifests()["CronJob", "live-dashboards-pictures"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 900
    assert {"startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"} <= set(spec)


def test_labels_select_the_pods_they_mean():
    labels = files.manifests()["Deployment", "live-dashboards-web"]["spec"]["template"]["metadata"]["labels"]
    job = files.manifests()["CronJob", "live-dashboards-pictures"]["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    selectors = [
        files.manifests()["Deployment", "live-dashboards-web"]["spec"]["selector"]["matchLabels"],
        files.manifests()["Service", "live-dashboards-web"]["spec"]["selector"],
        files.manifests()["PodDisruptionBudget", "live-dashboards-web"]["spec"]["selector"]["matchLabels"],
        files.manifests()["NetworkPolicy", "live-dashboards-web"]["spec"]["podSelector"]["matchLabels"],
    ]
    assert all(selector == labels != job for selector in selectors)
    assert files.manifests()["NetworkPolicy", "live-dashboards"]["spec"]["podSelector"]["matchLabels"].items() <= labels.items() & job.items()


def test_pods_reach_mlflow_prometheus_redis_and_the_name_server_alone():
    policy = files.manifests()["NetworkPolicy", "live-dashboards"]["spec"]
    ports = sorted((port["port"], port["protocol"]) for rule in policy["egress"] for port in rule["ports"])
    assert ports == [(53, "TCP"), (53, "UDP"), (5000, "TCP"), (5432, "TCP"), (6379, "TCP"), (9090, "TCP")]
    assert all(rule["to"] for rule in policy["egress"])


def test_systemd_accepts_the_units(tmp_path):
    for path in (*UNITS, *(DEPLOY / "systemd").glob("*.timer")):
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/live-dashboards/", f"{ROOT}/"))
    units = sorted(tmp_path.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False, env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "live-dashboards" in line]
    assert (len(units), done.returncode, ours) == (5, 0, [])


def test_systemd_would_name_a_setting_that_it_does_not_know(tmp_path):
    wrong = tmp_path / "live-dashboards-web.service"
    wrong.write_text(UNITS[-1].read_text().replace("/opt/live-dashboards/", f"{ROOT}/").replace("PrivateTmp", "PrivateTmpp"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", wrong], capture_output=True, text=True, check=False)
    assert "Unknown key" in done.stderr
    assert "PrivateTmpp" in done.stderr


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_finds_little_exposed(path):
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:]


def test_timers_ring_four_times_an_hour_and_never_together():
    for path in (DEPLOY / "systemd").glob("*.timer"):
        done = subprocess.run(
            ["systemd-analyze", "calendar", "--iterations=4", files.unit(path)["OnCalendar"][0]],
            capture_output=True,
            text=True,
            check=False,
            env={"TZ": "UTC", "PATH": os.environ["PATH"]},
        )
        minutes = sorted(re.findall(r":(\d\d):00 UTC", done.stdout))[:4]
        assert minutes == (["00", "15", "30", "45"] if "-ab" in path.name else ["05", "20", "35", "50"])


def test_the_units_differ_in_what_they_run_alone():
    kinds = ("Protect", "Private", "RestrictA", "RestrictN", "System", "MemoryDeny", "NoNew", "User", "Cap")

    def confinement(path):
        return {name: values for name, values in files.unit(path).items() if name.startswith(kinds)}

    assert all(confinement(path) == confinement(UNITS[0]) for path in UNITS)


def test_cron_lines_run_as_their_own_user_with_a_limit():
    variables, rows = files.crontab()
    assert 0 < float(variables["RUN_TIMEOUT_SECONDS"]) < 900
    assert {user for _, user, _ in rows} == {"live-dashboards"}
    assert all(re.fullmatch(r"[\d*/,-]+( [\d*/,-]+){4}", schedule) for schedule, _, _ in rows)
    assert all("%" not in command for _, _, command in rows)  # which cron makes a line break


def test_every_yaml_file_is_one():
    found = [path for folder in ("docker", "kubernetes", "prometheus") for path in (DEPLOY / folder).rglob("*.y*ml")]
    assert len(found) > 10
    for path in found:
        assert list(yaml.safe_load_all(path.read_text())), path
