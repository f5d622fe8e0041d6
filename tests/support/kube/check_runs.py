#!/usr/bin/env python3
"""Whether no run was lost, doubled or lied about: check_runs.py WATCHED NAMESPACE FOLDER

WATCHED is what `kubectl get jobs --watch --output-watch-events -o json` wrote, however often it was started again; FOLDER
is the claim's folder, where the archives are. The rest is asked with kubectl. Everything has to have ended. Prints what
is wrong, and a line with the numbers; exit code 1 when something is. The times of a schedule are every 10 seconds.
"""
import datetime
import json
import os
import subprocess
import sys

PERIOD = 10
problems = []


def wrong(text):
    problems.append(text)


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def documents(text):
    """The JSON documents in a text, up to one that was cut off by the end of a watch."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        try:
            document, at = decoder.raw_decode(text, at)
            yield document
        except json.JSONDecodeError:
            at = text.find('\n{', at)  # each begins at the start of a line
            if at < 0:
                return


def listed(kind, namespace):
    text = subprocess.run(["kubectl", "-n", namespace, "get", kind, "-o", "json"], check=True, capture_output=True).stdout
    return json.loads(text)["items"]


class Job:
    def __init__(self, item):
        annotations = item["metadata"]["annotations"]
        self.name, self.uid = item["metadata"]["name"], item["metadata"]["uid"]
        self.owner = annotations["kafka.oso.sh/owner-name"]
        self.owner_uid = item["metadata"]["ownerReferences"][0]["uid"]
        self.backup_id = annotations.get("kafka.oso.sh/backup-id", "")
        run = json.loads(annotations["kafka.oso.sh/run"])
        self.run, self.tick, self.finishing = run["job"], run.get("tick"), run.get("finishing", False)
        self.ended = [c["type"] for c in item.get("status", {}).get("conditions", [])
                      if c["status"] == "True" and c["type"] in ("Complete", "Failed")]


def check_jobs(jobs):
    names = {}
    for job in jobs.values():
        names.setdefault(job.name, set()).add(job.uid)
    for name, uids in names.items():
        if len(uids) > 1 and not name.endswith("-f"):  # whose report is lost, that is made anew
            wrong(f"Job {name} was made {len(uids)} times")


def check_ticks(backup, jobs):
    """Each tick has one Job, or was skipped and counted."""
    status, name = backup["status"], backup["metadata"]["name"]
    since = max(seconds(t) for t in (backup["metadata"]["creationTimestamp"], status.get("scheduleSince")) if t)
    last = seconds(status["lastScheduleTime"])
    expected = last // PERIOD - since // PERIOD
    runs = {}
    for job in jobs.values():
        if job.owner_uid == backup["metadata"]["uid"] and job.tick:
            runs.setdefault(seconds(job.tick), set()).add(job.run)
    for tick, made in runs.items():
        if len(made) > 1:
            wrong(f"{name}: tick {tick} has the runs {sorted(made)}")
        if tick % PERIOD or not since < tick <= last:
            wrong(f"{name}: a run for {tick}, which is no tick")
    skipped = status.get("skippedTicks", 0)
    if len(runs) + skipped != expected:
        wrong(f"{name}: {expected} ticks, of which {len(runs)} had a run and {skipped} were skipped")
    return len(runs), skipped


def committed(path):
    """Whether a decision (docs/archive-format.md) is a set, not that the run was abandoned."""
    with open(path) as file:
        return bool(json.loads(file.read().split("\n", 1)[1]).get("set"))


def check_sets(backup, jobs, folder):
    """The committed sets are those that statuses tell of, and those of runs there were."""
    name, status = backup["metadata"]["name"], backup["status"]
    path = os.path.join(folder, backup["metadata"]["namespace"], name, "sets")
    sets = {id for id in os.listdir(path) if committed(os.path.join(path, id))} if os.path.isdir(path) else set()
    told = [point["backupId"] for point in status.get("restorePoints", {}).get("newest", [])]
    if len(told) != len(set(told)):
        wrong(f"{name}: a restore point is told of twice")
    if not set(told) <= sets or (status.get("backupId") or next(iter(sets), "")) not in sets:
        wrong(f"{name}: status tells of {set(told) - sets} {status.get('backupId')}, which was not committed")
    if status.get("restorePoints", {}).get("count", 0) != len(sets) or len(told) != min(30, len(sets)):
        wrong(f"{name}: status counts {status.get('restorePoints', {}).get('count')} sets, there are {len(sets)}")
    begun = {job.backup_id for job in jobs.values() if job.owner == name}
    if not sets <= begun:
        wrong(f"{name}: nobody began {sets - begun}")
    failed = {job.backup_id for job in jobs.values() if job.owner == name and "Failed" in job.ended}
    if sets & failed:
        wrong(f"{name}: {sets & failed} were committed, and their Jobs failed")
    return len(sets)


def check_end(item):
    name, status = f'{item["kind"]} {item["metadata"]["name"]}', item.get("status", {})
    progressing = [c["status"] for c in status.get("conditions", []) if c["type"] == "Progressing"]
    if status.get("phase") != "Completed":
        wrong(f'{name} is {status.get("phase")}: {status.get("message")}')
    if "currentRun" in status or progressing == ["True"]:
        wrong(f"{name} has a run in progress")


def main(watched, namespace, folder):
    jobs = {}
    with open(watched) as file:
        for event in documents(file.read()):
            item = event.get("object", {})
            if item.get("kind") == "Job":
                jobs[item["metadata"]["uid"]] = Job(item)
    for item in listed("jobs", namespace):
        job = jobs[item["metadata"]["uid"]] = Job(item)
        if not job.ended:
            wrong(f"Job {job.name} has not ended")
    backups, restores = listed("kafkabackups", namespace), listed("kafkarestores", namespace)
    check_jobs(jobs)
    ticks = [check_ticks(b, jobs) for b in backups if b["spec"].get("schedule")]
    sets = sum(check_sets(b, jobs, folder) for b in backups)
    for item in backups + restores:
        check_end(item)
    for problem in problems:
        print(problem)
    print(f"{len(jobs)} Jobs; {sum(t[0] for t in ticks)} ticks with a run, {sum(t[1] for t in ticks)} skipped; "
          f"{sets} sets of {len(backups)} KafkaBackups, {len(restores)} KafkaRestores")
    sys.exit(1 if problems else 0)


main(*sys.argv[1:])
