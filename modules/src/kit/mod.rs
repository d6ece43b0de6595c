//! The remote kit: POSIX sh functions that are sent once down each shell.

/// A part of the kit: functions that belong together, sent when first needed.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// A short name, unique among the parts: letters only.
    pub name: &'static str,
    /// The functions' source. Sourcing it defines functions and does nothing else.
    pub source: &'static str,
    /// Parts whose functions this one calls.
    pub needs: &'static [&'static Part],
}

/// `text` as one word of sh source.
pub fn quote(text: &str) -> String {
    if !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(&b))
        && !text.starts_with('=')
    {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
