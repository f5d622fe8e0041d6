#!/usr/bin/env python3
"""What the chart renders, and whether alerts, dashboard, runbooks and plain manifests agree with each other.

    HELM=helm packaging_test.py [TEST...]

HELM is a list of helm programs, separated by colons; tests/e2e/chart.sh gives Helm 3 and 4.
"""
import copy
import functools
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(root, "tools"))
import packaging  # noqa: E402

helms = os.environ["HELM"].split(":")
chart = packaging.chart
versions = ["1.26.0", "1.37.0"]
values_files = sorted(glob.glob(os.path.join(chart, "ci/*-values.yaml")))
image = "ghcr.io/kafka-backup-operator/kafka-backup-operator:0.1.0"
secret_like = {"secrets", "secret", "*"}


def text_of(path):
    return packaging.read(os.path.join(root, path))


def run_helm(*options, helm=helms[0]):
    return subprocess.run([helm, "template", "release", chart, "--namespace", "home", *options], text=True, capture_output=True)


@functools.lru_cache(maxsize=None)
def rendered_text(options, helm):
    done = run_helm(*options, helm=helm)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


@functools.lru_cache(maxsize=None)
def parsed(text):
    return [document for document in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if document]


def render(*options, helm=helms[0]):
    return copy.deepcopy(parsed(rendered_text(options, helm)))


def only(objects, kind, name=None):
    found = [o for o in objects if o["kind"] == kind and name in (None, o["metadata"]["name"])]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} of {kind} {name}")
    return found[0]


def environment(objects):
    container = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return {entry["name"]: entry.get("value") for entry in container["env"]}


def leaves(values, path=""):
    for key, value in values.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value:
            yield from leaves(value, here)
        else:
            yield here


