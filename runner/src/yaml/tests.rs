//! What the rules of YAML 1.1, the tags and the refusals come to.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use super::{Diagnostic, Mapping, Node, Source, Style, Tag, Value, load, parse};

fn documents(text: &str) -> Result<Vec<Arc<Node>>, Vec<Diagnostic>> {
    parse(&Source::named("test.yml", text))
}

fn one(text: &str) -> Node {
    let documents = documents(text).expect("the text is valid");
    assert_eq!(documents.len(), 1);
    (*documents[0]).clone()
}

/// Every diagnostic in a line: position, underlined text, message.
fn errors(text: &str) -> Vec<String> {
    let diagnostics = documents(text).expect_err("the text is wrong");
    diagnostics
        .iter()
        .map(|diagnostic| {
            assert!(diagnostic.help.is_some(), "no help: {diagnostic:?}");
            let span = &diagnostic.labels[0].span;
            let (line, column) = span.position();
            let shown = span.text().replace(char::is_control, "␀");
            format!("{line}:{column} [{shown}] {}", diagnostic.message)
        })
        .collect()
}

fn plain(node: &Node) -> String {
    fn write(node: &Node, out: &mut String) {
        match &node.value {
            Value::Null => out.push_str("null"),
            Value::Bool(flag) => write!(out, "{flag}").unwrap(),
            Value::Int(number) => write!(out, "{number}").unwrap(),
            Value::Float(number) => write!(out, "{number:?}").unwrap(),
            Value::String(text) => write!(out, "{text:?}").unwrap(),
            Value::Sequence(items) => {
                out.push('[');
                for item in items {
                    write(item, out);
                    out.push(' ');
                }
                out.push(']');
            }
            Value::Mapping(mapping) => {
                out.push('{');
                for (key, value) in mapping.iter() {
                    write(key, out);
                    out.push('=');
                    write(value, out);
                    out.push(' ');
                }
                out.push('}');
            }
        }
    }
    let mut out = String::new();
    write(node, &mut out);
    out
}

fn mapping(node: &Node) -> &Mapping {
    node.as_mapping().expect("a mapping")
}

#[test]
fn every_node_knows_its_span_and_style() {
    let node = one("a: x y  # c\nb:\n  - 'q'\n  - [1, \"d\"]\nc: |\n  one\n  two\n");
    let map = mapping(&node);
    assert_eq!(map.get("a").unwrap().source_text(), "x y");
    let items = map.get("b").unwrap();
    assert_eq!(items.style, Style::Block);
    assert_eq!(items.source_text(), "- 'q'\n  - [1, \"d\"]");
    let items = items.as_sequence().unwrap();
    assert_eq!(items[0].style, Style::SingleQuoted);
    assert_eq!(items[0].source_text(), "'q'");
    assert_eq!(items[1].style, Style::Flow);
    assert_eq!(items[1].source_text(), "[1, \"d\"]");
    let text = map.get("c").unwrap();
    assert_eq!(text.style, Style::Literal);
    assert_eq!(text.as_str(), Some("one\ntwo\n"));
    assert_eq!(text.span.position(), (6, 3));
    assert_eq!(map.entry("c").unwrap().0.span.position(), (5, 1));
}

#[test]
fn a_place_inside_a_string_is_found_in_the_source() {
    let node = one("a: \"{{ x }} {{ yy }}\"\nb: |\n  {{ x }}\n  {{ yy }}\nc: \"{{ \\x78 }}\"\n");
    let map = mapping(&node);
    let inside = |key: &str, wanted: &str| {
        let node = map.get(key).unwrap();
        let start = node.as_str().unwrap().find(wanted).unwrap();
        node.inside(start, start + wanted.len())
    };
    assert_eq!(inside("a", "yy").position(), (1, 16));
    assert_eq!(inside("a", "yy").text(), "yy");
    assert_eq!(inside("b", "yy").position(), (4, 6));
    assert_eq!(inside("c", "x").text(), "\"{{ \\x78 }}\"", "escaped");
}

#[test]
fn only_unquoted_scalars_are_resolved() {
    let node = one("[yes, 'yes', \"0644\", 0644, ~, '', !!str 5, !!int \"5\", !!float 3, y]");
    assert_eq!(
        plain(&node),
        r#"[true "yes" "0644" 420 null "" "5" 5 3.0 "y" ]"#
    );
}

