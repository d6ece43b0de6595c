//! See design: `cli`.
