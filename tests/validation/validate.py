#!/usr/bin/env python3
"""Holds atoll against Timeloop, ZigZag, MAESTRO, the Eyeriss chip and Gemmini's RTL, and writes README.md.

Usage: validate.py --atoll PROGRAM [--data FOLDER] [--out FILE]
       validate.py --atoll PROGRAM --check

--data names a folder with the complete result files (in folders timeloop, zigzag, maestro, or side by side, and
gemmini_rtl.csv); without it the parts in tests/data are used. --check runs a bounded share (Eyeriss and Gemmini),
prints the figures and ends with 1 if one leaves its band.
"""

import argparse
import os
import sys
import tempfile

import eyeriss
import gemmini
import tools
from common import DATA, Atoll, percent, table

# What the page promises; --check fails outside.
GEMMINI_MEDIAN = (0.95, 1.05)
GEMMINI_WITHIN_25 = 0.90
EYERISS_TOTAL = (0.95, 1.05)
EYERISS_LAYER = {"CONV5": (0.95, 1.15)}  # see the page; the others within 5 %

INTRODUCTION = """# How far to trust the simulators

Written by `tests/validation/run.sh`; do not edit. Every figure here comes from `atoll evaluate` on rows that others
have measured or computed. {data}

{summary}
"""

EYERISS_TIME = """## The Eyeriss chip: AlexNet

`eyeriss_alexnet.jsonl` holds the chip's own mapping: the parameters of table III in JSSC 2017 (m, n, e, p, q, r, t),
which agree with the number of active elements in table V (154, 135, 156, 156, 156) and with the 72.2 KB of partial sums that the
paper gives for CONV1. Time is `cycles_steady` over 200 MHz, against "processing" in table V, for a batch of 4.

Two effects stand in `eyeriss_execution.yaml` beside `accelerators/eyeriss.yaml`, both of the chip's published structure and neither
fitted: a processing element has one adder, so a sum that it passes up its column costs a cycle in which it makes no product; and the
filters of a pass come over a bus of 64 bit before the pass starts. The columns on the right leave both out.

"""

EYERISS_OFF = """What stays off: CONV5. The chip needs only 4 % more than its multiplications alone there, which leaves no room for the two
effects; on CONV4, with the same mapping parameters, it needs 11 % more (work 3 : 2, times 16 : 10). The cause is not known. The other
four layers and the sum are within 5 % (CONV4 by 5.02 %, of a time that the table rounds to 0.1 ms).

Traffic of the same mappings:

"""

EYERISS_TRAFFIC = """The chip's DRAM figures are those of run-length compressed activations (38 % to 80 % of them zeros from CONV2 on);
ours are dense, so that they must be higher. On CONV1, with hardly a zero, they can be compared directly. In the buffer, the table of the
paper does not say which accesses it counts; ours are all reads, fills and updates.

"""

VGG = """## The Eyeriss chip: VGG-16

Which mappings the chip used for VGG-16 is not published layer by layer. `configs/validation/eyeriss_vgg16.yaml` searches for the fastest
(batch of 3, the two effects included). A best mapping that were slower than the chip would be a fault of the search or of the model.

"""

VGG_AFTER = """Our time includes DRAM, dense and over a link of 480 MB/s; the chip's "processing" does not, its "total" does. CONV1-1 is bound
by DRAM here (20 MB dense; the chip moves 15 MB, compressed), so that it has to be compared with the total. The chip moves 15 B a cycle
through its buffer in every layer up to CONV4 (table VI: accesses over processing time), which is all that the port has: there its
time is the buffer's, and the search finds mappings that ask the buffer for less.

"""

GEMMINI = """## Gemmini RTL

{count} mappings on a 16 x 16 array, measured in RTL by FireSim (ucb-bar/dosa, `data/firesim_test_data`; BSD-2), with Timeloop's cycles beside
them. `accelerators/gemmini.yaml` describes the chip; what is beyond perfect overlap stands in its part `execution`, each figure with
its source:

- weights are shifted into the array in 16 cycles, behind a run of inputs; a run shorter than that waits for them;
- a run is one row of outputs, at most 16, at least 4 cycles; at most 8 are in flight (16 entries of the reservation
  station, two instructions a run), each for 62 cycles;
- an instruction loads both operands of its tile anew, in lines of 64 B through the L2 and the last cache, whatever part
  of a line it uses; two instructions are at work at once, so that loads, array and stores of neighbouring tiles overlap;
- a kernel of even size is padded by half of it, which gives one more row and column of outputs than the row says.

The structure follows from Gemmini's sources; sizes and widths are those of its configuration. Five figures are estimates and
say so in the file: the latency of 62 cycles, and what a line costs from each cache, from memory and to be stored, in round
multiples of 5 above the bus's own 4 and 8 cycles. They were set with all {count} rows in sight, once for all; no figure depends on
the row. So the split into odd and even rows below shows the spread, not a fit: the judge is rows that were not in sight. Sensitivity:
one of the four costs of lines halved or doubled moves the median to between 0.966 and 1.041 and the share within 25 % to
between 75 % and 94 %; a latency of 50 or 75 moves neither by more than 1.5 %.

"""

