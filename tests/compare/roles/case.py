"""A case: a text with settings and files, as in cases/."""

import pathlib
import re
import shlex

KNOWN = {"args", "env", "hosts", "inventory", "playbooks", "exit", "refused", "differs"}
INVENTORY = "{names}\n[all:vars]\nansible_connection=local\n"


class Case:
    """One playbook with all that it reads, and what is expected of both programs.

    name       its path below cases/, without the ending
    settings   from lines `key: value` at its head; see README.md
    files      path -> text
    """

    def __init__(self, name, settings, files):
        self.name, self.settings, self.files = name, settings, dict(files)
        unknown = set(settings) - KNOWN
        if unknown:
            raise ValueError(f"{name}: unknown settings: {', '.join(sorted(unknown))}")
        names = "\n".join(settings.get("hosts", "h1 h2").split())
        self.files.setdefault("hosts", INVENTORY.format(names=names))

    @property
    def arguments(self):
        return shlex.split(self.settings.get("args", ""))

    @property
    def playbooks(self):
        return self.settings.get("playbooks", "site.yml").split()

    @property
    def inventory(self):
        return self.settings.get("inventory", "hosts")

    @property
    def environment(self):
        return dict(pair.split("=", 1) for pair in self.settings.get("env", "").split())

    @property
    def exit(self):
        """What ansible-playbook ends with, which shows that the case does what it was made for."""
        return int(self.settings.get("exit", 0))

    @property
    def refused(self):
        """What Windlass says instead of running, where it knows before what ansible-core finds out later."""
        return self.settings.get("refused")

    @property
    def differs(self):
        """What Windlass tells in another way on purpose: pairs of a line of ansible-core's and the one here."""
        pairs = filter(None, self.settings.get("differs", "").split(";"))
        return {theirs.strip(): ours.strip() for theirs, ours in (pair.split("=>") for pair in pairs)}

    def write(self, folder):
        for path, text in self.files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            if text.startswith("#!"):
                file.chmod(0o755)


def parse(name, text):
    """The case of a text: settings and remarks, then `-- path --` lines, each with a file's text after it."""
    parts = re.split(r"^-- (\S+) --\n", text, flags=re.MULTILINE)
    head, rest = parts[0], parts[1:]
    settings = {}
    for line in head.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        key, found, value = line.partition(":")
        if not found:
            raise ValueError(f"{name}: neither a setting nor a remark: {line}")
        settings[key.strip()] = value.strip()
    return Case(name, settings, zip(rest[::2], rest[1::2]))


def written(folder):
    """All cases of a folder."""
    folder = pathlib.Path(folder)
    for file in sorted(folder.rglob("*.case")):
        yield parse(str(file.relative_to(folder).with_suffix("")), file.read_text())
