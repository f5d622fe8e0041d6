#!/usr/bin/env python3
"""Attempts of a tenant to cross into another one's namespace, or to keep the operator from serving others.

    tenancy_test.py --operator PID --operator-kubeconfig FILE [NAME...]

KUBECONFIG is the administrator's of a cluster where the operator runs. The attacker is the user tenant-b, who may do
whatever a namespace's administrator may, in namespace b: also write statuses, Jobs and pods. No attempt may succeed, and each
object must say what was wrong with it. The last line is `N passed, N failed`. tests/e2e/tenancy.sh runs all of it.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

A, B = "a", "b"
GRANT = "kafka.oso.sh/allow-restore-from-namespaces"
OWNER = "kafka.oso.sh/owner-name"
PLURALS = ["kafkabackups", "kafkarestores", "kafkaoffsetresets", "kafkaoffsetrollbacks", "kafkabackupvalidations"]
cases = []
options = None


def case(name):
    def add(function):
        cases.append((name, function))
        return function
    return add


# ---- what a case says ----------------------------------------------------------------------------------------------------
class Failed(Exception):
    pass


def check(good, text):
    if not good:
        raise Failed(text)


def kubectl(*arguments, given=None, user=None, ok=True):
    command = ["kubectl", *([f"--as={user}"] if user else []), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120)
    if ok and done.returncode != 0:
        raise Failed(f"{' '.join(command)[:200]}: {done.stderr[:1000]}")
    return done.stdout if ok else (done.returncode, done.stdout + done.stderr)


def read(kind, name, namespace=B):
    return json.loads(kubectl("get", kind, name, "-n", namespace, "-o", "json"))


def create(resource, user="tenant-b", strict=False):
    """Not apply: its annotation would double what is large."""
    kubectl("create", f"--validate={'strict' if strict else 'ignore'}", "-f", "-", given=json.dumps(resource), user=user)


def refused(resource, piece):
    """By the API server itself."""
    code, text = kubectl("create", "--validate=strict", "-f", "-", given=json.dumps(resource), user="tenant-b", ok=False)
    check(code != 0, f"{resource['metadata']['name']} was accepted")
    check(re.search(piece, text), f"'{piece}' is not in: {text[:1000]}")


def patch_status(kind, name, status):
    kubectl("patch", kind, name, "-n", B, "--subresource=status", "--type=merge", "--patch-file=/dev/stdin",
            given=json.dumps({"status": status}), user="tenant-b")


def until(what, function, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        found = function()
        if found:
            return found
        check(time.monotonic() < deadline, f"waited {seconds} s for {what}")
        time.sleep(0.1)


def condition(kind, name, kind_of_condition="Ready", namespace=B):
    for found in read(kind, name, namespace).get("status", {}).get("conditions", []):
        if found["type"] == kind_of_condition:
            return found
    return {}


def jobs_of(name, namespace=B):
    items = json.loads(kubectl("get", "jobs", "-n", namespace, "-o", "json"))["items"]
    return [job for job in items if job["metadata"].get("annotations", {}).get(OWNER) == name]


def stopped(resource, reason, piece):
    """Accepted by the API server, answered with a condition, and not acted upon."""
    kind, name = resource["kind"], resource["metadata"]["name"]
    create(resource)
    found = until(f"a condition of {name}", lambda: condition(kind, name))
    check(found["status"] != "True" and found.get("reason") == reason, f"condition: {found}")
    check(re.search(piece, found["message"]), f"'{piece}' is not in: {found['message'][:1000]}")
    check(len(found["message"]) < 3000, "the message is endless")
    check(not jobs_of(name), "it has a Job")
    return found["message"]


def job_of(name, namespace=B):
    return until(f"the Job of {name}", lambda: jobs_of(name, namespace))[0]


def pod_of(name, namespace=B):
    return job_of(name, namespace)["spec"]["template"]["spec"]


def order_of(name):
    return json.loads(job_of(name)["spec"]["template"]["metadata"]["annotations"]["kafka.oso.sh/order"])


def after_looks_at(name, namespace):
    """Returns when the operator has looked at a backup since: it removes what does not belong into its status."""
    kubectl("patch", "kb", name, "-n", namespace, "--subresource=status", "--type=merge",
            "-p", '{"status":{"phase":"Looking","message":"is anybody there"}}')
    until(f"a look at {name}", lambda: read("kb", name, namespace)["status"]["phase"] != "Looking")


# ---- resources -----------------------------------------------------------------------------------------------------------
def resource(kind, name, spec, namespace=B, **metadata):
    return {"apiVersion": "kafka.oso.sh/v1alpha1", "kind": kind,
            "metadata": {"name": name, "namespace": namespace, **metadata}, "spec": spec}


def pvc(claim="archives", **more):
    return {"storageType": "pvc", "pvc": {"claimName": claim, **more}}


def backup(name, namespace=B, metadata=None, **spec):
    return resource("KafkaBackup", name, {"kafkaCluster": {"bootstrapServers": ["kafka:9092"]}, "topics": ["t"],
                                          "storage": pvc(), **spec}, namespace, **(metadata or {}))


def restore(restore_name, metadata=None, **backup_ref):
    return resource("KafkaRestore", restore_name, {"kafkaCluster": {"bootstrapServers": ["kafka:9092"]},
                                           "backupRef": backup_ref}, **(metadata or {}))


def forged_job(name, owner, namespace=B, run=None, suspend=True):
    annotations = {OWNER: owner["metadata"]["name"]}
    if run:
        annotations["kafka.oso.sh/run"] = json.dumps(run)
    return {"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": name, "namespace": namespace, "annotations": annotations,
                         "labels": {"app.kubernetes.io/managed-by": "kafka-backup-operator",
                                    "kafka.oso.sh/kind": "KafkaBackup", "kafka.oso.sh/owner-uid": owner["metadata"]["uid"]},
                         "ownerReferences": [{"apiVersion": "kafka.oso.sh/v1alpha1", "kind": "KafkaBackup",
                                              "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
                                              "controller": True}]},
            "spec": {"suspend": suspend, "template": {"spec": {"restartPolicy": "Never", "containers": [
                {"name": "worker", "image": "x"}]}}}}


def plain_job(name, namespace):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": namespace},
            "spec": {"suspend": True, "template": {"spec": {"restartPolicy": "Never",
                                                            "containers": [{"name": "c", "image": "x"}]}}}}


def complete(name, namespace):
    """As the Job controller would say it."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    kubectl("patch", "job", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", json.dumps({"status": {
        "startTime": now, "completionTime": now, "succeeded": 1, "conditions": [
            {"type": t, "status": "True", "lastTransitionTime": now} for t in ("SuccessCriteriaMet", "Complete")]}}),
            user="tenant-b", ok=False)


