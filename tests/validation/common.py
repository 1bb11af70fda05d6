"""What the parts of the validation page share: running atoll, numbers and tables."""

import json
import os
import shutil
import statistics
import subprocess
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(SOURCE, "tests", "data")


class Atoll:
    """The program under validation, put beside the data of this source tree, where it looks for accelerators."""

    def __init__(self, path):
        self.folder = tempfile.TemporaryDirectory()
        os.makedirs(os.path.join(self.folder.name, "bin"))
        os.makedirs(os.path.join(self.folder.name, "share"))
        os.symlink(SOURCE, os.path.join(self.folder.name, "share", "atoll"))
        self.path = shutil.copy(path, os.path.join(self.folder.name, "bin", "atoll"))

    def run(self, *arguments):
        """Standard output; RuntimeError with the program's message if it fails."""
        done = subprocess.run([self.path, *arguments], capture_output=True, text=True, check=False, cwd=SOURCE)
        if done.returncode != 0:
            raise RuntimeError(f"atoll {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def evaluate(self, mappings, *options):
        """Rows of `atoll evaluate`, as dictionaries."""
        out = os.path.join(self.folder.name, "out.jsonl")
        self.run("evaluate", "--mappings", mappings, "--out", out, *options)
        with open(out, encoding="utf-8") as rows:
            return [json.loads(row) for row in rows]


def write_lines(path, objects):
    with open(path, "w", encoding="utf-8") as file:
        for one in objects:
            file.write(json.dumps(one) + "\n")


def table(header, rows):
    """A table in Markdown; numbers stand to the right."""
    right = [all(str(row[i]).lstrip("-").replace(".", "").replace("%", "").replace(",", "").strip().isdigit()
                 for row in rows) for i in range(len(header))]
    lines = ["| " + " | ".join(header) + " |",
             "|" + "|".join("---:" if r else "---" for r in right) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def spread(ratios):
    """Median, extremes and shares of ratios that ideally are 1."""
    ordered = sorted(ratios)
    within = lambda share: sum(1 - share <= r <= 1 + share for r in ordered) / len(ordered)
    return {"count": len(ordered), "median": statistics.median(ordered), "low": ordered[0], "high": ordered[-1],
            "within_10": within(0.10), "within_25": within(0.25)}


def percent(share):
    return f"{100 * share:.1f} %"
