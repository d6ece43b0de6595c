//! Numbers of bytes as people write them.

/// Reads bytes, or units of 1024 with a letter (`64K`, `2G`).
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let shift = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        _ => return Err("expected bytes, or a number with K, M, G or T".to_owned()),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "expected a number, such as 500M".to_owned())?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| "that is more than any file can have".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_units() {
        let sizes = ["0", "500", "64K", "2g", "3MiB", "1T"].map(|text| parse(text).unwrap());
        assert_eq!(sizes, [0, 500, 64 << 10, 2 << 30, 3 << 20, 1 << 40]);
        for wrong in ["", "K", "-1", "1.5G", "5X", "99999999999T"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
