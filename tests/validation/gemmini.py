"""Gemmini: rows of RTL measurements as mappings of accelerators/gemmini.yaml, and what comes of them."""

import csv
import os
import tempfile

from common import SOURCE, percent, spread, table, write_lines

DIM = 16  # rows and columns of the array


def read_rows(path):
    """Rows of gemmini_rtl.csv: the layer, tiles and loops of the mapping, and the measured cycles."""
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return [parse_row(number, row) for number, row in enumerate(rows, 1)]


def parse_row(number, row):
    size = {d: int(row["prob." + d]) for d in "NCKPQRS"}
    outer, inner, middle = [], [], []  # loops at DRAM, above the weight registers, at the accumulator
    tile = dict.fromkeys("NCKPQRS", 1)
    for part in row["mapping.mapping"].split(" - "):
        level, *words = part.split(" ")
        for word in words:
            dim, factor = word[0], int(word.rstrip("X")[1:])
            if level.startswith("L3"):
                outer.append((dim, factor))
                continue
            tile[dim] *= factor
            if level.startswith("L1") and not word.endswith("X"):
                middle.append((dim, factor))
            if level.startswith("L0"):
                inner.append((dim, factor))
    return {"id": number, "size": size, "stride": [int(row["prob.Wstride"]), int(row["prob.Hstride"])],
            "tile": tile, "outer": outer, "middle": middle, "inner": inner,
            "accumulator_words": int(row["arch.mem1_entries"]), "scratchpad_bytes": int(row["arch.mem2_entries"]),
            "timeloop": float(row["target.cycle"]), "rtl": float(row["target.gemmini_cycle"])}


