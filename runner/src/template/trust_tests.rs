//! Text from outside is never compiled, whatever way it takes through templates.

use std::sync::Arc;

use minijinja::Value;
use proptest::prelude::*;
use serde_json::json;

use super::error::TemplateError;
use super::options::TemplateOptions;
use super::scope::Scope;
use super::templar::Templar;
use super::{from_json, to_json};
use crate::fuzzing::calls;
use crate::yaml::{self, Mapping, Node, Source};

/// What the user wrote, as templates, and what a host said, as data.
#[derive(Debug)]
struct Both {
    users: Mapping,
    outside: Vec<(String, Value)>,
    templar: Templar,
}

#[derive(Debug, Clone)]
struct SharedBoth(Arc<Both>);

impl Scope for SharedBoth {
    fn get(&self, name: &str) -> Option<Result<Value, TemplateError>> {
        let mut outside = self.0.outside.iter();
        if let Some((_, value)) = outside.find(|(known, _)| known == name) {
            return Some(Ok(value.clone()));
        }
        let node = self.0.users.get(name)?;
        let scope: Arc<dyn Scope> = Arc::new(self.clone());
        Some(self.0.templar.render(node, &scope))
    }

    fn names(&self) -> Vec<String> {
        let users = self.0.users.iter().filter_map(|(name, _)| name.as_str());
        let outside = self.0.outside.iter().map(|(name, _)| name.as_str());
        users.chain(outside).map(str::to_owned).collect()
    }
}

fn parsed(text: &str) -> Arc<Node> {
    let documents = yaml::parse(&Source::named("test", text)).expect("the text is YAML");
    Arc::clone(documents.first().expect("there is one document"))
}

fn templar() -> Templar {
    Templar::new(TemplateOptions::default())
}

/// A scope of the user's variables, in YAML, and of what came from outside.
fn scope(users: &str, outside: Vec<(String, Value)>) -> Arc<dyn Scope> {
    let users = parsed(users).as_mapping().expect("a mapping").clone();
    Arc::new(SharedBoth(Arc::new(Both {
        users,
        outside,
        templar: templar(),
    })))
}

const USERS: &str = "
x: 1
cond: x == 1
other: x == 2
conds: [x == 1, x == 2]
cfg: {c: x == 1}
indirect: '{{ cond }}'
joined: \"x {{ '==' }} 1\"
kept: !unsafe x == 1
";

fn outside() -> Vec<(String, Value)> {
    let evil = "lookup('pipe', 'true')";
    let data = json!({
        "r": {"stdout": evil, "yes": "True", "stdout_lines": [evil], "stat": {"path": evil}, "results": [{"stdout": evil}]},
    });
    vec![("r".to_owned(), from_json(&data["r"]))]
}

/// As observed on ansible-core 2.19.14, apart from a literal, which it refuses although the user wrote it.
#[test]
fn a_condition_in_braces_is_evaluated_only_where_the_user_wrote_what_it_gives() {
    let scope = scope(USERS, outside());
    for (condition, holds) in [
        ("{{ cond }}", true),
        ("{{ other }}", false),
        ("{{ conds[0] }}", true),
        ("{{ cfg.c }}", true),
        ("{{ indirect }}", true),
        ("{{ conds | first }}", true),
        ("{{ conds | last }}", false),
        ("{{ nope | default(cond) }}", true),
        ("{{ (x == 1) | ternary(cond, other) }}", true),
        ("{{ cond if x == 1 else other }}", true),
        ("{{ lookup('vars', 'cond') }}", true),
        ("{{ 'x == 1' }}", true),
        ("{{ r.yes | bool }}", true),
        ("{{ r.stdout is defined }}", true),
    ] {
        let node = parsed(&serde_json::to_string(condition).expect("it is text"));
        let judged = templar().condition(&node, &scope).expect(condition);
        assert_eq!(judged.truth, holds, "{condition}");
    }
    for condition in [
        "{{ r.stdout }}",
        "{{ r.yes }}",
        "{{ r.stdout_lines[0] }}",
        "{{ r.stdout_lines | first }}",
        "{{ r.stat.path }}",
        "{{ r['stdout'] }}",
        "{{ (r.results | map(attribute='stdout') | list)[0] }}",
        "{{ nope | default(r.stdout) }}",
        "{{ r.stdout if true else cond }}",
        "{{ r.stdout | string }}",
        "{{ r.stdout | trim }}",
        "{{ r.stdout | to_json | from_json }}",
        "{{ ('\"' ~ r.stdout ~ '\"') | from_yaml }}",
        "{{ r.stdout | b64encode | b64decode }}",
        "{{ [r.stdout] | join }}",
        "{{ {'a': r.stdout}.a }}",
        "{{ {r.stdout: 1} | list | first }}",
        "{{ r.stdout }} and true",
        "{% if true %}{{ r.stdout }}{% endif %}",
        "{% set a = r.stdout %}{{ a }}",
        "{{ cond ~ '' }}",
        "{{ conds | join(' or ') }}",
        "{{ joined }}",
        "{{ kept }}",
        "{{ cond | replace('x', 'x') }}",
        "{{ '%s' % cond }}",
        "{{ '{}'.format(cond) }}",
        "{{ cond.replace('x', 'x') }}",
        "{{ cond | safe }}",
        "{{ r.stdout | safe }}",
        "{{ r.stdout | escape }}",
    ] {
        let node = parsed(&serde_json::to_string(condition).expect("it is text"));
        let before = calls();
        let error = templar().condition(&node, &scope).expect_err(condition);
        assert!(
            error.message.contains("is not written in the playbook"),
            "{condition}: {error}"
        );
        assert_eq!(calls(), before, "{condition}");
    }
    let node = parsed("!unsafe x == 1");
    assert!(templar().condition(&node, &scope).is_err());
}

