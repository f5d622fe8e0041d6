#!/usr/bin/env python3
"""Bad input for kafka-backup: each gives one clear line and the right exit code, and changes nothing.

    cli_test.py [--build DIR] [--bootstrap HOST:PORT] [--work DIR] [NAME...]

Needs root (to become an unprivileged user). Without --bootstrap only what needs no broker is run. The last line is
`N passed, N failed`. tests/e2e/bad_input.sh runs all of it.
"""
import argparse
import concurrent.futures
import copy
import hashlib
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

INVALID, CORRUPT, NOT_FOUND, UNAVAILABLE, CONFLICT, TIMED_OUT, DENIED = 64, 65, 66, 69, 73, 75, 77
FIRST, SECOND = "a-20250101-000001", "a-20250102-000001"
REFUSED = "127.0.0.1:1"  # nobody listens there


cases = []


def case(name, code, message, online=False):
    """Registers a function (place) -> arguments; `message` is a regular expression for the error line."""
    def add(function):
        cases.append((name, code, message, online, function))
        return function
    return add


class Place:
    """A folder of its own for a case: volumes/claim is there; what `run` is given stands beside it."""

    def __init__(self, path, options):
        self.path, self.options = path, options
        self.volumes = os.path.join(path, "volumes")
        self.archive = os.path.join(self.volumes, "claim/default/a")
        self.prefix = []           # in front of the program
        self.environment = {}
        os.makedirs(os.path.join(self.volumes, "claim"))
        os.chmod(path, 0o755)

    def write(self, name, content):
        path = os.path.join(self.path, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, *resources, flags=()):
        text = "\n---\n".join(json.dumps(resource) for resource in resources)
        return ["run", "-f", self.write("resources.yaml", text), "--volumes", self.volumes, *flags]

    def with_archive(self):
        os.makedirs(self.archive)
        subprocess.run([self.options.samples, self.archive], check=True)
        return self

    def objects(self, prefix):
        root = os.path.join(self.archive, prefix)
        return sorted(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)

    def remove(self, prefix):
        os.remove(self.objects(prefix)[0])

    def damage(self, prefix, how="flip"):
        path = os.path.join(self.archive, prefix)
        if os.path.isdir(path):
            path = self.objects(prefix)[0]
        with open(path, "r+b") as file:
            content = bytearray(file.read())
            if how == "flip":
                content[len(content) // 2] ^= 1
            elif how == "truncate":
                content = content[:len(content) // 2]
            elif how == "empty":
                content = b""
            elif how == "newer":
                content = content.replace(b"kafka-backup-archive/1", b"kafka-backup-archive/9", 1)
            file.seek(0)
            file.truncate()
            file.write(content)
        return self

    def unprivileged(self):
        self.prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def backup(bootstrap=REFUSED, **changes):
    spec = {"kafkaCluster": {"bootstrapServers": [bootstrap]}, "topics": ["orders"],
            "storage": {"storageType": "pvc", "pvc": {"claimName": "claim"}}}
    return changed({"apiVersion": "kafka.oso.sh/v1alpha1", "kind": "KafkaBackup", "metadata": {"name": "a"},
                    "spec": spec}, changes)


def restore(bootstrap=REFUSED, **changes):
    spec = {"backupRef": {"name": "a", "storage": {"storageType": "pvc", "pvc": {"claimName": "claim"}}},
            "kafkaCluster": {"bootstrapServers": [bootstrap]}, "createTopics": True}
    return changed({"apiVersion": "kafka.oso.sh/v1alpha1", "kind": "KafkaRestore", "metadata": {"name": "r"},
                    "spec": spec}, changes)


def changed(resource, changes):
    """changes: {"spec__topics": value}; None removes the field."""
    resource = copy.deepcopy(resource)
    for path, value in changes.items():
        *parents, last = path.split("__")
        at = resource
        for parent in parents:
            at = at.setdefault(parent, {})
        if value is None:
            at.pop(last, None)
        else:
            at[last] = value
    return resource


# ---- resources that are wrong: found by reading them, whatever else is there -----------------------------------------

bad_backups = [
    # what is changed, and what the message must name
    ({"apiVersion": None}, "apiVersion"), ({"apiVersion": "v1"}, "v1"), ({"apiVersion": "kafka.oso.sh/v9"}, "apiVersion"),
    ({"apiVersion": 1}, "apiVersion"), ({"kind": None}, "kind"), ({"kind": "KafkaBakcup"}, "did you mean KafkaBackup"),
    ({"kind": "KafkaOffsetReset"}, "not supported by this version yet"), ({"kind": "Deployment"}, "kind"),
    ({"metadata": None}, "metadata"), ({"metadata__name": None}, "metadata.name"), ({"metadata__name": ""}, "metadata.name"),
    ({"metadata__name": "A"}, "metadata.name"), ({"metadata__name": "../a"}, "metadata.name"),
    ({"metadata__namespace": "a/b"}, "metadata.namespace"), ({"spec": None}, "spec"), ({"spec": []}, "spec"),
    ({"spec": "all"}, "spec"), ({"spec__topcis": ["a"]}, "did you mean topics"), ({"spec__topics": None}, "spec.topics"),
    ({"spec__topics": []}, "spec.topics"), ({"spec__topics": "orders"}, "spec.topics"), ({"spec__topics": {"a": 1}}, "spec.topics"),
    ({"spec__topics": [1]}, r"spec.topics\[0\]"), ({"spec__topics": ["a", "b/c"]}, r"spec.topics\[1\]"),
    ({"spec__topics": [".."]}, r"spec.topics\[0\]"), ({"spec__topics": ["[a-z]*"]}, r"spec.topics\[0\]"),
    ({"spec__topics": ["x" * 250]}, r"spec.topics\[0\]"), ({"spec__topics": ["a b"]}, r"spec.topics\[0\]"),
    ({"spec__excludeTopics": ["{a,b}"]}, "spec.excludeTopics"), ({"spec__kafkaCluster": None}, "spec.kafkaCluster"),
    ({"spec__kafkaCluster__bootstrapServers": []}, "bootstrapServers"),
    ({"spec__kafkaCluster__bootstrapServers": ["host"]}, "bootstrapServers"),
    ({"spec__kafkaCluster__bootstrapServers": ["host:0"]}, "bootstrapServers"),
    ({"spec__kafkaCluster__bootstrapServers": ["host:70000"]}, "bootstrapServers"),
    ({"spec__kafkaCluster__bootstrapServers": ["http://host:9092"]}, "bootstrapServers"),
    ({"spec__kafkaCluster__bootstrapServers": [9092]}, "bootstrapServers"),
    ({"spec__kafkaCluster__securityProtocol": "TLS"}, "securityProtocol"),
    ({"spec__kafkaCluster__securityProtocol": "SASL_PLAINTEXT"}, "sasl"),
    ({"spec__kafkaCluster__connection__connectionsPerBroker": 0}, "connectionsPerBroker"),
    ({"spec__kafkaCluster__connection__connectionsPerBroker": "many"}, "connectionsPerBroker"),
    ({"spec__storage": None}, "spec.storage"), ({"spec__storage__storageType": "nfs"}, "storageType"),
    ({"spec__storage__pvc": None}, "spec.storage.pvc"), ({"spec__storage__pvc__claimName": ""}, "claimName"),
    ({"spec__storage__pvc__claimName": "../claim"}, "claimName"), ({"spec__storage__pvc__subPath": "/etc"}, "subPath"),
    ({"spec__storage__pvc__subPath": "a/../../b"}, "subPath"), ({"spec__storage__pvc__claimname": "x"}, "did you mean claimName"),
    ({"spec__storage__storageType": "s3", "spec__storage__s3": {"regoin": "x"}}, "did you mean region"),
    ({"spec__compression": "brotli"}, "spec.compression"), ({"spec__compressionLevel": 23}, "compressionLevel"),
    ({"spec__compressionLevel": "high"}, "compressionLevel"), ({"spec__segmentMaxBytes": 0}, "segmentMaxBytes"),
    ({"spec__segmentMaxBytes": -1}, "segmentMaxBytes"), ({"spec__segmentMaxBytes": "1Gi"}, "segmentMaxBytes"),
    ({"spec__segmentMaxBytes": 1.5}, "segmentMaxBytes"), ({"spec__segmentMaxBytes": 1e30}, "segmentMaxBytes"),
    ({"spec__segmentMaxIntervalMs": 0}, "segmentMaxIntervalMs"), ({"spec__recompress": "yes"}, "spec.recompress"),
    ({"spec__onMissingTopic": "ignore"}, "onMissingTopic"),
    ({"spec__schedule": "0 0 24 * * *"}, "spec.schedule is no cron schedule: the hour field '24'"),
    ({"spec__schedule": "daily"}, "spec.schedule is no cron schedule"), ({"spec__schedule": "@every 5m"}, "spec.schedule"),
    ({"spec__checkpoint__intervalSecs": 0}, "intervalSecs"), ({"spec__suspend": "maybe"}, "spec.suspend"),
    ({"spec__consumerGroupSnapshot": 1}, "consumerGroupSnapshot"), ({"spec__rateLimiting__bytesPerSec": -5}, "bytesPerSec"),
    # right, and not done by this version
    ({"spec__continuous": True, "spec__workers": 2}, "divide the topics"), ({"spec__restorePointIntervalSecs": 0}, "restorePointIntervalSecs"),
    ({"spec__includeOffsetHeaders": True}, "spec.includeOffsetHeaders: true is not supported"),
    ({"spec__storage": {"storageType": "s3", "s3": {"bucket": "b", "region": "r"}}}, "storageType: pvc"),
]
bad_restores = [
    ({"spec__backupRef": None}, "spec.backupRef"), ({"spec__backupRef": {}}, "spec.backupRef"),
    ({"spec__backupRef__name": "A/B"}, "backupRef.name"), ({"spec__backupRef__backupid": "x"}, "did you mean backupId"),
    ({"spec__topicMapping": ["a"]}, "topicMapping"), ({"spec__topicMapping": {"a": "b/c"}}, "topicMapping"),
    ({"spec__existingData": "overwrite"}, "existingData"), ({"spec__produceAcks": 2}, "produceAcks"),
    ({"spec__produceBatchSize": 0}, "produceBatchSize"), ({"spec__defaultReplicationFactor": 0}, "defaultReplicationFactor"),
    ({"spec__pitr": {"endTime": "tomorrow"}}, "endTime"), ({"spec__dryRun": "yes"}, "dryRun"),
    ({"spec__pitr": {"endTimestamp": 5}}, "spec.pitr is not supported"), ({"spec__purgeTopics": True}, "delete the topics yourself"),
    ({"spec__partitionMapping": {"0": 1}}, "spec.partitionMapping is not supported"),
    ({"spec__repartitioning": {"a": {"targetPartitions": 3}}}, "spec.repartitioning is not supported"),
    ({"spec__offsetReset": {"enabled": True, "consumerGroups": ["g"]}}, "offsetReset.enabled: true is not supported"),
    ({"spec__produceAcks": 1}, "produceAcks other than -1 is not supported"),
    ({"spec__autoConsumerGroups": True}, "autoConsumerGroups: true is not supported"),
]
for base, table in ((backup, bad_backups), (restore, bad_restores)):
    for changes, message in table:
        title = f"{base.__name__} {json.dumps(changes)[:70]}"
        case(title, INVALID, message)(lambda place, base=base, changes=changes: place.run(base(**changes)))

for title, content, message in [
    ("empty file", "", "holds no resource"), ("only comments", "# nothing\n---\n", "holds no resource"),
    ("not YAML", "a: [b\n", "resources.yaml:"), ("tab", "a:\n\tb: 1\n", "resources.yaml:2"), ("binary", bytes(range(256)), "resources.yaml"),
    ("not UTF-8", b"a: \xff\xfe\n", "resources.yaml"), ("a list", "[1, 2]", "must be a mapping"), ("a word", "backup", "must be a mapping"),
    ("a key twice", "kind: a\nkind: b\n", "resources.yaml:2"), ("merge key", "a: &x {b: 1}\nc: {<<: *x}\n", "resources.yaml:2"),
    ("deep", "[" * 1000 + "]" * 1000, "resources.yaml"), ("large", "#" * (3 << 20) + "\na: 1\n" + "x" * (1 << 20), "resources.yaml"),
    ("aliases that grow", "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)), "resources.yaml"),
    ("the same resource twice", json.dumps(backup()) + "\n---\n" + json.dumps(backup()), "twice"),
    ("a second one that is wrong", json.dumps(backup()) + "\n---\n" + json.dumps(backup(spec__topics=[])), "KafkaBackup a: spec.topics"),
]:
    case(title, INVALID, message)(lambda place, content=content: [
        "run", "-f", place.write("resources.yaml", content), "--volumes", place.volumes])

# ---- flags ---------------------------------------------------------------------------------------------------------

for arguments, message in [
    ([], "subcommand"), (["rnu"], "rnu"), (["run"], "--file"), (["run", "-f"], "--file"), (["list"], "--archive or --volumes"),
    (["run", "-f", "x", "--speed", "9"], "--speed"), (["run", "-f", "x", "--memory", "lots"], "--memory"),
    (["list", "--volumes", "v", "--output", "xml"], "--output"), (["describe", "--volumes", "v"], "BACKUP_ID|backup-id"),
    (["describe", "latest", "--volumes", "v"], "<name>-YYYYMMDD-HHMMSS"), (["verify", "x", "--volumes", "v"], "<name>-YYYYMMDD"),
    (["prune", "--volumes", "v", "--delete", "../../x"], "<name>-YYYYMMDD"), (["prune", "--volumes", "v", "--keep-last", "0"], "--keep-last"),
    (["prune"], "--archive or --volumes"), (["list", "--archive", "a", "--volumes", "v"], "excludes"),
]:
    case("flags " + " ".join(arguments), INVALID, message)(lambda place, arguments=arguments: arguments)


@case("--backup-id that is none", INVALID, "<name>-YYYYMMDD-HHMMSS")
def _(place):
    return place.run(backup(), flags=["--backup-id", "latest"])


@case("--shard without --backup-id", INVALID, "--shard of a KafkaBackup needs --backup-id")
def _(place):
    return place.run(backup(), flags=["--shard", "0/4"])


@case("--shard of two resources", INVALID, "--shard is for one resource; .* holds 2")
def _(place):
    return place.run(backup(), restore(), flags=["--shard", "0/4", "--backup-id", FIRST])


@case("--shard beyond its number", INVALID, "shards are counted from 0 to 3")
def _(place):
    return place.run(backup(), flags=["--shard", "4/4", "--backup-id", FIRST])


@case("--finish of nothing", UNAVAILABLE, "no shard of it has begun")
def _(place):
    return place.run(backup(), flags=["--finish", "--backup-id", FIRST])


@case("--backup-id of two backups", INVALID, "holds 2")
def _(place):
    return place.run(backup(), backup(metadata__name="b"), flags=["--backup-id", FIRST])


@case("pvc without --volumes", INVALID, "claim claim needs --volumes")
def _(place):
    return place.run(backup())[:3]


# ---- places --------------------------------------------------------------------------------------------------------

@case("no such file", NOT_FOUND, "there is no file")
def _(place):
    return ["run", "-f", place.path + "/none.yaml", "--volumes", place.volumes]


@case("a folder as the file", INVALID, "is a directory")
def _(place):
    return ["run", "-f", place.volumes, "--volumes", place.volumes]


@case("a file that may not be read", DENIED, "cannot open")
def _(place):
    arguments = place.run(backup())
    os.chmod(arguments[2], 0o600)
    place.unprivileged()
    return arguments


@case("no such volumes", NOT_FOUND, "--volumes: there is no directory")
def _(place):
    return place.run(backup())[:4] + [place.path + "/none"]


@case("no such secrets", NOT_FOUND, "--secrets-dir: there is no directory")
def _(place):
    return place.run(backup(), flags=["--secrets-dir", place.path + "/none"])


@case("a file instead of volumes", NOT_FOUND, "--volumes: there is no directory")
def _(place):
    return place.run(backup())[:4] + [place.write("file", "")]


@case("no such claim", NOT_FOUND, "claim other is not a folder")
def _(place):
    return place.run(backup(spec__storage__pvc__claimName="other"))


@case("a claim that may not be written", DENIED, "claim", online=True)
def _(place):
    place.unprivileged()
    return place.run(backup(place.options.bootstrap, spec__onMissingTopic="warn"))


@case("a file where the archive has to be", INVALID, "default")
def _(place):
    place.write("volumes/claim/default", "in the way")
    return place.run(backup())


@case("restore from an archive behind a link", DENIED, "claim/default is a symbolic link; archives are not looked for")
def _(place):
    place.with_archive()
    os.rename(os.path.join(place.volumes, "claim/default"), os.path.join(place.path, "elsewhere"))
    os.symlink(os.path.join(place.path, "elsewhere"), os.path.join(place.volumes, "claim/default"))
    return place.run(restore())


@case("restore below a folder that is a link", DENIED, "claim/sub is a symbolic link")
def _(place):
    place.with_archive()
    os.symlink("default", os.path.join(place.volumes, "claim/sub"))
    return place.run(restore(spec__backupRef__storage__pvc__subPath="sub", spec__backupRef__name=None))


@case("verify of an archive with a link in it", DENIED, "a/segments is a symbolic link; archives are not looked for")
def _(place):
    segments = os.path.join(place.with_archive().archive, "segments")
    os.rename(segments, os.path.join(place.path, "elsewhere"))
    os.symlink(os.path.join(place.path, "elsewhere"), segments)
    return ["verify", "--deep", "--volumes", place.volumes]


@case("a new archive behind a link", DENIED, "claim/default is a symbolic link", online=True)
def _(place):
    os.symlink(place.path, os.path.join(place.volumes, "claim/default"))
    return place.run(backup(place.options.bootstrap, spec__onMissingTopic="warn"))


@case("restore from nothing", NOT_FOUND, "KafkaRestore r: .*claim/default/a")
def _(place):
    return place.run(restore())


@case("restore from a directory that is no archive", NOT_FOUND, "there is no archive at")
def _(place):
    os.makedirs(place.archive)
    return place.run(restore())


@case("restore that names nothing that is there", NOT_FOUND, "there is no archive default/x")
def _(place):
    return place.with_archive().run(restore(spec__backupRef={"name": "x"}))


@case("restore that could mean two archives", INVALID, "2 archives that could be meant")
def _(place):
    shutil.copytree(place.with_archive().archive, place.volumes + "/claim2/default/a")
    return place.run(restore(spec__backupRef={"name": "a"}))


@case("restore of an unknown backup", NOT_FOUND, "backup a-20990101-000000 is not known")
def _(place):
    return place.with_archive().run(restore(spec__backupRef__backupId="a-20990101-000000"))


@case("restore of an id that is none", INVALID, "YYYYMMDD")
def _(place):
    return place.with_archive().run(restore(spec__backupRef__backupId="latest"))


@case("restore of topics that the backup does not hold", NOT_FOUND, "does not hold payments")
def _(place):
    return place.with_archive().run(restore(spec__topics=["payments"]))


@case("restore that renames a topic it does not restore", INVALID, "topicMapping")
def _(place):
    return place.with_archive().run(restore(spec__topicMapping={"payments": "p"}))


@case("list of an unknown archive", NOT_FOUND, "there is no archive")
def _(place):
    return ["list", "--archive", place.volumes]


@case("list of an unknown name", NOT_FOUND, "of a KafkaBackup x below")
def _(place):
    return ["list", "--volumes", place.with_archive().volumes, "--name", "x"]


@case("describe of an unknown backup", NOT_FOUND, "newest complete backup is " + SECOND)
def _(place):
    return ["describe", "a-20990101-000000", "--archive", place.with_archive().archive]


@case("prune of an unknown backup", NOT_FOUND, "is not known")
def _(place):
    return ["prune", "--archive", place.with_archive().archive, "--delete", FIRST, "a-20990101-000000"]


@case("verify of an unknown backup", NOT_FOUND, "is not known")
def _(place):
    return ["verify", "--archive", place.with_archive().archive, "a-20990101-000000"]


@case("prune of an archive that may not be written", DENIED, "tombstones")
def _(place):
    subprocess.run(["chmod", "-R", "a+rX", place.with_archive().archive], check=True)
    place.unprivileged()
    return ["prune", "--archive", place.archive, "--delete", FIRST]


@case("archive of another owner", CONFLICT, "belongs to KafkaBackup default/a, not to default/b")
def _(place):
    os.rename(place.with_archive().archive, place.volumes + "/claim/default/b")
    return place.run(backup(metadata__name="b"))


# ---- archives that are damaged, or only half there --------------------------------------------------------------------

for prefix, code, message in [("segments", CORRUPT, "segments/a-20250101-000001/.* missing"),
                              ("indexes", CORRUPT, "indexes/a-2025.* missing"),
                              ("archive", NOT_FOUND, "there is no archive")]:
    @case(f"restore without one of {prefix}", code, message)
    def _(place, prefix=prefix):
        place.with_archive()
        os.remove(place.archive + "/archive") if prefix == "archive" else place.remove(prefix)
        return place.run(restore())

    @case(f"verify without one of {prefix}", CORRUPT, "verify found")
    def _(place, prefix=prefix):
        place.with_archive()
        os.remove(place.archive + "/archive") if prefix == "archive" else place.remove(prefix)
        return ["verify", "--volumes", place.volumes]

for how in "flip", "truncate", "empty":
    for prefix, message in [("archive", "object archive"), ("sets", "object sets/a-2025"), ("indexes", "object indexes/a-2025")]:
        @case(f"restore with {prefix}: {how}", CORRUPT, message)
        def _(place, prefix=prefix, how=how):
            flags = {} if prefix != "sets" else {"spec__backupRef__backupId": FIRST}
            return place.with_archive().damage(prefix, how).run(restore(**flags))

    for prefix in "archive", "sets", "indexes", "segments":
        @case(f"verify --deep with {prefix}: {how}", CORRUPT, "verify found")
        def _(place, prefix=prefix, how=how):
            return ["verify", "--deep", "--archive", place.with_archive().damage(prefix, how).archive]

        if prefix in ("archive", "sets"):
            @case(f"list with {prefix}: {how}", CORRUPT, "1 documents? of archives")
            def _(place, prefix=prefix, how=how):
                return ["list", "--archive", place.with_archive().damage(prefix, how).archive]

    @case(f"backup with the archive's header: {how}", CORRUPT, "object archive")
    def _(place, how=how):
        return place.with_archive().damage("archive", how).run(backup())


@case("an archive of a newer version", INVALID, "kafka-backup-archive/9")
def _(place):
    return place.with_archive().damage("archive", "newer").run(restore())


# ---- brokers -------------------------------------------------------------------------------------------------------

class Http(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


def listen(answer):
    """A server that gives each connection to `answer`; its address."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        kept = []
        while True:
            connection = server.accept()[0]
            kept.append(connection)
            answer(connection)
    threading.Thread(target=serve, daemon=True).start()
    return "127.0.0.1:%d" % server.getsockname()[1]


def http_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Http)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "127.0.0.1:%d" % server.server_port


def answer_with(content):
    return lambda connection: connection.sendall(content)


brokers = [
    ("nobody listens", UNAVAILABLE, lambda: REFUSED, "Connection refused"),
    ("no such host", UNAVAILABLE, lambda: "no-such-host.invalid:9092", "no-such-host.invalid"),
    ("an HTTP server", TIMED_OUT, http_server, "check that the port is a Kafka listener"),
    ("SSH", INVALID, lambda: listen(answer_with(b"SSH-2.0-OpenSSH_9.2p1\r\n")), "not a Kafka broker: it answers in SSH"),
    ("random bytes", INVALID, lambda: listen(answer_with(b"\x00\x00\x00\x10" + bytes(range(16)))), "not a Kafka broker"),
    ("a huge length", INVALID, lambda: listen(answer_with(b"\x7f\xff\xff\xff")), "answer of 2147483647 bytes"),
    ("a negative length", INVALID, lambda: listen(answer_with(b"\xff\xff\xff\xff")), "answer of -1 bytes"),
    ("closes at once", UNAVAILABLE, lambda: listen(lambda connection: connection.close()), "127.0.0.1:"),
    ("never answers", TIMED_OUT, lambda: listen(lambda connection: None), "127.0.0.1:"),
]
for title, code, address, message in brokers:
    @case("backup: " + title, code, message)
    def _(place, address=address):
        return place.run(backup(address()))

    @case("restore: " + title, code, message)
    def _(place, address=address):
        return place.with_archive().run(restore(address()))


@case("a missing topic", NOT_FOUND, "no-such-topic", online=True)
def _(place):
    return place.run(backup(place.options.bootstrap, spec__topics=["no-such-topic"]))


@case("a backup that would build on a damaged one", CORRUPT, "object sets/" + SECOND, online=True)
def _(place):
    return place.with_archive().damage("sets/" + SECOND).run(
        backup(place.options.bootstrap, spec__onMissingTopic="warn"))


@case("an archive of another Kafka cluster", CONFLICT, "cluster", online=True)
def _(place):
    return place.with_archive().run(backup(place.options.bootstrap, spec__onMissingTopic="warn"))


@case("restore into topics that do not exist", NOT_FOUND, "createTopics: true", online=True)
def _(place):
    return place.with_archive().run(restore(place.options.bootstrap, spec__createTopics=False))


# ---- running -------------------------------------------------------------------------------------------------------

def tree(root):
    found = {}
    for folder, folders, names in os.walk(root):
        for name in folders:
            found[os.path.relpath(os.path.join(folder, name), root)] = None
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, root)] = hashlib.sha256(file.read()).hexdigest()
    return found


def complaints(case_, options, work):
    """What is wrong with how the program took the case."""
    name, codes, message, _, function = case_
    place = Place(tempfile.mkdtemp(dir=work), options)
    arguments = function(place)
    before = tree(place.volumes)
    quiet = ["--log-level", "off", "--progress", "none"]
    done = subprocess.run([*place.prefix, options.program, *quiet, *arguments], cwd=place.path,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, errors="replace")
    problems = []
    if done.returncode not in (codes if isinstance(codes, tuple) else (codes,)):
        problems.append(f"exit code {done.returncode} instead of {codes}")
    lines = done.stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    if len(errors) != 1 or lines[:1] != errors:
        problems.append("not one error line")
    elif not re.search(message, done.stderr):
        problems.append(f"no '{message}'")
    if done.stdout and arguments[0:1] not in (["verify"], ["list"]):
        problems.append(f"stdout: {done.stdout[:200]}")
    after = tree(place.volumes)
    for path in sorted(set(before) | set(after)):
        if before.get(path, 0) != after.get(path, 0):
            problems.append(f"{path} was changed")
    return [*problems, done.stderr[:1000]] if problems else []


def main():
    parser = argparse.ArgumentParser()
    release = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build/release")
    parser.add_argument("--build", default=release)
    parser.add_argument("--bootstrap")
    parser.add_argument("--work", default=None)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    options.program = os.path.join(options.build, "kafka-backup")
    options.samples = os.path.join(options.build, "sample_archive")
    chosen = [c for c in cases if (options.bootstrap or not c[3]) and
              (not options.names or any(name in c[0] for name in options.names))]
    failed = 0
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        os.chmod(work, 0o755)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            # Those that wait for brokers first, beside the others.
            ordered = sorted(chosen, key=lambda c: not c[0].startswith(("backup: ", "restore: ")))
            for case_, found in zip(ordered, pool.map(lambda c: complaints(c, options, work), ordered)):
                print(f"{'FAIL' if found else 'ok  '} {case_[0]}")
                failed += bool(found)
                for line in found:
                    print("     " + line.replace("\n", "\n     "))
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
