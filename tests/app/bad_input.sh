#!/usr/bin/env bash
# Every kind of wrong input: the right exit code and one message that says where and what; nothing overwritten.
source "$(dirname "$0")/lib.sh"
good=$data/small_run.yaml

# Run files.
refuses 2 "there is no file 'none.yaml'" "$atoll" run none.yaml
refuses 2 'is a folder' "$atoll" run "$work"
printf 'islands: {size: 4\n' >broken.yaml
refuses 2 'broken.yaml:[0-9]+:[0-9]+: this is no valid YAML' "$atoll" run broken.yaml
sed "s/size: 20/sise: 20/" "$good" >slip.yaml
refuses 2 "slip.yaml:4:21: .*unknown key 'sise'; did you mean 'size'" "$atoll" run slip.yaml
sed "s/size: 20/size: twenty/" "$good" >type.yaml
refuses 2 "type.yaml:4:27: .*expected a whole number from 1 to 65535, found 'twenty'" "$atoll" run type.yaml
sed "s/seed: 7/seed: -7/" "$good" >range.yaml
refuses 2 "range.yaml:2:26: .*found '-7'" "$atoll" run range.yaml
sed "s|\.\./\.\./\.\./|$source_dir/|" "$good" >small_run.yaml
refuses 2 "small_run.yaml:3:36: problem.network: there is no file .*small.yaml" "$atoll" run "$work/small_run.yaml"
refuses 2 "did you mean 'edp'" "$atoll" run "$good" --set problem.objective=edq
refuses 2 "problem.constraints.*did you mean 'cycles'" "$atoll" run "$good" --set 'problem.constraints=[cycels <= 4]'
refuses 2 "did you mean 'loopnest'" "$atoll" run "$good" --set problem.simulator=loopnets
refuses 2 'elites must be fewer' "$atoll" run "$good" --set islands.size=2
refuses 2 "'lagged' is not supported yet" "$atoll" run "$good" --set migration.mode=lagged
refuses 2 'store may become .* above the budget' "$atoll" run "$good" --set 'store.budget=10 KB'

# Networks and accelerators.
printf 'name: none\nsource: "a test"\nlayers:\n  - {name: a, op: conv, in: [0, 4, 4], out: 1, kernel: 1}\n' >zero.yaml
refuses 2 'zero.yaml:4:[0-9]+:' "$atoll" run "$good" --set problem.network="$work/zero.yaml"
printf 'this is not onnx' >broken.onnx
refuses 2 'broken.onnx' "$atoll" run "$good" --set problem.network="$work/broken.onnx"
sed 's/^\( *\)size: 448 B/\1size: 1 b/; s/size: 448 B/size: 1 b/' "$source_dir/accelerators/eyeriss.yaml" >tiny.yaml
if cmp -s tiny.yaml "$source_dir/accelerators/eyeriss.yaml"; then fail 'the accelerator was not changed'; fi
refuses 2 'tiny.yaml:[0-9]+:[0-9]+: .*one word' "$atoll" run "$good" --set problem.accelerator="$work/tiny.yaml"

# Folders.
mkdir full && echo keep >full/me
refuses 2 'exists and is not empty' "$atoll" run "$good" --output full
equal 'the content of the folder' keep "$(cat full/me)"
refuses 2 'is no folder' "$atoll" run "$good" --output full/me
refuses 3 'cannot make the folder' "$atoll" run "$good" --output /proc/atoll
refuses 2 'no run folder' "$atoll" resume nowhere
refuses 2 'not the folder of a run' "$atoll" resume full

# Stores and commands.
echo text >text.h5
refuses 2 'not an HDF5 file' "$atoll" best text.h5
refuses 2 'does not exist' "$atoll" inspect none.h5
refuses 2 "unknown command 'rum'; did you mean 'run'" "$atoll" rum
refuses 2 'CONFIG is required' "$atoll" run
refuses 2 'not expected: .*--outpt' "$atoll" run "$good" --outpt x
refuses 2 'above 0' "$atoll" run "$good" --stop-after 0
refuses 2 "did you mean 'policies'" "$atoll" describe polices

# A name of a file may hold any bytes, the line about it stays JSON.
odd=$work/$'odd\xff.jsonl'
echo '{}' >"$odd"
ends_with 0 "$atoll" evaluate --accelerator "$source_dir/accelerators/eyeriss.yaml" --mappings "$odd"
grep -q '"refused":"' "$work/out" || fail 'a line is not refused in a file of an odd name'

# Under MPI: one message for all ranks, and nobody waits.
refuses 2 "did you mean 'size'" "$mpirun" -n 3 "$atoll" run slip.yaml
refuses 2 'exists and is not empty' "$mpirun" -n 2 "$atoll" run "$good" --output full
refuses 3 'cannot make the folder' "$mpirun" -n 2 "$atoll" run "$good" --output /proc/atoll
[[ ! -e runs ]] || fail 'a refused run left a folder'
finish
