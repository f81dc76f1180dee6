"""The Helm chart: every supported shape renders into manifests that Kubernetes takes and settings that we take."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.cli.main import command_parser
from connector.errors import ConfigurationError
from connector.kafka.configuration import consumer_properties
from connector.pipeline.deadline import GRACE_SECONDS
from connector.pipeline.kafka_options import consumer_options
from connector.settings.groups import consumer_groups
from connector.settings.load import load_settings
from connector.settings.model import Settings
from connector.settings.properties import holds_secret
from tests.parts.chart import (
    CHART,
    SHAPES,
    ChartRefusedError,
    Manifest,
    Pod,
    helm_output,
    of_kind,
    pod,
    pod_spec,
    rendered,
    rendered_text,
)

pytestmark = pytest.mark.parts

ONE_REGION = CHART / "ci" / "one-region-values.yaml"
TWO_REGIONS = CHART / "ci" / "two-regions-values.yaml"
ONE_GROUP = CHART / "ci" / "one-group-values.yaml"
KAFKA_WITH_SASL = CHART / "ci" / "kafka-with-sasl-values.yaml"
OPERATORS = CHART / "ci" / "operators-values.yaml"

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.stem)


def settings_in(started: Pod, folder: Path) -> Settings:
    """What the connector in the pod loads, with its credential files put into `folder` instead."""
    config = yaml.safe_load(started.config)
    for name, region in config["regions"].items():
        for key in ("site_id_file", "api_key_file"):
            if key in region:
                file = folder / f"{name}-{key}"
                file.write_text("a-credential")
                region[key] = str(file)
    file = folder / "connector.yaml"
    file.write_text(yaml.safe_dump(config))
    return load_settings(file, started.environment)


def conform(
    kubeconform: Path | str, location: Path | str, manifests: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(kubeconform), "-strict", "-summary", "-schema-location", str(location), "-"],
        input=manifests,
        capture_output=True,
        text=True,
        check=False,
    )


def refusal(helm: Path | str, shape: Path, *arguments: str) -> str:
    with pytest.raises(ChartRefusedError) as refused:
        rendered(helm, shape, *arguments)
    return str(refused.value)


def test_the_chart_as_it_is_passes_strict_lint(helm: Path | str) -> None:
    helm_output(helm, "lint", "--strict", str(CHART))


def test_lint_without_regions_says_nothing_of_what_follows_from_that(helm: Path | str) -> None:
    command = [str(helm), "lint", str(CHART), "--set", "perRegion.replicaCount.us=2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "config.regions is missing" in done.stderr
    assert "is no configured region" not in done.stderr


@every_shape
def test_every_shape_passes_strict_lint(helm: Path | str, shape: Path) -> None:
    helm_output(helm, "lint", "--strict", str(CHART), "--values", str(shape))


@every_shape
def test_every_shape_renders_only_what_kubernetes_knows(
    helm: Path | str, kubeconform: Path | str, kubernetes_schema_location: Path | str, shape: Path
) -> None:
    done = conform(kubeconform, kubernetes_schema_location, rendered_text(helm, shape))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Skipped: 0" in done.stdout


def test_a_misspelt_key_of_a_manifest_would_be_noticed(
    helm: Path | str, kubeconform: Path | str, kubernetes_schema_location: Path | str
) -> None:
    misspelt = rendered_text(helm, ONE_REGION).replace("readOnlyRootFilesystem", "readonlyRootFilesystem")
    done = conform(kubeconform, kubernetes_schema_location, misspelt)
    assert done.returncode != 0
    assert "readonlyRootFilesystem" in done.stdout


@every_shape
def test_the_connector_loads_what_every_shape_renders(helm: Path | str, shape: Path, tmp_path: Path) -> None:
    manifests = rendered(helm, shape)
    given = yaml.safe_load(shape.read_text())["config"]
    for deployment in of_kind(manifests, "Deployment"):
        settings = settings_in(pod(deployment, manifests), tmp_path)
        assert set(settings.regions) == set(given["regions"])
        assert settings.kafka.topics == tuple(given["kafka"]["topics"])
        for section in ("batch", "buffer"):
            for name, value in given.get(section, {}).items():
                assert getattr(getattr(settings, section), name) == value


@every_shape
def test_the_command_line_takes_what_every_shape_starts_it_with(helm: Path | str, shape: Path) -> None:
    manifests = rendered(helm, shape)
    for deployment in of_kind(manifests, "Deployment"):
        arguments = pod(deployment, manifests).arguments
        parsed = command_parser(arguments).parse_args(arguments)
        assert parsed.config == "/etc/cio-connector/config/connector.yaml"
        assert callable(parsed.command)


@every_shape
def test_credential_files_are_where_the_configuration_looks(helm: Path | str, shape: Path) -> None:
    manifests = rendered(helm, shape)
    made = of_kind(manifests, "Secret")
    for deployment in of_kind(manifests, "Deployment"):
        started = pod(deployment, manifests)
        for region in yaml.safe_load(started.config)["regions"].values():
            assert "api_key" not in region
            for file in (region.get("site_id_file"), region["api_key_file"]):
                folder, _, key = (file or "").rpartition("/")
                if folder == started.mounts.get("credentials") and made:
                    assert key in made[0]["stringData"]


@every_shape
def test_replicas_together_send_no_more_than_the_workspace_allows(
    helm: Path | str, shape: Path, tmp_path: Path
) -> None:
    manifests = rendered(helm, shape)
    values = yaml.safe_load(shape.read_text())
    for deployment in of_kind(manifests, "Deployment"):
        settings = settings_in(pod(deployment, manifests), tmp_path)
        processes = deployment["spec"].get("replicas") or values["autoscaling"]["maxReplicas"]
        together = settings.delivery.requests_per_second * processes
        assert together == pytest.approx(values.get("requestsPerSecond", 1000))


@every_shape
def test_pods_have_longer_to_stop_than_the_connector_takes(
    helm: Path | str, shape: Path, tmp_path: Path
) -> None:
    manifests = rendered(helm, shape)
    for deployment in of_kind(manifests, "Deployment"):
        settings = settings_in(pod(deployment, manifests), tmp_path)
        stops_within = settings.drain_deadline_seconds + GRACE_SECONDS
        assert pod_spec(deployment)["terminationGracePeriodSeconds"] >= stops_within


@every_shape
def test_probes_ask_the_port_that_the_connector_listens_on(
    helm: Path | str, shape: Path, tmp_path: Path
) -> None:
    manifests = rendered(helm, shape)
    for deployment in of_kind(manifests, "Deployment"):
        settings = settings_in(pod(deployment, manifests), tmp_path)
        (container,) = pod_spec(deployment)["containers"]
        assert container["ports"] == [{"name": "http", "containerPort": settings.server.port}]
        probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
        assert probes == {
            "startup": {"path": "/livez", "port": "http"},
            "liveness": {"path": "/livez", "port": "http"},
            "readiness": {"path": "/readyz", "port": "http"},
        }


@every_shape
def test_pods_meet_the_restricted_standard(helm: Path | str, shape: Path) -> None:
    for deployment in of_kind(rendered(helm, shape), "Deployment"):
        spec = pod_spec(deployment)
        (container,) = spec["containers"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False


@every_shape
def test_selectors_find_exactly_their_own_pods(helm: Path | str, shape: Path) -> None:
    manifests = rendered(helm, shape)
    deployments = of_kind(manifests, "Deployment")
    labels = [each["spec"]["template"]["metadata"]["labels"].items() for each in deployments]
    for own, deployment in zip(labels, deployments, strict=True):
        selected = deployment["spec"]["selector"]["matchLabels"].items()
        assert [selected <= other for other in labels] == [own is other for other in labels]
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        assert sum(budget["spec"]["selector"]["matchLabels"].items() <= other for other in labels) == 1
    for service in of_kind(manifests, "Service"):
        assert all(service["spec"]["selector"].items() <= other for other in labels)


def test_each_of_two_regions_has_its_own_deployment_and_group(helm: Path | str, tmp_path: Path) -> None:
    manifests = rendered(helm, TWO_REGIONS)
    groups = {}
    for deployment in of_kind(manifests, "Deployment"):
        started = pod(deployment, manifests)
        region = started.arguments[started.arguments.index("--region") + 1]
        (group,) = consumer_groups(settings_in(started, tmp_path), region)
        groups[deployment["metadata"]["name"]] = (group.group_id, deployment["spec"]["replicas"])
    assert groups == {
        "release-cio-connector-eu": ("cio-connector-eu", 1),
        "release-cio-connector-us": ("cio-connector-us", 3),
    }


@pytest.mark.parametrize("arguments", [("--set", "perRegion.enabled=false"), ()])
def test_one_deployment_serves_all_regions_where_that_is_asked_for(
    helm: Path | str, arguments: tuple[str, ...]
) -> None:
    manifests = rendered(helm, TWO_REGIONS if arguments else ONE_GROUP, *arguments)
    (deployment,) = of_kind(manifests, "Deployment")
    assert "--region" not in pod(deployment, manifests).arguments


def test_a_changed_configuration_replaces_the_pods(helm: Path | str) -> None:
    def checksum(*arguments: str) -> str:
        (deployment,) = of_kind(rendered(helm, ONE_REGION, *arguments), "Deployment")
        found: str = deployment["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        return found

    assert checksum() == checksum("--set", "replicaCount=5")
    assert checksum() != checksum("--set", "config.batch.linger_ms=20")


def test_an_existing_secret_is_used_and_none_is_made(helm: Path | str) -> None:
    manifests = rendered(helm, ONE_REGION)
    assert of_kind(manifests, "Secret") == []
    (deployment,) = of_kind(manifests, "Deployment")
    volumes = {volume["name"]: volume for volume in pod_spec(deployment)["volumes"]}
    assert volumes["credentials"]["secret"]["secretName"] == "customerio"


def test_given_credentials_become_a_secret_that_the_pods_mount(helm: Path | str) -> None:
    manifests = rendered(helm, ONE_GROUP)
    (secret,) = of_kind(manifests, "Secret")
    assert secret["stringData"] == {"us.site-id": "us-site", "us.api-key": "us-key", "eu.api-key": "eu-key"}
    (deployment,) = of_kind(manifests, "Deployment")
    volumes = {volume["name"]: volume for volume in pod_spec(deployment)["volumes"]}
    assert volumes["credentials"]["secret"]["secretName"] == secret["metadata"]["name"]


def test_changed_credentials_replace_the_pods_where_the_chart_makes_their_secret(helm: Path | str) -> None:
    def annotations(*arguments: str) -> dict[str, str]:
        (deployment,) = of_kind(rendered(helm, ONE_GROUP, *arguments), "Deployment")
        found: dict[str, str] = deployment["spec"]["template"]["metadata"]["annotations"]
        return found

    changed = ("--set", "credentials.regions.us.apiKey=another-key")
    assert annotations() == annotations()
    assert annotations(*changed).keys() == annotations().keys()
    assert annotations(*changed) != annotations()
    existing = ("--set", "credentials.existingSecret=customerio")
    assert annotations(*existing, *changed) == annotations(*existing)


def test_no_secret_is_mounted_where_every_region_names_its_files(helm: Path | str) -> None:
    (deployment,) = of_kind(rendered(helm, KAFKA_WITH_SASL), "Deployment")
    assert "credentials" not in {volume["name"] for volume in pod_spec(deployment)["volumes"]}


def test_whatever_is_optional_can_be_left_out(helm: Path | str) -> None:
    kinds = sorted(each["kind"] for each in rendered(helm, ONE_GROUP))
    assert kinds == ["ConfigMap", "Deployment", "Secret"]


def test_the_telemetry_variables_are_opentelemetrys(helm: Path | str) -> None:
    manifests = rendered(helm, TWO_REGIONS)
    for deployment in of_kind(manifests, "Deployment"):
        environment = pod(deployment, manifests).environment
        assert environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://otel-collector:4318"
        assert environment["OTEL_TRACES_SAMPLER"] == "parentbased_traceidratio"
        assert environment["OTEL_TRACES_SAMPLER_ARG"] == "0.1"
        assert environment["OTEL_RESOURCE_ATTRIBUTES"] == (
            "k8s.pod.name=$(POD_NAME),k8s.namespace.name=$(POD_NAMESPACE),deployment.environment.name=production"
        )


def test_the_notes_name_the_next_step(helm: Path | str, tmp_path: Path) -> None:
    # Helm shows notes only to those who have a cluster, so they are rendered as a manifest of a copy.
    chart = shutil.copytree(CHART, tmp_path / "chart")
    notes = (chart / "templates" / "NOTES.txt").read_text()
    (chart / "templates" / "notes.yaml").write_text(
        f'{{{{- define "notes" }}}}{notes}{{{{ end -}}}}\nkind: Notes\ntext: {{{{ include "notes" . | quote }}}}'
    )
    told = helm_output(
        helm, "template", "release", str(chart), "--values", str(TWO_REGIONS), "-s", "templates/notes.yaml"
    )
    text: str = yaml.safe_load(told)["text"]
    assert "rollout status deployment/release-cio-connector-eu" in text
    assert "cio-connector check --config /etc/cio-connector/config/connector.yaml" in text
    assert "us.site-id  us.api-key" in text


def test_what_needs_an_operator_is_off_by_default(helm: Path | str) -> None:
    kinds = {each["kind"] for each in rendered(helm, ONE_REGION)}
    assert kinds == {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"}


def test_incident_20_pods_that_come_and_go_move_no_more_partitions_than_they_must(
    helm: Path | str, tmp_path: Path
) -> None:
    for shape in SHAPES:
        manifests = rendered(helm, shape)
        for deployment in of_kind(manifests, "Deployment"):
            settings = settings_in(pod(deployment, manifests), tmp_path)
            for group in consumer_groups(settings, None):
                properties = consumer_properties(consumer_options(settings, group.group_id), print)
                assert (
                    properties.get("partition.assignment.strategy", "cooperative-sticky")
                    == "cooperative-sticky"
                )
                assert "group.instance.id" not in properties


@pytest.mark.parametrize(
    "arguments",
    [(), ("--set", "perRegion.enabled=false"), ("--set", "config.kafka.group_per_region=false")],
    ids=["a deployment for each region", "one deployment", "one group"],
)
def test_each_deployment_is_scaled_by_the_lag_of_its_own_groups(
    helm: Path | str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    manifests = rendered(helm, OPERATORS, "--set", "config.kafka.group_id=movers", *arguments)
    scaled = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"] for each in of_kind(manifests, "ScaledObject")
    }
    deployments = of_kind(manifests, "Deployment")
    assert scaled.keys() == {each["metadata"]["name"] for each in deployments}
    for deployment in deployments:
        assert "replicas" not in deployment["spec"]
        started = pod(deployment, manifests)
        region = dict(zip(started.arguments, started.arguments[1:], strict=False)).get("--region")
        groups = {group.group_id for group in consumer_groups(settings_in(started, tmp_path), region)}
        triggers = [trigger["metadata"] for trigger in scaled[deployment["metadata"]["name"]]["triggers"]]
        assert {(each["consumerGroup"], each["topic"]) for each in triggers} == {
            (group, topic) for group in groups for topic in ("customer-events", "more-events")
        }


def test_incident_20_scaling_never_ends_at_nothing_and_shrinks_slowly(helm: Path | str) -> None:
    assert "minReplicas" in refusal(helm, OPERATORS, "--set", "autoscaling.minReplicas=0")
    assert of_kind(rendered(helm, ONE_REGION), "ScaledObject") == []
    for scaled in of_kind(rendered(helm, OPERATORS), "ScaledObject"):
        down = scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
        assert down["stabilizationWindowSeconds"] >= 300
        assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]


def test_the_pods_metrics_are_scraped_where_they_are_served(helm: Path | str) -> None:
    manifests = rendered(helm, OPERATORS)
    (monitor,) = of_kind(manifests, "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    for deployment in of_kind(manifests, "Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_a_network_policy_always_lets_names_be_resolved(helm: Path | str) -> None:
    (policy,) = of_kind(rendered(helm, OPERATORS), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    dns, *others = policy["spec"]["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert others == [{"ports": [{"port": 9092}, {"port": 443}]}]
    (policy,) = of_kind(rendered(helm, OPERATORS, "--set-json", "networkPolicy.egress=[]"), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    assert "egress" not in policy["spec"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "config.kafka.bootstrap_servers="], "config.kafka.bootstrap_servers is missing"),
        (["--set-json", "config.kafka.topics=[]"], "config.kafka.topics is missing"),
        (["--set", "credentials.existingSecret="], "region us has no credentials"),
        (["--set", "config.regions.us.api_key=k"], "readable in a ConfigMap: use credentials.existingSecret"),
        (
            ["--set-json", 'config.kafka.properties={"sasl.password": "p"}'],
            "set CIO_KAFKA__PROPERTIES__SASL_PASSWORD in extraEnv",
        ),
        (
            [
                "--set-json",
                'config.kafka.properties={"sasl.oauthbearer.assertion.private.key.passphrase": "p"}',
            ],
            "set CIO_KAFKA__PROPERTIES__SASL_OAUTHBEARER_ASSERTION_PRIVATE_KEY_PASSPHRASE in extraEnv",
        ),
        (
            [
                "--set-json",
                'config.kafka.properties={"sasl.oauthbearer.token.endpoint.url": "https://u:p@h"}',
            ],
            "set CIO_KAFKA__PROPERTIES__SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL in extraEnv",
        ),
        (
            ["--set-json", 'config.dead_letters.properties={"sasl.oauthbearer.config": "p"}'],
            "set CIO_DEAD_LETTERS__PROPERTIES__SASL_OAUTHBEARER_CONFIG in extraEnv",
        ),
        (["--set", "config.http.proxy=http://u:p@proxy:3128"], "set CIO_HTTP__PROXY in extraEnv"),
        (["--set", "config.regions.us.url=https://u:p@h"], "config.regions.us.url must hold no credentials"),
        (["--set", "config.kafka.group_instance_id=pod"], "would be the same for every pod"),
        (["--set", "config.delivery.requests_per_second=9"], "set requestsPerSecond"),
        (["--set", "config.server.enabled=false"], "would leave the probes nothing to ask"),
        (
            ["--set", "config.drain_deadline_seconds=41"],
            "must be 5 or more longer than config.drain_deadline_seconds (41)",
        ),
        (["--set", "config.batch.linger=9"], "linger"),
        (["--set", "config.batch.linger_ms=soon"], "linger_ms"),
        (["--set", "replicas=3"], "replicas"),
        (["--set", "credentials.regions.us.siteId=s"], "apiKey"),
        (
            ["--set", "autoscaling.enabled=true,autoscaling.minReplicas=9"],
            "less than autoscaling.minReplicas",
        ),
        (
            ["--set", "autoscaling.enabled=true,config.kafka.topics={^c.*},config.dead_letters.topic=d"],
            "autoscaling needs topics by name",
        ),
    ],
    ids=lambda value: value[1].partition("=")[0] if isinstance(value, list) else "",
)
def test_values_that_cannot_work_are_refused_with_the_reason(
    helm: Path | str, arguments: list[str], said: str
) -> None:
    assert said in refusal(helm, ONE_REGION, *arguments)


@pytest.mark.parametrize(
    ("config", "setting", "said", "variable"),
    [
        (
            {"regions": {"us": {}, "apac": {}}},
            "regions.apac.url",
            "is missing; only regions named us and eu have one of their own",
            {"CIO_REGIONS__APAC__URL": "https://h"},
        ),
        (
            {"regions": {"us": {"url": "https://Track-EU.customer.io/"}}},
            "regions.us.url",
            ": track-eu.customer.io is the host of region eu, not of us",
            {"CIO_REGIONS__US__URL": "https://h"},
        ),
        *(
            (
                {"kafka": {"bootstrap_servers": "kafka:9092", "topics": topics}},
                "dead_letters.topic",
                "is missing; with several topics or a pattern it must be named",
                {"CIO_DEAD_LETTERS__TOPIC": "d"},
            )
            for topics in (["a", "b"], ["^a"])
        ),
        (
            {"routing": {"default": "apac"}},
            "routing.default",
            ': "apac" is no configured region; configured are us',
            {"CIO_ROUTING__DEFAULT": "us"},
        ),
        (
            {"regions": {"eu": {}, "two": {"url": "http://h"}}},
            "routing.default",
            ': "us" is no configured region; configured are eu, two',
            {"CIO_ROUTING__DEFAULT": "eu"},
        ),
        (
            {"routing": {"rules": [{"region": "us", "topic": "t"}, {"region": "mars", "topic": "t"}]}},
            "routing.rules[1].region",
            ': "mars" is no configured region; configured are us',
            {"CIO_ROUTING__RULES": '[{"region": "us", "topic": "t"}]'},
        ),
        (
            {"kafka": {"bootstrap_servers": "PLAINTEXT://kafka:9092", "topics": ["a"]}},
            "kafka.bootstrap_servers",
            "must be host:port, such as kafka:9092, without ://; TLS is security.protocol in kafka.properties",
            {},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and " " not in value else "",
)
def test_settings_that_do_not_go_together_are_refused_in_the_connectors_words(
    helm: Path | str,
    tmp_path: Path,
    config: dict[str, Any],
    setting: str,
    said: str,
    variable: dict[str, str],
) -> None:
    """Unless the environment, which goes over them, sets it right."""
    values = yaml.safe_load(ONE_REGION.read_text())
    values["config"] |= config
    shape, file = tmp_path / "values.yaml", tmp_path / "connector.yaml"
    shape.write_text(yaml.safe_dump(values))
    credentials = {"site_id": "s", "api_key": "k"}
    regions = {name: region | credentials for name, region in values["config"]["regions"].items()}
    file.write_text(yaml.safe_dump(values["config"] | {"regions": regions}))
    words = said if said.startswith(":") else f" {said}"
    assert f"config.{setting}{words}" in refusal(helm, shape)
    with pytest.raises(ConfigurationError) as refused:
        load_settings(file, {})
    assert f"{setting}: {said.removeprefix(': ')}" in str(refused.value)
    if variable:
        load_settings(file, variable)
        values["extraEnv"] = [{"name": name, "value": value} for name, value in variable.items()]
        shape.write_text(yaml.safe_dump(values))
        assert rendered(helm, shape)


def test_replicas_of_a_region_that_is_not_configured_are_refused(helm: Path | str) -> None:
    said = refusal(helm, TWO_REGIONS, "--set", "perRegion.replicaCount.asia=2")
    assert 'perRegion.replicaCount.asia: "asia" is no configured region; configured are eu, us' in said


def test_the_chart_takes_the_same_properties_for_secrets_as_the_connector(
    helm: Path | str, tmp_path: Path
) -> None:
    words = (
        "password",
        "key",
        "keyfile",
        "key.pem",
        "passphrase",
        "client.secret",
        "token",
        "credentials",
        "ca.pem",
    )
    shown = (
        "mechanism",
        "mechanisms",
        "username",
        "oauthbearer.scope",
        "oauthbearer.config",
        "jaas.config",
        "new",
    )
    names = {
        before + word + after
        for before in ("", "sasl.", "ssl.", "SASL.", "my.", "sasl.oauthbearer.", "sasl.kerberos.", "sasl")
        for word in words + shown
        for after in ("", ".location", ".file", ".path", ".url", ".urls", ".pem", "file", ".ms")
    }
    chart = shutil.copytree(CHART, tmp_path / "chart")
    (chart / "templates" / "told.yaml").write_text(
        "kind: Told\n"
        "{{ range .Values.global.names }}{{ . | quote }}: "
        '{{ include "cio-connector.holdsSecret" . | quote }}\n{{ end }}'
    )
    values = tmp_path / "names.yaml"
    values.write_text(yaml.safe_dump({"global": {"names": sorted(names)}}))
    rendering = ("template", "release", str(chart), "--values", str(ONE_REGION), "--values", str(values))
    told = yaml.safe_load(helm_output(helm, *rendering, "-s", "templates/told.yaml"))
    secret = {name for name in names if told[name] == "true"}
    assert secret == set(filter(holds_secret, names))
    assert secret and names - secret


def test_properties_and_a_proxy_without_secrets_are_taken(helm: Path | str) -> None:
    shown = '{"sasl.username": "u", "ssl.ca.location": "/ca", "sasl.oauthbearer.token.endpoint.url": "https://h/a@b"}'
    for place in ("config.kafka.properties", "config.dead_letters.properties"):
        assert rendered(helm, ONE_REGION, "--set-json", f"{place}={shown}")
    assert rendered(helm, ONE_REGION, "--set", "config.http.proxy=http://proxy:3128")
    assert rendered(helm, ONE_REGION, "--set", "config.http.proxy=")


def test_a_grace_period_that_just_suffices_is_taken(helm: Path | str) -> None:
    assert rendered(helm, ONE_REGION, "--set", f"config.drain_deadline_seconds={45 - GRACE_SECONDS:g}")


def test_the_grace_period_by_default_is_longer_than_a_stop_by_default() -> None:
    values: Manifest = yaml.safe_load((CHART / "values.yaml").read_text())
    assert values["terminationGracePeriodSeconds"] > Settings().drain_deadline_seconds + GRACE_SECONDS
