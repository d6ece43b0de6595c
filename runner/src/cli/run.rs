//! `windlass run`: reads and checks everything, then runs it.

use std::io::{self, ErrorKind, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use windlass_modules::transcript::Bounds;
use windlass_modules::{Secret, source};

use super::args::{ConnectionFlags, RunFlags};
use super::exit::Exit;
use super::list;
use super::prepare::{self, PreparedRun};
use crate::engine::{Prompt, Run, RunOptions, Summary};
use crate::report::{self, Format, Printer, Report, Settings};
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
    pub(crate) running: RunFlags,
}

/// Runs; `ansible`: in `ansible-playbook`'s format where no other is asked for.
pub(crate) fn start(running: &RunFlags, printer: &Printer, ansible: bool) -> Exit {
    let info = RunInfo {
        check: running.check,
        diff: running.diff,
        verbosity: running.output.verbose,
        forks: running.forks,
        limit: running.input.hosts.limit.clone(),
        tags: running.input.tags.clone(),
        skip_tags: running.input.skip_tags.clone(),
    };
    let lists = running.list_hosts || running.list_tasks || running.list_tags;
    let runs = !lists && !running.syntax_check;
    let from_start = runs && running.start_at_task.is_none() && !running.step;
    let prepared = match prepare::prepare(&running.input, info, from_start, printer) {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    if running.syntax_check {
        for playbook in &running.input.playbooks {
            printer.line(&format!("\nplaybook: {}", playbook.display()));
        }
        return Exit::Success;
    }
    if lists {
        list::show(running, &prepared, printer);
        return Exit::Success;
    }
    let cannot_start = |error: &io::Error| {
        let title = printer.theme().bad("error:");
        printer.note(&format!("{title} cannot start: {error}"));
        Exit::Usage
    };
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_start(&error),
    };
    let (stop, interrupt) = watch::channel(false);
    // From here on nothing ends by a signal on its own: a question that hides what is typed, for one, must give
    // the terminal back.
    let signals = {
        let _inside = runtime.enter();
        Signals::new()
    };
    match signals {
        Ok(signals) => runtime.spawn(listen(signals, stop, printer.clone())),
        Err(error) => return cannot_start(&error),
    };
    let exit = match options(running, &prepared, printer) {
        Ok(options) => {
            let report = report_of(running, printer, ansible);
            let work = work(running, prepared, options);
            run(work, report, &runtime, interrupt, printer)
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => Exit::Interrupted,
        Err(error) => {
            let title = printer.theme().bad("error:");
            printer.note(&format!("{title} no answer could be read: {error}"));
            Exit::Usage
        }
    };
    runtime.shutdown_timeout(Duration::from_secs(2));
    exit
}

fn options(
    running: &RunFlags,
    prepared: &PreparedRun,
    printer: &Printer,
) -> io::Result<RunOptions> {
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

fn defaults(connection: &ConnectionFlags, password: Option<Secret>) -> ConnectionDefaults {
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

fn report_of(running: &RunFlags, printer: &Printer, ansible: bool) -> Box<dyn Report> {
    let format =
        running
            .output
            .output
            .unwrap_or(match (ansible, std::io::stdout().is_terminal()) {
                (true, _) => Format::Ansible,
                (false, true) => Format::Human,
                (false, false) => Format::Plain,
            });
    let settings = Settings {
        verbosity: running.output.verbose,
    };
    report::report(format, settings, printer.clone())
}

fn work(running: &RunFlags, prepared: PreparedRun, options: RunOptions) -> Run {
    let limits = Limits {
        connects_at_once: running.forks.clamp(1, 16),
        max_transfer: running.connection.max_file,
        output: Bounds {
            memory: running.max_output_memory,
            disk: running.max_output_disk,
        },
        ..Limits::default()
    };
    Run {
        playbooks: prepared.playbooks,
        inventory: prepared.inventory,
        store: prepared.store,
        templar: prepared.templar,
        loader: prepared.loader,
        transport: Transport::new(limits),
        options,
    }
}

fn run(
    work: Run,
    report: Box<dyn Report>,
    runtime: &Runtime,
    interrupt: watch::Receiver<bool>,
    printer: &Printer,
) -> Exit {
    let summary: Summary = runtime.block_on(async {
        let (events, seen) = mpsc::channel(EVENTS);
        let teller = tokio::spawn(tell(interrupt.clone(), printer.clone()));
        let follower = tokio::spawn(report::follow(report, seen));
        let summary = work.run(events, interrupt).await;
        let _ = follower.await;
        teller.abort();
        summary
    });
    Exit::of(&summary)
}

/// Says what an interrupt does to a run.
async fn tell(mut interrupt: watch::Receiver<bool>, printer: Printer) {
    if interrupt.wait_for(|interrupted| *interrupted).await.is_ok() {
        printer.note("stopping: ending what runs on the hosts; press Ctrl+C again to stop at once");
    }
}

/// Turns the first interrupt into a clean end, and the second into an end at once.
async fn listen(mut signals: Signals, stop: watch::Sender<bool>, printer: Printer) {
    signals.next().await;
    let _ = stop.send(true);
    printer.interrupt();
    signals.next().await;
    // Who is asked has the terminal as it was in a moment.
    while printer.is_asking() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    std::process::exit(Exit::Interrupted as i32);
}

/// What asks the program to end: a person at the terminal, another program, a terminal that is gone.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    /// From now on, in place of the program's end.
    fn new() -> io::Result<Self> {
        // Who started it with `nohup` wants it to go on.
        let hangup = (!ignores_hangups()).then(|| signal(SignalKind::hangup()));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: hangup.transpose()?,
        })
    }

    /// Waits for one.
    async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether the program was started with hangups ignored. Where the system does not tell, it was not.
fn ignores_hangups() -> bool {
    let status = source::text(Path::new("/proc/self/status")).unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The first signal is the hangup.
    ignored.is_some_and(|mask| mask & 1 == 1)
}
