#!/usr/bin/env bash
# The same run gives the same digest: on any number of ranks, stopped, killed, resumed elsewhere, without its
# original files. Both spaces.
source "$(dirname "$0")/lib.sh"

mkdir configs
sed "s|\.\./\.\./\.\./|$source_dir/|" "$data/small_run.yaml" >configs/small_run.yaml
sed "s|\.\./\.\./\.\./|$source_dir/|" "$data/small_search.yaml" >configs/small_search.yaml
cp "$data/small.yaml" configs/

for config in small_run small_search; do
  file=configs/$config.yaml
  run 1 run "$file" --output "$config-1"
  expected=$(digest "$config-1")
  for ranks in 2 4 5; do
    run $ranks run "$file" --output "$config-$ranks"
    equal "$config on $ranks ranks" "$expected" "$(digest "$config-$ranks")"
  done

  # Stop and go on with another number of ranks, three times.
  ends_with 75 "$mpirun" -n 2 "$atoll" run "$file" --output "$config-stop" --stop-after 3
  ends_with 75 "$mpirun" -n 3 "$atoll" resume "$config-stop" --stop-after 1
  run 1 resume "$config-stop"
  equal "$config stopped twice" "$expected" "$(digest "$config-stop")"
  run 2 resume "$config-stop"
  equal "$config resumed when finished" "$expected" "$(digest "$config-stop")"

  # A changed seed is another run.
  run 2 run "$file" --output "$config-seed" --set run.seed=99
  [[ $(digest "$config-seed") != "$expected" ]] || fail "$config: the seed has no effect"
done

# What was edited since the run began is named; what decides nothing may change.
edited=small_run-edited
ends_with 75 "$atoll" run configs/small_run.yaml --output $edited --stop-after 2
sed -i 's/^  seed: .*/  seed: 99/; s/^  size: .*/  size: 31/' $edited/config.yaml
refuses 2 'run.seed: [0-9]+ became 99' "$mpirun" -n 2 "$atoll" resume $edited
grep -q 'islands.size: [0-9]* became 31' err || fail "the second edit is not named"
sed -i 's/  name: .*/  name: renamed/; s/every: [0-9]* generations/every: 3 generations/' small_run-stop/config.yaml
run 1 resume small_run-stop

# Signals and kills of a run long enough to be hit; then the originals vanish.
long=(run configs/small_run.yaml --set islands.generations=800 --set 'store.budget=none' --set 'checkpoint.every=40 generations')
ends_with 0 "$atoll" "${long[@]}" --output whole
expected=$(digest whole)
wait_for_rows() {  # folder
  for ((i = 0; i < 200; i++)); do
    [[ -s $1/results.h5 ]] && "$atoll" inspect "$1" 2>/dev/null | grep -qE '^individuals +[1-9][0-9]{3,}' && return
    sleep 0.02
  done
  fail "no rows appeared in $1"
}
for signal in TERM USR1 INT KILL; do
  folder=by-$signal
  "$atoll" "${long[@]}" --output "$folder" >/dev/null 2>"$signal.log" &
  process=$!
  wait_for_rows "$folder"
  kill -"$signal" "$process" || fail "the run was over before $signal"
  code=0
  wait "$process" || code=$?
  equal "code after $signal" "$([[ $signal == KILL ]] && echo 137 || echo 75)" "$code"
done
mv configs gone
for signal in TERM USR1 INT KILL; do
  run 2 resume "by-$signal"
  equal "resumed after $signal" "$expected" "$(digest "by-$signal")"
done
ends_with 75 "$atoll" run gone/small_run.yaml --set islands.generations=100000 --set store.budget=none --max-seconds 0.5 --output seconds
finish
