//! What the public methods of [`Templar`] promise beyond the value of a template.

use std::sync::Arc;

use minijinja::Value;
use proptest::prelude::*;

use super::error::TemplateError;
use super::options::{FileOptions, TemplateOptions};
use super::prepared::{PreparedCondition, PreparedValue};
use super::scope::{Empty, Scope};
use super::templar::{Syntax, Templar};
use super::trust::{Code, Expression, is_users};
use super::{from_json, is_omit, to_json};
use crate::yaml::{self, Node, Source, Span};

/// Variables that are data.
#[derive(Debug)]
struct Data(serde_json::Value);

impl Scope for Data {
    fn get(&self, name: &str) -> Option<Result<Value, TemplateError>> {
        self.0.get(name).map(|value| Ok(from_json(value)))
    }

    fn names(&self) -> Vec<String> {
        self.0
            .as_object()
            .map(|map| map.keys().cloned().collect())
            .unwrap_or_default()
    }
}

fn scope(data: serde_json::Value) -> Arc<dyn Scope> {
    Arc::new(Data(data))
}

fn templar() -> Templar {
    Templar::new(TemplateOptions::default())
}

fn parsed(text: &str) -> Arc<Node> {
    let documents = yaml::parse(&Source::named("test", text)).expect("the text is YAML");
    Arc::clone(documents.first().expect("there is a document"))
}

/// The stretch of text that the error of rendering a YAML text points to.
fn pointed(text: &str, data: serde_json::Value) -> (String, String) {
    let error = templar()
        .render(&parsed(text), &scope(data))
        .expect_err("it must fail");
    let span = error.span.clone().expect("the error has a place");
    (
        span.source.text()[span.start..span.end].to_owned(),
        error.message,
    )
}

#[test]
fn errors_point_into_plain_quoted_and_block_scalars() {
    let none = || serde_json::json!({});
    for text in [
        "k: a {{ nope }} b",
        "k: 'it''s {{ nope }} b'",
        "k: \"tab\\t{{ nope }} b\"",
        "k: |\n  line one\n  line {{ nope }} two\n",
        "k: >\n  folded line\n  and {{ nope }} two\n",
        "- [1, \"{{ nope }}\"]",
    ] {
        let (stretch, message) = pointed(text, none());
        assert_eq!(stretch, "nope", "{text}");
        assert_eq!(message, "'nope' is undefined", "{text}");
    }
}

#[test]
fn errors_name_the_path_the_filter_and_the_nearest_name() {
    let data = || serde_json::json!({"web": {"port": 1}, "hostname": "a", "words": ["a"]});
    let failure = |text: &str| {
        templar()
            .render_str(&Code::written(text), None, &scope(data()))
            .expect_err(text)
    };
    let error = failure("{{ web.prot }}");
    assert_eq!(error.undefined.as_deref(), Some("web.prot"));
    assert_eq!(
        error.message,
        "'web.prot' is undefined: 'web' is of type 'dict' and has no 'prot'"
    );
    let error = failure("{{ hostnaem }}");
    assert_eq!(error.hint.as_deref(), Some("did you mean `hostname`?"));
    let error = failure("{{ words | frist }}");
    assert_eq!(error.message, "there is no filter 'frist'");
    assert_eq!(error.hint.as_deref(), Some("did you mean `first`?"));
    let error = failure("{{ words | join(separator=',') }}");
    assert_eq!(error.message, "'join' has no argument 'separator'");
    assert_eq!(error.hint.as_deref(), Some("it takes d, attribute"));
}

#[test]
fn syntax_errors_have_a_place() {
    let (stretch, _) = pointed("k: a {{ b | }} c", serde_json::json!({}));
    assert_eq!(stretch, "}}");
}

#[test]
fn omit_is_dropped_from_mappings_and_lists_and_given_back_alone() {
    let node =
        parsed("{a: '{{ omit }}', b: 1, c: ['{{ omit }}', 2], d: '{{ nope | default(omit) }}'}");
    let value = templar()
        .render(&node, &scope(serde_json::json!({})))
        .expect("it renders");
    assert_eq!(to_json(&value), serde_json::json!({"b": 1, "c": [2]}));
    let alone = templar().render_str(
        &Code::written("{{ omit }}"),
        None,
        &scope(serde_json::json!({})),
    );
    assert!(is_omit(&alone.expect("it renders")));
}

#[test]
fn text_in_data_and_unsafe_text_is_never_a_template() {
    let data = scope(serde_json::json!({"out": "{{ 1 + 1 }}"}));
    let value = templar()
        .render_str(&Code::written("{{ out }}"), None, &data)
        .expect("it renders");
    assert_eq!(value.as_str(), Some("{{ 1 + 1 }}"));
    let node = parsed("!unsafe '{{ 1 + 1 }}'");
    let value = templar().render(&node, &data).expect("it renders");
    assert_eq!(value.as_str(), Some("{{ 1 + 1 }}"));
}

