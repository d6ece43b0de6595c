//! How long 20 small requests on each of 50 hosts take: cold, and with masters of an earlier run.
//!
//! `cargo bench -p windlass-tests --features fleet --bench transport [-- HOSTS REQUESTS]`
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use windlass::transport::{TaskSettings, Transport};
use windlass_modules::host::{Input, Script};
use windlass_tests::fleet::Fleet;

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let hosts = numbers.first().copied().unwrap_or(50);
    let requests = numbers.get(1).copied().unwrap_or(20);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime
        .expect("threads can be started")
        .block_on(measure(hosts, requests));
}

async fn measure(hosts: usize, requests: usize) {
    let fleet = Fleet::start();
    println!("{requests} requests on each of {hosts} hosts, all hosts at once");
    let command = Script::new("/bin/true");
    let time = run(&fleet, hosts, requests, &command).await;
    println!("{:<28}{:>7.2} s", "command, cold", time.as_secs_f64());
    let kinds = [
        ("command, warm", command.clone()),
        ("builtin, warm", Script::new(":")),
        ("durable command, warm", command.durable()),
        (
            "1 KiB of input, warm",
            Script::new("cat >/dev/null").stdin(Input::Bytes(vec![b'x'; 1024])),
        ),
    ];
    for (name, script) in kinds {
        let time = run(&fleet, hosts, requests, &script).await;
        println!("{name:<28}{:>7.2} s", time.as_secs_f64());
    }
}

/// One run: a transport of its own, as each run of the program has.
async fn run(fleet: &Fleet, hosts: usize, requests: usize, script: &Script) -> Duration {
    let begin = Instant::now();
    let transport = Transport::new(fleet.limits());
    let tasks = (1..=hosts).map(|number| {
        let connection = Arc::new(fleet.connection("dash", number));
        let host = transport.host(&connection, TaskSettings::default());
        let script = script.clone();
        tokio::spawn(async move {
            for _ in 0..requests {
                let reply = host.run(script.clone()).await.expect("the host answers");
                assert_eq!(reply.status, 0, "{reply:?}");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("the task ends");
    }
    begin.elapsed()
}
