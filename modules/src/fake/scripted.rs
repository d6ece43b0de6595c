//! A host that answers from a list.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;

use crate::host::{Host, HostError, Reply, Script};

/// A host whose replies are written down beforehand, and which keeps the scripts it was given.
#[derive(Debug)]
pub struct Fake {
    name: String,
    replies: Mutex<VecDeque<Result<Reply, HostError>>>,
    scripts: Mutex<Vec<Script>>,
}

impl Fake {
    /// A host named `fake` which answers with `replies`, one after the other.
    pub fn new(replies: impl IntoIterator<Item = Result<Reply, HostError>>) -> Self {
        Self {
            name: "fake".to_owned(),
            replies: Mutex::new(replies.into_iter().collect()),
            scripts: Mutex::default(),
        }
    }

    /// A host which answers with status 0 and each of `texts` on standard output.
    pub fn saying(texts: &[&str]) -> Self {
        Self::new(texts.iter().map(|text| {
            Ok(Reply {
                stdout: text.as_bytes().to_vec().into(),
                ..Reply::default()
            })
        }))
    }

    /// What it was asked until now.
    pub fn scripts(&self) -> Vec<Script> {
        self.scripts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Host for Fake {
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&self, script: Script) -> BoxFuture<'_, Result<Reply, HostError>> {
        self.scripts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(script);
        let reply = self
            .replies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
            .unwrap_or_else(|| {
                Err(HostError::Local {
                    message: "the fake host was asked more often than it has replies".to_owned(),
                    hint: "give `Fake::new` one reply for each request".to_owned(),
                })
            });
        Box::pin(async move { reply })
    }
}
