#!/usr/bin/env python3
"""Compares two dumps of kafka_dump or Dump.java, partition by partition, record by record, in order.

usage: kafka_compare.py A B [--map SOURCE=TARGET]... [--ignore-timestamp-type TOPIC]... [--quiet]
  --map                     the topic SOURCE of A is TARGET in B
  --ignore-timestamp-type   a topic of A (or a glob) whose timestamp type may differ; timestamps are still compared
  --quiet                   print different partitions and the last line only
Exit code 0: all equal. 1: something differs, and the first differences are shown. 2: wrong use.
"""
import argparse
import fnmatch
import itertools
import re
import sys

DIFFERENCES_SHOWN_MAX = 10
TIMESTAMP_TYPE, FIELDS = 4, ("topic", "partition", "offset", "timestamp type", "timestamp", "key", "value", "headers")


class Partition:
    """Where a partition is in a dump; its lines are read again only when the digests differ."""

    def __init__(self, path, head, position):
        self.path, self.position = path, position
        _, self.topic, partition, records, self.digest = head.rstrip("\n").split("\t")
        self.partition, self.records = int(partition), int(records)

    def lines(self):
        with open(self.path, encoding="utf-8", newline="\n") as dump:
            dump.seek(self.position)
            return list(itertools.takewhile(lambda line: line.startswith("R\t"), iter(dump.readline, "")))


def read_dump(path):
    partitions = {}
    with open(path, "rb") as dump:
        for line in iter(dump.readline, b""):
            if line.startswith(b"P\t"):
                each = Partition(path, line.decode(), dump.tell())
                partitions[each.topic, each.partition] = each
    return partitions


def fields(line, ignore_timestamp_type):
    split = line.rstrip("\n").split("\t")
    if ignore_timestamp_type:
        split[TIMESTAMP_TYPE] = "*"
    return split[2:]  # the topic may have been renamed


def first_difference(a, b, ignore_timestamp_type):
    """None when equal, else (index, line of a or None, line of b or None)."""
    for index, (left, right) in enumerate(itertools.zip_longest(a, b)):
        if left is None or right is None:
            return index, left, right
        if fields(left, ignore_timestamp_type) != fields(right, ignore_timestamp_type):
            return index, left, right
    return None


def describe(index, left, right):
    if left is None:
        return f"record {index} is only in B: {right.strip()[:300]}"
    if right is None:
        return f"record {index} is missing in B: {left.strip()[:300]}"
    pairs = zip(FIELDS, left.rstrip("\n").split("\t")[1:], right.rstrip("\n").split("\t")[1:])
    differing = [f"{name} {a[:120]} -> {b[:120]}" for name, a, b in pairs if a != b and name != "topic"]
    return f"record {index}: " + ", ".join(differing)


def compare_partition(a, b, ignore_timestamp_type):
    """None when equal, else a text."""
    if b is None:
        return "is missing in B"
    if a.records == b.records and a.digest == b.digest:
        return None
    left, right = a.lines(), b.lines()
    if len(left) != a.records or len(right) != b.records:  # made with --digest
        return f"{a.records} records, digest {a.digest} -> {b.records} records, digest {b.digest}"
    difference = first_difference(left, right, ignore_timestamp_type)
    if difference is None:
        return None
    return f"{a.records} -> {b.records} records; {describe(*difference)}"


def collapse(topics):
    """Equal topics that differ only in a number at the end become one line."""
    rows = {}
    for topic, (partitions, records, verdict) in topics.items():
        row = rows.setdefault(re.sub(r"\d{4,}$", "*", topic) if verdict == "equal" else topic, [0, 0, verdict])
        row[0] += partitions
        row[1] += records
    return rows


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--map", action="append", default=[])
    parser.add_argument("--ignore-timestamp-type", action="append", default=[])
    parser.add_argument("--quiet", action="store_true")
    return parser.parse_args()


def main():
    options = parse()
    renamed = dict(each.split("=", 1) for each in options.map)
    a, b = read_dump(options.a), read_dump(options.b)
    failures, topics = [], {}
    for (topic, number), partition in a.items():
        target = renamed.get(topic, topic)
        ignore = any(fnmatch.fnmatchcase(topic, each) for each in options.ignore_timestamp_type)
        failure = compare_partition(partition, b.pop((target, number), None), ignore)
        count = topics.setdefault(topic, [0, 0, "equal"])
        count[0] += 1
        count[1] += partition.records
        if failure:
            failures.append(f"{topic}-{number}: {failure}")
            count[2] = "DIFFERENT"
    failures += [f"{topic}-{number}: is only in B, with {b[topic, number].records} records" for topic, number in b]
    width = min(40, max([5, *map(len, topics)]))
    if not options.quiet:
        print(f"{'topic':{width}} {'partitions':>10} {'records':>10}")
    for topic, (partitions, records, verdict) in collapse(topics).items():
        if verdict != "equal" or not options.quiet:
            print(f"{topic[:width]:{width}} {partitions:10} {records:10}  {verdict}")
    for failure in failures[:DIFFERENCES_SHOWN_MAX]:
        print("  " + failure)
    if len(failures) > DIFFERENCES_SHOWN_MAX:
        print(f"  and {len(failures) - DIFFERENCES_SHOWN_MAX} more partitions")
    records = sum(each[1] for each in topics.values())
    print(f"{len(topics)} topics, {len(a)} partitions, {records} records: {len(failures)} partitions differ")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
