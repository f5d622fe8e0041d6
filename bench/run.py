#!/usr/bin/env python3
"""make bench: our backup and restore beside limits and peers, one run, on the same topics of a real broker.

Prints for each data regime: CPU seconds (user and system) of the process per GB (10^9 bytes) of record batches, its
wall time as a ratio to the slower of the two limits (raw fetch into nothing, plain write of the same bytes), peak
RSS and bytes stored. Wall times mean something only on an otherwise idle machine, and only side by side."""
import glob
import json
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(ROOT, "build", "bench")
TOOLS = os.path.join(ROOT, "build", "support")
OURS = os.path.join(ROOT, "build", "release", "kafka-backup")
RAW_FETCH = os.path.join(ROOT, "build", "release", "bench", "raw_fetch")
KAFKA = os.path.join(ROOT, "tests", "support", "kafka.sh")
SIZE = os.environ.get("BENCH_BYTES", "1G")

# name, options of the independent producer, more of the backup's spec
REGIMES = [
    ("compressed by the producer (lz4)", "--codec lz4 --incompressible", "compression: zstd"),
    ("uncompressed, stored as it is", "", "compression: none"),
    ("uncompressed, compressed by us (zstd 3)", "", "compression: zstd"),
    ("100-byte records (lz4)", "--record-bytes 100 --codec lz4", "compression: zstd"),
    ("one-record batches of 1 KB", "--batch-records 1", "compression: none"),
]


class Measured:
    """One finished process."""

    def __init__(self, command, **options):
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        self.output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        self.wall = time.monotonic() - started
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss_mib = usage.ru_maxrss / 1024
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{command} failed with {process.returncode}:\n{self.output[-2000:]}")


def quiet(*command):
    return Measured([str(c) for c in command]).output


