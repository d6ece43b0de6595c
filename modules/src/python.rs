//! What Python does with texts, where Ansible's users see it: words of a line, regular expressions, floats. Of use to
//! modules and to templates alike; knows neither.

mod float;
pub mod regex;
pub mod words;

pub use float::float;
