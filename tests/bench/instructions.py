#!/usr/bin/env python3
"""Counts what requests cost in the gateway's own code, and holds it against baseline.json.

    tests/bench/instructions.py --bin build/release/bin [--case NAME] [--check | --record] [--profile FOLDER]

Times depend on the machine and on what else it does; callgrind's instruction counts repeat. The gateway runs under
callgrind with everything on (key, metrics, a log line for each request), once with few requests and once with many; the
difference is what a request costs, without the start. Of a cached GET, what happens inside Worker::onReady counts, so
that timers of other threads do not; of what goes through the Asio thread (an answer out of Redis, a miss with and
without Redis) all threads' instructions do, and the room is wider, since how many timers end meanwhile is the machine's.
The kernel's part is not seen by callgrind: the calls into it are counted instead.
"""

import argparse
import contextlib
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

import servers

HERE = os.path.dirname(os.path.abspath(__file__))
BASELINE = os.path.join(HERE, "baseline.json")
FEW, MANY = 200, 1200
WORK = "gateway::server::Worker::onReady"
CALLS = {"allocations": ("malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"), "receives": ("recv", "read"),
         "sends": ("send", "sendmsg", "write", "writev"), "waits": ("epoll_wait", "poll"), "watches": ("epoll_ctl",)}


class Case:
    """What is asked, what the answers must say, and what of the work counts."""

    def __init__(self, says, room, calls_room, distinct=False, redis=False, whole=True, **settings):
        self.says, self.room, self.calls_room, self.distinct = says, room, calls_room, distinct
        self.redis, self.whole, self.settings = redis, whole, settings

    def target(self, number):
        return f"/contacts/contact{number:013}" if self.distinct else servers.TARGET


CASES = {
    "cached_get": Case(b"; hit", 0.05, 0.2, whole=False),
    "redis_hit": Case(b"; hit", 0.08, 1, redis=True, memory=0),
    "miss": Case(b"; fwd=uri-miss; stored", 0.1, 8, distinct=True),
    "miss_with_redis": Case(b"; fwd=uri-miss; stored", 0.15, 30, distinct=True, redis=True),
}
# One libc for all machines: the ways that depend on what the processor has are not taken.
PLAIN_PROCESSOR = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX_Fast_Unaligned_Load,"
                                     "-BMI1,-BMI2,-LZCNT,-MOVBE,-ERMS,-FSRM,-SSE4_2,-SSSE3,-RTM"}


class Counted(servers.Gateway):
    """The gateway under callgrind."""

    name = "gateway-counted"
    key = "cgk_0123456789012345678901234567890123456789abc"
    start_limit = 120

    def command(self):
        _, *arguments = super().command()[0]
        self.out = os.path.join(self.folder, "callgrind.out")
        program = os.path.join(self.folder, "contacts-gateway")  # Debian's valgrind cannot read clang's debug lines
        subprocess.run(["strip", "--strip-debug", "-o", program, f"{self.options.bin}/contacts-gateway"], check=True)
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.out}", program, *arguments], \
            PLAIN_PROCESSOR


def profile(text):
    """Calls of each function, and the instructions spent inside WORK and in all, of a callgrind.out file."""
    names, calls, inside, whole = {}, {}, 0, 0
    callee, pending = "", False
    for line in text.splitlines():
        if line.startswith("cfn="):
            number, _, name = line[4:].partition(" ")
            if name:
                names[number] = name
            callee = names[number]
        elif line.startswith("fn="):
            number, _, name = line[3:].partition(" ")
            if name:
                names[number] = name
        elif line.startswith("calls="):
            plain = callee.split("@")[0].split("'")[0]
            calls[plain] = calls.get(plain, 0) + int(line[6:].split()[0])
            pending = True
        elif line.startswith("totals:"):
            whole = int(line.split()[1])
        elif pending:
            pending = False
            if callee.startswith(WORK):
                inside += int(line.split()[1])
    return calls, inside, whole


