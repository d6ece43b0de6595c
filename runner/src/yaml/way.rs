//! A row of steps as messages show it: how one comes to a place.

/// Steps in a row, with the middle of a long row left out.
pub(crate) fn way(steps: &[String]) -> String {
    const SHOWN: usize = 4;
    let short = match steps.len() {
        count if count > 2 * SHOWN + 1 => [
            &steps[..SHOWN],
            &[format!("… {} more …", count - 2 * SHOWN)],
            &steps[count - SHOWN..],
        ]
        .concat(),
        _ => steps.to_vec(),
    };
    short.join(" → ")
}

#[cfg(test)]
mod tests {
    use super::way;

    #[test]
    fn the_middle_of_a_long_way_is_left_out() {
        let steps: Vec<String> = (0..12).map(|step| step.to_string()).collect();
        assert_eq!(way(&steps[..3]), "0 → 1 → 2");
        assert_eq!(way(&steps), "0 → 1 → 2 → 3 → … 4 more … → 8 → 9 → 10 → 11");
    }
}
