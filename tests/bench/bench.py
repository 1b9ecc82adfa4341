#!/usr/bin/env python3
"""Measures the gateway beside other caches and the bare responders; tests/bench/run.sh is the way to start it.

Every server has one worker on one core, the load has the other; the servers take turns (A B A B …); medians are reported with
the spread of the rounds. It ends with what the gateway is to reach, each line reached or not.
"""

import argparse
import json
import os
import platform
import sys
import time

import cases
import report


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--out", required=True, help="folder for results.json, results.md and results.svg")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 1 second: about 3 minutes, only to see that it works")
    parser.add_argument("--cases", default="all", help=f"some of {','.join(cases.CASES)} (default all)")
    parser.add_argument("--rounds", type=int, help="default 5")
    parser.add_argument("--seconds", type=float, help="of each measurement (default 2)")
    parser.add_argument("--readme", metavar="FILE", help="write the tables between its bench markers")
    options = parser.parse_args()
    options.bin, options.access_log, options.body = os.path.abspath(options.bin), True, 1024
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 2)
    options.cases = list(cases.CASES) if options.cases == "all" else options.cases.split(",")
    for name in options.cases:
        if name not in cases.CASES:
            parser.error(f"'{name}' is not one of {', '.join(cases.CASES)}")
    return options


def machine(options):
    with open("/proc/cpuinfo") as info:
        cpu = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "unknown")
    return {"cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(), "load_before": os.getloadavg()[0],
            "date": time.strftime("%Y-%m-%d", time.gmtime()), "rounds": options.rounds, "seconds": options.seconds,
            "quick": options.quick}


def main():
    options = parse_arguments()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("bench: two cores are needed, one for the server and one for the load")
    about = machine(options)
    if about["load_before"] > 0.5:
        print(f"bench: the machine is busy (load {about['load_before']:.1f}): figures will be noisy", file=sys.stderr)
    bench = cases.Bench(options)
    results = {}
    for name in options.cases:
        results[name] = cases.run(bench, name)
        print(report.table(name, cases.CASES[name][0], results[name]), flush=True)
    verdicts = report.verdicts(results)
    os.makedirs(options.out, exist_ok=True)
    with open(os.path.join(options.out, "results.json"), "w") as file:
        json.dump({"machine": about, "cases": results, "left_out": bench.left_out, "verdicts": verdicts}, file, indent=1)
    text = report.document(about, results, cases.CASES, verdicts, bench.left_out)
    with open(os.path.join(options.out, "results.md"), "w") as file:
        file.write(text)
    with open(os.path.join(options.out, "results.svg"), "w") as file:
        file.write(report.plot(results))
    if options.readme:
        report.write_between_markers(options.readme, text)
    print(report.verdict_table(verdicts))
    for each in bench.left_out:
        print(f"left out: {each['case']}: {each['server']}: {each['why']}")
    print(f"written: {options.out}/results.json, results.md, results.svg")
    sys.exit(0 if any(results.values()) else 1)


if __name__ == "__main__":
    main()
