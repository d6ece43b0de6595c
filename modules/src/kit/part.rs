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
    fn what_a_part_needs_comes_before_it_and_once() {
        let names: Vec<_> = with_needs(&[TOP, LEFT]).iter().map(|p| p.name).collect();
        assert_eq!(names, ["base", "left", "top"]);
    }
}
