"""Medians of the rounds, as a table for people and JSON for programs."""

import statistics

COLUMNS = (
    ("requests_per_second", "requests/s", 1),
    ("cpu_us_per_request", "CPU us/request", 1),
    ("p50_us", "p50 us", 1),
    ("p99_us", "p99 us", 1),
    ("p999_us", "p99.9 us", 1),
    ("memory_bytes", "memory MiB", 1 / (1 << 20)),
)


def medians(rounds):
    return {name: statistics.median(one[name] for one in rounds) for name, _, _ in COLUMNS}


def spread(rounds, name="requests_per_second"):
    values = [one[name] for one in rounds]
    return (max(values) - min(values)) / statistics.median(values)


def summarize(measured, reference="gateway"):
    """measured: {server: [round, …]}; gives medians, spread and the reference's ratio to each."""
    result = {server: {**medians(rounds), "spread": spread(rounds), "rounds": rounds}
              for server, rounds in measured.items()}
    if reference in result:
        own = result[reference]
        for values in result.values():
            values["gateway_throughput_ratio"] = own["requests_per_second"] / values["requests_per_second"]
            values["gateway_cpu_ratio"] = own["cpu_us_per_request"] / max(values["cpu_us_per_request"], 1e-9)
    return result


def table(case, summary):
    head = ["server", *(title for _, title, _ in COLUMNS), "spread", "gateway x", "gateway CPU x"]
    rows = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for server, values in summary.items():
        cells = [server]
        for name, _, factor in COLUMNS:
            value = values[name] * factor
            cells.append(f"{value:,.1f}" if value < 1000 else f"{value:,.0f}")
        cells.append(f"{100 * values['spread']:.0f} %")
        for ratio in ("gateway_throughput_ratio", "gateway_cpu_ratio"):
            cells.append(f"{values[ratio]:.2f}" if ratio in values else "")
        rows.append(cells)
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    return "\n".join([f"### {case}", "", *lines, ""])