def resource(kind, name, bootstrap, more):
    head = {"apiVersion": "kafka.oso.sh/v1alpha1", "kind": kind, "metadata": {"name": name}}
    head["spec"] = {"kafkaCluster": {"bootstrapServers": [bootstrap]}, **more}
    path = os.path.join(WORK, f"{kind}-{name}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(head, file)
    return path


def run_ours(path):
    return Measured([OURS, "run", "-f", path, "--volumes", os.path.join(WORK, "volumes"), "--progress", "none"])


def stored_bytes():
    folder = os.path.join(WORK, "volumes", "kafka-backups", "default", "bench", "segments")
    return sum(os.path.getsize(f) for f in glob.glob(folder + "/*/*"))


def plain_write(size):
    """The same number of bytes into one file, synced: what the disk allows; the faster of cached and direct."""
    target = os.path.join(WORK, "plain")
    ways = ([], ["oflag=direct"])
    runs = []
    for way in ways:
        runs.append(Measured(["dd", "if=/dev/zero", f"of={target}", "bs=8M", f"count={max(size // (8 << 20), 1)}", "conv=fsync", *way]))
        os.unlink(target)
    return min(runs, key=lambda run: run.wall)


class Table:
    def __init__(self, gigabytes, limit):
        self.gigabytes, self.limit = gigabytes, limit
        print(f"  {'':36} {'CPU-s/GB':>9} {'wall s':>8} {'of limit':>9} {'RSS MiB':>8}")

    def row(self, name, measured, note=""):
        speed = self.limit / measured.wall if self.limit else 0
        print(f"  {name:36} {measured.cpu / self.gigabytes:9.2f} {measured.wall:8.2f} {speed:9.2f} {measured.rss_mib:8.0f}  {note}",
              flush=True)


def peers_reading(bootstrap, topic, records, table):
    if shutil.which("kcat"):
        table.row("kcat consuming into nothing", Measured(
            ["bash", "-c", f"kcat -b {bootstrap} -C -t {topic} -o beginning -e -q -f '' >/dev/null"]))
    table.row("Java ConsumerPerformance (with JVM)", Measured(
        [KAFKA, "cli", "org.apache.kafka.tools.ConsumerPerformance", "--bootstrap-server", bootstrap, "--topic", topic,
         "--messages", str(records), "--timeout", "60000"]))


def best_producer(bootstrap, size, record_bytes):
    """Java's own load generator, acks=all, with batches as large as it likes them; the best of three settings."""
    best = None
    for batch in (16384, 131072, 524288):
        quiet(os.path.join(TOOLS, "kafka_topics"), bootstrap, "create", "bench-producer", 6)
        measured = Measured([KAFKA, "cli", "org.apache.kafka.tools.ProducerPerformance", "--topic", "bench-producer",
                             "--num-records", str(max(size // record_bytes, 1)), "--record-size", str(record_bytes),
                             "--throughput", "-1", "--producer-props", f"bootstrap.servers={bootstrap}", "acks=all",
                             f"batch.size={batch}", "linger.ms=5", "buffer.memory=134217728"])
        quiet(os.path.join(TOOLS, "kafka_topics"), bootstrap, "delete", "bench-producer")
        if best is None or measured.wall < best.wall:
            best = measured
    return best


def bench(bootstrap, number, regime):
    name, fill, spec = regime
    topic = f"bench-{number}"
    record_bytes = 100 if "record-bytes 100" in fill else 1024
    size = SIZE if "--batch-records 1" not in fill else "200M"
    quiet(os.path.join(TOOLS, "kafka_fill"), bootstrap, "bulk", "--topic", topic, "--bytes", size, *fill.split())
    volumes = os.path.join(WORK, "volumes")
    shutil.rmtree(volumes, ignore_errors=True)
    os.makedirs(os.path.join(volumes, "kafka-backups"))
    storage = {"storageType": "pvc", "pvc": {"claimName": "kafka-backups"}}
    fetch = Measured([RAW_FETCH, bootstrap, topic])
    fetch = min(fetch, Measured([RAW_FETCH, bootstrap, topic]), key=lambda m: m.wall)
    raw = int(fetch.output.split()[-1])
    key, value = spec.split(": ")
    backup = run_ours(resource("KafkaBackup", "bench", bootstrap, {"topics": [topic], "storage": storage, key: value}))
    stored = stored_bytes()
    write = plain_write(stored)
    print(f"\n{name}: {raw / 1e9:.2f} GB of batches, {stored / 1e9:.2f} GB stored", flush=True)
    table = Table(raw / 1e9, max(fetch.wall, write.wall))
    table.row("limit: raw fetch into nothing", fetch)
    table.row("limit: plain write and fsync", write)
    table.row("our backup", backup)
    if number < 2:
        peers_reading(bootstrap, topic, int(float(SIZE[:-1]) * (1 << 30)) // record_bytes, table)
    restore = run_ours(resource("KafkaRestore", "bench", bootstrap, {
        "backupRef": {"name": "bench", "storage": storage}, "topicMapping": {topic: topic + "-restored"},
        "createTopics": True}))
    producer = best_producer(bootstrap, raw, record_bytes)
    table = Table(raw / 1e9, producer.wall)
    table.row("peer: Java ProducerPerformance, best", producer)
    table.row("our restore", restore)
    for gone in (topic, topic + "-restored"):
        quiet(os.path.join(TOOLS, "kafka_topics"), bootstrap, "delete", gone)


def many_partitions(bootstrap):
    """Idle second runs and memory: 1,000 and 2,000 partitions."""
    print("\nmany partitions", flush=True)
    storage = {"storageType": "pvc", "pvc": {"claimName": "kafka-backups"}}
    for partitions in (1000, 2000):
        topic = f"many-{partitions}"
        quiet(os.path.join(TOOLS, "kafka_fill"), bootstrap, "bulk", "--topic", topic, "--bytes", "200M", "--partitions", partitions)
        path = resource("KafkaBackup", topic, bootstrap, {"topics": [topic], "storage": storage})
        first = run_ours(path)
        archive = os.path.join(WORK, "volumes", "kafka-backups", "default", topic)
        before = sum(len(files) for _, _, files in os.walk(archive))
        time.sleep(1.1)  # a run is named after the second it starts in
        second = run_ours(path)
        objects = sum(len(files) for _, _, files in os.walk(archive)) - before
        print(f"  {partitions} partitions: first run {first.wall:.2f} s, {first.rss_mib:.0f} MiB; nothing new: {second.wall:.2f} s, "
              f"{objects} objects written, {second.rss_mib:.0f} MiB", flush=True)
        quiet(os.path.join(TOOLS, "kafka_topics"), bootstrap, "delete", topic)


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    broker = os.path.join(WORK, "kafka")
    quiet("cmake", "-S", os.path.join(ROOT, "tests", "support"), "-B", TOOLS, "-G", "Ninja")
    quiet("ninja", "-C", TOOLS)
    quiet("ninja", "-C", os.path.join(ROOT, "build", "release"), "raw_fetch")
    quiet(KAFKA, "start", broker, "--heap", "1g")
    try:
        with open(os.path.join(broker, "bootstrap"), encoding="utf-8") as file:
            bootstrap = file.read().strip()
        chosen = [int(a) for a in sys.argv[1:]] or range(len(REGIMES))
        for number in chosen:
            bench(bootstrap, number, REGIMES[number])
        if not sys.argv[1:]:
            many_partitions(bootstrap)
    finally:
        quiet(KAFKA, "stop", broker)
        shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