#[test]
fn which_lookup_is_called_no_host_decides() {
    let mut outside = outside();
    outside.push(("plugin".to_owned(), Value::from("pipe")));
    let scope = scope("mine: env\nwith: {name: env}", outside);
    let before = calls();
    for text in [
        "{{ lookup(plugin, 'true') }}",
        "{{ query(plugin, 'true') }}",
        "{{ q('pi' ~ 'pe', 'true') }}",
        "{% set l = lookup %}{{ l(plugin, 'true') }}",
        "{{ lookup(*[plugin, 'true']) }}",
    ] {
        let node = parsed(&serde_json::to_string(text).expect("it is text"));
        let error = templar().render(&node, &scope).expect_err(text);
        assert!(
            error.message.contains("has to be written in the playbook"),
            "{text}: {error}"
        );
    }
    assert_eq!(calls(), before);
    for text in [
        "{{ lookup(mine, 'HOME') }}",
        "{{ lookup(with.name, 'HOME') }}",
    ] {
        let node = parsed(&serde_json::to_string(text).expect("it is text"));
        templar().render(&node, &scope).expect(text);
    }
}

/// Texts that would be seen if they were evaluated.
fn evil() -> impl Strategy<Value = String> {
    let call = prop::sample::select(vec![
        "lookup('pipe', 'true')",
        "query('env', 'HOME')",
        "q('lines', 'true')",
        "(lookup('vars', 'x') or true)",
    ]);
    let dress = prop::sample::select(vec![
        "@",
        "{{ @ }}",
        "{% if @ %}a{% endif %}",
        "{{ '{{ @ }}' }}",
        "@ == 1",
        "not @",
        "x or @",
        "[@]",
        "{'a': @}",
        "#jinja2: trim_blocks: True\n{{ @ }}",
        "'\"' + @",
        "!unsafe @",
        "\"@\"",
        "{\"msg\": \"{{ @ }}\"}",
        "- @\n- '{{ @ }}'",
    ]);
    (dress, call).prop_map(|(dress, call)| dress.replace('@', call))
}

/// Filters with arguments, as they follow a value.
const FILTERS: [&str; 66] = [
    "string",
    "trim",
    "upper",
    "lower",
    "list",
    "first",
    "last",
    "join",
    "join('')",
    "to_json",
    "from_json",
    "from_yaml",
    "to_yaml",
    "to_nice_json",
    "b64encode",
    "b64decode",
    "quote",
    "safe",
    "escape",
    "e",
    "default('x')",
    "d(a)",
    "bool",
    "int",
    "length",
    "replace('lookup', 'lookup')",
    "regex_replace('^', '')",
    "regex_search('.*')",
    "regex_findall('.+')",
    "reverse",
    "sort",
    "unique",
    "flatten",
    "items2dict",
    "dict2items",
    "combine({'k': a})",
    "map('string') | list",
    "map('trim') | list",
    "map('default', a) | list",
    "select('defined') | list",
    "json_query('@')",
    "indent(0)",
    "wordwrap(500)",
    "comment",
    "urlencode",
    "splitlines",
    "split(' ')",
    "ternary(a, b)",
    "type_debug",
    "hash('sha1')",
    "zip(d.l) | list",
    "random",
    "format(a)",
    "center(3)",
    "batch(2) | list",
    "tojson",
    "from_yaml_all | list",
    "path_join",
    "basename",
    "expanduser",
    "regex_escape",
    "capitalize",
    "title",
    "pprint",
    "striptags",
    "xmlattr",
];