# ---- volumes, paths and names --------------------------------------------------------------------------------------------
long_path = "/".join(["x" * 99] * 50)
for title, storage, piece in [
        ("subPath that goes up", pvc(subPath="../.."), r"spec\.storage\.pvc\.subPath must be a relative path"),
        ("subPath that goes up later", pvc(subPath="a/../../b"), r"spec\.storage\.pvc\.subPath"),
        ("subPath that is absolute", pvc(subPath="/etc"), r"spec\.storage\.pvc\.subPath"),
        ("subPath with a NUL", pvc(subPath="a\0/../b"), r"spec\.storage\.pvc\.subPath"),
        ("subPath with a newline", pvc(subPath="a\nb"), r"spec\.storage\.pvc\.subPath"),
        ("subPath of 5 KB", pvc(subPath=long_path), r"spec\.storage\.pvc\.subPath"),
        ("subPath of 100 KB", pvc(subPath="../" + "x" * 100_000), r"spec\.storage\.pvc\.subPath"),
        ("claim that is a path", pvc("../a/archives"), r"spec\.storage\.pvc\.claimName must be the name of an object"),
        ("claim of another namespace", pvc("a/archives"), r"spec\.storage\.pvc\.claimName"),
        ("claim that is dots", pvc(".."), r"spec\.storage\.pvc\.claimName")]:
    case(title)(lambda storage=storage, piece=piece, number=len(cases):
                stopped(backup(f"path-{number}", storage=storage), "ValidationFailed", piece))

