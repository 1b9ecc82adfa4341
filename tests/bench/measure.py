"""One measurement: the loader on its own core against one server, CPU times read before and after."""

import json
import subprocess


class Wrong(RuntimeError):
    """A server answered something else than it should: its figure would mean nothing."""


def load_command(options, server, cores, **load):
    """`load`: bench-load's options; `fields`: header fields beside the server's own; `meanwhile`: of a second load that goes
    on and is not measured."""
    meanwhile = load.pop("meanwhile", None)
    command = [*([] if cores is None else ["taskset", "-c", cores]), f"{options.bin}/bench-load", str(server.port)]
    for name, value in {**server.headers, **load.pop("fields", {})}.items():
        command += ["--field", f"{name}: {value}"]
    def add(options):
        for name, value in options.items():
            command.extend((f"--{name}", str(value)))
    add(load)
    if meanwhile:
        command.append("--beside")
        add(meanwhile)
    return command


def result_of(server, process):
    out, err = process.communicate()
    if process.returncode != 0 or not out.strip():
        raise Wrong(f"bench-load against {server.name} failed: {err[-500:]}")
    result = json.loads(out)
    if result["wrong"]:
        raise Wrong(f"{server.name} answered wrongly under load: {result['wrong']} of {result['requests']}")
    if result["requests"] == 0:
        raise Wrong(f"{server.name} answered nothing under load")
    return result


def run_load(options, server, cores="1", beside=(), **load):
    """Requests a second, latencies, CPU microseconds a request of the server and of those `beside` it."""
    watched = (server, *beside)
    before = [each.cpu_seconds() for each in watched]
    process = subprocess.Popen(load_command(options, server, cores, **load), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    result = result_of(server, process)
    spent = [(each.cpu_seconds() - start) * 1e6 / result["requests"] for each, start in zip(watched, before)]
    measured = {
        "requests_per_second": result["requests"] / result["seconds"],
        "cpu_us_per_request": spent[0],
        "loader_cpu_us": result["loader_cpu_us"],
        "hit_part": result["hits"] / result["requests"],
        "memory_bytes": server.memory_bytes(),
        **{name: result[name] for name in ("p50_us", "p99_us", "p999_us")},
    }
    for each, cost in zip(beside, spent[1:]):
        measured[f"{each.name}_cpu_us"] = cost
    return measured