#[test]
fn vault_and_unsafe_tags_are_kept() {
    let node = one("a: !vault |\n  $ANSIBLE\nb: !unsafe '{{ x }}'\nc: !unsafe [x, {k: 1}]\n");
    let map = mapping(&node);
    assert_eq!(map.get("a").unwrap().tag, Some(Tag::Vault));
    assert_eq!(map.get("b").unwrap().tag, Some(Tag::Unsafe));
    let items = map.get("c").unwrap().as_sequence().unwrap();
    assert_eq!(items[0].tag, Some(Tag::Unsafe));
    assert_eq!(mapping(&items[1]).get("k").unwrap().tag, Some(Tag::Unsafe));
}

#[test]
fn merge_keys_spread_and_explicit_keys_win() {
    let text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\n\
                c:\n  x: 9\n  <<: *a\nd:\n  <<: [*a, *b]\ne: {\"<<\": 1}\n";
    assert_eq!(
        plain(&one(text)),
        r#"{"a"={"x"=1 "y"=2 } "b"={"y"=3 "z"=4 } "c"={"x"=9 "y"=2 } "d"={"x"=1 "y"=2 "z"=4 } "e"={"<<"=1 } }"#
    );
    assert_eq!(
        errors("<<: 5\n"),
        ["1:5 [5] `<<` merges mappings, but this is a whole number"]
    );
}

#[test]
fn an_alias_stands_where_it_is_written() {
    let node = one("a: &x [1]\nb: *x\n");
    let alias = mapping(&node).get("b").unwrap();
    assert_eq!(alias.as_sequence().unwrap().len(), 1);
    assert_eq!(alias.source_text(), "*x");
}

#[test]
fn aliases_of_aliases_have_a_budget() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let alias = format!("*a{}", n - 1);
        writeln!(text, "a{n}: &a{n} [{}]", vec![alias; 10].join(", ")).unwrap();
    }
    let errors = errors(&text);
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].contains("aliases make this document"),
        "{errors:?}"
    );
}

#[test]
fn nesting_has_a_limit() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(documents(&deep(100)).is_ok());
    for text in [
        deep(101),
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "{a: ".repeat(100_000),
        format!(
            "a: &a {}\nb: &b {}*a{}\n",
            deep(90),
            "[".repeat(90),
            "]".repeat(90)
        ) + &format!("c: {}*b{}\n", "[".repeat(90), "]".repeat(90)),
    ] {
        let errors = errors(&text);
        assert!(errors[0].contains("nested more than"), "{errors:?}");
    }
}

