#!/usr/bin/env python3
"""Many KafkaBackups in a cluster, faster than kubectl, by the kubeconfig of cluster.sh in $KUBECONFIG:

    many_backups.py create N      backup-0000 and on: a spec of about 2 KB, a status with 30 restore points
    many_backups.py patch JSON    merges it into each of them
    many_backups.py react         makes a one-shot KafkaBackup, prints the milliseconds until it has a Job
    many_backups.py requests      prints how many requests the API server has answered so far, by kind of request,
                                  without those that it made to itself, and our own

They are in namespace default. Nothing of the operator's code is used.
"""
import concurrent.futures
import datetime
import http.client
import json
import os
import re
import ssl
import sys
import threading
import time

import yaml

COLLECTION = "/apis/kafka.oso.sh/v1alpha1/namespaces/default/kafkabackups"
JOBS = "/apis/batch/v1/namespaces/default/jobs"
POINTS = 30


class Server:
    """The API server; a connection for each thread."""

    def __init__(self):
        with open(os.environ["KUBECONFIG"]) as file:
            config = yaml.safe_load(file)
        cluster = config["clusters"][0]["cluster"]
        self.address = cluster["server"].removeprefix("https://")
        self.trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self.token = config["users"][0]["user"]["token"]
        self.connections = threading.local()

    def ask(self, method, path, body=None, kind="application/json"):
        if not hasattr(self.connections, "one"):
            self.connections.one = http.client.HTTPSConnection(self.address, context=self.trust)
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": kind, "User-Agent": "many-backups"}
        self.connections.one.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connections.one.getresponse()
        text = answer.read().decode()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {text[:500]}")
        return text

    def patch(self, path, change):
        return self.ask("PATCH", path, change, "application/merge-patch+json")


def each(action, items):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in pool.map(action, items):
            pass


def backup(name, more):
    """A resource as a team of many services would write it."""
    topics = [f"team-{name}.domain-of-the-service-{i:02d}.events.v1" for i in range(36)]
    return {
        "apiVersion": "kafka.oso.sh/v1alpha1",
        "kind": "KafkaBackup",
        "metadata": {"name": name, "labels": {"team": name}},
        "spec": {
            "kafkaCluster": {"bootstrapServers": [f"kafka-{i}.kafka.svc.cluster.local:9092" for i in range(3)]},
            "topics": topics,
            "excludeTopics": ["*.internal", "*-changelog"],
            "storage": {"storageType": "pvc", "pvc": {"claimName": "backups", "subPath": name}},
            "retention": {"enabled": True, "maxAgeDays": 30, "keepLast": 7},
            "rateLimiting": {"bytesPerSec": 50000000},
            **more,
        },
    }


def status(name):
    """What a month of nightly runs leaves behind."""
    last = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [last - datetime.timedelta(days=i) for i in range(POINTS)]
    points = [{
        "backupId": f"{name}-{day:%Y%m%d-%H%M%S}", "time": f"{day:%Y-%m-%dT%H:%M:%SZ}",
        "records": 1234567, "bytes": 987654321,
    } for day in days]
    return {
        "phase": "Completed", "observedGeneration": 1, "backupId": points[0]["backupId"],
        "lastRunId": points[0]["backupId"], "lastBackupTime": points[0]["time"],
        "lastScheduleTime": points[0]["time"], "recordsProcessed": 1234567, "bytesProcessed": 987654321,
        "restorePoints": {"count": POINTS, "bytes": POINTS * 987654321, "first": points[-1]["time"],
                          "last": points[0]["time"], "newest": points},
    }


def create(server, count):
    hour = (datetime.datetime.now(datetime.timezone.utc).hour + 12) % 24  # nothing is due while a test looks

    def one(i):
        name = f"backup-{i:04d}"
        body = backup(name, {"schedule": f"{i % 60} {hour} * * *"})
        server.ask("POST", COLLECTION, body)
        server.patch(f"{COLLECTION}/{name}/status", {"status": status(name)})
    each(one, range(count))


def patch(server, change):
    names = [item["metadata"]["name"] for item in json.loads(server.ask("GET", COLLECTION))["items"]]
    each(lambda name: server.patch(f"{COLLECTION}/{name}", change), names)


def react(server):
    begun = time.monotonic()
    uid = json.loads(server.ask("POST", COLLECTION, backup("at-once", {})))["metadata"]["uid"]
    while uid not in server.ask("GET", JOBS + "?limit=500"):
        if time.monotonic() - begun > 60:
            sys.exit("no Job within a minute")
    print(round((time.monotonic() - begun) * 1000))


def requests(server):
    counts = {}
    for line in server.ask("GET", "/metrics").splitlines():
        found = re.match(r"apiserver_request_total\{(.*)\} ([0-9.e+]+)$", line)
        if found:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', found[1]))
            key = f'{labels["verb"]} {labels["resource"]}{"/" * bool(labels["subresource"])}{labels["subresource"]}'
            counts[key] = counts.get(key, 0) + round(float(found[2]))
    for key, count in sorted(counts.items()):
        print(count, key)


def main(arguments):
    server = Server()
    if arguments[0] == "create":
        create(server, int(arguments[1]))
    elif arguments[0] == "patch":
        patch(server, json.loads(arguments[1]))
    else:
        {"react": react, "requests": requests}[arguments[0]](server)


main(sys.argv[1:])