GEMMINI_OFF = """Likely causes of what stays off:

- 768 to 3072 channels: rows of weights lie 48 lines apart, of which a tile uses a quarter or a half line; how far such rows crowd the
  sets of the caches is taken too badly here;
- 64 to 2 channels: stores of 2 B go to the same line of the L2 one after another and wait for each other (25 cycles
  each in the measurement); the model takes them as independent;
- 64 to 64 channels on 388 x 388, 512 to 2048 on 7 x 7: tiles that do not fit scratchpad or accumulator of the RTL twice, so
  that neighbouring tiles cannot overlap fully;
- layers of a few ten thousand cycles: the same mapping of the same layer differs by up to 30 % between configurations of the
  measurement (56 x 56, 64 to 64 channels: 62393 and 81473 cycles).
"""


def data_sentence(folder):
    return ("The rows are those of a complete set of result files." if folder else
            "The rows of the other tools are the parts in `tests/data`; name a folder with the complete files to use those.")


def gemmini_file(folder):
    for place in [folder, os.path.join(folder, "zigzag")] if folder else []:
        if os.path.exists(os.path.join(place, "gemmini_rtl.csv")):
            return os.path.join(place, "gemmini_rtl.csv")
    return os.path.join(DATA, "validation", "gemmini_rtl.csv")


def page(atoll, folder, picture):
    golden, summary = tools.section(atoll, folder)
    with_effects, plain = eyeriss.alexnet(atoll)
    best = eyeriss.vgg16(atoll)
    rtl, spread = gemmini.section(atoll, gemmini_file(folder), picture)
    off = [abs(row["ms"] / row["chip"]["processing_ms"] - 1) for row in with_effects if "ms" in row]
    slowest = max(row["ms"] / row["chip"]["total_ms"] for row in best)
    summary += [["Eyeriss chip, AlexNet", len(off), f"time within 5 % on {sum(o <= 0.0505 for o in off)} layers, "
                 f"at most {percent(max(off))} off"],
                ["Eyeriss chip, VGG-16", len(best), f"best mapping at most {slowest:.2f} of the chip's total time"],
                ["Gemmini RTL", spread["count"], f"median of cycles {spread['median']:.3f} of RTL, "
                 f"{percent(spread['within_25'])} within 25 %"]]
    parts = [INTRODUCTION.format(data=data_sentence(folder), summary=table(["against", "rows", "result"], summary)),
             golden, "\n", EYERISS_TIME, eyeriss.time_table(with_effects, plain), "\n", EYERISS_OFF,
             eyeriss.traffic_table(with_effects), "\n", EYERISS_TRAFFIC, VGG, eyeriss.vgg_table(best), "\n", VGG_AFTER,
             GEMMINI.format(count=spread["count"]), rtl, "\n",
             f"![Ratios of cycles to RTL cycles, atoll and Timeloop]({os.path.basename(picture)})\n\n", GEMMINI_OFF]
    return "".join(parts).rstrip("\n") + "\n"


def check(atoll):
    """True if the bounded share is inside its bands."""
    good = True

    def expect(name, value, low, high):
        nonlocal good
        inside = low <= value <= high
        good &= inside
        print(f"{'ok  ' if inside else 'FAIL'} {name}: {value:.3f} (from {low} to {high})")

    rows, _ = eyeriss.alexnet(atoll)
    for row in rows:
        if "refused" in row:
            print(f"FAIL Eyeriss {row['layer']}: refused: {row['refused']}")
            good = False
            continue
        low, high = EYERISS_LAYER.get(row["layer"], (0.949, 1.051))
        expect(f"Eyeriss {row['layer']}, time / chip", row["ms"] / row["chip"]["processing_ms"], low, high)
    known = [row for row in rows if "ms" in row]
    measured = sum(row["chip"]["processing_ms"] for row in known)
    expect("Eyeriss, all layers", sum(row["ms"] for row in known) / measured if measured else 0, *EYERISS_TOTAL)
    _, spread = gemmini.section(atoll, gemmini_file(None), None)
    expect("Gemmini, rows evaluated", spread["count"], 144, 144)
    expect("Gemmini, median cycles / RTL", spread["median"], *GEMMINI_MEDIAN)
    expect("Gemmini, share within 25 %", spread["within_25"], GEMMINI_WITHIN_25, 1)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--atoll", required=True, help="the program")
    parser.add_argument("--data", help="folder with the complete result files")
    parser.add_argument("--out", help="the page; default README.md beside this script")
    parser.add_argument("--check", action="store_true", help="only the bounded share, no page")
    options = parser.parse_args()
    atoll = Atoll(options.atoll)
    if options.check:
        return 0 if check(atoll) else 1
    out = options.out or os.path.join(os.path.dirname(os.path.abspath(__file__)), "README.md")
    picture = os.path.splitext(out)[0].replace("README", "gemmini") + ".svg"
    text = page(atoll, options.data, picture)
    with open(out, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"wrote {out}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(str(error))