#[test]
fn conditions_are_judged() {
    let data = scope(serde_json::json!({"n": 1, "e": "", "t": true}));
    for (text, truth, warns) in [
        ("true", true, false),
        ("no", false, false),
        ("n == 1", true, false),
        ("[n == 1, t]", true, false),
        ("[n == 2, nope]", false, false),
        ("n", true, true),
        ("e", false, true),
        ("'{{ n == 1 }}'", true, true),
        ("nope is not defined", true, false),
        ("t and n in [1, 2]", true, false),
        ("1", true, true),
    ] {
        let condition = templar().condition(&parsed(text), &data).expect(text);
        assert_eq!(condition.truth, truth, "{text}");
        assert_eq!(
            condition.warning.is_some(),
            warns,
            "{text}: {:?}",
            condition.warning
        );
    }
    for text in ["nope", "not nope", "nope == 1", "n ==", "'{{ nope }}'"] {
        assert!(templar().condition(&parsed(text), &data).is_err(), "{text}");
    }
}

#[test]
fn template_files_keep_their_line_breaks_and_include_their_neighbours() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("part.j2"), "part {{ n }}\n").expect("it is written");
    std::fs::write(
        folder.path().join("macros.j2"),
        "{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}",
    )
    .expect("it is written");
    std::fs::write(
        folder.path().join("base.j2"),
        "<{% block a %}base{% endblock %}>{% block b %}b{% endblock %}\n",
    )
    .expect("it is written");
    let data = scope(serde_json::json!({"n": 1, "l": ["a", "b"], "none": null}));
    let name = folder.path().join("main.j2").display().to_string();
    let render = |text: &str| {
        templar().render_file(&Source::file(&name, text), &FileOptions::default(), &data)
    };
    for (text, expected) in [
        (
            "a\n{% for i in l %}\n- {{ i }}\n{% endfor %}\nend\n",
            "a\n- a\n- b\nend\n",
        ),
        ("x {{ none }}.\n\n", "x .\n\n"),
        ("{% include 'part.j2' %}!\n", "part 1!\n"),
        ("{% import 'macros.j2' as m %}{{ m.twice(n) }}\n", "11\n"),
        (
            "{% from 'macros.j2' import twice as t %}{{ t('a') }}\n",
            "aa\n",
        ),
        (
            "{% extends 'base.j2' %}{% block a %}[{{ super() }}]{% endblock %}\n",
            "<[base]>b\n",
        ),
        ("{% include 'nope.j2' ignore missing %}x\n", "x\n"),
        ("{{ 'a\\tb' }}\n", "a\tb\n"),
        (
            "    {% if n %}\nindented\n    {% endif %}\n",
            "    indented\n    \n",
        ),
    ] {
        assert_eq!(render(text).expect(text), expected, "{text}");
    }
    let error = render("one\n{{ nope }}\n").expect_err("it must fail");
    let span = error.span.expect("it has a place");
    assert_eq!(
        (span.position(), span.source.name()),
        ((2, 4), name.as_str())
    );
    std::fs::write(folder.path().join("bad.j2"), "\n\n  {{ worse }}\n").expect("it is written");
    let error = render("{% include 'bad.j2' %}").expect_err("it must fail");
    let span = error.span.expect("it has a place");
    assert_eq!(span.position(), (3, 6));
    assert!(span.source.name().ends_with("bad.j2"));
}

#[test]
fn a_header_sets_how_a_template_file_is_read() {
    let data = scope(serde_json::json!({"n": 1}));
    let text = "#jinja2:trim_blocks:False\n{% if n %}\nx\n{% endif %}\n";
    let rendered =
        templar().render_file(&Source::file("t.j2", text), &FileOptions::default(), &data);
    assert_eq!(rendered.expect("it renders"), "\nx\n");
    let text = "#jinja2: variable_start_string: '[[', variable_end_string: ']]'\n[[ n ]] {{ n }}\n";
    let rendered =
        templar().render_file(&Source::file("t.j2", text), &FileOptions::default(), &data);
    assert_eq!(rendered.expect("it renders"), "1 {{ n }}\n");
}

#[test]
fn templates_that_never_end_are_stopped() {
    let empty: Arc<dyn Scope> = Arc::new(Empty);
    for text in [
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in range(1000) %}{% for b in range(1000) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 100000000000 }}",
        "{{ range(10 ** 12) | list }}",
        "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ 2 ** 100000 }}",
        "{% set l = [] %}{% for i in range(1000) %}{% set _ = l.append(l) %}{% endfor %}{{ l }}",
    ] {
        let error = templar()
            .render_str(&Code::written(text), None, &empty)
            .expect_err(text);
        assert!(!error.message.is_empty());
    }
    for text in [
        "(".repeat(5000),
        "[".repeat(120) + &"]".repeat(120),
        format!("1{}", "+1".repeat(20_000)),
        "not ".repeat(3000) + "1",
        "{% if 1 %}".repeat(3000),
    ] {
        assert!(
            templar()
                .render_str(&Code::written(&format!("{{{{ {text} }}}}")), None, &empty)
                .is_err()
                || text.len() == 240
        );
    }
}

