"""Random plays: the same for a seed each time."""

import json
import random

HANDLERS = (1, 2, 3)


class Plays:
    """The text of a playbook, and the files that it includes."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0
        self.files = {}
        self.playbook = "".join(self.play() for _ in range(self.random.choice([1, 2])))

    def chance(self, share):
        return self.random.random() < share

    def condition(self):
        hosts = self.random.choice([["h1"], ["h2"], ["h3"], ["h1", "h3"], ["h2", "h3"], None])
        return "true" if hosts is None else f"inventory_hostname in {json.dumps(hosts)}"

    def task(self, indent):
        self.count += 1
        number, space, kind = self.count, " " * indent, self.random.random()
        when = f"{space}  when: {self.condition()}\n"
        debug = f"{space}  debug: {{msg: m{number}}}\n"
        if kind < 0.18:
            text = f"{space}- name: f{number}\n{space}  fail: {{msg: m{number}}}\n{when}"
            if self.chance(0.12):
                text += f"{space}  any_errors_fatal: true\n"
            if self.chance(0.12):
                text += f"{space}  ignore_errors: true\n"
            return text
        if kind < 0.28:
            handler = f"{space}  notify: hd{self.random.choice(HANDLERS)}\n"
            return f"{space}- name: n{number}\n{debug}{space}  changed_when: true\n{handler}{when}"
        if kind < 0.34:
            words = ["flush_handlers", "flush_handlers", "end_host", "end_batch", "end_play", "clear_host_errors", "noop"]
            return f"{space}- meta: {self.random.choice(words)}\n" + (when if self.chance(0.7) else "")
        if kind < 0.40:
            name = f"inc{number}.yml"
            self.files[name] = "".join(self.task(0) for _ in range(self.random.randint(1, 2)))
            return f"{space}- name: i{number}\n{space}  include_tasks: {name}\n" + (when if self.chance(0.5) else "")
        once = f"{space}  run_once: true\n" if self.chance(0.2) else ""
        return f"{space}- name: d{number}\n{debug}{once}"

    def block(self, indent, depth):
        space, kind = " " * indent, self.random.random()
        text = f"{space}- block:\n" + self.entries(indent + 4, depth + 1, 1)
        if kind < 0.65:
            text += f"{space}  rescue:\n" + self.entries(indent + 4, depth + 1, 1)
        if kind > 0.45:
            text += f"{space}  always:\n" + self.entries(indent + 4, depth + 1, 1)
        if self.chance(0.1):
            text += f"{space}  any_errors_fatal: true\n"
        return text

    def entries(self, indent, depth, least):
        text = ""
        for _ in range(self.random.randint(least, 3)):
            text += self.block(indent, depth) if depth < 3 and self.chance(0.35) else self.task(indent)
        return text

    def play(self):
        text = "- hosts: web\n  gather_facts: false\n"
        if self.chance(0.25):
            text += f"  serial: {self.random.choice([1, 2])}\n"
        if self.chance(0.12):
            text += "  any_errors_fatal: true\n"
        if self.chance(0.2):
            text += "  force_handlers: true\n"
        text += "  tasks:\n" + self.entries(4, 0, 2)
        if self.chance(0.3):
            text += "  post_tasks:\n" + self.entries(4, 2, 1)
        text += "  handlers:\n"
        for number in HANDLERS:
            text += f"    - name: hd{number}\n      debug: {{msg: handler{number}}}\n"
            if self.chance(0.2):
                text += f"      changed_when: true\n      notify: hd{self.random.choice(HANDLERS)}\n"
        return text
