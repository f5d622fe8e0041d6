#!/usr/bin/env python3
"""make bench: our backup and restore beside limits and peers, one run, on the same topics of a real broker.

Prints for each data regime: CPU seconds (user and system) of the process per GB (10^9 bytes) of record batches, its
wall time as a ratio to the slower of the two limits (raw fetch into nothing, plain write of the same bytes), peak
RSS and bytes stored. Wall times mean something only on an otherwise idle machine, and only side by side.

  bench/run.py [NUMBER|shards|many|far]...      these of the regimes and further rows; without arguments all"""
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(ROOT, "build", "bench")
TOOLS = os.path.join(ROOT, "build", "support")
OURS = os.path.join(ROOT, "build", "release", "kafka-backup")
RAW_FETCH = os.path.join(ROOT, "build", "release", "bench", "raw_fetch")
KAFKA = os.path.join(ROOT, "tests", "support", "kafka.sh")
PROXY = os.path.join(ROOT, "tests", "support", "fault_proxy.py")
SIZE = os.environ.get("BENCH_BYTES", "1G")
SIZE_SHARDS = os.environ.get("BENCH_SHARDS_BYTES", "4G")
ROUNDS_SHARDS = int(os.environ.get("BENCH_SHARDS_ROUNDS", "15"))  # the same run may cost twice as much beside a busy neighbour
SIZE_FAR = os.environ.get("BENCH_FAR_BYTES", "8G")  # enough for what each process costs, and a dozen round trips, to be small beside it
FAR_PORT = 15340

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


def run_ours(path, *options):
    return Measured([OURS, "run", "-f", path, "--volumes", os.path.join(WORK, "volumes"), "--progress", "none", *options])


def stored_bytes():
    return sum(os.path.getsize(f) for f in glob.glob(archive_folder("bench") + "/segments/*/*"))


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


STORAGE = {"storageType": "pvc", "pvc": {"claimName": "kafka-backups"}}


def load():
    return f"load {os.getloadavg()[0]:.1f}"


def archive_folder(name):
    return os.path.join(WORK, "volumes", "kafka-backups", "default", name)


def archive_files(name):
    return sum(len(files) for _, _, files in os.walk(archive_folder(name)))


def forget(name):
    shutil.rmtree(archive_folder(name))


