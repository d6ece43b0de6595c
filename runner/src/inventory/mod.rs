//! See design: `inventory`.
