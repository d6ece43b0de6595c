"""Runs on a node as root, and prints what is there that roles set up, as JSON: a name, and what it is."""

import grp
import hashlib
import json
import os
import pwd
import socket
import stat
import subprocess

FOLDERS = ("/etc", "/usr/local", "/usr/lib/locale", "/usr/lib/systemd/system", "/home", "/root", "/opt", "/srv", "/var/spool", "/var/lib", "/var/log")
# What programs write as they run, and what is each node's own.
LEFT_OUT = (
    "/etc/hostname", "/etc/machine-id", "/etc/resolv.conf", "/var/lib/systemd", "/var/lib/chrony", "/var/lib/private", "/var/lib/logrotate",
    "/home/ubuntu/.ansible", "/root/.ansible",
)
# Of these the folders: what is logged, and whether, is not a role's.
ONLY_FOLDERS = ("/var/log",)


def named(function, number):
    try:
        return function(number)[0]
    except KeyError:
        return str(number)


def told(path):
    what = os.lstat(path)
    owner = f"{named(pwd.getpwuid, what.st_uid)}:{named(grp.getgrgid, what.st_gid)}"
    mode = f"{stat.S_IMODE(what.st_mode):o} {owner}"
    if stat.S_ISLNK(what.st_mode):
        return f"link to {os.readlink(path)}"
    if stat.S_ISDIR(what.st_mode):
        return f"folder {mode}"
    if not stat.S_ISREG(what.st_mode):
        return f"file {mode}"
    with open(path, "rb") as file:
        text = file.read()
    if path == "/etc/hosts":
        # The engine writes the node's own name and address.
        own = socket.gethostname().encode()
        text = b"".join(row for row in text.splitlines(True) if own not in row.split())
    return f"file {mode} {hashlib.sha256(text).hexdigest()[:16]}"


def files():
    for top in FOLDERS:
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if not os.path.join(folder, name).startswith(LEFT_OUT)]
            for name in folders + ([] if folder.startswith(ONLY_FOLDERS) else names):
                path = os.path.join(folder, name)
                if not path.startswith(LEFT_OUT):
                    yield path, told(path)


def units():
    listed = subprocess.run(
        ["systemctl", "list-unit-files", "--no-legend", "--plain"], capture_output=True, text=True, check=True
    ).stdout
    for row in listed.splitlines():
        name, state = row.split()[:2]
        yield f"unit {name}", state
    active = subprocess.run(
        ["systemctl", "list-units", "--all", "--type=service", "--no-legend", "--plain"], capture_output=True, text=True, check=True
    ).stdout
    for row in active.splitlines():
        name, _, state, detail = row.split()[:4]
        if "@" not in name:
            yield f"runs {name}", f"{state} {detail}"


print(json.dumps({**dict(files()), **dict(units())}))