for title, cluster, piece in [
        ("Secret that is a path", {"tlsSecret": {"name": "../../a/tls"}}, r"spec\.kafkaCluster\.tlsSecret\.name"),
        ("Secret of another namespace", {"caSecret": {"name": "a/ca"}}, r"spec\.kafkaCluster\.caSecret"),
        ("key of a Secret that is a path", {"caSecret": {"name": "ca", "caKey": "../../../etc/passwd"}}, r"spec\.kafkaCluster\.caSecret")]:
    case(title)(lambda cluster=cluster, piece=piece, number=len(cases):
                stopped(backup(f"secret-{number}", kafkaCluster={"bootstrapServers": ["k:1"], "securityProtocol": "SSL", **cluster}),
                        "ValidationFailed", piece))


@case("Secret and claim that exist only in another namespace")
def _():
    """The names mean those of the resource's own namespace, which Kubernetes itself sees to."""
    for kind, name in (("secret", "a-only"), ("pvc", "a-claim")):
        check(kubectl("get", kind, name, "-n", A, user="tenant-b", ok=False)[0] != 0, f"b reads {kind} {name} of a")
    create(backup("own-names", storage=pvc("a-claim", create={"enabled": True})))
    check(pod_of("own-names")["volumes"][2] == {"name": "kafka-backup-claim-0",
                                                "persistentVolumeClaim": {"claimName": "a-claim"}}, "volumes")
    check(read("pvc", "a-claim", B)["metadata"]["uid"] != read("pvc", "a-claim", A)["metadata"]["uid"], "one claim")


# ---- pods ----------------------------------------------------------------------------------------------------------------
def volume(**kind):
    return {"volumes": [{"name": "v", **kind}]}


def mounted(path, **more):
    return {"volumes": [{"name": "v", "emptyDir": {}}], "volumeMounts": [{"name": "v", "mountPath": path, **more}]}


def token(**more):
    return volume(projected={"sources": [{"serviceAccountToken": {"path": "t", **more}}]})


for title, template, piece in [
        ("hostPath", volume(hostPath={"path": "/"}), r"volumes\[0\] must not be of kind hostPath"),
        ("NFS", volume(nfs={"server": "x", "path": "/"}), r"volumes\[0\] must not be of kind nfs"),
        ("a volume called like ours", {"volumes": [{"name": "kafka-backup-order", "configMap": {"name": "forged"}}]}, r"volumes\[0\]"),
        ("the operator's volume mounted elsewhere", {"volumeMounts": [{"name": "kafka-backup-order", "mountPath": "/x"}]}, r"volumeMounts\[0\]"),
        ("a mount over the order", mounted("/etc/kafka-backup/order"), r"volumeMounts\[0\]"),
        ("a mount over the order, spelled otherwise", mounted("//etc/./kafka-backup//order"), r"volumeMounts\[0\]"),
        ("a mount over the claims", mounted("//volumes"), r"volumeMounts\[0\]"),
        ("a mount over a folder above", mounted("/etc"), r"volumeMounts\[0\]"),
        ("a mount over the program", mounted("/usr/local/bin"), r"volumeMounts\[0\]"),
        ("a mount over /proc", mounted("/proc"), r"volumeMounts\[0\]"),
        ("a mount that goes up", mounted("/x/../volumes"), r"volumeMounts\[0\]"),
        ("a mount that propagates", mounted("/x", mountPropagation="Bidirectional"), r"volumeMounts\[0\]"),
        ("a token for the API server", token(), r"volumes\[0\] must not project a serviceAccountToken"),
        ("a token for the API server by its audience", token(audience="https://kubernetes.default.svc"), r"volumes\[0\]"),
        ("the operator's variables", {"env": [{"name": "KAFKA_BACKUP_MEMORY_LIMIT", "value": "1"}]}, r"env\[0\]"),
        ("LD_PRELOAD", {"env": [{"name": "LD_PRELOAD", "value": "/x.so"}]}, r"env\[0\]"),
        ("the number of the shard", {"env": [{"name": "JOB_COMPLETION_INDEX", "value": "0"}]}, r"env\[0\]"),
        ("labels of another resource", {"metadata": {"labels": {"kafka.oso.sh/owner-uid": "x"}}}, r"metadata\.labels"),
        ("labels of another Job", {"metadata": {"labels": {"job-name": "x"}}}, r"metadata\.labels"),
        ("an order in an annotation", {"metadata": {"annotations": {"kafka.oso.sh/order": "{}"}}}, r"metadata\.annotations"),
        ("AppArmor off", {"metadata": {"annotations": {
            "container.apparmor.security.beta.kubernetes.io/worker": "unconfined"}}}, r"metadata\.annotations"),
        ("the priority of the system", {"priorityClassName": "system-node-critical"}, r"priorityClassName"),
        ("a service account that is a path", {"serviceAccountName": "../a/admin"}, r"serviceAccountName")]:
    case("pod: " + title)(lambda template=template, piece=piece, number=len(cases):
                          stopped(backup(f"pod-{number}", podTemplate=template), "ValidationFailed",
                                  r"spec\.podTemplate\." + piece))

