#!/usr/bin/env python3
"""Compares our declarations of Kafka messages with Apache's own, which every kafka-clients jar carries.

usage: kafka_layouts.py KAFKA_LAYOUTS_PROGRAM KAFKA_CLIENTS_JAR

Compared for every version that we claim: order and types of the fields, in which versions they exist, which may be
null, tags, defaults, flexibility, the API's number, and that Kafka still has the version. Before that, the check is
checked: mistakes are planted in our layouts, one at a time, and each has to be reported.
"""
import json
import re
import subprocess
import sys
import zipfile

SCALARS = {"bool", "int8", "int16", "int32", "int64", "float64", "string", "uuid", "records", "bytes"}
DEFAULTS = {"bool": "false", "string": "''"}


def contains(versions, version):
    """Whether a version specification of Apache's ("3+", "0-4", "2", "none") has the version."""
    if versions in (None, "", "none"):
        return False
    first, to, last = re.fullmatch(r"(\d+)(\+|-(\d+))?", versions).groups()
    return int(first) <= version and (to == "+" or version <= int(last or first))


class Definitions:
    def __init__(self, jar):
        self.jar = zipfile.ZipFile(jar)
        self.known = {}

    def get(self, name):
        if name not in self.known:
            text = self.jar.read(f"common/message/{name}.json").decode()
            self.known[name] = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))
        return self.known[name]


def default(field, kind, nullable_type):
    if kind.startswith("[]") or kind in ("uuid", "records", "bytes") or kind not in SCALARS:
        return "=null" if nullable_type and field.get("default") == "null" else ""
    value = field.get("default", DEFAULTS.get(kind, "0"))
    if kind == "string":
        return "=null" if value == "null" else f"='{value.strip(chr(39))}'"
    if kind == "bool":
        return f"={str(value).lower()}"
    return f"={int(str(value), 0)}"


def layout(fields, version, structs):
    plain, tagged = [], {}
    for field in fields:
        if not contains(field["versions"], version):
            continue
        kind = field["type"]
        array, base = kind.startswith("[]"), kind.removeprefix("[]")
        text = base if base in SCALARS else layout(field.get("fields") or structs[base], version, structs)
        if array:
            text = f"[{text}]"
        nullable = contains(field.get("nullableVersions"), version)
        text += ("?" if nullable else "") + default(field, kind, "nullableVersions" in field)
        if field.get("flexibleVersions") == "none":
            text = "!" + text
        if contains(field.get("taggedVersions"), version):
            tagged[field["tag"]] = text
        else:
            plain.append(text)
    if tagged:
        plain.append("<" + " ".join(f"{tag}={tagged[tag]}" for tag in sorted(tagged)) + ">")
    return "{" + " ".join(plain) + "}"


def drift(line, definitions):
    """What is wrong with one line of our program; None when nothing is."""
    name, key, version, flexible, ours = line.split(" ", 4)
    version = int(version)
    theirs = definitions.get(name)
    if not contains(theirs["validVersions"], version):
        return f"{name} v{version}: Kafka has {theirs['validVersions']} only"
    if theirs.get("apiKey", -1) != int(key):
        return f"{name}: key is {theirs['apiKey']}, not {key}"
    if contains(theirs["flexibleVersions"], version) != (flexible == "flexible"):
        return f"{name} v{version}: flexible is {theirs['flexibleVersions']}, ours says {flexible}"
    structs = {struct["name"]: struct["fields"] for struct in theirs.get("commonStructs", [])}
    wanted = layout(theirs["fields"], version, structs)
    if wanted != ours:
        return f"{name} v{version}:\n  ours  {ours}\n  Kafka {wanted}"
    return None


def planted_mistakes(lines):
    """Each mistake once, in a message where it can be made."""
    line = {tuple(line.split(" ")[0:3:2]): line for line in lines}
    edits = {
        "type": (("FetchRequest", "12"), "int64=0", "int32=0"),
        "order": (("MetadataResponse", "12"), "int32=0 string=''", "string='' int32=0"),
        "a field too many": (("EndTxnRequest", "4"), "bool=false}", "bool=false bool=false}"),
        "a field too few": (("OffsetFetchRequest", "7"), " bool=false}", "}"),
        "version of a field": (("FetchRequest", "4"), "[{string=''", "int32=0 int32=-1 [{string=''"),
        "nullability": (("MetadataRequest", "12"), "string?=''", "string=''"),
        "nullability of an array": (("FetchResponse", "4"), "[{int64=0 int64=0}]?", "[{int64=0 int64=0}]"),
        "nullability of records": (("ProduceRequest", "3"), "records?", "records"),
        "array": (("DeleteTopicsRequest", "1"), "[string]", "string=''"),
        "default": (("FetchRequest", "12"), "int32=2147483647", "int32=0"),
        "default of a tagged field": (("ApiVersionsResponse", "3"), "1=int64=-1", "1=int64=0"),
        "default null": (("ProduceResponse", "8"), "string?=null", "string?=''"),
        "number of a tag": (("FetchRequest", "12"), "<0=", "<1="),
        "a tag too few": (("FetchResponse", "12"), " 1={int32=-1 int32=-1}", ""),
        "tagged or not": (("FetchRequest", "12"), "<0=string?=null>", "string?=null"),
        "flexibility of the client id": (("RequestHeader", "2"), "!string", "string"),
        "flexibility": (("ListGroupsRequest", "3"), " flexible", " inflexible"),
        "key": (("EndTxnRequest", "4"), " 26 ", " 25 "),
        "version that Kafka does not have": (("FetchRequest", "4"), " 4 ", " 99 "),
    }
    for what, (message, before, after) in edits.items():
        assert before in line[message], f"cannot plant '{what}': no {before} in {line[message]}"
        yield what, line[message].replace(before, after, 1)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    lines = subprocess.check_output([sys.argv[1]], text=True).splitlines()
    definitions = Definitions(sys.argv[2])
    planted = list(planted_mistakes(lines))
    missed = [what for what, line in planted if not drift(line, definitions)]
    found = [text for text in (drift(line, definitions) for line in lines) if text]
    for text in found:
        print("DRIFT", text)
    for what in missed:
        print("the check does not see a planted mistake:", what)
    print(f"{len(lines)} layouts compared, {len(found)} differ; {len(planted) - len(missed)} of {len(planted)}"
          " planted mistakes seen")
    sys.exit(1 if found or missed or not lines else 0)


if __name__ == "__main__":
    main()
