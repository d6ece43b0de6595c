//! What the end of a request says: its status, and what else is to be known of it.

/// The end of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RequestStatus {
    /// The exit status.
    pub(super) code: i32,
    /// The host's own watch ended it.
    pub(super) late: bool,
    /// Why what it printed may not all be there, in the host's words.
    pub(super) lost: Option<String>,
}

impl RequestStatus {
    /// Reads `CODE`, `CODEt` for one that came too late, with `fWHY` behind it for lost output.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (text, lost) = match text.split_once('f') {
            Some((text, why)) => (text, Some(why.trim().to_owned())),
            None => (text, None),
        };
        let (code, late) = match text.strip_suffix('t') {
            Some(code) => (code, true),
            None => (text, false),
        };
        let code = code.parse().ok()?;
        Some(Self { code, late, lost })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        let status = |code, late, lost: Option<&str>| RequestStatus {
            code,
            late,
            lost: lost.map(str::to_owned),
        };
        assert_eq!(RequestStatus::read("0"), Some(status(0, false, None)));
        assert_eq!(RequestStatus::read("143t"), Some(status(143, true, None)));
        let full = "1ftoo full";
        assert_eq!(
            RequestStatus::read(full),
            Some(status(1, false, Some("too full")))
        );
        assert_eq!(
            RequestStatus::read("9tfx"),
            Some(status(9, true, Some("x")))
        );
        for wrong in ["", "t", "x", "0x", "1 f"] {
            assert_eq!(RequestStatus::read(wrong), None, "{wrong}");
        }
    }
}
