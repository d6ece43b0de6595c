//! See design: `check`.
