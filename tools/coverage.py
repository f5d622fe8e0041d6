#!/usr/bin/env python3
"""coverage.py BUILD: lines executed per folder of src/, of a coverage build that has run its tests.

Fails when kafka, archive or engine is below 90 %."""
import collections
import json
import os
import subprocess
import sys

percent_min = {"kafka": 90, "archive": 90, "engine": 90}


def main():
    command = ["gcovr", "--root", ".", "--object-directory", sys.argv[1], "-j", str(os.cpu_count()), "--filter", "src/",
               "--exclude", r".*_(test|fuzz|main)\.cc", "--exclude", r".*/store_suite\.h", "--json-summary"]
    summary = json.loads(subprocess.run(command + ["-", sys.argv[1]], check=True, capture_output=True, text=True).stdout)
    total, covered = collections.Counter(), collections.Counter()
    for file in summary["files"]:
        folder = file["filename"].split("/")[1]
        total[folder] += file["line_total"]
        covered[folder] += file["line_covered"]
    too_low = []
    for folder in sorted(total):
        percent = 100 * covered[folder] / max(1, total[folder])
        print(f"{folder:10} {percent:5.1f} % of {total[folder]} lines")
        if percent < percent_min.get(folder, 0):
            too_low.append(folder)
    for file in sorted(summary["files"], key=lambda file: file["line_covered"] - file["line_total"])[:10]:
        print(f"  {file['line_total'] - file['line_covered']} lines not executed in {file['filename']}")
    if too_low:
        sys.exit(f"below what is asked for: {', '.join(too_low)}")


if __name__ == "__main__":
    main()
