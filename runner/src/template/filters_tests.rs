//! Every filter and every test of the tables, with large values, in little address space: each ends, with a
//! result or an error. A new one is in the tables, and so in here.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use minijinja::Value;

use super::eval::{CallArguments, Eval, Function, RenderShared};
use super::options::TemplateOptions;
use super::scope::{Empty, Scope};
use super::special::{Dict, List};
use super::templar::Templar;
use super::{filters, tests};

/// Set where the program under test is this one again, with its space bounded.
const INSIDE: &str = "WINDLASS_LITTLE_SPACE";

/// KiB of address space: what one rendering may make several times over, beside what is given and threads.
const SPACE: u32 = 1 << 20;

/// More than any call takes on a machine that is busy.
const LONGEST: Duration = Duration::from_secs(120);

/// Large values: a text of short lines, one without any, JSON, lists of texts, of lists and of mappings, a
/// mapping, a number.
fn large() -> Vec<(&'static str, Value)> {
    let many =
        |count: usize, make: &dyn Fn(usize) -> Value| List::value((0..count).map(make).collect());
    let text = |text: String| Value::from(text);
    let pair = |at: usize| Dict::value([("key".into(), at.into()), ("value".into(), "x".into())]);
    let entries = (0..1 << 12).map(|at: usize| (text(at.to_string()), at.into()));
    vec![
        ("lines", text("y\n".repeat(1 << 16))),
        ("a line", text("y".repeat(1 << 19))),
        ("json", text(format!("[{}1]", "1,".repeat(1 << 13)))),
        ("texts", many(1 << 12, &|at| text(at.to_string()))),
        ("lists", many(1 << 10, &|at| many(8, &|_| at.into()))),
        ("mappings", many(1 << 10, &pair)),
        ("a mapping", Dict::value(entries)),
        ("a number", i64::MAX.into()),
    ]
}

/// Calls one with as few arguments as it needs and with all that it takes; what is given beside the subject
/// is the subject again, a large number, a text.
fn call(function: &'static Function, subject: &Value) -> Result<(), String> {
    let named = function.params.iter().filter(|name| !name.starts_with('*'));
    let all = named.count().max(2);
    for count in [function.required.max(1), all] {
        for more in [subject.clone(), 1_000_000.into(), "y".into()] {
            let templar = Templar::new(TemplateOptions::default());
            let scope: Arc<dyn Scope> = Arc::new(Empty);
            let shared = RenderShared::new(&templar, &scope);
            let mut positional = vec![subject.clone()];
            positional.resize(count, more);
            let given = CallArguments {
                positional,
                keyword: Vec::new(),
            };
            let begun = Instant::now();
            let result = function.call(&mut Eval::new(&shared, None), given);
            drop(result);
            if begun.elapsed() > LONGEST {
                return Err(format!("took {:?} with {count} arguments", begun.elapsed()));
            }
            if count == 1 {
                break;
            }
        }
    }
    Ok(())
}

#[test]
fn every_filter_and_test_ends_over_large_values_in_little_space() {
    if std::env::var_os(INSIDE).is_some() {
        let mut wrong = Vec::new();
        for function in filters::all().chain(tests::all()) {
            for (kind, subject) in large() {
                eprintln!("{} of {kind}", function.name);
                if let Err(what) = call(function, &subject) {
                    wrong.push(format!("'{}' of {kind} {what}", function.name));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        return;
    }
    let again = std::env::current_exe().expect("this program has a name");
    let bounded = format!("ulimit -v {SPACE} && exec \"$0\" \"$@\"");
    let name =
        "template::filters_tests::every_filter_and_test_ends_over_large_values_in_little_space";
    let output = Command::new("sh")
        .args(["-c", &bounded])
        .arg(again)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .env("MALLOC_ARENA_MAX", "2")
        .output()
        .expect("a shell can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    let end: Vec<&str> = said.lines().rev().take(12).collect();
    assert!(
        output.status.success(),
        "{:?}, from the end: {end:#?}",
        output.status
    );
}