def ask(server, case, count):
    """`count` requests over one connection, each after the answer before it."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())
    with socket.create_connection((servers.HOST, server.port), timeout=60) as link:
        for number in range(count):
            link.sendall(f"GET {case.target(2 + number)} HTTP/1.1\r\nHost: bench\r\nVersion: 2021-07-28\r\n{fields}\r\n".encode())
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += link.recv(65536) or sys.exit("instructions: the gateway closed the connection")
            head, _, body = answer.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200 ") or case.says not in head:
                sys.exit(f"instructions: not answered as it should be:\n{head.decode(errors='replace')}")
            left = int(re.search(rb"content-length: (\d+)", head, re.I).group(1)) - len(body)
            while left > 0:
                left -= len(link.recv(65536))


def count(options, name, requests):
    case = CASES[name]
    with tempfile.TemporaryDirectory(prefix="contacts-gateway-count-") as folder, contextlib.ExitStack() as running:
        def start(kind, upstream=0, patience=3, **more):
            server = kind(folder, None, upstream, options, **more)
            running.callback(server.stop, patience)
            return server
        upstream = start(servers.Upstream)
        more = {**case.settings, **({"redis": start(servers.Redis)} if case.redis else {})}
        gateway = start(Counted, upstream.port, 60, **more)
        warming = itertools.count(1_000_000)  # Redis may not be there for the first one, or the entry not yet
        while case.says not in gateway.ask(case.target(next(warming)))[2]["Cache-Status"].encode():
            pass
        ask(gateway, case, requests)
        gateway.stop(60)
        with open(gateway.out) as file:
            text = file.read()
    if options.profile and requests == MANY:
        with open(os.path.join(options.profile, f"{name}.callgrind"), "w") as file:
            file.write(text)
    calls, inside, whole = profile(text)
    return calls, whole if case.whole else inside


def measure(options, name):
    few_calls, few = count(options, name, FEW)
    many_calls, many = count(options, name, MANY)
    number = MANY - FEW
    result = {"instructions": round((many - few) / number)}
    for what, functions in CALLS.items():
        result[what] = round(sum(many_calls.get(each, 0) - few_calls.get(each, 0) for each in functions) / number, 1)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of the built programs (release)")
    parser.add_argument("--case", choices=list(CASES), action="append", help="only this one; may be given again")
    parser.add_argument("--check", action="store_true", help="fail when it costs more than the baseline and its room")
    parser.add_argument("--record", action="store_true", help="write the baseline anew")
    parser.add_argument("--profile", metavar="FOLDER", help="keep callgrind's files there, for callgrind_annotate")
    options = parser.parse_args()
    options.bin, options.body, options.access_log = os.path.abspath(options.bin), 1024, True
    with open(BASELINE) as file:
        baseline = json.load(file)
    failed = 0
    for name in options.case or CASES:
        measured = measure(options, name)
        print(f"{name}: " + ", ".join(f"{value:,} {what}" for what, value in measured.items()), flush=True)
        if options.check:
            failed |= judge(name, measured, baseline[name])
        baseline[name] = measured
    if options.record:
        with open(BASELINE, "w") as file:
            json.dump(baseline, file, indent=1)
            file.write("\n")
    sys.exit(failed)


def judge(name, measured, baseline):
    case, failed = CASES[name], 0
    for what, before in baseline.items():
        most = before * (1 + case.room) if what == "instructions" else before + case.calls_room
        if measured[what] > most:
            print(f"FAILED: {name}: {what} {measured[what]:,}, recorded {before:,}, at most {most:,.1f}; if that is the price "
                  f"of something worth it, say so in the commit and record anew (--record)")
            failed = 1
        elif what == "instructions" and measured[what] < before * (1 - case.room):
            print(f"{name}: better than recorded ({before:,}): record anew (--record), so that it stays")
    return failed


if __name__ == "__main__":
    main()
