//! See design: `template`.
