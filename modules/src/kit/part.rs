//! Parts of the kit, and the order in which they must be sent.

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

/// `parts` and all that they need, each once, what is needed first.
pub fn with_needs(parts: &'static [Part]) -> Vec<&'static Part> {
    let mut ordered = Vec::new();
    for part in parts {
        add(part, &mut ordered);
    }
    ordered
}

fn add(part: &'static Part, ordered: &mut Vec<&'static Part>) {
    for needed in part.needs {
        add(needed, ordered);
    }
    if !ordered.iter().any(|known| known.name == part.name) {
        ordered.push(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Part = Part {
        name: "base",
        source: "",
        needs: &[],
    };
    const LEFT: Part = Part {
        name: "left",
        source: "",
        needs: &[&BASE],
    };
    const TOP: Part = Part {
        name: "top",
        source: "",
        needs: &[&LEFT, &BASE],
    };

    #[test]
    fn shellcheck_finds_nothing_in_any_part() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kit");
        let parts: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sh"))
            .collect();
        assert!(parts.len() > 3);
        let output = std::process::Command::new("shellcheck")
            .args(parts)
            .output()
            .expect("shellcheck is missing on this machine: apt-get install shellcheck");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }

    #[test]
    fn what_a_part_needs_comes_before_it_and_once() {
        let names: Vec<_> = with_needs(&[TOP, LEFT]).iter().map(|p| p.name).collect();
        assert_eq!(names, ["base", "left", "top"]);
    }
}