def layer_of(row):
    """The layer as it was run: half a kernel of padding around an input of P x stride, so that a kernel of even
    size gives one output more than the row says (gemmini-rocc-tests, extract_data_csv.py and conv_tilings.c)."""
    size, (s0, s1) = dict(row["size"]), row["stride"]
    matmul = size["Q"] == 1 and size["R"] == 1 and size["S"] == 1
    pad = [0, 0] if matmul else [size["R"] // 2, size["S"] // 2]
    if not matmul:
        size["P"] = (size["P"] * s0 - size["R"] + 2 * pad[0]) // s0 + 1
        size["Q"] = (size["Q"] * s1 - size["S"] + 2 * pad[1]) // s1 + 1
    return {"op": "conv", "G": 1, **size, "stride": [s0, s1], "dilation": [1, 1], "padding": pad}


def mapping_of(row):
    """Tiles and loops of the row. The hardware fills its array with 16 channels, whatever factor in space the row
    names, and takes the rest as a last block."""
    layer, tile = layer_of(row), row["tile"]
    extent = {d: layer[d] for d in "NCKPQRS"}
    outer = []
    for dim, _ in row["outer"]:
        extent[dim] = min(tile[dim], extent[dim])
        outer.append([dim, extent[dim]])
    for dim in "NCKPQRS":  # a kernel of even size has a last output beyond the row's tiles
        if extent[dim] > tile[dim]:
            extent[dim] = tile[dim]
            outer.insert(0, [dim, tile[dim]])

    def spatial(dim):
        before, extent[dim] = extent[dim], -(-extent[dim] // DIM)
        return [[dim, extent[dim]]] if before != extent[dim] else []

    columns = spatial("K")
    middle = []
    rows_of_array = min(extent["C"], DIM)  # spread along y below this level
    for dim, factor in row["middle"]:
        target = rows_of_array if dim == "C" else 1 if dim == "K" else -(-extent[dim] // factor)
        if extent[dim] > target:
            extent[dim] = target
            middle.append([dim, target])
    for dim, target in (("K", 1), ("C", rows_of_array)):
        if extent[dim] > target:
            extent[dim] = target
            middle.append([dim, target])
    down = [["C", 1]] if extent["C"] > 1 else []
    extent["C"] = 1
    inner = []
    for dim, _ in row["inner"]:
        if extent[dim] > 1:
            extent[dim] = 1
            inner.append([dim, 1])
    inner += [[dim, 1] for dim in "NPQRS" if extent[dim] > 1]
    level = lambda name, keep, temporal, x, y: {"level": name, "keep": keep, "temporal": temporal, "spatial_x": x,
                                                "spatial_y": y}
    return [level("dram", ["W", "I", "O"], outer, [], []), level("scratchpad", ["W", "I"], [], columns, []),
            level("accumulator", ["O"], middle, [], down), level("register", ["W"], inner, [], [])]


def accelerator_text(row):
    """gemmini.yaml with room for two tiles of the row's configuration."""
    with open(os.path.join(SOURCE, "accelerators", "gemmini.yaml"), encoding="utf-8") as file:
        text = file.read()
    text = text.replace("size: 256 KiB\n", f"size: {2 * row['scratchpad_bytes']} B\n", 1)
    return text.replace("size: 4 KiB\n", f"size: {2 * 4 * row['accumulator_words']} B\n", 1)


def evaluate(atoll, path):
    """Every row of the file with `cycles` of atoll, or `refused`."""
    rows = read_rows(path)
    by_size = {}
    for row in rows:
        by_size.setdefault((row["accumulator_words"], row["scratchpad_bytes"]), []).append(row)
    with tempfile.TemporaryDirectory() as folder:
        mappings, accelerator = os.path.join(folder, "rows.jsonl"), os.path.join(folder, "gemmini.yaml")
        for same in by_size.values():
            with open(accelerator, "w", encoding="utf-8") as file:
                file.write(accelerator_text(same[0]))
            write_lines(mappings, ({"id": row["id"], "layer": layer_of(row), "mapping": mapping_of(row)}
                                   for row in same))
            for row, result in zip(same, atoll.evaluate(mappings, "--accelerator", accelerator)):
                row.update({key: result[key] for key in ("cycles", "binds", "refused") if key in result})
    return rows


def describe(row):
    s = row["size"]
    return f"{s['C']} to {s['K']}, {s['P']} x {s['Q']}, kernel {s['R']}, stride {row['stride'][0]}"


def section(atoll, path, picture):
    rows = evaluate(atoll, path)
    known = [row for row in rows if "cycles" in row]
    ours = [row["cycles"] / row["rtl"] for row in known]
    lines = []
    kinds = [("atoll, all rows", ours), ("atoll, odd rows", ours[0::2]), ("atoll, even rows", ours[1::2]),
             ("Timeloop, all rows", [row["timeloop"] / row["rtl"] for row in known])]
    body = []
    for name, ratios in kinds:
        s = spread(ratios)
        body.append([name, s["count"], f"{s['median']:.3f}", percent(s["within_10"]), percent(s["within_25"]),
                     f"{s['low']:.2f}", f"{s['high']:.2f}"])
    lines.append(table(["cycles / RTL cycles", "rows", "median", "within 10 %", "within 25 %", "lowest", "highest"],
                       body))
    if len(known) < len(rows):
        lines.append(f"{len(rows) - len(known)} rows were refused; the first: {next(r['refused'] for r in rows if 'refused' in r)}\n")
    worst = sorted(known, key=lambda row: -abs(row["cycles"] / row["rtl"] - 1))[:12]
    lines.append("The rows that are furthest off:\n")
    lines.append(table(["row", "layer (channels, outputs)", "RTL cycles", "atoll / RTL", "Timeloop / RTL", "binds"],
                       [[row["id"], describe(row), f"{row['rtl']:.0f}", f"{row['cycles'] / row['rtl']:.2f}",
                         f"{row['timeloop'] / row['rtl']:.2f}",
                         ["array", "loads", "stores"][int(row["binds"])] if row["binds"] < 3 else row["binds"]]
                        for row in worst]))
    if picture:
        draw(known, picture)
    return "\n".join(lines), spread(ours)


def draw(rows, path):
    """Ratios in order of size, ours and Timeloop's, as SVG."""
    width, height, left, bottom = 640, 260, 48, 30
    series = [("Timeloop", "#b0b0b0", sorted(r["timeloop"] / r["rtl"] for r in rows)),
              ("atoll", "#1f5fa8", sorted(r["cycles"] / r["rtl"] for r in rows))]
    top = max(1.6, *(s[-1] for _, _, s in series))
    x = lambda i, n: left + (width - left - 12) * i / max(1, n - 1)
    y = lambda v: height - bottom - (height - bottom - 12) * v / top
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           'font-family="sans-serif" font-size="12">', f'<rect width="{width}" height="{height}" fill="white"/>',
           f'<rect x="{left}" y="{y(1.25):.1f}" width="{width - left - 12}" height="{y(0.75) - y(1.25):.1f}" '
           'fill="#e6f0e6"/>']
    tick = 0.0
    while tick <= top:
        out.append(f'<line x1="{left}" x2="{width - 12}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/>'
                   f'<text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.2f}</text>')
        tick += 0.25
    for name, colour, values in series:
        points = "".join(f'<circle cx="{x(i, len(values)):.1f}" cy="{y(v):.1f}" r="1.8"/>'
                         for i, v in enumerate(values))
        out.append(f'<g fill="{colour}">{points}</g>')
    out.append(f'<text x="{left + 10}" y="24" fill="#1f5fa8">atoll</text>'
               f'<text x="{left + 60}" y="24" fill="#808080">Timeloop</text>'
               f'<text x="{width - 14}" y="{height - 8}" text-anchor="end">rows by ratio of cycles to RTL; '
               'green: within 25 %</text></svg>')
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")
