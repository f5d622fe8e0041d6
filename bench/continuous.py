#!/usr/bin/env python3
"""A continuous backup beside a producer of a fixed rate: how long a record takes from produce() until it is durable (in a
segment that a checkpoint lists), objects written in a second, CPU seconds per GB.

Reads the checkpoints as docs/archive-format.md describes them. Latencies are those of blocks, weighted by records: between the
oldest and the newest record of a block they are taken as spread evenly. BENCH_RATE (50M), BENCH_SECONDS (30)."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(ROOT, "build", "bench-continuous")
TOOLS = os.path.join(ROOT, "build", "support")
OURS = os.path.join(ROOT, "build", "release", "kafka-backup")
KAFKA = os.path.join(ROOT, "tests", "support", "kafka.sh")
RATE = os.environ.get("BENCH_RATE", "50M")
SECONDS = int(os.environ.get("BENCH_SECONDS", "30"))


class Body:
    """An index body."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def uint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def sint(self):
        value = self.uint()
        return value >> 1 ^ -(value & 1)

    def name(self):
        size = self.uint()
        self.at += size
        return self.data[self.at - size:self.at]

    def blocks(self):
        """(records, raw bytes, oldest ms, newest ms) of each block with records."""
        assert self.uint() == 1, "version of the index body"
        for _ in range(self.uint()):
            self.name(), self.uint()
            self.at += 4
        for _ in range(self.uint()):
            self.name(), self.uint(), self.name()
            for _ in range(self.uint()):
                self.sint(), self.uint()
                records = self.uint()
                for _ in range(4):
                    self.uint()
                oldest, newest = self.sint(), self.sint()
                self.sint()
                raw = 0
                if self.uint():
                    self.uint(), self.uint()
                    raw = self.uint()
                    self.uint(), self.uint()
                    self.at += 4
                if records:
                    yield records, raw, oldest, newest


def payload(path):
    with open(path, "rb") as file:
        return file.read().split(b"\n", 2)[2]


def quiet(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout


def percentile(samples, share):
    """Of (milliseconds, weight)."""
    samples.sort()
    left = share * sum(weight for _, weight in samples)
    for value, weight in samples:
        left -= weight
        if left <= 0:
            return value
    return samples[-1][0]


def follow(archive, producer, old):
    """Latencies of what becomes durable until the producer has ended, and its bytes; `old` checkpoints do not count."""
    seen, latencies, raw_bytes, idle_since = set(old), [], 0, None
    while idle_since is None or time.time() - idle_since < 4:
        now = time.time() * 1000
        found = [p for p in glob.glob(archive + "/runs/*/0/*") if p not in seen]
        for path in found:
            seen.add(path)
            for records, raw, oldest, newest in Body(payload(path)).blocks():
                raw_bytes += raw
                latencies += [(now - (oldest + (newest - oldest) * (i + 0.5) / 8), records / 8) for i in range(8)]
        if producer.poll() is not None and (found or idle_since is None):
            idle_since = time.time()
        time.sleep(0.01)
    return latencies, raw_bytes


def bench(bootstrap):
    archive = os.path.join(WORK, "volumes", "kafka-backups", "default", "bench")
    spec = {"kafkaCluster": {"bootstrapServers": [bootstrap]}, "topics": ["bench*"], "continuous": True,
            "metrics": {"enabled": False}, "storage": {"storageType": "pvc", "pvc": {"claimName": "kafka-backups"}}}
    path = os.path.join(WORK, "backup.yaml")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"apiVersion": "kafka.oso.sh/v1alpha1", "kind": "KafkaBackup", "metadata": {"name": "bench"},
                   "spec": spec}, file)
    quiet(os.path.join(TOOLS, "kafka_topics"), bootstrap, "create", "bench-idle", 1)
    with open(os.path.join(WORK, "log"), "w", encoding="utf-8") as log:
        ours = subprocess.Popen([OURS, "run", "-f", path, "--volumes", os.path.join(WORK, "volumes"), "--memory", "256M",
                                 "--progress", "none"], stdout=log, stderr=log)
    while not glob.glob(archive + "/runs/*/0/*"):
        time.sleep(0.1)
        assert ours.poll() is None, open(os.path.join(WORK, "log"), encoding="utf-8").read()
    rate = int(RATE[:-1]) << 20 if RATE.endswith("M") else int(RATE)
    producer = subprocess.Popen([os.path.join(TOOLS, "kafka_fill"), bootstrap, "bulk", "--topic", "bench", "--bytes",
                                 str(rate * SECONDS), "--rate", str(rate), "--codec", "lz4", "--incompressible",
                                 "--linger-ms", "20"], stdout=subprocess.PIPE, text=True)
    time.sleep(6)  # the topic is noticed within five seconds; what comes before that is no measure
    started, before = time.time(), sum(len(files) for _, _, files in os.walk(archive))
    old = set(glob.glob(archive + "/runs/*/0/*"))
    usage = cpu_of(ours.pid)
    latencies, raw_bytes = follow(archive, producer, old)
    seconds = time.time() - started - 4
    objects = sum(len(files) for _, _, files in os.walk(archive)) - before
    cpu = cpu_of(ours.pid) - usage
    print(f"producer: {producer.stdout.read().strip()}")
    print(f"{raw_bytes / 1e6 / seconds:.1f} MB/s of batches over {seconds:.0f} s")
    print(f"produce to durable: p50 {percentile(latencies, 0.5):.0f} ms, p99 {percentile(latencies, 0.99):.0f} ms, "
          f"max {max(latencies)[0]:.0f} ms")
    print(f"objects written: {objects / seconds:.2f} a second")
    print(f"CPU: {cpu / (raw_bytes / 1e9):.2f} s per GB")
    ours.send_signal(signal.SIGTERM)
    stopped = time.time()
    ours.wait()
    print(f"SIGTERM: ended after {time.time() - stopped:.2f} s with exit code {ours.returncode}")


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(os.path.join(WORK, "volumes", "kafka-backups"))
    broker = os.path.join(WORK, "kafka")
    quiet("cmake", "-S", os.path.join(ROOT, "tests", "support"), "-B", TOOLS, "-G", "Ninja")
    quiet("ninja", "-C", TOOLS)
    quiet(KAFKA, "start", broker, "--heap", "1g")
    try:
        with open(os.path.join(broker, "bootstrap"), encoding="utf-8") as file:
            bench(file.read().strip())
    finally:
        quiet(KAFKA, "stop", broker)
        if not os.environ.get("KEEP"):
            shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