for title, template in [
        ("hostNetwork", {"hostNetwork": True}), ("hostPID", {"hostPID": True}),
        ("securityContext", {"securityContext": {"runAsUser": 0}}),
        ("initContainers", {"initContainers": [{"name": "i", "image": "x"}]}),
        ("containers", {"containers": [{"name": "worker", "image": "x", "securityContext": {"privileged": True}}]}),
        ("automountServiceAccountToken", {"automountServiceAccountToken": True}),
        ("runtimeClassName", {"runtimeClassName": "x"})]:
    @case("pod: " + title)
    def _(title=title, template=template, number=len(cases)):
        name = f"pod-{number}"
        refused(backup(name, podTemplate=template), rf'unknown field "spec\.podTemplate\.{title}"')
        create(backup(name, podTemplate=template))  # who does not want to be told: it is dropped
        is_restricted(pod_of(name))


def is_restricted(pod):
    check(not {"hostNetwork", "hostPID", "hostIPC", "initContainers", "runtimeClassName"} & set(pod), f"pod: {list(pod)}")
    check(pod["automountServiceAccountToken"] is False, "it has a token")
    check(pod["securityContext"]["runAsNonRoot"] and "runAsUser" not in pod["securityContext"], "it may be root")
    check(len(pod["containers"]) == 1 and pod["containers"][0]["image"] == "worker:test", "containers")
    context = pod["containers"][0]["securityContext"]
    check(context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"] and
          context["capabilities"] == {"drop": ["ALL"]} and "privileged" not in context, f"securityContext: {context}")


@case("pod: LD_PRELOAD and the operator's variables by envFrom")
def _():
    create(backup("env-from", podTemplate={"envFrom": [{"configMapRef": {"name": "hostile"}}]}))
    found = {e["name"]: e.get("value", "") for e in pod_of("env-from")["containers"][0]["env"]}
    check(found["LD_PRELOAD"] == "" and "KAFKA_BACKUP_MEMORY_LIMIT" in found, f"env: {found}")


@case("pod: what may be asked for is restricted by the standard that the namespace enforces")
def _():
    """The Job's pod is one that Pod Security admits as restricted, whatever the resource asks for."""
    create(backup("restricted", podTemplate={**token(audience="sts.amazonaws.com"), "tolerations": [{"operator": "Exists"}]}))
    spec = pod_of("restricted")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "like-it", "namespace": "restricted"}, "spec": spec}
    kubectl("create", "--dry-run=server", "-f", "-", given=json.dumps(pod))


