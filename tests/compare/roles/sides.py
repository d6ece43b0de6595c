"""The two programs: each runs a case and tells what happened in one form.

What happened is a list of lines, in order: plays, tasks with their names, each host's results, includes, the recap.
"""

import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
ANSIBLE = subprocess.run([HERE.parent / "setup.sh"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
WINDLASS = os.environ.get("WINDLASS", str(ROOT / "target/debug/windlass"))
# What ansible-playbook is told, that it tells what happened in our form.
FOR_ANSIBLE = {
    "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"),
    "ANSIBLE_STDOUT_CALLBACK": "events",
    "ANSIBLE_FORKS": "1",
    "ANSIBLE_NOCOLOR": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
# How long one run may take, on a machine that has much else to do.
SECONDS = 300
COUNTS = ("ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored")

# What a result holds beside what its module says: how it came about, which is compared on its own, and
# times.
BESIDE = {
    "changed", "failed", "skipped", "skip_reason", "false_condition", "results", "ansible_loop_var", "item",
    "ansible_loop", "invocation", "warnings", "deprecations", "exception", "diff", "ansible_delegated_vars",
    "include_args", "include", "validate_args_context", "_ansible_no_log",
}
# What Windlass tells of by an `included` alone, or not at all: the recap shows who skipped it, or failed.
QUIET = {"include_tasks", "include_role", "meta"}
# Modules whose whole result is compared; of commands and of the others these keys.
WHOLE = {"debug", "set_fact"}
COMMANDS = {"command", "shell", "script", "raw"}
KEYS_OF_COMMANDS = {"stdout", "rc", "attempts"}
KEYS = {"ansible_facts", "attempts"}
# Modules whose results are the machine's.
OF_THE_MACHINE = {"setup", "gather_facts"}
# Modules whose words about a failure are the playbook's own.
OWN_WORDS = {"fail"}


class Ran:
    """What a run left: its exit status, its lines, its files, and its words for people."""

    def __init__(self, status, lines, files, words):
        self.status, self.lines, self.files, self.words = status, lines, files, words


def said(module, status, data):
    """The part of a result that the two must agree on."""
    module = module.rpartition(".")[2]
    if status == "skipped" or module in OF_THE_MACHINE or not isinstance(data, dict):
        return {}
    if status != "ok":
        return {"msg": data.get("msg")} if module in OWN_WORDS else {}
    if module in WHOLE:
        keys = [key for key in data if key not in BESIDE]
    else:
        keys = [key for key in data if key in (KEYS_OF_COMMANDS if module in COMMANDS else KEYS)]
    return {key: data[key] for key in sorted(keys) if not (key == "msg" and "results" in data)}


def line(event, host, module, status, changed, ignored, data):
    text = f"  {event} {host} {status}"
    text += " changed" if changed and status == "ok" else ""
    text += " ignored" if ignored else ""
    told = said(module, status, data)
    return text + (f" {json.dumps(told, sort_keys=True)}" if told else "")


def quiet(module):
    return module.rpartition(".")[2] in QUIET


def of_ansible(output):
    for event in map(json.loads, output):
        match event["event"]:
            case "task" | "item" | "host" if quiet(event["module"]):
                continue
            case "play":
                yield f"play {event['name']}"
            case "task":
                yield ("handler " if event["handler"] else "task ") + event["name"]
            case "included":
                yield f"  included {' '.join(event['hosts'])}"
            case "item" | "host":
                data = event["data"]
                yield line(event["event"], event["host"], event["module"], event["status"],
                           data.get("changed"), event["ignored"], data)
            case "recap":
                for host, counts in event["recap"].items():
                    counts["failed"] = counts.pop("failures")
                    yield recap(host, counts)


def recap(host, counts):
    return f"recap {host} " + " ".join(f"{name}={counts[name]}" for name in COUNTS if counts[name])


def of_windlass(output):
    tasks, play = {}, None
    for event in map(json.loads, output):
        match event["event"]:
            case "play_started" | "play_skipped":
                play = f"play {event['name']}"
                yield play
            case "batch_started" if event["number"] > 1:
                # ansible-core tells of the play once more.
                yield play
            case "task_started":
                info = event["info"]
                tasks[event["task"]] = info["module"]
                if not quiet(info["module"]):
                    yield ("handler " if info["handler"] else "task ") + info["name"]
            case "included":
                yield f"  included {' '.join(event['hosts'])}"
            case "item_finished" | "host_finished" if not quiet(tasks[event["task"]]):
                result = event["result"]
                yield line(event["event"].removesuffix("_finished"), event["host"], tasks[event["task"]],
                           result["status"], result["changed"], result["ignored"], result["data"])
            case "run_finished":
                for host, counts in sorted(event["recap"]):
                    yield recap(host, counts)


def words_of_windlass(output, errors):
    """What Windlass says to people, from events and from standard error."""
    words = [errors]
    for event in map(json.loads, output):
        words += [event.get("message") or "", event.get("hint") or ""]
        result = event.get("result") or {}
        words += [result.get("message") or "", result.get("hint") or ""]
    return "\n".join(word for word in words if word)


# What each program keeps for itself in a home folder.
THEIRS = (".ansible", ".cache", ".local", ".config", ".ssh")


def left(case, folder):
    """The files that a run made or changed: path -> mode and text."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.startswith(tuple(f"home/{theirs}" for theirs in THEIRS)) or not path.is_file():
            continue
        text = path.read_text(errors="replace")
        if case.files.get(name) != text:
            files[name] = f"{stat.S_IMODE(path.stat().st_mode):o} {text}"
    return files


def run(case, folder, command, environment):
    """Runs the case in the folder, which is made afresh: both programs see the same paths."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "home").mkdir(parents=True)
    case.write(folder)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "WINDLASS_"))}
    variables = {**kept, "HOME": str(folder / "home"), **environment}
    variables.update({name: value.replace("$CASE", str(folder)) for name, value in case.environment.items()})
    ran = subprocess.run(
        command + case.arguments + case.playbooks, cwd=folder, env=variables, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )
    output = [row for row in ran.stdout.splitlines() if row.startswith("{")]
    return ran, output, left(case, folder)


def ansible(case, folder):
    ran, output, files = run(case, folder, [ANSIBLE, "-i", case.inventory],
                             {**FOR_ANSIBLE, "ANSIBLE_PYTHON_INTERPRETER": sys.executable})
    failures = [event["data"] for event in map(json.loads, output) if event.get("status") == "failed"]
    words = [ran.stderr] + [str(data.get("msg")) for data in failures]
    return Ran(ran.returncode, list(of_ansible(output)), files, "\n".join(words))


def windlass(case, folder):
    command = [WINDLASS, "run", "-i", case.inventory, "--output", "json", "-f", "1"]
    ran, output, files = run(case, folder, command, {})
    return Ran(ran.returncode, list(of_windlass(output)), files, words_of_windlass(output, ran.stderr))
