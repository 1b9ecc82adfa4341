"""One measurement: wrk on its own core against one server, its CPU time read before and after."""

import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = "bench-result: "


def run_load(server, core, target, connections, seconds, headers=None, environment=None):
    """Requests a second, latencies in microseconds, CPU microseconds a request; raises when any answer was wrong."""
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
               "-s", os.path.join(HERE, "load.lua")]
    for name, value in {**server.headers, **(headers or {})}.items():
        command += ["-H", f"{name}: {value}"]
    before = server.cpu_seconds()
    done = subprocess.run([*command, f"http://127.0.0.1:{server.port}{target}"], capture_output=True, text=True,
                          env={**os.environ, **(environment or {})})
    cpu = server.cpu_seconds() - before
    line = next((line for line in done.stdout.splitlines() if line.startswith(MARK)), None)
    if line is None:
        raise RuntimeError(f"wrk against {server.name} failed: {done.stdout[-500:]}{done.stderr[-500:]}")
    result = json.loads(line[len(MARK):])
    wrong = {kind: count for kind, count in result["errors"].items() if count}
    if wrong:
        raise RuntimeError(f"{server.name} answered wrongly under load: {wrong} of {result['requests']}")
    if result["requests"] == 0:
        raise RuntimeError(f"{server.name} answered nothing under load")
    return {
        "requests_per_second": result["requests"] / (result["microseconds"] / 1e6),
        "cpu_us_per_request": cpu * 1e6 / result["requests"],
        "p50_us": result["p50"], "p99_us": result["p99"], "p999_us": result["p999"],
        "memory_bytes": server.memory_bytes(),
    }
