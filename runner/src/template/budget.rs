//! How much a rendering may make, and what may grow within one call.
//!
//! What a filter, test, function, method, operator or the template's own text makes is charged where all
//! of them pass ([`super::eval::Function::call`], methods, operators, output), to one budget of the
//! rendering and of those of the variables that it asks for. What may grow out of small arguments within
//! one call (`replace`, `indent`, `%` …) is built with [`Growing`], or its size is found out before.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::TemplateError;
use super::turn;

type Result<T> = std::result::Result<T, TemplateError>;

/// Bytes that one rendering may make, with the variables that are rendered for it.
pub const MOST_MADE: usize = 64 << 20;

/// What an item of a list or mapping counts, in bytes.
pub(super) const ITEM: usize = 32;

/// What renderings have made that belong together. A [`super::Scope`] whose variables are rendered when
/// they are asked for has one, so that their renderings count for the one that asks.
#[derive(Debug, Default)]
pub struct Budget {
    made: AtomicUsize,
    /// How many renderings are under way.
    depth: AtomicUsize,
}

impl Budget {
    /// A rendering begins. The outermost one starts from zero.
    pub(super) fn enter(&self) {
        if self.depth.fetch_add(1, Ordering::Relaxed) == 0 {
            self.made.store(0, Ordering::Relaxed);
        }
    }

    /// A rendering is over.
    pub(super) fn leave(&self) {
        self.depth.fetch_sub(1, Ordering::Relaxed);
    }

    /// Charges bytes, before they are made or right after.
    pub(super) fn make(&self, bytes: usize) -> Result<()> {
        let before = self.made.fetch_add(bytes.min(MOST_MADE), Ordering::Relaxed);
        let made = before.saturating_add(bytes);
        if made > MOST_MADE {
            return Err(too_much());
        }
        turn::take(made);
        Ok(())
    }
}

/// The error for what makes more than a template may.
pub(super) fn too_much() -> TemplateError {
    TemplateError::new(format!(
        "the template makes more than {} MiB",
        MOST_MADE >> 20
    ))
    .hint("look for a text or a list that grows; large files are copied without templates")
}

/// Refuses sizes that no template may make, before anything is made.
pub(super) fn fits(bytes: Option<usize>) -> Result<()> {
    match bytes {
        Some(bytes) if bytes <= MOST_MADE => {
            turn::take(bytes);
            Ok(())
        }
        _ => Err(too_much()),
    }
}

/// A text that is put together and may not become too long.
#[derive(Debug, Default)]
pub(super) struct Growing(String);

impl Growing {
    /// Adds a part.
    pub(super) fn push(&mut self, part: &str) -> Result<()> {
        fits(self.0.len().checked_add(part.len()))?;
        self.0.push_str(part);
        Ok(())
    }

    /// Adds a part so many times.
    pub(super) fn repeat(&mut self, part: &str, times: usize) -> Result<()> {
        let more = part.len().checked_mul(times);
        fits(more.and_then(|more| more.checked_add(self.0.len())))?;
        self.0.extend(std::iter::repeat_n(part, times));
        Ok(())
    }

    /// All of it.
    pub(super) fn text(self) -> String {
        self.0
    }
}

/// `text` with the first `count` of `old`, or all, replaced.
pub(super) fn replaced(text: &str, old: &str, new: &str, count: Option<usize>) -> Result<String> {
    let count = count.unwrap_or(usize::MAX);
    let found = text.matches(old).take(count).count();
    let more = found.checked_mul(new.len());
    fits(more.and_then(|more| more.checked_add(text.len())))?;
    Ok(text.replacen(old, new, count))
}

/// Parts with a separator between them.
pub(super) fn joined<T: AsRef<str>>(
    parts: impl Iterator<Item = Result<T>>,
    separator: &str,
) -> Result<String> {
    let mut out = Growing::default();
    for (index, part) in parts.enumerate() {
        if index > 0 {
            out.push(separator)?;
        }
        out.push(part?.as_ref())?;
    }
    Ok(out.text())
}
