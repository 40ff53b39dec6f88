"""Turns of measurements to rows, ratios and a table. Needs nothing but Python."""

import statistics


def summary(turns):
    """One engine's turns: the least time of all, and the median of the turns' medians, in ms."""
    return {"min_ms": min(turn["min_ms"] for turn in turns),
            "median_ms": statistics.median(turn["median_ms"] for turn in turns),
            "turns": turns}


def with_ratios(rows):
    """Adds to each row its ratios to the fastest int8 peer: minimum by minimum, median by median.

    The fastest is the one with the least minimum; without an int8 peer there are no ratios.
    """
    peers = [row for row in rows if row["int8_peer"]]
    if not peers:
        return rows
    fastest = min(peers, key=lambda row: row["min_ms"])
    return [{**row, "ratio_min": row["min_ms"] / fastest["min_ms"],
             "ratio_median": row["median_ms"] / fastest["median_ms"],
             "fastest_int8_peer": row is fastest} for row in rows]


def ratio(row, name):
    return f"{row[name]:.3f}" if name in row else ""


def table(rows):
    """Lines of text; the ratios are to the row that says so."""
    width = max(len(row["name"]) for row in rows) + 2
    head = f"{'':<{width}}{'min ms':>9}{'median ms':>11}{'ratio (min)':>13}{'ratio (median)':>16}"
    lines = [head, "-" * len(head)]
    for row in rows:
        mark = "  <- fastest int8 peer" if row.get("fastest_int8_peer") else ""
        lines.append(f"{row['name']:<{width}}{row['min_ms']:>9.3f}{row['median_ms']:>11.3f}"
                     f"{ratio(row, 'ratio_min'):>13}{ratio(row, 'ratio_median'):>16}{mark}")
    return lines


def least(turns):
    """{layer: ms} of several turns to the least of each layer."""
    return {name: min(turn[name] for turn in turns) for name in turns[0]}


def with_what_follows(times, layers):
    """{layer: ms} of a list of (name, ms) in order: what is none of `layers`, a pool or a batch norm,
    counts to the one before it, and to `input` before the first. Engines fuse such steps with the
    layer that they follow, each in its own way; so the sums compare."""
    sums = {}
    layer = "input"
    for name, ms in times:
        layer = name if name in layers else layer
        sums[layer] = sums.get(layer, 0.0) + ms
    return sums


def layer_table(theirs, ours):
    """Lines of text: least ms by layer of the peer beside those of packed models, with their ratio
    to the peer's, and then by model the layers that take longer than the peer's.

    theirs: {layer: ms}; ours: {name of a packed model: {layer: ms}}. What only one side has is
    added up under `other`.
    """
    layers = [name for name in theirs if all(name in column for column in ours.values())]

    def completed(column):
        rest = sum(ms for name, ms in column.items() if name not in layers)
        whole = {name: column[name] for name in layers}
        return {**whole, **({"other": rest} if rest else {}), "sum": sum(column.values())}

    peer = completed(theirs)
    columns = {name: completed(column) for name, column in ours.items()}
    rows = [*layers, *(["other"] if any("other" in c for c in (peer, *columns.values())) else []),
            "sum"]
    width = max(map(len, rows)) + 2
    widths = [max(len(name) + 2, 18) for name in columns]
    lines = [f"{'':<{width}}{'peer':>8}" + "".join(f"{n:>{w}}" for n, w in zip(columns, widths))]
    slower = {name: [] for name in columns}
    for row in rows:
        line = f"{row:<{width}}{peer.get(row, 0.0):>8.3f}"
        for (name, column), w in zip(columns.items(), widths):
            text = f"{column.get(row, 0.0):.3f}"
            if peer.get(row, 0.0) > 0.0:
                ratio_to_peer = column.get(row, 0.0) / peer[row]
                text += f" ({ratio_to_peer:.2f})"
                if round(ratio_to_peer, 2) > 1.0 and row in layers:
                    slower[name].append(f"{row} {ratio_to_peer:.2f}")
            line += f"{text:>{w}}"
        lines.append(line)
    for name, found in slower.items():
        lines.append(f"{name}, slower than the peer: " + (", ".join(found) or "none"))
    return lines