# ---- backups of others ---------------------------------------------------------------------------------------------------
@case("a foreign backup, and one that does not exist, are told apart by nobody")
def _():
    there = stopped(restore("no-grant", namespace=A, name="nightly"), "NotAllowed", r"spec\.backupRef\.namespace: there is no")
    not_there = stopped(restore("no-backup", namespace=A, name="absent"), "NotAllowed", r"spec\.backupRef\.namespace")
    check(there.replace("nightly", "absent") == not_there, f"{there} / {not_there}")
    nowhere = stopped(restore("no-namespace", namespace="nowhere", name="absent"), "NotAllowed", r"spec\.backupRef\.namespace")
    check(nowhere.replace("nowhere", A) == not_there, f"{nowhere} / {not_there}")


for title, grants in [("another namespace", "c"), ("a namespace with the same beginning", "b2"), ("one with the same end", "team-b"),
                      ("words in one item", "b c"), ("a pattern", "b*"), ("nothing", ""), ("another case", "B"), ("quotes", '"b"')]:
    @case("a grant for " + title)
    def _(grants=grants, number=len(cases)):
        create(backup(f"granted-{number}", A, {"annotations": {GRANT: grants}}, suspend=True), user=None)
        stopped(restore(f"grant-{number}", namespace=A, name=f"granted-{number}"), "NotAllowed", r"spec\.backupRef\.namespace")


@case("a grant that is one gives the claim of nobody else")
def _():
    create(backup("shared", A, {"annotations": {GRANT: "c, b"}}, suspend=True), user=None)
    stopped(restore("granted", namespace=A, name="shared"), "NotPossible", r"which pods of another one cannot mount")


@case("a grant by whom it does not belong to")
def _():
    code, text = kubectl("annotate", "kb", "nightly", "-n", A, f"{GRANT}=b", user="tenant-b", ok=False)
    check(code != 0 and "forbidden" in text, text)


@case("a foreign backup by storage of one's own")
def _():
    """The claim is that of the restore's namespace, and nothing of the KafkaBackup is used, not even its Secrets."""
    create(restore("by-storage", namespace=A, name="nightly", storage=pvc()))
    pod = pod_of("by-storage")
    check([v for v in pod["volumes"] if "secret" in v] == [], "it mounts a Secret")
    check(job_of("by-storage")["metadata"]["namespace"] == B, "its Job is elsewhere")


@case("backupId that is a path")
def _():
    stopped(restore("id-path", name="x", backupId="../../a/nightly", storage=pvc()), "ValidationFailed", r"backupId")


@case("adopt-archive of a foreign archive")
def _():
    """It names an archive, not a place: that stays <namespace>/<name> of the resource."""
    create(backup("x", metadata={"annotations": {"kafka.oso.sh/adopt-archive": "../../a/nightly"}}))
    order = order_of("x")
    check((order["namespace"], order["name"], order["adoptArchive"]) == (B, "x", "../../a/nightly"), f"order: {order}")


# ---- forged Jobs, pods and statuses --------------------------------------------------------------------------------------
@case("a Job in b that claims to be the run of a backup in a")
def _():
    victim = until("a run of a", lambda: (r := read("kb", "nightly", A)) and r.get("status", {}).get("currentRun") and r)
    run = victim["status"]["currentRun"]
    create(forged_job(run["job"], victim, run=run))
    complete(run["job"], B)
    after_looks_at("nightly", A)
    status = read("kb", "nightly", A)["status"]
    check(status["phase"] == "Running" and status["currentRun"] == run and "backupId" not in status, f"status: {status}")
    check(read("job", run["job"], A)["metadata"]["uid"], "its Job is gone")


@case("a Job in b that claims to be a new run of a backup in a")
def _():
    victim = read("kb", "idle", A)
    run = {"backupId": "idle-20300101-000000", "trigger": "spec", "specSha256": "x", "job": "forged", "startTime": "2030-01-01T00:00:00Z"}
    create(forged_job("forged", victim, run=run))
    after_looks_at("idle", A)
    status = read("kb", "idle", A)["status"]
    check("currentRun" not in status and status["phase"] == "Pending", f"status: {status}")


