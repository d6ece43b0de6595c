//! One name, one thing: no two types of a crate that are seen outside of their files have the same name, and none has one
//! that a reader takes for the standard library's.

use std::collections::BTreeMap;

use super::files;

/// Names that a reader takes for those of the standard library.
const PRELUDE: &[&str] = &[
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Drop",
    "Eq",
    "Extend",
    "Fn",
    "From",
    "Into",
    "Iterator",
    "Option",
    "Ord",
    "PartialEq",
    "Read",
    "Send",
    "Sized",
    "String",
    "Sync",
    "ToOwned",
    "Vec",
    "Write",
];

/// The structs, enums and traits of a file that are seen outside of it.
fn types(code: &str) -> Vec<String> {
    let parsed = syn::parse_file(code).expect("it compiles");
    let seen = parsed.items.iter().filter_map(|item| {
        let (seen, name) = match item {
            syn::Item::Struct(item) => (&item.vis, &item.ident),
            syn::Item::Enum(item) => (&item.vis, &item.ident),
            syn::Item::Trait(item) => (&item.vis, &item.ident),
            _ => return None,
        };
        (!matches!(seen, syn::Visibility::Inherited)).then(|| name.to_string())
    });
    seen.collect()
}

#[test]
fn types_have_names_of_their_own() {
    let mut wrong = Vec::new();
    for krate in ["runner", "modules"] {
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (file, code) in files(krate) {
            for name in types(&code) {
                places.entry(name).or_default().push(file.clone());
            }
        }
        assert!(places.len() > 50, "{krate} has few types: {places:?}");
        for (name, files) in places {
            if PRELUDE.contains(&&*name) {
                wrong.push(format!(
                    "{krate}: {name} looks like the standard library's, in {files:?}"
                ));
            }
            if files.len() > 1 {
                wrong.push(format!("{krate}: {name} is in {files:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
