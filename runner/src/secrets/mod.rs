//! What must appear in no output, and redacting it. Turns secrets into the forms in which programs
//! print them, and texts into texts without them. Knows no variables, no tasks and no events.
//!
//! A secret is known from the moment when it is read, not when it is first used: whoever reads one hands
//! it to [`Secrets::add`] at once. The variables do (connection and become passwords), the command line
//! (`-k`, `-K`), prompts without echo, modules that mark what they made, and `no_log` results
//! ([`Secrets::learn`]). Nobody else reads any.
//!
//! - `forms`: a secret as base64, hexadecimal digits and quoted text, as byte patterns.
//! - `decoding`: a text as its reader would decode it: lines joined, percent and backslash escapes undone.
//! - `scan`: all places of all patterns in all decodings, in time linear in the text.
//! - `known`: the secrets of a run. `learned`: what in a `no_log` result has a secret's form.

mod decoding;
mod forms;
mod known;
mod learned;
mod scan;

pub use known::{REDACTED, Secrets};

#[cfg(test)]
mod tests;
