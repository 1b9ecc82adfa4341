"""Results as tables for people, a plot, and the figures that are to be reached beside those that were."""

COLUMNS = (
    ("requests_per_second", "requests/s", 1, 0),
    ("cpu_us_per_request", "CPU us/request", 1, 1),
    ("redis_cpu_us", "Redis CPU us/request", 1, 1),
    ("p50_us", "p50 us", 1, 0),
    ("p99_us", "p99 us", 1, 0),
    ("p999_us", "p99.9 us", 1, 0),
    ("start_ms", "start ms", 1, 0),
    ("connections", "connections", 1, 0),
    ("entries", "entries", 1, 0),
    ("memory_bytes", "memory MiB", 1 / (1 << 20), 1),
    ("bytes_each", "bytes each", 1, 0),
    ("spread", "spread %", 100, 0),
)
REFERENCE = "gateway"
MARKERS = ("<!-- bench: written by tests/bench/run.sh --readme -->", "<!-- end of bench -->")


def table(name, what, result):
    """Markdown; with the gateway's CPU as a share of each other's where both have one."""
    columns = [column for column in COLUMNS if any(column[0] in values for values in result.values())]
    shares = REFERENCE in result and len(result) > 1 and "cpu_us_per_request" in result[REFERENCE]
    head = ["", *(title for _, title, _, _ in columns), *(["the gateway's CPU, as a share"] if shares else [])]
    rows = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for server, values in result.items():
        cells = [f"{values[key] * factor:,.{digits}f}" if key in values else "" for key, _, factor, digits in columns]
        if shares:
            cells.append(f"{result[REFERENCE]['cpu_us_per_request'] / max(values['cpu_us_per_request'], 1e-9):.2f}")
        rows.append([server, *cells])
    return "\n".join([f"**{what}** (`{name}`)", "", *("| " + " | ".join(row) + " |" for row in rows), ""])


class Verdicts:
    """Lines of 'It must show', as far as their cases were measured."""

    def __init__(self, results):
        self.results, self.lines = results, []

    def figure(self, case, server, name):
        return self.results.get(case, {}).get(server, {}).get(name)

    def add(self, line, what, value, limit, at_least=False, unit=""):
        reached = None if value is None else (value >= limit if at_least else value <= limit)
        self.lines.append({"line": line, "what": what, "value": value, "limit": limit, "reached": reached, "unit": unit,
                           "at_least": at_least})

    def ratio(self, case, above, below, name):
        over, under = self.figure(case, above, name), self.figure(case, below, name)
        return None if over is None or not under else over / under

    def difference(self, case, server, base, name):
        one, other = self.figure(case, server, name), self.figure(case, base, name)
        return None if one is None or other is None else one - other


def verdicts(results):
    v = Verdicts(results)
    for other in ("nginx", "varnish"):
        v.add(1, f"requests a second, times {other}'s", v.ratio("cached-1k", "gateway", other, "requests_per_second"), 2.0, True)
        v.add(1, f"CPU a request, share of {other}'s", v.ratio("cached-1k", "gateway", other, "cpu_us_per_request"), 0.5)
        v.add(1, f"p99, times {other}'s", v.ratio("cached-1k", "gateway", other, "p99_us"), 1.0)
    v.add(1, "CPU a request, times the bare responder's", v.ratio("cached-1k", "gateway", "bare-epoll", "cpu_us_per_request"), 1.5)
    v.add(2, "CPU a request of two workers, times one's",
          v.ratio("two-workers", "two workers", "one worker", "cpu_us_per_request"), 1.15)
    v.add(3, "Redis tier: requests a core second, times nginx + Lua's",
          v.ratio("redis-tier", "nginx+lua", "gateway", "cpu_us_per_request"), 1.5, True)
    direct = "asked directly"
    for server, most in (("through it, with Redis", 400), ("through the gateway", 200)):
        v.add(4, f"a miss adds at p50, {server}", v.difference("misses", server, direct, "p50_us"), most, unit="us")
    v.add(4, "a miss adds at p99, through it, with Redis",
          v.difference("misses", "through it, with Redis", direct, "p99_us"), 1500, unit="us")
    v.add(5, "p99 of hits beside misses at the limit, times that alone",
          v.ratio("saturated", "hits beside misses at the limit", "hits alone", "p99_us"), 1.5)
    mib = 1 << 20
    for case, what, most in (("idle-connections", "10,000 idle connections", 80), ("cached-entries", "100,000 entries of 1 KiB", 160)):
        memory = v.figure(case, "gateway", "memory_bytes")
        v.add(6, what, None if memory is None else memory / mib, most, unit="MiB")
    v.add(6, "start to first answer", v.figure("start-up", "gateway", "start_ms"), 100, unit="ms")
    return v.lines


