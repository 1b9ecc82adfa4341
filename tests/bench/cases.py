"""The cases: what is started, what is asked of it, and what is kept of the answer.

Each case is a function of a Bench and gives {server: {figure: median, …, "rounds": […]}}. Servers take turns, A B A B, so that
what the machine does meanwhile falls on all of them. A server that cannot be started or answers wrongly is left out, by name.
"""

import contextlib
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import measure
import servers

SERVER_CORE, LOAD_CORE, BOTH = "0", "1", "0,1"


class Bench:
    """What all cases share: where the programs are, how long to measure, who was left out and why."""

    def __init__(self, options):
        self.options = options
        self.left_out = []
        self.case = ""

    def leave_out(self, who, why):
        self.left_out.append({"case": self.case, "server": who, "why": str(why)})
        print(f"bench: {self.case}: left out {who}: {why}", file=sys.stderr)

    @contextlib.contextmanager
    def started(self):
        """Gives start(server class, …), which starts or answers None; ends all of them."""
        running = []
        with tempfile.TemporaryDirectory(prefix="contacts-gateway-bench-") as folder:
            def start(kind, cores=SERVER_CORE, upstream=0, name=None, **more):
                try:
                    server = kind(tempfile.mkdtemp(dir=folder), cores, upstream, self.options, **more)
                except (RuntimeError, OSError) as failure:
                    self.leave_out(name or kind.name, " ".join(str(failure).split())[-300:])
                    return None
                server.name = name or kind.name
                running.append(server)
                return server
            try:
                yield start
            finally:
                for server in reversed(running):
                    server.stop()

    def rounds(self, jobs):
        """jobs: {name: a function that measures once}. Each runs once unmeasured, then all in turns."""
        measured = {name: [] for name in jobs}
        for number in range(-1, self.options.rounds):
            for name in list(measured):
                try:
                    one = jobs[name](number < 0)
                except (measure.Wrong, OSError, http.client.HTTPException) as failure:
                    self.leave_out(name, failure)
                    del measured[name]
                    continue
                if number >= 0:
                    measured[name].append(one)
        return {name: medians(rounds) for name, rounds in measured.items()}

    def load(self, server, warming, **load):
        seconds = 0.5 if warming else self.options.seconds
        return measure.run_load(self.options, server, **{"seconds": seconds, **load})


def medians(rounds):
    result = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    if "requests_per_second" in result:
        values = [one["requests_per_second"] for one in rounds]
        result["spread"] = (max(values) - min(values)) / result["requests_per_second"]
    return {**result, "rounds": rounds}


def compared(bench, body=1024, connections=64, contacts=0, kinds=servers.COMPARED, conditional=False):
    """The same requests to each cache and to the bare responders."""
    bench.options.body = body
    with bench.started() as start:
        upstream = start(servers.Upstream, LOAD_CORE)
        jobs = {}
        for kind in kinds:
            server = start(kind, upstream=upstream.port) if upstream else None
            if server is None:
                continue
            try:
                fields = etag_of(server) if conditional else {}
                load = {"connections": connections, "target": servers.TARGET, "fields": fields,
                        "expect": 304 if conditional else 200, **({"contacts": contacts} if contacts else {})}
                if contacts:
                    fill(bench, server, contacts)
            except (measure.Wrong, OSError) as failure:
                bench.leave_out(server.name, failure)
                continue
            jobs[server.name] = lambda warming, server=server, load=load: bench.load(server, warming, **load)
        return bench.rounds(jobs)


def etag_of(server):
    etag = server.ask(servers.TARGET)[2].get("ETag")
    if etag is None or server.ask(servers.TARGET, {"If-None-Match": etag})[0] != 304:
        raise measure.Wrong(f"{server.name} does not answer 304")
    return {"If-None-Match": etag}


def fill(bench, server, contacts):
    """Every contact once; answers what could be wrong with it later, at the first one."""
    measure.run_load(bench.options, server, cores=None, connections=32, seconds=300, each=1, count=contacts)


def without_log(bench):
    bench.options.access_log = False
    try:
        return compared(bench, kinds=(servers.Gateway, servers.Nginx))
    finally:
        bench.options.access_log = True


def two_workers(bench):
    """Servers and load share both cores: only the CPU time tells."""
    bench.options.body = 1024
    with bench.started() as start:
        upstream = start(servers.Upstream, BOTH)
        jobs = {}
        for threads, name in ((1, "one worker"), (2, "two workers")):
            server = start(servers.Gateway, BOTH, upstream.port, name=name, threads=threads) if upstream else None
            if server:
                jobs[name] = lambda warming, server=server: bench.load(server, warming, cores=BOTH, connections=64,
                                                                       target=servers.TARGET)
        return bench.rounds(jobs)


