#!/usr/bin/env python3
"""Counts what a cached GET costs in the gateway's own code, and holds it against baseline.json.

    tests/bench/instructions.py --bin build/release/bin [--check | --record] [--profile FILE]

Times depend on the machine and on what else it does; callgrind's instruction counts repeat. The gateway runs under
callgrind with everything on (key, metrics, a log line for each request), once with few requests and once with many; the
difference is what a request costs, without the start. Counted is what happens inside Worker::onReady, so that timers of
other threads do not count. The kernel's part is not seen by callgrind: the calls into it are counted instead.
"""

import argparse
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
ROOM = 0.05
FEW, MANY = 200, 1200
WORK = "gateway::server::Worker::onReady"
CALLS = {"allocations": ("malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"), "receives": ("recv",),
         "sends": ("send", "sendmsg")}
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
    """Calls of each function, and the instructions spent inside WORK, of a callgrind.out file."""
    names, calls, inside = {}, {}, 0
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
        elif pending:
            pending = False
            if callee.startswith(WORK):
                inside += int(line.split()[1])
    return calls, inside


def ask(server, count):
    """`count` requests over one connection, each after the answer before it."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())
    request = f"GET {servers.TARGET} HTTP/1.1\r\nHost: bench\r\nVersion: 2021-07-28\r\n{fields}\r\n".encode()
    with socket.create_connection((servers.HOST, server.port), timeout=60) as link:
        for _ in range(count):
            link.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += link.recv(65536) or sys.exit("instructions: the gateway closed the connection")
            head, _, body = answer.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200 ") or b"; hit" not in head:
                sys.exit(f"instructions: not answered from memory:\n{head.decode(errors='replace')}")
            left = int(re.search(rb"content-length: (\d+)", head, re.I).group(1)) - len(body)
            while left > 0:
                left -= len(link.recv(65536))


def count(options, requests):
    with tempfile.TemporaryDirectory(prefix="contacts-gateway-count-") as folder:
        upstream = servers.Upstream(folder, None, 0, options)
        try:
            gateway = Counted(folder, None, upstream.port, options)
            try:
                ask(gateway, requests)
            finally:
                gateway.stop(patience=60)
        finally:
            upstream.stop()
        with open(gateway.out) as file:
            text = file.read()
    if options.profile and requests == MANY:
        with open(options.profile, "w") as file:
            file.write(text)
    return profile(text)


def measure(options):
    few_calls, few = count(options, FEW)
    many_calls, many = count(options, MANY)
    number = MANY - FEW
    result = {"instructions": round((many - few) / number)}
    for name, functions in CALLS.items():
        result[name] = round(sum(many_calls.get(each, 0) - few_calls.get(each, 0) for each in functions) / number, 1)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of the built programs (release)")
    parser.add_argument("--check", action="store_true", help="fail when it costs more than the baseline and its room")
    parser.add_argument("--record", action="store_true", help="write the baseline anew")
    parser.add_argument("--profile", metavar="FILE", help="keep callgrind's file, for callgrind_annotate")
    options = parser.parse_args()
    options.bin, options.body, options.access_log = os.path.abspath(options.bin), 1024, True
    measured = measure(options)
    print("cached GET: " + ", ".join(f"{value:,} {name}" for name, value in measured.items()))
    if options.record:
        with open(BASELINE, "w") as file:
            json.dump({"cached_get": measured}, file, indent=1)
            file.write("\n")
    if options.check:
        with open(BASELINE) as file:
            baseline = json.load(file)["cached_get"]
        sys.exit(judge(measured, baseline))


def judge(measured, baseline):
    failed = 0
    for name, before in baseline.items():
        most = before * (1 + ROOM) if name == "instructions" else before + 0.2
        if measured[name] > most:
            print(f"FAILED: {name} {measured[name]:,}, recorded {before:,}, at most {most:,.1f}; if that is the price of "
                  f"something worth it, say so in the commit and record anew (--record)")
            failed = 1
        elif name == "instructions" and measured[name] < before * (1 - ROOM):
            print(f"better than recorded ({before:,}): record anew (--record), so that it stays")
    return failed


if __name__ == "__main__":
    main()