#[test]
fn lookups_find_files_beside_the_playbook() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("files")).expect("a folder");
    std::fs::create_dir(folder.path().join("templates")).expect("a folder");
    std::fs::write(folder.path().join("files/key.pub"), "ssh-ed25519 AAA\n")
        .expect("it is written");
    std::fs::write(folder.path().join("templates/t.j2"), "n is {{ n }}\n").expect("it is written");
    let data =
        scope(serde_json::json!({"n": 1, "playbook_dir": folder.path().display().to_string()}));
    let render = |text: &str| {
        templar()
            .render_str(&Code::written(text), None, &data)
            .expect(text)
            .to_string()
    };
    assert_eq!(render("{{ lookup('file', 'key.pub') }}"), "ssh-ed25519 AAA");
    assert_eq!(render("{{ lookup('template', 't.j2') }}"), "n is 1\n");
    assert_eq!(
        render("{{ query('fileglob', '*.pub') | map('basename') | first }}"),
        "key.pub"
    );
    assert_eq!(
        render("{{ lookup('first_found', ['a.pub', 'files/key.pub']) | basename }}"),
        "key.pub"
    );
    let secret = render("{{ lookup('password', 'credentials/pw length=12') }}");
    assert_eq!(secret.len(), 12);
    assert_eq!(
        render("{{ lookup('password', 'credentials/pw length=12') }}"),
        secret
    );
    let error = templar()
        .render_str(&Code::written("{{ lookup('file', 'nope') }}"), None, &data)
        .expect_err("it must fail");
    assert_eq!(error.message, "the lookup 'file' finds no file 'nope'");
    let error = templar()
        .render_str(
            &Code::written("{{ lookup('url', 'http://x') }}"),
            None,
            &data,
        )
        .expect_err("it must fail");
    assert!(error.message.contains("is off"), "{}", error.message);
}

#[test]
fn with_loops_take_what_their_lookup_finds() {
    let data = scope(serde_json::json!({"l": [1, 2]}));
    let found = |name: &str, terms: &str| -> serde_json::Value {
        let terms = templar().render(&parsed(terms), &data).expect(terms);
        let found = templar().lookup(name, &terms, &data).expect(name);
        found.iter().map(to_json).collect()
    };
    assert_eq!(
        found("items", "['{{ l }}', [3]]"),
        serde_json::json!([1, 2, 3])
    );
    assert_eq!(
        found("dict", "{a: 1}"),
        serde_json::json!([{"key": "a", "value": 1}])
    );
    assert_eq!(
        found("nested", "[[1, 2], [a]]"),
        serde_json::json!([[1, "a"], [2, "a"]])
    );
    assert_eq!(
        found("sequence", "start=1 end=2 format=n%02d"),
        serde_json::json!(["n01", "n02"])
    );
    assert_eq!(found("indexed_items", "[a]"), serde_json::json!([[0, "a"]]));
    assert_eq!(
        found("together", "[[1, 2], [3]]"),
        serde_json::json!([[1, 3], [2, null]])
    );
}

fn fragments() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        " ",
        "a",
        "l",
        "d.x",
        "nope",
        "1",
        "2.5",
        "'s'",
        "\"t\"",
        "\\",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "~",
        "|",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        ".",
        "==",
        "<",
        "in",
        "not",
        "is",
        "defined",
        "and",
        "or",
        "if",
        "else",
        "for",
        "endfor",
        "endif",
        "set",
        "=",
        "macro",
        "m",
        "endmacro",
        "raw",
        "endraw",
        "first",
        "default",
        "join",
        "map",
        "upper",
        "regex_replace",
        "to_yaml",
        "to_json",
        "range",
        "\n",
        "'%s'",
        "'{}'",
        "format",
        "loop",
        "items",
        "é",
        "lookup",
        "ipaddr",
        "int",
        "round",
        "sort",
        "batch",
        "slice",
    ]);
    prop::collection::vec(words, 0..25).prop_map(|words| words.join(""))
}