def redis_tier(bench):
    """Every answer comes from Redis: the gateway has no memory tier, nginx + Lua does one GET. Redis is on the load's core.
    Of many contacts, since the gateway's reads of one contact at one time share a look-up."""
    bench.options.body, contacts = 1024, 2_000
    with bench.started() as start:
        upstream = start(servers.Upstream, LOAD_CORE)
        redis = start(servers.Redis, LOAD_CORE) if upstream else None
        if redis is None:
            return {}
        jobs = {}
        for kind in (servers.Gateway, servers.NginxLua):
            server = start(kind, upstream=upstream.port, redis=redis, memory=0, contacts=contacts)
            if server:
                fill(bench, server, contacts)
                jobs[server.name] = lambda warming, server=server: bench.load(
                    server, warming, connections=64, uniform=contacts, beside=(redis,))
        alone = start(servers.Redis, SERVER_CORE, name="redis-benchmark GET")
        if alone:
            jobs[alone.name] = lambda warming: redis_benchmark(bench, alone, warming)
        return bench.rounds(jobs)


def redis_benchmark(bench, redis, warming):
    redis.say("SET", "key", "x" * bench.options.body)
    before, count = redis.cpu_seconds(), 5_000 if warming else int(40_000 * bench.options.seconds)
    done = subprocess.run(["taskset", "-c", LOAD_CORE, "redis-benchmark", "-p", str(redis.port), "-n", str(count), "-c", "64",
                           "--csv", "GET", "key"], capture_output=True, text=True)
    if done.returncode != 0 or not done.stdout.strip():
        raise measure.Wrong(f"redis-benchmark failed: {done.stderr[-300:]}")
    columns, values = (line.replace('"', "").split(",") for line in done.stdout.strip().splitlines()[-2:])
    result = dict(zip(columns, values))
    return {"requests_per_second": float(result["rps"]), "cpu_us_per_request": (redis.cpu_seconds() - before) * 1e6 / count,
            "p50_us": 1000 * float(result["p50_latency_ms"]), "p99_us": 1000 * float(result["p99_latency_ms"]),
            "memory_bytes": redis.memory_bytes()}


def misses(bench):
    """What a miss adds to the upstream's own time, at a rate that leaves every part idle between requests."""
    rate, connections = 400, 16
    with bench.started() as start:
        contacts = int(rate * (bench.options.seconds + 1) * (bench.options.rounds + 1)) + 1000
        simulator = start(servers.Simulator, LOAD_CORE, contacts=contacts)
        redis = start(servers.Redis, LOAD_CORE) if simulator else None
        if simulator is None:
            return {}
        asked = {"asked directly": simulator,
                 "through the gateway": start(servers.Gateway, SERVER_CORE, simulator.port, name="through the gateway")}
        if redis:
            asked["through it, with Redis"] = start(servers.Gateway, SERVER_CORE, simulator.port,
                                                    name="through it, with Redis", redis=redis)
        places = {name: 30 for name in asked}

        def one(name, warming):
            seconds = 0.5 if warming else bench.options.seconds
            first = places[name]
            places[name] += int(rate * seconds) + 100
            return measure.run_load(bench.options, asked[name], cores=LOAD_CORE, rate=rate, connections=connections,
                                    seconds=seconds, each=first)
        return bench.rounds({name: lambda warming, name=name: one(name, warming)
                             for name, server in asked.items() if server})


def saturated(bench):
    """Hits at a steady rate, alone and while 5 % as many misses wait for an upstream that is at its limit."""
    rate = 8_000
    with bench.started() as start:
        simulator = start(servers.Simulator, LOAD_CORE)
        gateway = start(servers.Gateway, SERVER_CORE, simulator.port, limit=100) if simulator else None
        if gateway is None:
            return {}
        hits = {"connections": 64, "rate": rate, "target": servers.TARGET}
        places = iter(range(1_000_000, 10**9, 100_000))

        def beside_misses(warming):
            misses = {"connections": 2000, "rate": rate / 19, "expect": 0, "each": next(places), "seconds": 3600}
            return bench.load(gateway, warming, **hits, meanwhile=misses)
        return bench.rounds({"hits alone": lambda warming: bench.load(gateway, warming, **hits),
                             "hits beside misses at the limit": beside_misses})


