//! See design: `engine`.
