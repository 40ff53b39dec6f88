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


def layer_table(theirs, ours):
    """Lines of text: least ms by layer of the peer beside those of packed models.

    theirs: {layer: ms}; ours: {name of a packed model: {layer: ms}}. What only one side has is
    added up under `other`.
    """
    layers = [name for name in theirs if name != "other"]
    width = max(len(name) for name in layers + ["other", "sum"]) + 2
    heads = ["peer", *ours]
    columns = [theirs, *ours.values()]
    cells = [[column.get(name, 0.0) for column in columns] for name in layers]
    cells.append([sum(ms for name, ms in column.items() if name not in layers)
                  for column in columns])
    cells.append([sum(column.values()) for column in columns])
    widths = [max(len(name) + 2, 10) for name in heads]
    lines = [" " * width + "".join(f"{name:>{w}}" for name, w in zip(heads, widths))]
    for name, row in zip(layers + ["other", "sum"], cells):
        slower = [head for head, ms in zip(heads[1:], row[1:]) if ms > row[0]]
        mark = ""
        if slower and name not in ("other", "sum"):
            mark = "  slower" if len(slower) == len(ours) else "  slower: " + ", ".join(slower)
        lines.append(f"{name:<{width}}"
                     + "".join(f"{ms:>{w}.3f}" for ms, w in zip(row, widths)) + mark)
    return lines