def start_up(bench):
    """From exec to the first answer, and what the process holds then."""
    bench.options.body = 1024

    def once(_):
        with bench.started() as start:
            upstream = start(servers.Upstream, LOAD_CORE)
            gateway = start(servers.Gateway, SERVER_CORE, upstream.port) if upstream else None
            if gateway is None:
                raise measure.Wrong("the gateway did not start")
            return {"start_ms": 1000 * gateway.start_seconds, "memory_bytes": gateway.memory_bytes()}
    return bench.rounds({"gateway": once})


def idle_connections(bench, count=10_000):
    """Keep-alive connections that have each had an answer and now wait."""
    bench.options.body = 1024
    with bench.started() as start, contextlib.ExitStack() as links:
        upstream = start(servers.Upstream, LOAD_CORE)
        gateway = start(servers.Gateway, SERVER_CORE, upstream.port) if upstream else None
        if gateway is None:
            return {}
        servers.allow_many_files()
        fields = "".join(f"{name}: {value}\r\n" for name, value in gateway.headers.items())
        request = f"GET {servers.TARGET} HTTP/1.1\r\nHost: bench\r\n{fields}\r\n".encode()
        before = gateway.memory_bytes()
        for _ in range(count):
            link = links.enter_context(socket.create_connection((servers.HOST, gateway.port)))
            link.sendall(request)
            if not link.recv(65536).startswith(b"HTTP/1.1 200"):
                raise measure.Wrong("a connection was not answered")
        return {"gateway": {"connections": count, "memory_bytes": gateway.memory_bytes(),
                            "bytes_each": (gateway.memory_bytes() - before) / count, "rounds": []}}


def cached_entries(bench, count=100_000):
    """Distinct 1 KiB answers in the memory tier."""
    bench.options.body = 1024
    with bench.started() as start:
        upstream = start(servers.Upstream, LOAD_CORE)
        gateway = start(servers.Gateway, SERVER_CORE, upstream.port, memory="256MiB") if upstream else None
        if gateway is None:
            return {}
        before = gateway.memory_bytes()
        fill(bench, gateway, count)
        page = http.client.HTTPConnection(servers.HOST, gateway.admin_port, timeout=10)
        page.request("GET", "/metrics")
        kept = next(float(line.split()[1]) for line in page.getresponse().read().decode().splitlines()
                    if line.startswith("gateway_cache_entries "))
        page.close()
        if kept < count:
            raise measure.Wrong(f"only {kept:.0f} of {count} answers were kept")
        return {"gateway": {"entries": kept, "memory_bytes": gateway.memory_bytes(),
                            "bytes_each": (gateway.memory_bytes() - before) / count, "rounds": []}}


CASES = {
    "cached-1k": ("A cached contact of 1 KiB over 64 keep-alive connections, a log line for each", compared),
    "cached-1k-no-log": ("The same without a log", without_log),
    "cached-50k": ("A cached answer of 50 KiB", lambda bench: compared(bench, body=50 * 1024)),
    "not-modified": ("304: the client holds it already", lambda bench: compared(
        bench, conditional=True, kinds=(servers.Gateway, servers.Nginx, servers.Varnish, servers.HAProxy))),
    "zipf-10000": ("10,000 contacts by Zipf", lambda bench: compared(
        bench, contacts=10_000, kinds=(servers.Gateway, servers.Nginx, servers.Varnish, servers.HAProxy))),
    "connections-2000": ("2,000 connections", lambda bench: compared(bench, connections=2000)),
    "two-workers": ("Two workers and the load on the same two cores", two_workers),
    "redis-tier": ("Answers out of Redis", redis_tier),
    "misses": ("Misses, 400 a second, through to the simulator", misses),
    "saturated": ("8,000 hits a second, alone and beside misses that wait for a permit", saturated),
    "start-up": ("From exec to the first answer", start_up),
    "idle-connections": ("10,000 idle keep-alive connections", idle_connections),
    "cached-entries": ("100,000 cached answers of 1 KiB", cached_entries),
}


def run(bench, name):
    bench.case = name
    start = time.monotonic()
    try:
        result = CASES[name][1](bench)
    except Exception as failure:  # one case's misfortune is reported and is not the others'
        bench.leave_out("the whole case", f"{type(failure).__name__}: {failure}")
        result = {}
    print(f"bench: {name} took {time.monotonic() - start:.0f} s", file=sys.stderr)
    return result
