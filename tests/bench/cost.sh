#!/usr/bin/env bash
# What a change costs a task on a host: two builds of the program side by side, on the same loopback hosts
# and in turn.
#
# usage: tests/bench/cost.sh OLD NEW [ROUNDS]     two programs; 7 rounds
#
# 1. Instructions that the control host's process executes a task on a host: what 40 tasks take more than
#    20, by valgrind. It hardly depends on what else the machine does, and says nothing of waiting.
# 2. Seconds of 20 tasks on 1, 10 and 50 hosts, with kept connections, and cold: the median of the rounds,
#    the middle half of them in brackets, and the quotient of the medians. A B, B A, A B, after one run of
#    each that does not count. Quote the quotients; and look at the brackets before you believe one.
#
# `cmd` is `command: /bin/true`; `mix` is command with register, copy, template and stat. Needs root.
# Words in ONLY leave parts out: ONLY=instructions, ONLY=seconds.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ $# -ge 2 ] || { sed -n '5s/^# //p' "$0" >&2; exit 2; }
old=$(realpath "$1")
new=$(realpath "$2")
rounds=${3:-7}
only=${ONLY-instructions seconds}
for program in "$old" "$new"; do
    [ -x "$program" ] || { echo "bench: $program is no program" >&2; exit 1; }
done
# shellcheck source=tests/bench/loopback.sh
. tests/bench/loopback.sh
loopback_start
for hosts in 1 10 50; do loopback_hosts "$hosts" >"$dir/hosts$hosts.ini"; done
for play in cmd mix; do
    for tasks in 20 40; do loopback_play "$play" "$tasks" >"$dir/$play$tasks.yml"; done
done
echo 'host {{ inventory_hostname }}: {{ said.stdout }}, {% for n in range(3) %}{{ n }} {% endfor %}' >"$dir/mix.j2"

# run PROGRAM PLAY HOSTS: fails where the run does.
run() {
    "$1" run "$dir/$2.yml" -i "$dir/hosts$3.ini" -f 50 -T 60 >"$dir/out" 2>&1 && return
    echo "bench: a run of $1 failed:" >&2
    tail -n 20 "$dir/out" >&2
    exit 1
}

# instructions PROGRAM PLAY HOSTS
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" run "$dir/$2.yml" -i "$dir/hosts$3.ini" -f 50 \
        >"$dir/out" 2>"$dir/valgrind" || { tail -n 20 "$dir/out" "$dir/valgrind" >&2; exit 1; }
    awk '/Collected/ { print $NF }' "$dir/valgrind"
}

# a_task PROGRAM PLAY: instructions a task on a host, the smallest of three.
a_task() {
    local hosts=10 least='' few many each
    for _ in 1 2 3; do
        few=$(instructions "$1" "${2}20" "$hosts")
        many=$(instructions "$1" "${2}40" "$hosts")
        each=$(((many - few) / (20 * hosts)))
        if [ -z "$least" ] || [ "$each" -lt "$least" ]; then least=$each; fi
    done
    echo "$least"
}

# seconds PROGRAM PLAY HOSTS FILE: adds how long a run took.
seconds() {
    local began
    began=$(date +%s%N)
    run "$1" "$2" "$3"
    echo $(($(date +%s%N) - began)) >>"$4"
}

# summary LABEL: of the files old and new.
summary() {
    sort -n "$dir/old" >"$dir/old.sorted"
    sort -n "$dir/new" >"$dir/new.sorted"
    awk -v label="$1" '
        { which = FILENAME == ARGV[1]; nth[which, FNR] = $1 / 1e9; count[which] = FNR }
        # Between two of them in proportion: a quarter of three is between the first and the second.
        function at(which, share,    place, low) {
            place = 1 + (count[which] - 1) * share
            low = int(place)
            if (low == count[which]) return nth[which, low]
            return nth[which, low] + (place - low) * (nth[which, low + 1] - nth[which, low])
        }
        function told(which) { return sprintf("%.3f s (%.3f to %.3f)", at(which, 0.5), at(which, 0.25), at(which, 0.75)) }
        END { printf "  %-22s %s   %s   %.3f\n", label, told(1), told(0), at(0, 0.5) / at(1, 0.5) }
    ' "$dir/old.sorted" "$dir/new.sorted"
}

# compare PLAY HOSTS warm|cold
compare() {
    local round first second temporary
    rm -f "$dir/old" "$dir/new"
    run "$old" "${1}20" "$2"
    run "$new" "${1}20" "$2"
    for ((round = 1; round <= rounds; round++)); do
        first=old second=new
        if ((round % 2 == 0)); then first=new second=old; fi
        for temporary in "$first" "$second"; do
            [ "$3" = warm ] || loopback_cold
            seconds "${!temporary}" "${1}20" "$2" "$dir/$temporary"
        done
    done
    summary "$1, $2 hosts, $3"
}

if [[ $only == *instructions* ]]; then
    if command -v valgrind >/dev/null 2>&1; then
        echo "instructions a task on a host: old, new, new / old"
        for play in cmd mix; do
            before=$(a_task "$old" "$play")
            after=$(a_task "$new" "$play")
            awk -v play="$play" -v old="$before" -v new="$after" \
                'BEGIN { printf "  %-6s %10d %10d   %.3f\n", play, old, new, new / old }'
        done
    else
        echo "instructions are left out: there is no valgrind (apt-get install valgrind)"
    fi
fi
if [[ $only == *seconds* ]]; then
    echo "seconds of 20 tasks, $rounds rounds: old, new, new / old"
    for play in cmd mix; do
        for hosts in 1 10 50; do compare "$play" "$hosts" warm; done
        compare "$play" 50 cold
    done
fi
