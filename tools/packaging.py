#!/usr/bin/env python3
"""Writes what is derived from the chart and the CRDs; with --check says what is out of date instead.

    packaging.py [--check] HELM

HELM is the program helm; tests/support/kube/install.sh builds one. Derived are the chart's copy of the CRDs, the table
of values in the chart's README, and the plain manifests of deploy/operator.
"""
import json
import os
import re
import subprocess
import sys

import yaml

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
chart = os.path.join(root, "deploy/helm/kafka-backup-operator")
name, namespace = "kafka-backup-operator", "kafka-backup-system"
begin, end = "<!-- values: written by tools/packaging.py -->\n", "<!-- end of values -->\n"

# In the order in which they are applied: kubectl takes the files of a folder by name.
manifests = {
    "10-serviceaccount.yaml": "serviceaccounts",
    "20-rbac.yaml": "rbac",
    "21-clusterroles.yaml": "clusterroles",
    "30-service.yaml": "metrics",
    "40-deployment.yaml": "deployment",
}
note = "# Written by tools/packaging.py from the chart; do not edit.\n"
namespace_manifest = note + f"""apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
  labels:
    pod-security.kubernetes.io/enforce: restricted
"""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def documented_values(text):
    """[(path, comment)] of values.yaml: each key that has a comment above it."""
    found, stack, comment = [], [], []
    for line in text.splitlines():
        key = re.match(r"( *)([\w-]+):", line)
        if line.lstrip().startswith("#"):
            comment.append(line.strip().lstrip("# "))
            continue
        if key:
            stack = [(depth, word) for depth, word in stack if depth < len(key[1])] + [(len(key[1]), key[2])]
            if comment:
                found.append((".".join(word for _, word in stack), " ".join(comment)))
        comment = []
    return found


def lookup(values, path):
    for word in path.split("."):
        values = values[word]
    return values


def values_table(text):
    values = yaml.safe_load(text)
    rows = ["| value | default | what |", "|---|---|---|"]
    for path, comment in documented_values(text):
        default = json.dumps(lookup(values, path)).replace("|", "\\|")
        rows.append(f"| `{path}` | `{default}` | {comment} |")
    return "\n".join(rows) + "\n"


def plain(manifest):
    """Without what only Helm says: where it came from, and that Helm takes care of it."""
    manifest = re.sub(r"^# Source: .*\n|^ +helm\.sh/chart: .*\n|^ +app\.kubernetes\.io/managed-by: Helm\n", "", manifest, flags=re.M)
    documents = [document.strip("\n") for document in re.split(r"^---\n", manifest, flags=re.M)]
    return note + "\n---\n".join(document for document in documents if document) + "\n"


def rendered(helm, template):
    return subprocess.run(
        [helm, "template", name, chart, "--namespace", namespace, "--show-only", f"templates/{template}.yaml",
         "--kube-version", "1.26.0", "--set", "crds.install=false"],
        check=True, text=True, stdout=subprocess.PIPE).stdout


def derived(helm):
    """{path below the root: what should be in it}"""
    readme = read(os.path.join(chart, "README.md"))
    table = begin + values_table(read(os.path.join(chart, "values.yaml"))) + end
    files = {
        "deploy/helm/kafka-backup-operator/files/crds.yaml": read(os.path.join(root, "deploy/crds/all.yaml")),
        "deploy/helm/kafka-backup-operator/README.md":
            readme[:readme.index(begin)] + table + readme[readme.index(end) + len(end):],
        "deploy/operator/00-namespace.yaml": namespace_manifest,
    }
    for file, template in manifests.items():
        files[f"deploy/operator/{file}"] = plain(rendered(helm, template))
    return files


def main(arguments):
    check = arguments[:1] == ["--check"]
    stale = []
    for path, text in derived(arguments[-1]).items():
        full = os.path.join(root, path)
        if os.path.exists(full) and read(full) == text:
            continue
        stale.append(path)
        if not check:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
    for path in stale:
        print(f"{path} is out of date: make manifests" if check else f"wrote {path}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    if len(sys.argv) - sys.argv.count("--check") != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
