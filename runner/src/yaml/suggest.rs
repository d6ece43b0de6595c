//! The nearest known name to one that is not known.

/// Nobody writes longer names; comparing two takes time that grows with both of them.
const LONGEST: usize = 80;

/// How many names one is compared with: many may be wrong where there are many.
const MOST: usize = 10_000;

/// The name among `candidates` that `name` is most likely a slip of, if one is near enough.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let length = name.chars().count();
    if length > LONGEST {
        return None;
    }
    let lower = name.to_lowercase();
    // One slip in a short name, about a third of a long one.
    let allowed = (length / 3).clamp(1, 4);
    candidates
        .into_iter()
        .take(MOST)
        .filter(|candidate| candidate.len() <= LONGEST * 4)
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= allowed)
        .filter(|candidate| *candidate != name)
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        // Of equally near ones, that which has most of the letters in their order.
        .max_by(|(one, first), (other, second)| {
            let like = |candidate: &str| strsim::jaro(&lower, &candidate.to_lowercase());
            other.cmp(one).then(like(first).total_cmp(&like(second)))
        })
        .map(|(_, candidate)| candidate.to_owned())
}

/// "did you mean `x`?", for the help of a diagnostic.
pub fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    suggest(name, candidates).map(|nearest| format!("did you mean `{nearest}`?"))
}

fn distance(name: &str, candidate: &str) -> usize {
    if name.replace('-', "_") == candidate.replace('-', "_") {
        return 0;
    }
    strsim::damerau_levenshtein(name, candidate)
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn the_nearest_name_is_found() {
        let names = [
            "become",
            "become_user",
            "block",
            "when",
            "register",
            "copy",
            "tags",
            "tasks",
        ];
        for (slip, name) in [
            ("becoem", "become"),
            ("Become", "become"),
            ("become-user", "become_user"),
            ("wen", "when"),
            ("registre", "register"),
            ("cpoy", "copy"),
            ("taks", "tasks"),
        ] {
            assert_eq!(suggest(slip, names).as_deref(), Some(name), "{slip}");
        }
    }

    #[test]
    fn what_is_far_from_every_name_gets_no_suggestion() {
        let names = ["become", "when", "copy"];
        for word in ["x", "banana", "", "hosts"] {
            assert_eq!(suggest(word, names), None, "{word}");
        }
    }
}