@case("a Job in b that has one of that name deleted in a")
def _():
    create(plain_job("payroll", A), user=None)
    uid = read("job", "payroll", A)["metadata"]["uid"]
    victim = read("kb", "idle", A)
    for number in range(6):  # more than are kept
        name = "payroll" if number == 0 else f"forged-{number}"
        create(forged_job(name, victim, suspend=False))
        complete(name, B)
    after_looks_at("idle", A)
    found = read("job", "payroll", A)["metadata"]
    check(found["uid"] == uid and "deletionTimestamp" not in found and not found.get("annotations", {}), f"payroll: {found}")


@case("a pod in b with the labels and owner of a Job in a")
def _():
    job = job_of("nightly", A)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": "forged", "namespace": B,
        "labels": {**job["spec"]["template"]["metadata"]["labels"], "job-name": job["metadata"]["name"]},
        "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"],
                             "uid": job["metadata"]["uid"], "controller": True}]},
        "spec": {"containers": [{"name": "worker", "image": "x"}]}}
    create(pod)
    report = json.dumps({"outcome": "failed", "error": {"kind": "denied", "message": "forged"}})
    kubectl("patch", "pod", "forged", "-n", B, "--subresource=status", "--type=merge", "-p", json.dumps({"status": {
        "phase": "Failed", "podIP": "127.0.0.1", "containerStatuses": [{
            "name": "worker", "image": "x", "imageID": "x", "ready": False, "restartCount": 0,
            "state": {"terminated": {"exitCode": 1, "message": report}}}]}}), user="tenant-b", ok=False)
    after_looks_at("nightly", A)
    check("forged" not in json.dumps(read("kb", "nightly", A)["status"]), "its report is believed")


hostile_runs = [
    ("another Job", {"job": "own-job", "cancelled": True}), ("a path to a Job", {"job": "../../a/jobs/payroll", "cancelled": True}),
    ("a folder", {"job": "..", "cancelled": True}), ("two thousand million shards", {"shards": 2147483647}),
    ("no shards", {"shards": -1}), ("an id with a path", {"backupId": "../../a/nightly"})]
for title, change in hostile_runs:
    @case("a status with a run of " + title)
    def _(change=change, number=len(cases)):
        name = f"status-{number}"
        if number == min(n for n, (t, _) in enumerate(cases) if t.startswith("a status with a run of ")):
            create(plain_job("own-job", B))
        create(backup(name, suspend=True))
        until("its condition", lambda: condition("kb", name))
        run = {"backupId": f"{name}-20300101-000000", "trigger": "spec", "specSha256": "x", "shards": 1, "finishing": False,
               "cancelled": False, "token": "", "job": f"kb-{name}-00000000-20300101000000", "startTime": "2030-01-01T00:00:00Z"}
        patch_status("kb", name, {"phase": "Running", "currentRun": {**run, **change}})
        until("the run to be gone", lambda: "currentRun" not in read("kb", name)["status"])
        check(condition("kb", name, "Suspended")["status"] == "True", "it says nothing")
        check(not jobs_of(name), "it has a Job")
        check("deletionTimestamp" not in read("job", "own-job")["metadata"], "a foreign Job is deleted")


@case("a status of a megabyte")
def _():
    create(backup("fat-status", suspend=True))
    until("its condition", lambda: condition("kb", "fat-status"))
    patch_status("kb", "fat-status", {"failureReason": "x" * 500_000, "conditions": [
        {"type": f"T{i}", "status": "True", "lastTransitionTime": "2025-01-01T00:00:00Z", "message": "x" * 5000} for i in range(100)]})
    until("a small status", lambda: len(json.dumps(read("kb", "fat-status")["status"])) < 5000)
    check(condition("kb", "fat-status", "Suspended")["status"] == "True", "it says nothing")


# ---- objects that are too much -------------------------------------------------------------------------------------------
@case("a spec of a megabyte")
def _():
    stopped(backup("fat", topics=["t" * 200 + str(i) for i in range(5000)]), "ValidationFailed", r"spec has \d+ bytes, more than the")


