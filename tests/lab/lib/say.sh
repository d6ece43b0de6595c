# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# How the lab talks: steps with a count and the time, and a long command's own words while it
# runs. All of it goes to standard error, so that `lab exec` and others own standard output.

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE...: each argument is a line. Says what is wrong and what to do, then ends.
die() {
    printf 'lab: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '     %s\n' "$line" >&2; done
    exit 1
}

now() { date +%s; }

# Prints a number of seconds as m:ss.
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

say_started=$(now)
step_number=0
step_total=${step_total:-0}

# step TEXT: begins a step. How many there will be is known once `plan` has looked.
step() {
    step_number=$((step_number + 1))
    step_of=$step_total
    if [ "$step_number" -gt "$step_total" ]; then step_of='?'; fi
    printf '[%d/%s] %s  %s\n' "$step_number" "$step_of" \
        "$(clock $(($(now) - say_started)))" "$*" >&2
}

# Shows what a command that is running wrote last: on a terminal as a live line, elsewhere as
# one line each half minute, so that a log of CI does not fill.
progress() {
    progress_log=$1
    progress_seconds=$2
    progress_last=$(tail -n 1 "$progress_log" 2>/dev/null | tr -d '\r' | cut -c 1-90)
    if [ -t 2 ]; then
        printf '\r\033[K      %s  %s' "$(clock "$progress_seconds")" "$progress_last" >&2
    elif [ $((progress_seconds % 30)) -eq 0 ] && [ "$progress_seconds" -gt 0 ]; then
        printf '      %s  %s\n' "$(clock "$progress_seconds")" "$progress_last" >&2
    fi
}

# logged LOG COMMAND...: runs the command with its output in LOG, showing progress. When it
# fails, prints the end of the log and where the whole is, and ends.
logged() {
    logged_log=$1
    shift
    mkdir -p "$(dirname "$logged_log")"
    "$@" >"$logged_log" 2>&1 </dev/null &
    logged_pid=$!
    running_pid=$logged_pid
    logged_start=$(now)
    logged_ticks=0
    while kill -0 "$logged_pid" 2>/dev/null; do
        # Short commands should not cost a second each.
        if [ "$logged_ticks" -lt 10 ]; then sleep 0.1; else sleep 1; fi
        logged_ticks=$((logged_ticks + 1))
        if [ "$logged_ticks" -gt 10 ]; then progress "$logged_log" $(($(now) - logged_start)); fi
    done
    running_pid=
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
    if wait "$logged_pid"; then return 0; fi
    say "      failed: $*"
    tail -n 25 "$logged_log" | sed 's/^/      | /' >&2
    die "this step failed." "The whole log: $logged_log" "Run the same command again to go on from here: finished parts are kept."
}