def exported():
    """{name: (type, labels)} of what the operator exports, by the page that its code writes."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", text_of("docs/reference/metrics.md"), re.M)
    return {name: (kind, set(re.findall(r"\w+", labels))) for name, kind, labels in rows}


def still_to_come():
    lines = [line.split() for line in text_of("tests/data/metrics.txt").splitlines() if not line.startswith("#")]
    return {line[0]: (line[1], set(line[2:])) for line in lines}


def metrics():
    return {**exported(), **still_to_come()}


def alerts():
    return [rule for group in yaml.safe_load(text_of(f"{os.path.relpath(chart, root)}/files/alerts.yaml"))["groups"] for rule in group["rules"]]


def dashboard():
    return json.loads(packaging.read(os.path.join(chart, "files/dashboard.json")))


class Derived(unittest.TestCase):
    def test_nothing_is_out_of_date(self):
        for helm in helms:
            stale = [path for path, text in packaging.derived(helm).items() if text_of(path) != text]
            self.assertEqual(stale, [], "make manifests")

    def test_no_other_files_among_the_plain_manifests(self):
        self.assertEqual(sorted(os.listdir(os.path.join(root, "deploy/operator"))), ["00-namespace.yaml", *packaging.manifests])

    def test_every_value_is_explained(self):
        text = packaging.read(os.path.join(chart, "values.yaml"))
        explained = {path for path, _ in packaging.documented_values(text)}
        for leaf in leaves(yaml.safe_load(text)):
            words = leaf.split(".")
            self.assertTrue(any(".".join(words[:n]) in explained for n in range(1, len(words) + 1)), leaf)

    def test_the_image_is_ours_everywhere(self):
        for path in glob.glob(os.path.join(root, "deploy/**/*"), recursive=True):
            if os.path.isfile(path):
                self.assertNotIn("osodevops", packaging.read(path), path)


class Rendered(unittest.TestCase):
    def everything(self):
        for helm in helms:
            for version in versions:
                for file in values_files:
                    yield render("-f", file, "--kube-version", version, helm=helm)

    def test_helm_versions_render_the_same(self):
        for file in values_files:
            first, *others = [render("-f", file, "--kube-version", "1.26.0", helm=helm) for helm in helms]
            for other in others:
                self.assertEqual(first, other)

    def test_no_right_to_read_secrets(self):
        for objects in self.everything():
            for role in objects:
                for rule in role.get("rules", []):
                    words = {*rule.get("apiGroups", []), *rule.get("resources", []), *rule.get("verbs", [])}
                    self.assertFalse(words & secret_like, role["metadata"]["name"])

    def test_crds_are_those_of_the_code(self):
        for keep in ["true", "false"]:
            crds = [o for o in render("--set", f"crds.keep={keep}") if o["kind"] == "CustomResourceDefinition"]
            for crd in crds:
                annotations = crd["metadata"].pop("annotations", {})
                self.assertEqual("keep" if keep == "true" else None, annotations.get("helm.sh/resource-policy"))
                self.assertEqual("Helm", crd["metadata"].pop("labels")["app.kubernetes.io/managed-by"])
            by_name = {crd["metadata"]["name"]: crd for crd in crds}
            self.assertEqual(by_name, {crd["metadata"]["name"]: crd for crd in parsed(text_of("deploy/crds/all.yaml"))})

    def test_crds_are_not_rendered_when_not_wanted(self):
        self.assertFalse([o for o in render("--set", "crds.install=false") if o["kind"] == "CustomResourceDefinition"])

    def test_one_image_for_operator_and_workers(self):
        for objects in [render(), render("--set", "image.repository=mirror/own,image.tag=9.1.0"), render("-f", values_files[2])]:
            container = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
            self.assertEqual(container["image"], environment(objects)["WORKER_IMAGE"])
        self.assertEqual(environment(render())["WORKER_IMAGE"], image)

    def test_log_level_with_a_comma(self):
        self.assertEqual(environment(render())["RUST_LOG"], "info,kafka_backup_operator=debug")
        self.assertEqual(environment(render("--set", r"logging.level=warn\,kube=trace"))["RUST_LOG"], "warn,kube=trace")

    def test_extra_environment_replaces_the_charts_own(self):
        done = run_helm("--set", "extraEnv[0].name=RUST_LOG,extraEnv[0].value=trace")
        self.assertEqual(done.stdout.count("name: RUST_LOG"), 1)

    def test_watched_namespaces_have_roles_of_their_own(self):
        objects = render("--set", "watchNamespaces={a,b}")
        rules = only(objects, "ClusterRole", "release-kafka-backup-operator")["rules"]
        self.assertEqual([rule["resourceNames"] for rule in rules], [["kube-system"]])
        named = [(o["kind"], o["metadata"]["namespace"]) for o in objects if o["metadata"]["name"] == "release-kafka-backup-operator"
                 and o["kind"] in ("Role", "RoleBinding")]
        self.assertEqual(named, [("Role", "a"), ("Role", "b"), ("RoleBinding", "a"), ("RoleBinding", "b")])
        self.assertEqual(environment(objects)["WATCH_NAMESPACES"], "a,b")

    def test_openshift_gives_the_user_ids(self):
        for options in [["--api-versions", "security.openshift.io/v1"], ["--set", "openshift=enabled"]]:
            context = only(render(*options), "Deployment")["spec"]["template"]["spec"]["securityContext"]
            self.assertEqual(context, {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}})
        context = only(render("--api-versions", "security.openshift.io/v1", "--set", "openshift=disabled"), "Deployment")
        self.assertEqual(context["spec"]["template"]["spec"]["securityContext"]["runAsUser"], 1000)

    def test_several_replicas_get_a_disruption_budget(self):
        self.assertFalse([o for o in render() if o["kind"] == "PodDisruptionBudget"])
        self.assertEqual(only(render("--set", "replicaCount=2"), "PodDisruptionBudget")["spec"]["maxUnavailable"], 1)

    def test_azure_identity_of_workers(self):
        options = ["--set", "azureWorkloadIdentity.enabled=true,azureWorkloadIdentity.clientId=id"]
        objects = render(*options)
        account = only(objects, "ServiceAccount")
        self.assertEqual(account["metadata"]["annotations"], {"azure.workload.identity/client-id": "id"})
        self.assertEqual(environment(objects)["WORKER_SERVICE_ACCOUNT"], account["metadata"]["name"])
        accounts = [o for o in render(*options, "--set", "worker.serviceAccount.namespaces={home,kafka}") if o["kind"] == "ServiceAccount"]
        self.assertEqual([(o["metadata"]["namespace"], o["metadata"]["name"]) for o in accounts],
                         [("home", "release-kafka-backup-operator"), ("kafka", "release-kafka-backup-operator")])

    def test_no_account_hands_its_token_to_workers(self):
        for objects in self.everything():
            for account in objects:
                if account["kind"] == "ServiceAccount":
                    self.assertIs(account["automountServiceAccountToken"], False)

    def test_metrics_switched_off(self):
        objects = render("-f", os.path.join(chart, "ci/least-values.yaml"))
        self.assertEqual([o["kind"] for o in objects], ["Deployment"])

    def test_runbooks_elsewhere(self):
        options = ["--set", "metrics.prometheusRule.enabled=true,metrics.prometheusRule.runbookUrl=https://wiki/x"]
        rules = [rule for group in only(render(*options), "PrometheusRule")["spec"]["groups"] for rule in group["rules"]]
        self.assertEqual([r["alert"] for r in rules], [r["alert"] for r in alerts()])
        self.assertEqual({r["annotations"]["runbook_url"].split("#")[0] for r in rules}, {"https://wiki/x"})

    def test_prometheus_finds_the_service(self):
        objects = render("--set", "metrics.serviceMonitor.enabled=true")
        monitor, service = only(objects, "ServiceMonitor"), only(objects, "Service")
        self.assertLessEqual(monitor["spec"]["selector"]["matchLabels"].items(), service["metadata"]["labels"].items())
        self.assertEqual(monitor["spec"]["namespaceSelector"]["matchNames"], [service["metadata"]["namespace"]])
        self.assertEqual(monitor["spec"]["endpoints"][0]["port"], service["spec"]["ports"][0]["name"])
        pod = only(objects, "Deployment")["spec"]["template"]
        self.assertLessEqual(service["spec"]["selector"].items(), pod["metadata"]["labels"].items())
        self.assertEqual(service["spec"]["ports"][0]["targetPort"], pod["spec"]["containers"][0]["ports"][0]["name"])

    def test_dashboard_is_found_by_grafana(self):
        config = only(render("--set", "metrics.dashboard.enabled=true"), "ConfigMap")
        self.assertEqual(config["metadata"]["labels"]["grafana_dashboard"], "1")
        self.assertEqual(json.loads(config["data"]["kafka-backup-operator.json"]), dashboard())


class Values(unittest.TestCase):
    """Every value acts: ci/full-values.yaml, with one value as it is by default or as below, renders something else."""

    others = {
        "image.tag": {"image": {"tag": "9", "digest": ""}},
        "rbac.create": False,
        "rbac.aggregateClusterRoles": False,
        "serviceAccount.create": False,
        "worker.serviceAccount.name": "another",
        "worker.serviceAccount.namespaces": ["elsewhere"],
        "azureWorkloadIdentity.enabled": {"azureWorkloadIdentity": {"enabled": True, "clientId": "id"}},
        "azureWorkloadIdentity.clientId": {"azureWorkloadIdentity": {"enabled": True, "clientId": "id"}},
        "metrics.enabled": False,
        "metrics.dashboard.labels": {"found_by": "another label"},
        "crds.install": False,
        "crds.keep": False,
        "leaderElection.enabled": {"replicaCount": 1, "leaderElection": {"enabled": False}},
        "podDisruptionBudget.enabled": False,
        "openshift": "enabled",
        "networkPolicy.workerNamespaces": ["elsewhere"],
        "networkPolicy.workerPort": 9999,
    }

    def test_every_value_acts(self):
        defaults = yaml.safe_load(packaging.read(os.path.join(chart, "values.yaml")))
        full = yaml.safe_load(packaging.read(os.path.join(chart, "ci/full-values.yaml")))
        before = self.rendered(full)
        for path, _ in packaging.documented_values(packaging.read(os.path.join(chart, "values.yaml"))):
            values = copy.deepcopy(full)
            other = self.others.get(path, packaging.lookup(defaults, path))
            if isinstance(other, dict) and path.split(".")[0] in other:
                for key, value in other.items():
                    values[key] = {**values.get(key, {}), **value} if isinstance(value, dict) else value
            else:
                self.set(values, path, other)
            self.assertTrue(self.rendered(values) != before, path)

    def set(self, values, path, value):
        *folders, last = path.split(".")
        for word in folders:
            values = values.setdefault(word, {})
        values[last] = value

    def rendered(self, values):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(values, file)
            file.flush()
            done = run_helm("-f", file.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class Refused(unittest.TestCase):
    def refused(self, piece, *options):
        for helm in helms:
            done = run_helm(*options, helm=helm)
            self.assertNotEqual(done.returncode, 0, options)
            self.assertIn(piece, done.stderr)

    def test_unknown_values_are_named(self):
        self.refused("'replicas' not allowed", "--set", "replicas=2")
        self.refused("at '/metrics/serviceMonitor'", "--set", "metrics.serviceMonitor.intervall=1m")
        self.refused("'imag' not allowed", "--set", "imag.tag=1")

    def test_wrong_values_are_named(self):
        self.refused("at '/replicaCount'", "--set", "replicaCount=two")
        self.refused("at '/image/pullPolicy'", "--set", "image.pullPolicy=Sometimes")
        self.refused("at '/leaderElection/leaseDuration'", "--set", "leaderElection.leaseDuration=15")
        self.refused("at '/leaderElection/retryPeriod'", "--set", "leaderElection.retryPeriod=2h")
        self.refused("at '/logging/level'", "--set", "logging.level=verbose")
        self.refused("at '/watchNamespaces/0'", "--set", "watchNamespaces={Kafka}")

    def test_values_that_do_not_go_together(self):
        self.refused("clientId is required", "--set", "azureWorkloadIdentity.enabled=true")
        self.refused("needs leaderElection.enabled", "--set", "replicaCount=2,leaderElection.enabled=false")
        self.refused("needs worker.serviceAccount.name", "--set", "worker.serviceAccount.create=true")

    def test_old_kubernetes(self):
        self.refused("kubeVersion", "--kube-version", "1.25.9")


class Monitoring(unittest.TestCase):
    """A name that the operator does not export makes an alert that never fires."""

    def uses(self, expression, known):
        for name, _, selector in re.findall(r"\b(kafka_backup_\w+)(\{([^}]*)\})?", expression):
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            listed = name if name in known else base if known.get(base, ("", 0))[0] == "histogram" else None
            self.assertIsNotNone(listed, f"{name} is not exported")
            used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
            self.assertLessEqual(used, known[listed][1], f"labels of {name}")

    def test_what_is_to_come_is_not_there_yet(self):
        self.assertGreater(len(exported()), 30)
        self.assertFalse(exported().keys() & still_to_come().keys(), "take it out of tests/data/metrics.txt")

    def test_alerts_use_known_metrics(self):
        for rule in alerts():
            self.uses(rule["expr"], metrics())

    def test_dashboard_uses_known_metrics(self):
        targets = [t["expr"] for panel in dashboard()["panels"] for t in panel.get("targets", [])]
        queries = [variable["definition"] for variable in dashboard()["templating"]["list"] if "definition" in variable]
        self.assertGreater(len(targets), 20)
        for expression in targets + queries:
            self.uses(expression, metrics())

    def test_documents_use_known_metrics(self):
        for path in glob.glob(os.path.join(root, "docs/*.md")):
            for name in re.findall(r"`(kafka_backup_\w+)", text_of(path)):
                self.assertIn(name, metrics(), path)

    def test_panels_do_not_overlap(self):
        taken = {}
        for panel in dashboard()["panels"]:
            place = panel["gridPos"]
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertNotIn((x, y), taken, panel["title"])
                    taken[x, y] = panel["title"]
        ids = [panel["id"] for panel in dashboard()["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_each_alert_has_a_runbook_and_each_runbook_an_alert(self):
        headings = re.findall(r"^## (Kafka\w+)$", text_of("docs/runbooks.md"), re.M)
        self.assertEqual(headings, [rule["alert"] for rule in alerts()])
        self.assertGreaterEqual(len(headings), 10)
        for rule in alerts():
            self.assertEqual(rule["annotations"]["runbook_url"].split("#")[1], rule["alert"].lower())
            self.assertIn(rule["labels"]["severity"], ["critical", "warning", "info"])

    def test_each_alert_is_seen_firing(self):
        cases = text_of("tests/alerts/failing.yaml")
        for rule in alerts():
            self.assertRegex(cases, rf'alertname(=|: )"?{rule["alert"]}\b')


class Documents(unittest.TestCase):
    def anchors(self, text):
        headings = re.findall(r"^#+ (.*)$", text, re.M)
        return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    def test_links_lead_somewhere(self):
        pages = ["README.md", "minikube/README.md", "deploy/helm/kafka-backup-operator/README.md",
                 *(os.path.relpath(page, root) for page in glob.glob(os.path.join(root, "docs/*.md")))]
        for page in pages:
            for target in re.findall(r"\]\((?!https?:)([^)]*)\)", text_of(page)):
                path, _, anchor = target.partition("#")
                path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
                self.assertTrue(os.path.exists(os.path.join(root, path)), f"{page}: {target}")
                if anchor:
                    self.assertIn(anchor, self.anchors(text_of(path)), f"{page}: {target}")


if __name__ == "__main__":
    unittest.main()
