//! The reference page of the modules is what the modules say, and `windlass doc` says the same.

use windlass_modules::{Module, describe, registry};
use windlass_tests::program::{Place, root};

#[test]
fn the_reference_page_is_what_the_modules_say() {
    let page = describe::reference(registry::all().map(Module::description));
    let path = root().join("docs/reference/modules.md");
    if std::env::var_os("WINDLASS_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/modules.md is stale: WINDLASS_WRITE_DOCS=1 cargo test -p windlass-tests --test reference"
    );
}

#[test]
fn windlass_doc_shows_all_of_a_module() {
    let place = Place::new();
    let printed = place.run(&["doc", "lineinfile"]);
    assert_eq!(printed.status, 0, "{}", printed.err);
    insta::assert_snapshot!(printed.out);
    for module in registry::all() {
        let description = module.description();
        let page = place.run(&["doc", module.name()]).out;
        let names = description.named().map(|argument| argument.name.as_str());
        if let Some(free_text) = description.free_text() {
            assert!(page.contains(description.line()), "{page}");
            assert!(
                page.contains(free_text.about.lines().next().unwrap()),
                "{page}"
            );
        }
        let returns = description.returns.iter().map(|value| value.name);
        for word in names
            .chain(returns)
            .chain(description.aliases.iter().copied())
        {
            assert!(page.contains(word), "{}: {word}", module.name());
        }
    }
}

#[test]
fn windlass_doc_of_nothing_says_that_a_name_is_missing() {
    let printed = Place::new().run(&["doc", ""]);
    assert_eq!(printed.status, 1);
    assert!(printed.err.contains("it is empty"), "{}", printed.err);
    assert!(!printed.err.contains("did you mean"), "{}", printed.err);
}