@case("10,000 topics")
def _():
    create(backup("many-topics", topics=[f"topic-{i}" for i in range(10_000)]))
    check(len(order_of("many-topics")["spec"]["topics"]) == 10_000, "topics are missing")


@case("a spec that nests 300 levels deep")
def _():
    name = "deep"
    text = json.dumps(backup(name, podTemplate={"affinity": "DEEP"})).replace('"DEEP"', '{"x":' * 300 + "{}" + "}" * 300)
    kubectl("create", "--raw", f"/apis/kafka.oso.sh/v1alpha1/namespaces/{B}/kafkabackups", "-f", "-", given=text, user="tenant-b")
    found = until("its condition", lambda: condition("kb", name))
    check(found["reason"] == "ValidationFailed" and "spec cannot be read" in found["message"], f"condition: {found}")
    check(not jobs_of(name), "it has a Job")


@case("a run-now token of 200 KB")
def _():
    create(backup("token", metadata={"annotations": {"kafka.oso.sh/run-now": "x" * 200_000}}))
    job_of("token")
    check(read("kb", "token")["status"]["lastRunNow"].startswith("sha256:"), "the token is in the status")


@case("a name of 253 characters")
def _():
    name = "n" * 253
    create(backup(name))
    check(len(job_of(name)["metadata"]["name"]) <= 63, "the name of its Job")


@case("two names whose Jobs begin alike")
def _():
    names = ["the-same-twenty-four-chars-" + end for end in ("one", "two")]
    for name in names:
        create(backup(name))
    check(len({job_of(name)["metadata"]["name"] for name in names}) == 2, "one Job for two")


for title, spec, piece in [
        ("a topic that is none", {"topics": ["a topic!"]}, r"spec\.topics\[0\]"),
        ("a time zone that is a path", {"schedule": "0 2 * * *", "timeZone": "../../etc/passwd"}, r"spec\.timeZone"),
        ("a schedule that is none", {"schedule": "99 * * * *"}, r"spec\.schedule"),
        ("257 workers", {"workers": 257}, r"spec\.workers"),
        ("a bootstrap server that is none", {"kafkaCluster": {"bootstrapServers": ["http://x/"]}}, r"spec\.kafkaCluster\.bootstrapServers")]:
    case("what the API server takes and we do not: " + title)(
        lambda spec=spec, piece=piece, number=len(cases): stopped(backup(f"ours-{number}", **spec), "ValidationFailed", piece))


@case("what would break a typed list breaks nothing")
def _():
    refused(backup("port", metrics={"port": 70000}), r"spec\.metrics\.port")
    hostile = restore("mapping", name="x")
    hostile["spec"]["partitionMapping"] = {"a": 1}
    stopped(hostile, "ValidationFailed", r"partitionMapping")


@case("hostile objects of the other kinds")
def _():
    for kind in ("KafkaOffsetReset", "KafkaOffsetRollback", "KafkaBackupValidation"):
        spec = {"kafkaCluster": {"bootstrapServers": ["k:1"]}, "consumerGroup": "g", "resetStrategy": "earliest",
                "snapshotRef": {"name": "x", "path": "../../etc/passwd"}, "backupRef": {"namespace": A, "name": "nightly"}}
        code, text = kubectl("create", "--validate=ignore", "-f", "-", given=json.dumps(resource(kind, "other", spec)),
                             user="tenant-b", ok=False)
        if code == 0:
            found = until(f"a condition of {kind}", lambda kind=kind: condition(kind, "other"))
            check(found["reason"] == "NotSupportedYet", f"condition: {found}")
        else:
            check("Invalid value" in text or "Required value" in text, text)
    check(not jobs_of("other"), "there is a Job")


@case("finalizers of others stay")
def _():
    create(backup("kept", metadata={"finalizers": ["example.com/keep", "kafka.oso.sh/backup-finalizer"]}, suspend=True))
    kubectl("delete", "kb", "kept", "-n", B, "--wait=false", user="tenant-b")
    until("our finalizer to go", lambda: read("kb", "kept")["metadata"]["finalizers"] == ["example.com/keep"])