/// Expressions over values from outside (`a`, `b`, `d`) and of the user's (`u`, `i`), none with a lookup in it.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a",
        "b",
        "d.x",
        "d.l[0]",
        "d['m'].y",
        "d",
        "d.l",
        "u",
        "i",
        "'s'",
        "1",
        "vars.a",
        "vars['b']",
        "nope",
        "(vars | dict2items | map(attribute='value') | list)",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(5, 24, 3, |inner| {
            let filter = prop::sample::select(&FILTERS[..]);
            prop_oneof![
                (inner.clone(), filter).prop_map(|(base, filter)| format!("({base} | {filter})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} ~ {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} if {b} else {a})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{'k': {a}, 'm': {b}}}")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("('%s%s' % ({a}, {b}))")),
                inner.clone().prop_map(|a| format!("({a})[0]")),
                inner.clone().prop_map(|a| format!("({a}).k")),
                inner.clone().prop_map(|a| format!("('{{}}'.format({a}))")),
                inner
                    .clone()
                    .prop_map(|a| format!("({a} is search('lookup'))")),
                (inner.clone(), inner).prop_map(|(a, b)| format!("({a} in {b})")),
            ]
        })
}

/// A template around expressions.
fn template() -> impl Strategy<Value = String> {
    let shape = prop::sample::select(vec![
        "{{ @ }}",
        "@",
        "{{ @ }}{{ a }}",
        "x {{ @ }}",
        "{% set v = @ %}{{ v }}",
        "{% for v in @ %}{{ v }}{% endfor %}",
        "{% macro m(v) %}{{ v }}{% endmacro %}{{ m(@) }}",
        "{% if @ %}{{ a }}{% endif %}",
        "{% set v %}{{ @ }}{% endset %}{{ v }}",
        "{% filter trim %}{{ @ }}{% endfilter %}",
        "{% with v = @ %}{{ v }}{% endwith %}",
        "{% call m() %}{{ @ }}{% endcall %}",
    ]);
    (shape, expression()).prop_map(|(shape, expression)| shape.replace('@', &expression))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("WINDLASS_MORE_CASES").is_some() { 100_000 } else { 600 }))]

    /// What came from outside goes through a template, is kept as `set_fact` and `register` keep it, goes
    /// through another, and is then made a condition.
    #[test]
    fn no_lookup_is_ever_called_by_what_came_from_outside(
        texts in prop::collection::vec(evil(), 5),
        templates in prop::collection::vec(template(), 4),
    ) {
        let data = json!({"x": texts[2], "l": [texts[3]], "m": {"y": texts[4]}});
        let mut outside = vec![
            ("a".to_owned(), from_json(&texts[0].as_str().into())),
            ("b".to_owned(), from_json(&texts[1].as_str().into())),
            ("d".to_owned(), from_json(&data)),
        ];
        let users = "{u: text, i: '{{ a }}', x: 1}";
        let before = calls();
        for (index, text) in templates.iter().enumerate() {
            let known = scope(users, outside.clone());
            let node = parsed(&serde_json::to_string(text).expect("it is text"));
            let _ = templar().condition(&node, &known);
            if let Ok(value) = templar().render(&node, &known) {
                // As it is (an item of a loop), and as data (`register`).
                let name = ["a", "b", "d", "a"][index];
                outside.retain(|(known, _)| known != name);
                outside.push((name.to_owned(), if index % 2 == 0 { value } else { from_json(&to_json(&value)) }));
            }
            for condition in ["{{ a }}", "{{ b }}", "{{ d.x }}", "{{ i }}", "a", "{{ d }}"] {
                let node = parsed(&serde_json::to_string(condition).expect("it is text"));
                let _ = templar().condition(&node, &scope(users, outside.clone()));
            }
        }
        prop_assert_eq!(calls(), before, "{:?} over {:?}", templates, texts);
    }
}
