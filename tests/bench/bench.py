#!/usr/bin/env python3
"""Measures the gateway beside other caches and the bare responders; tests/bench/run.sh is the way to start it.

Every server has one worker on one core, the load has the other; the servers take turns (A B C A B C …), so that what the
machine does meanwhile falls on all of them; medians are reported with the spread of the rounds.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time

import measure
import report
import servers

TARGET = "/contacts/contact0000000000001"
CASES = {
    # name: body bytes, connections, distinct contacts (0: one), conditional
    "cached-1k": (1024, 64, 0, False),
    "cached-50k": (50 * 1024, 64, 0, False),
    "not-modified": (1024, 64, 0, True),
    "zipf-10000": (1024, 64, 10_000, False),
    "connections-2000": (1024, 2000, 0, False),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--servers", default=",".join(servers.ALL), help="default: all (%(default)s)")
    parser.add_argument("--cases", default="cached-1k", help=f"'all' or some of {','.join(CASES)} (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="workers of each server, all on its one core")
    parser.add_argument("--access-log", action="store_true", help="nginx and the gateway write a line for each request")
    parser.add_argument("--json", metavar="FILE", help="write everything measured there")
    options = parser.parse_args()
    options.bin = os.path.abspath(options.bin)
    options.servers = options.servers.split(",")
    options.cases = list(CASES) if options.cases == "all" else options.cases.split(",")
    for given, known in ((options.servers, servers.ALL), (options.cases, CASES)):
        for name in given:
            if name not in known:
                parser.error(f"'{name}' is not one of {', '.join(known)}")
    return options


def start_all(options, folder, upstream_port, names):
    started = []
    for name in names:
        try:
            started.append(servers.ALL[name](folder, 0, upstream_port, options))
        except (RuntimeError, OSError) as failure:
            print(f"bench: left out: {failure}", file=sys.stderr)
    return started


def validators(server, conditional):
    if not conditional:
        return {}
    etag = server.ask(TARGET)[2].get("ETag")
    if etag is None or server.ask(TARGET, {"If-None-Match": etag})[0] != 304:
        raise RuntimeError(f"{server.name} does not answer 304")
    return {"If-None-Match": etag}


def run_case(case, options, folder):
    options.body, connections, contacts, conditional = CASES[case]
    names = [name for name in options.servers if not conditional or servers.ALL[name].caches]
    upstream = servers.Upstream(folder, 1, 0, options)
    started = start_all(options, folder, upstream.port, names)
    measured, headers = {}, {}
    try:
        for server in list(started):
            try:
                headers[server.name] = validators(server, conditional)
                load(server, connections, contacts, 1 if contacts == 0 else 3, headers)
            except RuntimeError as failure:
                leave_out(server, started, failure)
        for number in range(options.rounds):
            for server in list(started):
                try:
                    one = load(server, connections, contacts, options.seconds, headers)
                except RuntimeError as failure:
                    leave_out(server, started, failure)
                    measured.pop(server.name, None)
                    continue
                measured.setdefault(server.name, []).append(one)
                print(f"bench: {case} round {number + 1}/{options.rounds} {server.name}: "
                      f"{one['requests_per_second']:.0f}/s, {one['cpu_us_per_request']:.1f} us CPU", file=sys.stderr)
        return report.summarize(measured)
    finally:
        for server in [*started, upstream]:
            server.stop()


def load(server, connections, contacts, seconds, headers):
    environment = {"BENCH_CONTACTS": str(contacts)} if contacts else {}
    return measure.run_load(server, 1, TARGET, connections, seconds, headers[server.name], environment)


def leave_out(server, started, failure):
    print(f"bench: left out: {failure}", file=sys.stderr)
    started.remove(server)
    server.stop()


def main():
    options = parse_arguments()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("bench: two cores are needed, one for the server and one for the load")
    folder = tempfile.mkdtemp(prefix="contacts-gateway-bench-")
    machine = {"cpu": cpu_name(), "cores": os.cpu_count(), "kernel": platform.release(), "load_before": os.getloadavg(),
               "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "rounds": options.rounds,
               "seconds": options.seconds, "access_log": options.access_log}
    if machine["load_before"][0] > 0.5:
        print(f"bench: the machine is busy (load {machine['load_before'][0]:.1f}): figures will be noisy", file=sys.stderr)
    results = {}
    try:
        for case in options.cases:
            results[case] = run_case(case, options, folder)
            print(report.table(case, results[case]), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if options.json:
            with open(options.json, "w") as file:
                json.dump({"machine": machine, "cases": results}, file, indent=1)
    sys.exit(0 if all(results.values()) else 1)


def cpu_name():
    with open("/proc/cpuinfo") as info:
        return next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    main()