def fill_many(bootstrap, prefix, partitions):
    """100 records of 200 bytes in each, 100 partitions to a topic."""
    for number in range(partitions // 100):
        quiet(os.path.join(TOOLS, "kafka_fill"), bootstrap, "bulk", "--prefix", prefix, "--topic", f"{number:03}", "--partitions", 100,
              "--bytes", 2_000_000, "--record-bytes", 200, "--batch-bytes", 16384, "--linger-ms", 10)


def many_partitions(bootstrap):
    """Ten partitions and 10,000: start, memory, objects; beside them kcat (librdkafka) on the same topics."""
    print("\nmany partitions, 100 records of 200 bytes in each", flush=True)
    partitions = int(os.environ.get("BENCH_PARTITIONS", "10000"))
    fill_many(bootstrap, "many-", partitions)
    path = resource("KafkaBackup", "many", bootstrap, {"topics": ["many-*"], "storage": STORAGE})
    first = run_ours(path)
    objects = archive_files("many")
    time.sleep(1.1)  # a run is named after the second it starts in
    second = run_ours(path)
    print(f"  {partitions} partitions ({load()})", flush=True)
    for name, run, note in (("our backup, first run", first, f"{objects} objects"),
                            ("our backup, nothing new", second, f"{archive_files('many') - objects} objects")):
        print(f"  {name:36} {run.cpu:6.2f} CPU-s {run.wall:7.2f} s {run.rss_mib:6.0f} MiB  {note}", flush=True)
    if shutil.which("kcat"):
        kcat = Measured(["bash", "-c", f"kcat -b {bootstrap} -G bench-kcat -X auto.offset.reset=earliest -e -q -f '%o\n' '^many-.*' | wc -l"])
        print(f"  {'peer: kcat consuming them all':36} {kcat.cpu:6.2f} CPU-s {kcat.wall:7.2f} s {kcat.rss_mib:6.0f} MiB  "
              f"{kcat.output.split()[-1]} records", flush=True)
    quiet(os.path.join(TOOLS, "kafka_topics"), bootstrap, "delete", "many-")


def shards(bootstrap):
    """What dividing a run costs: CPU seconds of four shards and the finish, beside those of one worker, in turn."""
    quiet(os.path.join(TOOLS, "kafka_fill"), bootstrap, "bulk", "--topic", "shards", "--bytes", SIZE_SHARDS, "--partitions", 24, "--codec", "lz4",
          "--incompressible")
    whole, divided = [], []
    for number in range(ROUNDS_SHARDS):
        name = f"whole-{number}"
        whole.append(run_ours(resource("KafkaBackup", name, bootstrap, {"topics": ["shards"], "storage": STORAGE})).cpu)
        forget(name)
        name = f"divided-{number}"
        path = resource("KafkaBackup", name, bootstrap, {"topics": ["shards"], "storage": STORAGE})
        named = ("--backup-id", f"{name}-20250101-000000")
        runs = [run_ours(path, *named, "--shard", f"{i}/4", "--output", "json") for i in range(4)]
        divided.append(sum(run.cpu for run in runs) + run_ours(path, *named, "--finish").cpu)
        forget(name)
    sizes = [json.loads(run.output)["resources"][0]["rawBytes"] for run in runs]
    print(f"\nfour shards of a run of {SIZE_SHARDS}, {ROUNDS_SHARDS} times in turn with one worker ({load()}): "
          f"largest shard {max(sizes) / min(sizes):.3f} times the smallest", flush=True)
    for of in (statistics.median, min):
        print(f"  {of.__name__:8} {of(divided):.2f} CPU-s, of one worker {of(whole):.2f}: {of(divided) / of(whole):.2f} times as much",
              flush=True)
    quiet(os.path.join(TOOLS, "kafka_topics"), bootstrap, "delete", "shards")


class Far:
    """The broker as seen through the tests' proxy, which holds answers back for a while."""

    def __init__(self, folder):
        self.proxy = subprocess.Popen([PROXY, "run", "--broker", f"127.0.0.1:{FAR_PORT + 2}"], stdout=subprocess.PIPE, text=True)
        port, self.control = self.proxy.stdout.readline().split()
        self.bootstrap = f"127.0.0.1:{port}"
        self.folder = folder
        quiet(KAFKA, "start", folder, "--heap", "1g", "--port", FAR_PORT,
              "--set", f"listeners=PLAINTEXT://127.0.0.1:{FAR_PORT},CONTROLLER://127.0.0.1:{FAR_PORT + 1},PROXIED://127.0.0.1:{FAR_PORT + 2}",
              "--set", f"advertised.listeners=PLAINTEXT://127.0.0.1:{FAR_PORT},PROXIED://{self.bootstrap}",
              "--set", "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT")

    def tell(self, *rule):
        quiet(PROXY, "tell", self.control, *rule)

    def end(self):
        quiet(KAFKA, "stop", self.folder)
        self.proxy.terminate()
        self.proxy.wait()


def far_away():
    """The same backup and restore through the same proxy, with 50 ms between question and answer and without."""
    far = Far(os.path.join(WORK, "far"))
    near = f"127.0.0.1:{FAR_PORT}"
    try:
        quiet(os.path.join(TOOLS, "kafka_fill"), near, "bulk", "--topic", "far", "--bytes", SIZE_FAR, "--partitions", 12, "--codec", "lz4",
              "--incompressible")
        walls = {}
        for turn in range(2):
            for latency in (0, 50):
                far.tell("clear")
                far.tell("latency", f"ms={latency}")  # also of 0: the proxy has as much to do
                name = f"far-{latency}-{turn}"
                spec = {"topics": ["far"], "storage": STORAGE, "compression": "none"}
                walls.setdefault(("backup", latency), []).append(run_ours(resource("KafkaBackup", name, far.bootstrap, spec)).wall)
                shutil.rmtree(archive_folder(f"far-{50 - latency}-{turn}"), ignore_errors=True)
                spec = {"backupRef": {"name": name, "storage": STORAGE}, "topicMapping": {"far": "far-restored"}, "createTopics": True}
                walls.setdefault(("restore", latency), []).append(run_ours(resource("KafkaRestore", name, far.bootstrap, spec)).wall)
                quiet(os.path.join(TOOLS, "kafka_topics"), near, "delete", "far-restored")
        for what in ("backup", "restore"):
            here, there = min(walls[what, 0]), min(walls[what, 50])
            print(f"\n{what} of {SIZE_FAR} through a proxy ({load()}): {here:.2f} s, with 50 ms of latency {there:.2f} s: "
                  f"{here / there:.2f} of the throughput", flush=True)
    finally:
        far.end()


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    broker = os.path.join(WORK, "kafka")
    quiet("cmake", "-S", os.path.join(ROOT, "tests", "support"), "-B", TOOLS, "-G", "Ninja")
    quiet("ninja", "-C", TOOLS)
    quiet("ninja", "-C", os.path.join(ROOT, "build", "release"), "raw_fetch")
    os.makedirs(os.path.join(WORK, "volumes", "kafka-backups"))
    chosen = sys.argv[1:] or [str(n) for n in range(len(REGIMES))] + ["many", "shards", "far"]
    quiet(KAFKA, "start", broker, "--heap", "1g")
    try:
        with open(os.path.join(broker, "bootstrap"), encoding="utf-8") as file:
            bootstrap = file.read().strip()
        for what in chosen:
            if what.isdigit():
                bench(bootstrap, int(what), REGIMES[int(what)])
        if "shards" in chosen:
            shards(bootstrap)
        if "many" in chosen:
            many_partitions(bootstrap)
    finally:
        quiet(KAFKA, "stop", broker)
    try:
        if "far" in chosen:
            far_away()
    finally:
        shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
