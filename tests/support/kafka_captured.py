#!/usr/bin/env python3
"""Whether a restored backup holds what its set says: of each partition the source's records with offsets from `start`
up to `end`, but those that the set calls lost, each once and in order.

usage: kafka_captured.py SET.json SOURCE TARGET [--map SOURCE=TARGET]... [--counting TOPIC]... [--only TOPIC]...
  SET.json    `kafka-backup describe --output json`
  SOURCE      a dump of the source with --offsets, of the time of the backup or later
  TARGET      a dump of what was restored
  --counting  a topic of kafka_load: the keys of the source's own records are 0, 1, 2, ... without a gap
  --only      compares these topics only
"""
import argparse
import collections
import json
import sys

TOPIC, PARTITION, OFFSET = 1, 2, 3


def read_dump(path):
    """Lines of records, split, by topic and partition."""
    partitions = collections.defaultdict(list)
    with open(path, encoding="utf-8", newline="\n") as dump:
        for line in dump:
            if line.startswith("P\t"):
                head = line.split("\t")
                partitions[head[1], int(head[2])]  # also without records
            if line.startswith("R\t"):
                fields = line.rstrip("\n").split("\t")
                partitions[fields[TOPIC], int(fields[PARTITION])].append(fields)
    return partitions


def lost_offsets(capture):
    lost = collections.defaultdict(list)
    for event in capture.get("history", []):
        if event["kind"] == "recordsLost":
            lost[event["topic"], event["partition"]].append(range(event["from"], event["to"]))
    return lost


def first_difference(wanted, found):
    for index, (a, b) in enumerate(zip(wanted, found)):
        if a[OFFSET + 1:] != b[OFFSET + 1:]:
            return f"record {index}: {a[OFFSET:]} -> {b[OFFSET:]}"
    return f"{len(wanted)} -> {len(found)} records"


def check_counting(topic, source):
    for (name, partition), records in source.items():
        if name != topic:
            continue
        for index, fields in enumerate(records):
            key = fields[6].split(":", 1)[1]
            if bytes.fromhex(key).decode() != str(index):
                yield f"the source's {topic}/{partition} has key {key} as its record {index}"
                break


def failures_of(options):
    with open(options.set, encoding="utf-8") as file:
        capture = json.load(file)["capture"]
    source, target = read_dump(options.source), read_dump(options.target)
    renamed = dict(each.split("=", 1) for each in options.map)
    for topic in options.counting:
        yield from check_counting(topic, source)
    lost = lost_offsets(capture)
    compared = 0
    for topic in capture["topics"]:
        if options.only and topic["name"] not in options.only:
            continue
        for p in topic["partitions"]:
            place = topic["name"], p["partition"]
            wanted = [r for r in source[place] if p["start"] <= int(r[OFFSET]) < p["end"]
                      and not any(int(r[OFFSET]) in gap for gap in lost[place])]
            found = target[renamed.get(topic["name"], topic["name"]), p["partition"]]
            compared += len(wanted)
            if len(wanted) != len(found) or any(a[OFFSET + 1:] != b[OFFSET + 1:] for a, b in zip(wanted, found)):
                yield f"{place[0]}/{place[1]} [{p['start']}, {p['end']}): {first_difference(wanted, found)}"
    print(f"{compared} records compared")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("set", "source", "target"):
        parser.add_argument(name)
    for name in ("--map", "--counting", "--only"):
        parser.add_argument(name, action="append", default=[])
    failures = list(failures_of(parser.parse_args()))
    print("\n".join(failures[:10]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