/// What is prepared comes to the same, the first time and the next.
fn same_when_prepared(node: &Node, data: &Arc<dyn Scope>) {
    let shown = |result: Result<Value, TemplateError>| {
        result.map_or_else(
            |error| format!("{error:?}"),
            |value| format!("{} {}", to_json(&value), is_users(&value)),
        )
    };
    let (templar, prepared) = (templar(), PreparedValue::new(node));
    let plain = shown(templar.render(node, data));
    for _ in 0..2 {
        assert_eq!(shown(templar.render_prepared(&prepared, data)), plain);
    }
    let known = prepared.is_known().map(|value| shown(Ok(value)));
    assert!(known.is_none_or(|known| known == plain), "{plain}");
    let condition = PreparedCondition::new(node);
    let plain = format!("{:?}", templar.condition(node, data));
    for _ in 0..2 {
        let again = templar.holds_prepared(&condition, data);
        assert_eq!(format!("{again:?}"), plain);
    }
}

#[test]
fn what_is_prepared_once_comes_to_the_same_for_each_scope() {
    let texts = [
        "plain",
        "!unsafe '{{ a }}'",
        "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  00",
        "['{{ a }}', [b, '{{ omit }}'], {c: '{{ omit }}', '{{ k }}': 1}]",
        "[a, {b: [1, 2.5, true, null]}]",
        "'{{ a + 1 }}'",
        "'{{ nope }}'",
        "'{{ a'",
        "'a is defined'",
        "[a is defined, '{{ a }}', 'a == 1']",
        "' {{ a }} '",
        "\"{{ k }}\\n\\n\"",
        "'{{ holds }}'",
        "holds",
        "yes",
    ];
    for text in texts {
        let node = parsed(text);
        for a in [1, 2] {
            let data = scope(serde_json::json!({"a": a, "k": "key", "holds": "a == 1"}));
            same_when_prepared(&node, &data);
        }
        let prepared = PreparedCondition::new(&node);
        let of = |a: i64| {
            let data = scope(serde_json::json!({"a": a, "k": "key", "holds": "a == 1"}));
            format!("{:?}", templar().holds_prepared(&prepared, &data))
        };
        // One that was compiled for another host comes to what it does for this one.
        let (first, second) = (of(1), of(2));
        assert_eq!((of(1), of(2)), (first, second), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_panics(text in prop_oneof![fragments(), ".{0,40}"]) {
        let data = scope(serde_json::json!({"a": 1, "l": [1, "b", null], "d": {"x": {"y": [true]}}}));
        let source = Source::file("t.j2", text.as_str());
        let node = Node::string(Span::new(&source, 0, text.len()), text.as_str());
        let braced = format!("{{{{ {text} }}}}");
        let _ = templar().render(&node, &data);
        let _ = templar().render_str(&Code::written(&braced), None, &data);
        let _ = templar().evaluate(&Expression::written(&text), &data);
        let _ = templar().condition(&node, &data);
        same_when_prepared(&node, &data);
        let _ = templar().syntax_check(&node, Syntax::Text);
        let _ = templar().syntax_check(&node, Syntax::Expression);
        let _ = templar().render_file(&source, &FileOptions::default(), &data);
    }
}

/// The largest and the smallest whole number, and formats that go on where they may not.
#[test]
fn what_is_past_the_ends_of_numbers_and_formats_is_an_error_and_no_panic() {
    const MOST: &str = "170141183460469231731687303715884105727";
    let scope: Arc<dyn Scope> = Arc::new(Empty);
    let value = |expression: &str| {
        let expression = expression
            .replace("MOST", MOST)
            .replace("LEAST", "(0 - 2 ** 126 - 2 ** 126)");
        let value = templar().evaluate(&Expression::written(&expression), &scope);
        value.map(|value| value.to_string())
    };
    assert_eq!(
        value("LEAST // 3").unwrap(),
        "-56713727820156410577229101238628035243"
    );
    assert_eq!(value("LEAST // -3").unwrap(), format!("{}", i128::MAX / 3));
    assert!(value("(2 ** 126 - 1 + 2 ** 126) | random(step=2 ** 126)").is_ok());
    assert!(value("[1].insert(LEAST, 0)").is_ok());
    let end = "lookup('sequence', 'start=MOST end=MOST')";
    assert!(value(end).unwrap().contains(MOST));
    let listed = "[1, 2, 3] | json_query('[0::2]')";
    assert_eq!(value(listed).unwrap(), "[1, 3]");
    let quoted = r#"['x:12345678901'] | json_query("[?@=='x:12345678901'] | [0]")"#;
    assert_eq!(value(quoted).unwrap(), "x:12345678901");
    for wrong in [
        "LEAST | abs",
        "[1, 2, 3] | json_query('[1::2147483647]')",
        "lookup('sequence', 'count=MOST stride=2')",
        "lookup('sequence', 'start=--1 end=2')",
        "'{0[a]\u{e9}}'.format({'a': 1})",
        "'{0[a]b}'.format({'a': 1})",
    ] {
        assert!(value(wrong).is_err(), "{wrong}");
    }
}
