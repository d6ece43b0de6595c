//! `windlass run`: reads and checks everything, then runs it.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::{mpsc, watch};
use windlass_modules::Secret;
use windlass_modules::transcript::Bounds;

use super::args::{Connection, Running};
use super::exit::Exit;
use super::list;
use super::prepare::{self, Prepared};
use crate::engine::{Prompt, Run, RunOptions, Summary};
use crate::report::{self, Format, Printer, Settings};
use crate::transport::{Limits, Transport};
use crate::vars::{BecomeDefaults, ConnectionDefaults, RunInfo};

/// How many events may wait for the report.
const EVENTS: usize = 4096;

/// Run playbooks.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  windlass run site.yml -i hosts.ini               run it
  windlass run site.yml -i hosts.ini -C -D         what would change, with differences
  windlass run site.yml -i hosts.ini -l 'web:!web3' -t config
  windlass run site.yml -i 10.0.0.5, -u admin -b -K")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) running: Running,
}

/// Runs; `ansible`: in `ansible-playbook`'s format where no other is asked for.
pub(crate) fn start(running: &Running, printer: &Printer, ansible: bool) -> Exit {
    let info = RunInfo {
        check: running.check,
        diff: running.diff,
        verbosity: running.output.verbose,
        forks: running.forks,
        limit: running.input.hosts.limit.clone(),
        tags: running.input.tags.clone(),
        skip_tags: running.input.skip_tags.clone(),
    };
    let prepared = match prepare::prepare(&running.input, info, printer) {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    if running.syntax_check {
        for playbook in &running.input.playbooks {
            printer.line(&format!("\nplaybook: {}", playbook.display()));
        }
        return Exit::Well;
    }
    if running.list_hosts || running.list_tasks || running.list_tags {
        list::show(running, &prepared, printer);
        return Exit::Well;
    }
    match options(running, &prepared, printer) {
        Ok(options) => run(running, prepared, options, printer, ansible),
        Err(error) => {
            printer.note(&format!("{} {error}", printer.theme().bad("error:")));
            Exit::Usage
        }
    }
}

fn options(
    running: &Running,
    prepared: &Prepared,
    printer: &Printer,
) -> Result<RunOptions, String> {
    let ask = |wanted: bool, question: &str| {
        let answer = wanted.then(|| printer.ask(question, false)).transpose();
        answer.map(|answer| answer.map(Secret::new))
    };
    let asker = printer.clone();
    let connection = &running.connection;
    let privileges = &running.privileges;
    Ok(RunOptions {
        forks: running.forks.max(1),
        check: running.check,
        diff: running.diff,
        tags: prepared.filter.clone(),
        verbosity: running.output.verbose,
        limit: prepared.limit.clone(),
        connection: defaults(connection, ask(connection.ask_pass, "Login password: ")?),
        r#become: BecomeDefaults {
            r#become: privileges.r#become,
            user: privileges.become_user.clone(),
            method: privileges.become_method.clone(),
            password: ask(
                privileges.ask_become_pass,
                "Password to become another user: ",
            )?,
        },
        prompt: std::io::stdin()
            .is_terminal()
            .then(|| Prompt(Arc::new(move |text, echo| asker.ask(text, echo)))),
        start_at_task: running.start_at_task.clone(),
        step: running.step,
        force_handlers: running.force_handlers,
    })
}

fn defaults(connection: &Connection, password: Option<Secret>) -> ConnectionDefaults {
    ConnectionDefaults {
        user: connection.user.clone(),
        private_key: connection.private_key.clone(),
        password,
        connection: connection.kind.clone(),
        timeout: connection.timeout,
        common_args: connection.ssh_common_args.clone(),
        extra_args: connection.ssh_extra_args.clone(),
    }
}

fn run(
    running: &Running,
    prepared: Prepared,
    options: RunOptions,
    printer: &Printer,
    ansible: bool,
) -> Exit {
    let format =
        running
            .output
            .output
            .unwrap_or(match (ansible, std::io::stdout().is_terminal()) {
                (true, _) => Format::Ansible,
                (false, true) => Format::Human,
                (false, false) => Format::Plain,
            });
    let report = report::report(
        format,
        Settings {
            verbosity: running.output.verbose,
        },
        printer.clone(),
    );
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.note(&format!(
                "{} cannot start: {error}",
                printer.theme().bad("error:")
            ));
            return Exit::Usage;
        }
    };
    let limits = Limits {
        connects_at_once: running.forks.clamp(1, 16),
        max_transfer: running.connection.max_file,
        output: Bounds {
            memory: running.max_output_memory,
            disk: running.max_output_disk,
        },
        ..Limits::default()
    };
    let work = Run {
        playbooks: prepared.playbooks,
        inventory: prepared.inventory,
        store: prepared.store,
        templar: prepared.templar,
        loader: prepared.loader,
        transport: Transport::new(limits),
        options,
    };
    let summary: Summary = runtime.block_on(async {
        let (events, seen) = mpsc::channel(EVENTS);
        let (stop, interrupt) = watch::channel(false);
        let listener = tokio::spawn(listen(stop, printer.clone()));
        let follower = tokio::spawn(report::follow(report, seen));
        let summary = work.run(events, interrupt).await;
        let _ = follower.await;
        listener.abort();
        summary
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
    Exit::of(&summary)
}

/// Turns the first interrupt into a clean end, and the second into an end at once.
async fn listen(stop: watch::Sender<bool>, printer: Printer) {
    if signal().await.is_ok() {
        printer.note("stopping: ending what runs on the hosts; press Ctrl+C again to stop at once");
        let _ = stop.send(true);
        if signal().await.is_ok() {
            std::process::exit(Exit::Interrupted as i32);
        }
    }
}

/// Waits for an interrupt or a request to end.
async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut end) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = end.recv() => {}
    }
    Ok(())
}
