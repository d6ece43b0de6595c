#!/usr/bin/env python3
"""Renders the templates of cases.json with ansible-core and writes what it gives to observed.json.

Usage: observe.py, with a Python that has ansible-core (2.19 or later), netaddr, jmespath and passlib.
The filters of ansible.utils and community.general are observed only where those collections are found.
"""
import json
import pathlib
import sys

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible.plugins.loader import init_plugin_loader
from ansible.utils.display import Display

init_plugin_loader()
Display.deprecated = lambda *a, **k: None
Display.warning = lambda *a, **k: None
here = pathlib.Path(__file__).parent


def trusted(value):
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, list):
        return [trusted(v) for v in value]
    if isinstance(value, dict):
        return {k: trusted(v) for k, v in value.items()}
    return value


def plain(value):
    return json.loads(json.dumps(value, default=str))


def main():
    cases = json.loads((here / "cases.json").read_text())
    out = []
    for group in cases:
        templar = Templar(loader=DataLoader(), variables=trusted(group["vars"]))
        for text in group["templates"]:
            try:
                value = templar.template(trust_as_template(text))
                found = {"text": text, "value": plain(value), "type": type(value).__name__.replace("_AnsibleTagged", "").lower()}
            except Exception as error:
                found = {"text": text, "error": str(error).split("\n")[0]}
            out.append({"vars": group["name"], **found})
    (here / "observed.json").write_text("[\n" + ",\n".join(json.dumps(o, ensure_ascii=False) for o in out) + "\n]\n")
    print(len(out), "templates observed", file=sys.stderr)


main()
