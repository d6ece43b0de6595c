//! Tests (`is …`), by family.

#![expect(clippy::unnecessary_wraps, reason = "all tests share one signature")]

/// A test: with a closure that gives a truth, or with a function and its parameters after the
/// first, which is what it is applied to.
macro_rules! test {
    ($name:literal, $run:expr) => {
        crate::template::eval::Function {
            name: $name,
            params: &["value"],
            required: 1,
            undefined: false,
            run: |input| {
                let run: fn(&crate::template::eval::BoundArguments<'_, '_>) -> Result<bool> = $run;
                run(input).map(minijinja::Value::from)
            },
        }
    };
    ($name:literal, $run:ident, $required:literal, [$($param:literal),*]) => {
        crate::template::eval::Function {
            name: $name,
            params: &["value", $($param),*],
            required: $required,
            undefined: false,
            run: $run,
        }
    };
}

mod builtin;
mod results;
mod table;

#[cfg(test)]
pub(super) use table::all;
pub(super) use table::{find, unknown};
