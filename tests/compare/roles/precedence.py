"""Cases of precedence: for each pair of places in which a variable can be set, one variable that is set in both.

A case is made for each place and each way in which a role is brought in. It has one variable for each place that comes
later in PLACES, named after both, whose value is the name of the place that won. The role shows them all; the play shows
what it sees of them after the role.
"""

import json

from case import Case

# Low to high, by and large: what wins is ansible-core's to say.
PLACES = (
    "defaults", "all_inventory", "all_file", "all_play_file", "group_inventory", "group_file", "group_play_file",
    "host_inventory", "host_file", "host_play_file", "play", "vars_files", "role_vars", "block", "task", "include_vars",
    "set_fact", "register", "invocation", "params", "include", "extra",
)
WAYS = ("roles", "import_role", "include_role")


def yaml(value):
    """JSON is YAML, too."""
    return json.dumps(value)



    return yaml({name: place for name in names})


def invocation(way, values):
    """The entry of the play that runs the role."""
    if way == "roles":
        return f"  roles:\n    - {yaml({'role': 'r', 'vars': values['invocation'], **values['params']})}\n"
    return f"  tasks:\n    - {way}: {{name: r}}\n      vars: {yaml(values['invocation'])}\n"


def shows(names):
    """A task that shows what each name is; a registered one is known by its text."""
    told = {name: f"{{{{ {name}.msg | default({name}) if {name} is defined else 'not set' }}}}" for name in names}
    return f"debug: {{msg: {yaml(told)}}}"


def files(way, values, names):
    lines = [f"h1 {' '.join(f'{name}=host_inventory' for name in values['host_inventory'])}", "[web]", "h1"]
    for group in ("all", "web"):
        place = "all_inventory" if group == "all" else "group_inventory"
        lines += [f"[{group}:vars]"] + [f"{name}={place}" for name in values[place]]
    inventory = "\n".join(lines) + "\n[local:children]\nweb\n[local:vars]\nansible_connection=local\n"
    registers = "".join(
        f"    - debug: {{msg: register}}\n      register: {name}\n" for name in values["register"]
    )
    includes = "    - include_vars: included.yml\n" if values["include_vars"] else ""
    site = f"""- hosts: all
  gather_facts: false
  vars: {yaml(values['play'])}
  vars_files: [files.yml]
  pre_tasks:
{includes}    - set_fact: {yaml({'anything': 1, **values['set_fact']})}
{registers}{invocation(way, values)}  post_tasks:
    - name: after the role
      {shows(names)}
"""
    main = f"""- vars: {yaml(values['block'])}
  block:
    - include_tasks: show.yml
      vars: {yaml(values['include'])}
"""
    show = f"""- name: in the role
  {shows(names)}
  vars: {yaml(values['task'])}
"""
    return {
        "inventory/hosts": inventory,
        "inventory/group_vars/all.yml": yaml(values["all_file"]),
        "inventory/group_vars/web.yml": yaml(values["group_file"]),
        "inventory/host_vars/h1.yml": yaml(values["host_file"]),
        "group_vars/all.yml": yaml(values["all_play_file"]),
        "group_vars/web.yml": yaml(values["group_play_file"]),
        "host_vars/h1.yml": yaml(values["host_play_file"]),
        "site.yml": site,
        "files.yml": yaml(values["vars_files"]),
        "included.yml": yaml(values["include_vars"]),
        "extra.yml": yaml(values["extra"]),
        "roles/r/defaults/main.yml": yaml(values["defaults"]),
        "roles/r/vars/main.yml": yaml(values["role_vars"]),
        "roles/r/tasks/main.yml": main,
        "roles/r/tasks/show.yml": show,
    }


def case(way, one, others):
    values = {place: {} for place in PLACES}
    for other in others:
        name = f"{one}__{other}"
        values[one][name] = one
        values[other][name] = other
    names = sorted({name for of_place in values.values() for name in of_place})
    settings = {"args": "-e @extra.yml", "inventory": "inventory"}
    return Case(f"precedence/{way}/{one}", settings, files(way, values, names))


def pairs(places):
    """Each place with those that come after it; include_vars, which needs a task of its own, with all others."""
    rest = [place for place in places if place != "include_vars"]
    for at, low in enumerate(rest[:-1]):
        yield low, rest[at + 1:]
    yield "include_vars", rest


def cases():
    for way in WAYS:
        # Only an entry of `roles:` takes parameters beside its keywords.
        places = tuple(place for place in PLACES if way == "roles" or place != "params")
        for low, others in pairs(places):
            yield case(way, low, others)