# ---- what the operator may do, and what is left of it afterwards -----------------------------------------------------------
@case("the operator's account has no right that it does not need")
def _():
    def may(*what):
        code, _text = kubectl("--kubeconfig", options.operator_kubeconfig, "auth", "can-i", "--quiet", *what, "--all-namespaces", ok=False)
        return code == 0
    check(may("create", "jobs"), "it may not even make Jobs")
    for what in ["get secrets", "list secrets", "watch secrets", "get configmaps", "create pods", "create pods --subresource=exec",
                 "get pods --subresource=log", "create serviceaccounts --subresource=token", "get nodes", "create roles", "create rolebindings", "escalate clusterroles",
                 "impersonate users", "delete kafkabackups", "create kafkabackups", "delete persistentvolumeclaims",
                 "update persistentvolumeclaims", "deletecollection jobs", "get services", "update leases"]:
        check(not may(*what.split()), f"it may {what}")
    code, text = kubectl("--kubeconfig", options.operator_kubeconfig, "get", "secret", "a-only", "-n", A, ok=False)
    check(code != 0 and "forbidden" in text, text)


@case("100 objects of a megabyte: the operator stays small and serves others")
def _():
    big = json.dumps(backup("big-N", topics=["t" * 240 + str(i) for i in range(4000)]))
    for number in range(100):
        kubectl("create", "--validate=ignore", "-f", "-", given=big.replace("big-N", f"big-{number}"), user="tenant-b")
    until("the last one's condition", lambda: condition("kb", "big-99").get("reason") == "ValidationFailed", 120)
    create(backup("after-all", A), user=None)
    job_of("after-all", A)
    check(memory_mb() < 120, f"the operator takes {memory_mb()} MB")


@case("the other tenant's run is still what it was")
def _():
    after_looks_at("nightly", A)
    status = read("kb", "nightly", A)["status"]
    check(status["phase"] == "Running" and len(jobs_of("nightly", A)) == 1, f"status: {status}")
    is_restricted(pod_of("nightly", A))
    check(os.path.exists(f"/proc/{options.operator}"), "the operator is gone")


def memory_mb():
    with open(f"/proc/{options.operator}/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) // 1024

# ---- running -------------------------------------------------------------------------------------------------------------
def prepare():
    for namespace in (A, B, "b2", "c", "team-b", "restricted"):
        kubectl("create", "namespace", namespace)
    kubectl("label", "namespace", "restricted", "pod-security.kubernetes.io/enforce=restricted")
    kubectl("create", "role", "tenant", "-n", B, "--verb=*", "--resource=configmaps,secrets,persistentvolumeclaims,pods,pods/status",
            "--resource=jobs.batch,jobs.batch/status", *[f"--resource={p}.kafka.oso.sh,{p}.kafka.oso.sh/status" for p in PLURALS])
    kubectl("create", "rolebinding", "tenant", "-n", B, "--role=tenant", "--user=tenant-b")
    kubectl("create", "secret", "generic", "a-only", "-n", A, "--from-literal=password=x")
    kubectl("create", "-n", A, "-f", "-", given=json.dumps({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a-claim"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}))
    kubectl("wait", "--for=create", "-n", "restricted", "serviceaccount/default", "--timeout=30s")
    create(backup("nightly", A), user=None)
    create(backup("idle", A, suspend=True), user=None)
    job_of("nightly", A)
    until("a look at idle", lambda: condition("kb", "idle", "Suspended", A))


def main():
    global options
    parser = argparse.ArgumentParser()
    parser.add_argument("--operator", required=True)
    parser.add_argument("--operator-kubeconfig", required=True)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    prepare()
    passed = failed = 0
    for name, function in cases:
        if options.names and not any(piece in name for piece in options.names):
            continue
        try:
            function()
            passed += 1
            print(f"ok   {name}", flush=True)
        except (Failed, KeyError, IndexError, subprocess.TimeoutExpired) as error:
            failed += 1
            print(f"FAIL {name}\n     {type(error).__name__}: {str(error)[:2000]}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
