"""An ansible-core callback that writes what happens in a run as JSON lines, in the form that sides.py compares.

Prints nothing but those lines to standard output; warnings and errors go to standard error as ever.
"""

import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: events
type: stdout
short_description: what happens in a run, as JSON lines
description: For comparing runs.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "events"

    def tell(self, event, **fields):
        print(json.dumps({"event": event, **fields}, default=str), flush=True)

    def v2_playbook_on_play_start(self, play):
        self.tell("play", name=play.get_name().strip())

    def v2_playbook_on_task_start(self, task, is_conditional):
        self.tell("task", name=task.get_name().strip(), handler=False, module=task.action)

    def v2_playbook_on_handler_task_start(self, task):
        self.tell("task", name=task.get_name().strip(), handler=True, module=task.action)

    def result(self, event, result, status, ignored=False):
        self.tell(
            event,
            host=result.host.get_name(),
            status=status,
            ignored=bool(ignored),
            module=result.task.action,
            data=json.loads(self._dump_results(dict(result.result), indent=0)),
        )

    def v2_runner_on_ok(self, result):
        self.result("host", result, "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.result("host", result, "failed", ignore_errors)

    def v2_runner_on_skipped(self, result):
        self.result("host", result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self.result("host", result, "unreachable", result.task.ignore_unreachable)

    def v2_runner_item_on_ok(self, result):
        self.result("item", result, "ok")

    def v2_runner_item_on_failed(self, result):
        self.result("item", result, "failed")

    def v2_runner_item_on_skipped(self, result):
        self.result("item", result, "skipped")

    def v2_playbook_on_include(self, included_file):
        self.tell("included", hosts=[host.name for host in included_file._hosts])

    def v2_playbook_on_stats(self, stats):
        recap = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self.tell("recap", recap=recap)