def verdict_table(lines):
    rows = ["| line | what | measured | asked | |", "| ---: | --- | ---: | ---: | --- |"]
    for each in lines:
        value = "not measured" if each["value"] is None else f"{each['value']:,.2f} {each['unit']}".strip()
        bound = f"{'at least' if each['at_least'] else 'at most'} {each['limit']:,g} {each['unit']}".strip()
        word = {None: "", True: "reached", False: "**not reached**"}[each["reached"]]
        rows.append(f"| {each['line']} | {each['what']} | {value} | {bound} | {word} |")
    return "\n".join(rows)


def document(machine, results, cases, lines, left_out):
    command = "tests/bench/run.sh" + (" --quick" if machine["quick"] else "")
    parts = [f"`{command}` on {machine['date']}: {machine['rounds']} rounds of {machine['seconds']:g} s in turns, medians; "
             f"{machine['cores']} cores of {machine['cpu']}, Linux {machine['kernel']}, load before {machine['load_before']:.1f}. "
             "Compare within a table only.", "", verdict_table(lines), ""]
    parts += [table(name, cases[name][0], result) for name, result in results.items() if result]
    parts += [f"Left out: `{each['case']}`, {each['server']}: {each['why']}" for each in left_out]
    return "\n".join(parts).rstrip() + "\n"


def write_between_markers(path, text):
    with open(path) as file:
        before, _, rest = file.read().partition(MARKERS[0])
    inside, found, after = rest.partition(MARKERS[1])
    if not found:
        raise SystemExit(f"bench: {path} has no '{MARKERS[0]}' … '{MARKERS[1]}'")
    with open(path, "w") as file:
        file.write(f"{before}{MARKERS[0]}\n{text}{MARKERS[1]}{after}")


def plot(results):
    """CPU time a request, a bar for each server of each case, as SVG."""
    bars = []
    for case, result in results.items():
        costs = [(server, values["cpu_us_per_request"]) for server, values in result.items() if "cpu_us_per_request" in values]
        if len(costs) > 1:
            bars.append((case, None))
            bars += costs
    height, left, width = 22, 230, 620
    most = max((cost for _, cost in bars if cost), default=1)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" height="{height * (len(bars) + 2)}" '
           'font-family="sans-serif" font-size="13">', '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{left}" y="{height - 6}" font-weight="bold">CPU microseconds a request (less is better)</text>']
    for place, (name, cost) in enumerate(bars, 1):
        y = height * (place + 1) - 6
        if cost is None:
            out.append(f'<text x="8" y="{y}" font-weight="bold">{name}</text>')
            continue
        length = width * cost / most
        colour = "#1b6ca8" if name in (REFERENCE, "one worker", "two workers") or "gateway" in name else "#b0b7be"
        out.append(f'<text x="{left - 8}" y="{y}" text-anchor="end">{name}</text>'
                   f'<rect x="{left}" y="{y - 13}" width="{length:.1f}" height="16" fill="{colour}"/>'
                   f'<text x="{left + length + 6:.1f}" y="{y}">{cost:.1f}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
