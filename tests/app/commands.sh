#!/usr/bin/env bash
# What the commands print about a finished run: the store, the table, JSON and the exports tell one story, and
# both simulators agree on the best mappings.
source "$(dirname "$0")/lib.sh"
python=${PYTHON:-python3}
eyeriss=$source_dir/accelerators/eyeriss.yaml

run 2 run "$data/small_run.yaml" --output mappings
cp out table.txt
grep -q 'whole network' table.txt || fail 'no totals in the table'
ends_with 0 "$atoll" best mappings --json
cp out best.json
ends_with 0 "$atoll" run "$data/small_run.yaml" --output again --json --quiet
"$python" - best.json out table.txt mappings <<'CODE' || fail 'best --json'
import json, os, sys
best, ran = (json.load(open(f)) for f in sys.argv[1:3])
assert best["finished"] and len(best["layers"]) == 3, best["layers"]
names = {layer["name"]: layer for layer in best["layers"]}
assert names["conv2"]["multiplicity"] == 2
for layer in best["layers"]:
    assert abs(layer["edp"] - layer["cycles"] * layer["energy_pJ"]) <= 1e-9 * layer["edp"]
    assert layer["roofline_ratio"] >= 1 and 0 < layer["utilisation"] <= 1
    assert layer["cycles"] >= layer["bound_cycles"]
    assert f'{layer["cycles"]:.0f}' in open(sys.argv[3]).read()
totals = best["totals"]
cycles = sum(l["cycles"] * l["multiplicity"] for l in best["layers"]) + totals["fixed_cycles"]
energy = sum(l["energy_pJ"] * l["multiplicity"] for l in best["layers"]) + totals["fixed_energy_pJ"]
assert abs(cycles - totals["cycles"]) < 1e-6 * cycles and abs(energy - totals["energy_pJ"]) < 1e-9 * energy
assert abs(totals["edp"] - totals["cycles"] * totals["energy_pJ"]) <= 1e-9 * totals["edp"]
ran.pop("store")
assert ran == best, "the run's own JSON differs from best --json"
assert best["migrations"] and all(e["sent"] == e["accepted"] + e["rejected"] for e in best["migrations"])
assert len(os.listdir(sys.argv[4] + "/best")) == 6
with open("in.jsonl", "w") as out:
    for number, layer in enumerate(best["layers"]):
        out.write(json.dumps({"id": number, **layer["individual"]}) + "\n")
    out.write('{"id": "broken"}\nnot json\n')
CODE

# The mappings that came out, given back to both simulators.
for simulator in loopnest reference; do
  ends_with 0 "$atoll" evaluate --mappings in.jsonl --accelerator "$eyeriss" --simulator $simulator --out $simulator.jsonl
done
"$python" - best.json loopnest.jsonl reference.jsonl <<'CODE' || fail 'evaluate'
import json, sys
best = json.load(open(sys.argv[1]))["layers"]
loopnest, reference = ([json.loads(line) for line in open(f)] for f in sys.argv[2:4])
assert len(loopnest) == len(reference) == len(best) + 2
for layer, fast, slow in zip(best, loopnest, reference):
    assert fast["cycles"] == layer["cycles"] and fast["energy"] == layer["energy_pJ"]
    for column, value in fast.items():
        if column != "id": assert abs(slow[column] - value) <= 1e-9 * max(abs(value), 1), column
assert loopnest[-2]["id"] == "broken" and "refused" in loopnest[-2]
assert loopnest[-1]["id"] == 5 and "refused" in loopnest[-1]
CODE
ends_with 0 "$atoll" evaluate --mappings in.jsonl --accelerator "$eyeriss" --explain
grep -q 'for ' err || fail 'no loop nest in --explain'

# Exports.
for format in csv json nest; do ends_with 0 "$atoll" export mappings --format $format --out export; done
"$python" - export best.json <<'CODE' || fail 'export'
import csv, json, os, sys
rows = list(csv.DictReader(open(sys.argv[1] + "/individuals.csv")))
best = json.load(open(sys.argv[2]))
assert len(rows) == best["individuals"], len(rows)
for task, layer in enumerate(best["layers"]):
    own = [r for r in rows if int(r["task"]) == task and float(r["violation"]) == 0]
    assert min(float(r["fitness"]) for r in own) == layer["fitness"]
assert json.load(open(sys.argv[1] + "/best.json")) == best
assert sum(name.endswith(".txt") for name in os.listdir(sys.argv[1])) == 3
CODE

# The rest of the table of commands.
ends_with 0 "$atoll" inspect mappings
grep -qE '^state +finished' out || fail 'inspect: state'
ends_with 0 "$atoll" inspect mappings --config
grep -q 'accelerator: accelerator.yaml' out || fail 'inspect --config'
ends_with 0 "$atoll" check "$data/small_run.yaml"
grep -q 'good' out || fail 'check'
predicted=$(sed -n 's/^individuals  *\([0-9]*\) at most/\1/p' out)
recorded=$("$atoll" inspect mappings | sed -n 's/^individuals  *//p')
((recorded <= predicted && recorded * 2 > predicted)) || fail "check predicted $predicted individuals, $recorded came"
for thing in policies spaces simulators config "accelerator $eyeriss"; do
  ends_with 0 "$atoll" describe $thing
  [[ $(wc -l <out) -ge 2 ]] || fail "describe $thing says little"
done
# An installed program finds the accelerators that come with it.
mkdir -p installed/bin installed/share/atoll
cp "$atoll" installed/bin/atoll
ln -s "$source_dir/accelerators" installed/share/atoll/accelerators
ends_with 0 installed/bin/atoll describe accelerator
for name in eyeriss nvdla_2048 tpu_v1; do grep -q "^$name  " out || fail "describe accelerator does not list $name"; done
ends_with 0 installed/bin/atoll describe accelerator nvdla_64
grep -q '^nvdla_64: 4 levels, 64 multipliers' out || fail 'describe accelerator NAME'
ends_with 2 installed/bin/atoll describe accelerator nvdla_65
grep -q 'did you mean' err || fail 'describe accelerator: no suggestion'
ends_with 0 "$atoll" --version
for word in '^atoll [0-9]' compiler MPI HDF5; do grep -qE "$word" out || fail "--version lacks $word"; done
ends_with 0 "$atoll" --help

# A network search leaves files that are read again.
run 2 run "$data/small_search.yaml" --output search
for kind in yaml onnx json txt; do [[ -s search/best/01-network.$kind ]] || fail "no network as $kind"; done
for kind in yaml onnx; do
  ends_with 0 "$atoll" check "$data/small_run.yaml" --set problem.network="$work/search/best/01-network.$kind"
done
ends_with 0 "$atoll" best search --json
"$python" - out <<'CODE' || fail 'best of a network search'
import json, sys
best = json.load(open(sys.argv[1]))
[network] = best["layers"]
assert network["costs"]["parameters"] >= 2000 and network["fitness"] == network["cycles"] >= network["bound_cycles"]
CODE
finish