#[test]
fn documents_are_kept_apart() {
    let documents = documents("---\na: 1\n---\n- 2\n").unwrap();
    assert_eq!(documents.len(), 2);
    assert_eq!(plain(&documents[1]), "[2 ]");
    assert!(parse(&Source::named("test", "")).unwrap().is_empty());
    assert!(
        parse(&Source::named("test", "# only\n"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn carriage_returns_are_line_ends() {
    let node = one("a: x\r\nb: y\r\n");
    assert_eq!(plain(&node), r#"{"a"="x" "b"="y" }"#);
    assert_eq!(mapping(&node).get("b").unwrap().span.position(), (2, 4));
}

#[test]
fn duplicate_keys_are_refused_with_both_lines() {
    let found = documents("a: 1\nb: 2\na: 3\n").unwrap_err();
    assert_eq!(
        found[0].message,
        "the key `a` is given twice, on lines 1 and 3"
    );
    assert_eq!(found[0].labels.len(), 2);
    assert_eq!(errors("- {x: 1, x: 2}\n- {y: 1, 'y': 2}\n").len(), 2);
}

#[test]
fn templates_without_quotes_are_named_as_such() {
    let message = "a value that begins with a template needs quotes";
    for (text, underlined) in [
        ("a: {{ x }}\nb: 1\n", "{{ x }}"),
        ("a: {{ x }}/foo # c\n", "{{ x }}/foo"),
        ("- {{ x }} y\n", "{{ x }} y"),
        (
            "- a: {{ x | default('a, b') }}\n",
            "{{ x | default('a, b') }}",
        ),
        ("a: {{ x.y[0] }}:{{ z }}\n", "{{ x.y[0] }}:{{ z }}"),
        ("a: {{ x\n", "{{ x"),
        ("a: {% if x %}1{% endif %}\n", "{% if x %}1{% endif %}"),
        ("a: [x, {{ y }}]\n", "{{ y }}"),
        ("{{ k }}: 1\n", "{{ k }}: 1"),
    ] {
        let errors = errors(text);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(
            errors[0].ends_with(&format!("[{underlined}] {message}")),
            "{errors:?}"
        );
    }
    let help = |text| documents(text).unwrap_err()[0].help.clone().unwrap();
    assert_eq!(
        help("a: {{ x }}/y\n"),
        "quote the whole value: `a: \"{{ x }}/y\"`"
    );
    assert_eq!(
        help("- a: {{ x[\"k\"] }}\n"),
        "quote the whole value: `- a: '{{ x[\"k\"] }}'`"
    );
}

#[test]
fn what_the_parser_refuses_is_said_in_the_users_terms() {
    let all: String = [
        "a:\n\t- b\n",
        "\ta: b\n",
        "a:\n  b: 1\n\tc: 2\n",
        "msg: Say \"hi\": there\n",
        "a: 1\n  b: 2\n",
        "b: 2\na:1\nc: 3\n",
        "a: b\nfoo\nc: d\n",
        "p: \"{{ x }}\"/foo\n",
        "a: 'it's'\n",
        "a: \"open\nb: 1\n",
        "a: \"C:\\dir\"\n",
        "a: [1, 2\nb: 3\n",
        "a: {b: 1\nc: 2\n",
        "a: ]\n",
        "a: [1}\n",
        "a: @x\n",
        "a: `ls`\n",
        "a: %x\n",
        "hosts: *\n",
        "hosts: *web\n",
        "a: &web x\nhosts: *wep\n",
        "hosts: !web\n",
        "a: - b\n",
        "a: |text\n",
        "a:\n    b: 1\n  c: 2\n",
        "a:\n  - 1\n - 2\n",
        "- a\nb: 1\n",
        "? [a]\n: b\n",
        "a: !!int x\n",
        "a: x\0y\n",
        "a: &x [*x]\n",
        "---\na\n...\nb\n: c\n",
    ]
    .iter()
    .fold(String::new(), |mut all, text| {
        writeln!(all, "{text:?}\n  {}", errors(text).join("\n  ")).unwrap();
        all
    });
    insta::assert_snapshot!(all);
}

#[test]
fn files_are_read_as_utf8_and_errors_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let bom = load(&file("bom.yml", b"\xef\xbb\xbfa: 1\n")).unwrap();
    assert_eq!(bom.source_text(), "a: 1");
    assert!(load(&file("empty.yml", b"")).unwrap().is_null());
    let latin1 = load(&file("latin1.yml", b"a: caf\xe9\n")).unwrap_err();
    assert_eq!(latin1[0].message, "this file is not UTF-8 text");
    assert_eq!(latin1[0].labels[0].span.position(), (1, 7));
    assert_eq!(latin1[0].labels[0].text, "the byte 0xe9");
    let utf16 = load(&file("utf16.yml", b"\xff\xfea\0")).unwrap_err();
    assert_eq!(
        utf16[0].note.as_deref(),
        Some("it begins with the mark of UTF-16")
    );
    let missing = load(&dir.path().join("nope.yml")).unwrap_err();
    assert!(
        missing[0].message.ends_with("it does not exist"),
        "{missing:?}"
    );
    let two = load(&file("two.yml", b"a: 1\n---\nb: 2\n")).unwrap_err();
    assert_eq!(two[0].labels[0].span.position().0, 3);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let _ = documents(&text);
    }

    #[test]
    fn no_text_of_yaml_signs_makes_it_panic(
        text in r#"([-:?,\[\]{}#&*!|>'"%@` \n\t~<ab0é]|\{\{ x \}\}|: |- |<<: |&a |\*a |\r\n|!!int |!unsafe |---\n){0,60}"#
    ) {
        if let Ok(documents) = documents(&text) {
            for document in documents {
                prop_assert!(document.span.end <= text.len());
            }
        }
    }
}
