#!/usr/bin/env bash
# Import, export and evaluate between atoll and other tools: what comes back is what went out, and every kind of
# wrong input gets one message that says where and what.
source "$(dirname "$0")/lib.sh"
python=${PYTHON:-python3}
eyeriss=$source_dir/accelerators/eyeriss.yaml
edge=$source_dir/accelerators/edge.yaml
foreign=$tests/data/exchange

# Timeloop: hardware and mappings out and back.
run 1 run "$data/small_run.yaml" --output mappings
ends_with 0 "$atoll" best mappings --json
"$python" -c 'import json, sys
for layer in json.load(open("out"))["layers"]: print(json.dumps(layer["individual"]))' >best.jsonl
ends_with 0 "$atoll" export mappings --to timeloop --out timeloop
[[ -s timeloop/architecture.yaml && -s timeloop/ert.yaml ]] || fail 'no architecture for Timeloop'
ends_with 0 "$atoll" import --from timeloop timeloop/{architecture,ert,art,constraints}.yaml --name eyeriss --out back.yaml
grep -q 'note: the clock' err || fail 'import says nothing about the clock'
grep -q '^# - the clock' back.yaml || fail 'no comment about the clock'
ends_with 0 "$atoll" check "$data/small_run.yaml" --set problem.accelerator="$work/back.yaml"
written=$(ls timeloop/*.mapping.yaml | wc -l)
refused=$(("$atoll" export mappings --to timeloop --out timeloop 2>&1 >/dev/null || true) | grep -c '^not written: ' || true)
equal 'mappings written or refused' 3 $((written + refused))
for mapping in timeloop/*.mapping.yaml; do
  ends_with 0 "$atoll" import --from timeloop "$mapping" "${mapping/mapping.yaml/problem.yaml}" --accelerator "$eyeriss"
  cat out >>round.jsonl
done
ends_with 0 "$atoll" evaluate --mappings round.jsonl --accelerator "$eyeriss"
equal 'mappings that came back' "$written" "$(grep -c '"cycles"' out)"

# ZigZag and MAESTRO, from a store and from lines of JSON.
ends_with 0 "$atoll" export mappings --to zigzag --out zigzag
[[ -n $(ls zigzag/*accelerator.yaml) ]] || fail 'no accelerator for ZigZag'
for file in zigzag/*accelerator.yaml; do ends_with 0 "$atoll" import --from zigzag "$file" --out from_zigzag.yaml; done
ends_with 0 "$atoll" describe accelerator "$work/from_zigzag.yaml"
layer='{"op":"conv","K":32,"C":16,"P":14,"Q":14,"R":3,"S":3}'
dram='{"level":"dram","keep":["W","I","O"],"temporal":[["K",8],["C",4]],"spatial_y":[],"spatial_x":[]}'
shared='{"level":"shared","keep":["W","I","O"],"temporal":[["P",1],["Q",7]],"spatial_y":[],"spatial_x":[["K",1]]}'
local='{"level":"local","keep":["W","I","O"],"temporal":[["C",1],["Q",1],["R",1],["S",1]],"spatial_y":[],"spatial_x":[]}'
echo "{\"layer\":$layer,\"mapping\":[$dram,$shared,$local]}" >one.jsonl
ends_with 0 "$atoll" export --mappings one.jsonl --accelerator "$edge" --to maestro
grep -q 'SpatialMap(1,1) K' maestro/mapping-1.m || fail 'no dataflow for MAESTRO'
ends_with 0 "$atoll" import --from maestro maestro/hardware.m
grep -q 'x: 168' out || fail 'no 168 units from MAESTRO'
ends_with 0 "$atoll" evaluate --mappings one.jsonl --accelerator "$edge" --explain
for word in 'for K in 0:32:8' '<- limits' 'lower bounds' '^local'; do
  grep -qE -- "$word" err || fail "--explain lacks '$word'"
done

# Every file of hardware becomes an accelerator that a run takes.
for file in "$foreign"/timeloop/*.yaml; do
  ends_with 0 "$atoll" import --from timeloop "$file" --out imported.yaml
  ends_with 0 "$atoll" check "$data/small_run.yaml" --set problem.accelerator="$work/imported.yaml"
done
for file in "$foreign"/zigzag/*.yaml; do
  ends_with 0 "$atoll" import --from zigzag "$file" --out imported.yaml
  ends_with 0 "$atoll" check "$data/small_run.yaml" --set problem.accelerator="$work/imported.yaml"
done
ends_with 0 "$atoll" import --from maestro "$foreign/maestro/edge.m" --out imported.yaml
ends_with 0 "$atoll" run "$data/small_run.yaml" --set problem.accelerator="$work/imported.yaml" --output run --quiet

# Wrong input: import.
echo 'this is a text' >text.txt
: >empty.txt
refuses 2 'timelop' "$atoll" import --from timelop text.txt
refuses 2 '--from is required' "$atoll" import text.txt
refuses 2 'FILES is required' "$atoll" import --from timeloop
refuses 2 "there is no file 'none.yaml'" "$atoll" import --from timeloop none.yaml
for tool in timeloop zigzag; do
  refuses 2 'text.txt:1:1: .*expected a map' "$atoll" import --from $tool text.txt
  refuses 2 'empty.txt: the document is empty' "$atoll" import --from $tool empty.txt
done
refuses 2 "text.txt:1: expected 'name: number'" "$atoll" import --from maestro text.txt
refuses 2 "empty.txt: the entry '[a-z0-9_]+' is missing" "$atoll" import --from maestro empty.txt
refuses 2 'one file; 2 were given' "$atoll" import --from maestro text.txt empty.txt
refuses 2 'mappings of zigzag are not read' "$atoll" import --from zigzag --accelerator "$edge" text.txt
first=$(ls timeloop/*.mapping.yaml | head -1)
sed 's/target: buffer/target: bufer/' "$first" >level.yaml
refuses 2 "unknown level 'bufer'; did you mean 'buffer'" "$atoll" import --from timeloop level.yaml "${first/mapping.yaml/problem.yaml}" --accelerator "$eyeriss"
sed 's/factors: N=/factors: Z=/' "$first" >dimension.yaml
refuses 2 "unknown dimension 'Z'" "$atoll" import --from timeloop dimension.yaml "${first/mapping.yaml/problem.yaml}" --accelerator "$eyeriss"
refuses 3 'cannot|No such' "$atoll" import --from maestro "$foreign/maestro/edge.m" --out /nowhere/x.yaml

# Wrong input: export.
refuses 2 'mestro' "$atoll" export mappings --to mestro
refuses 2 'STORE is required' "$atoll" export
refuses 2 'from one place' "$atoll" export --to maestro
refuses 2 'from one place' "$atoll" export mappings --to maestro --mappings one.jsonl
refuses 2 'needs --accelerator' "$atoll" export --to maestro --mappings one.jsonl
refuses 2 'goes with --to' "$atoll" export mappings --mappings one.jsonl
refuses 2 "there is no file 'none.jsonl'" "$atoll" export --to maestro --mappings none.jsonl --accelerator "$edge"
refuses 2 'found no line' "$atoll" export --to maestro --mappings empty.txt --accelerator "$edge"
refuses 2 'not valid JSON' "$atoll" export --to maestro --mappings text.txt --accelerator "$edge"
sed 's/"K",8/"k",8/' one.jsonl >dim.jsonl
refuses 2 "dim.jsonl:1: .*found 'k'" "$atoll" export --to maestro --mappings dim.jsonl --accelerator "$edge"
sed 's/"level":"shared"/"level":"share"/' one.jsonl >level.jsonl
refuses 2 "level.jsonl:1: .*found 'share'" "$atoll" export --to maestro --mappings level.jsonl --accelerator "$edge"

# Evaluate: a bad line is refused beside the good ones; a bad file is one message.
cat one.jsonl dim.jsonl level.jsonl text.txt >mixed.jsonl
ends_with 0 "$atoll" evaluate --mappings mixed.jsonl --accelerator "$edge"
equal 'refused lines' 3 "$(grep -c '"refused"' out)"
refuses 2 "there is no file 'none.jsonl'" "$atoll" evaluate --mappings none.jsonl --accelerator "$edge"
refuses 2 'found no line' "$atoll" evaluate --mappings empty.txt --accelerator "$edge"
refuses 2 'accelerator is required' "$atoll" evaluate --mappings one.jsonl
refuses 2 'gamma' "$atoll" evaluate --mappings one.jsonl --accelerator "$edge" --format gamma
finish
