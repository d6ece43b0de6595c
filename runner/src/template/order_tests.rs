//! Slices, sorting and sets over all kinds of values, against what they mean; and what such work costs.

use std::sync::Arc;

use minijinja::Value;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::error::TemplateError;
use super::options::TemplateOptions;
use super::scope::Scope;
use super::templar::Templar;
use super::trust::{Code, Expression};
use super::{from_json, to_json};

#[derive(Debug)]
struct Data(Json);

impl Scope for Data {
    fn get(&self, name: &str) -> Option<Result<Value, TemplateError>> {
        self.0.get(name).map(|value| Ok(from_json(value)))
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

fn evaluated(expression: &str, data: Json) -> Result<Json, TemplateError> {
    let scope: Arc<dyn Scope> = Arc::new(Data(data));
    Templar::new(TemplateOptions::default())
        .evaluate(&Expression::written(expression), &scope)
        .map(|value| to_json(&value))
}

/// The indexes of a slice, one after another.
fn walked(length: i64, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<usize> {
    let place = |bound: i64| if bound < 0 { bound + length } else { bound };
    let mut at = match start {
        Some(start) if step > 0 => place(start).max(0),
        Some(start) => place(start).min(length - 1),
        None if step > 0 => 0,
        None => length - 1,
    };
    let end = match stop {
        Some(stop) if step > 0 => place(stop).max(0),
        Some(stop) => place(stop).max(-1),
        None if step > 0 => length,
        None => -1,
    };
    let mut indexes = Vec::new();
    while (step > 0 && at < end.min(length)) || (step < 0 && at > end) {
        indexes.extend(usize::try_from(at));
        at += step;
    }
    indexes
}

proptest! {
    #[test]
    fn a_slice_picks_what_its_bounds_say(
        length in 0_i64..90,
        start in proptest::option::of(-100_i64..100),
        stop in proptest::option::of(-100_i64..100),
        step in prop_oneof![-9_i64..0, 1_i64..9],
    ) {
        let characters: Vec<char> = "aäb€𝄞".chars().cycle().take(usize::try_from(length).unwrap()).collect();
        let bound = |bound: Option<i64>| bound.map_or(String::new(), |bound| bound.to_string());
        let slice = format!("[{}:{}:{step}]", bound(start), bound(stop));
        let indexes = walked(length, start, stop, step);
        let text: String = characters.iter().collect();
        let expected: String = indexes.iter().map(|index| characters[*index]).collect();
        prop_assert_eq!(evaluated(&format!("x{slice}"), json!({"x": text})).unwrap(), json!(expected));
        let list: Vec<i64> = (0..length).collect();
        prop_assert_eq!(evaluated(&format!("x{slice}"), json!({"x": list})).unwrap(), json!(indexes));
    }

    #[test]
    fn no_list_makes_sorting_panic(
        list in prop::collection::vec(
            prop_oneof![
                Just(json!("nan")), Just(json!("inf")), (0_i64..4).prop_map(|number| json!(number)),
                Just(json!(9_007_199_254_740_993_i64)), Just(json!(9_007_199_254_740_992.0)), Just(json!(null)),
                Just(json!([1, "a"])), Just(json!(["a"])), Just(json!({"a": 1, "b": 2})), Just(json!({"b": 2, "a": 1})), Just(json!(true)),
            ],
            20..60,
        ),
    ) {
        let _ = evaluated("x | sort", json!({"x": list}));
        let _ = evaluated("x | sort(reverse=true)", json!({"x": list}));
        let floats = evaluated("x | map('float') | sort | length", json!({"x": list})).unwrap();
        prop_assert_eq!(floats, json!(list.len()));
    }
}

#[test]
fn what_is_no_number_is_sorted_last_and_what_cannot_be_compared_is_an_error() {
    let lines: Vec<String> = (0..60)
        .map(|line| match line % 3 {
            0 => "nan".to_owned(),
            _ => (60 - line).to_string(),
        })
        .collect();
    let sorted = evaluated(
        "x | map('float') | sort | map('string') | list",
        json!({"x": lines}),
    );
    let sorted = sorted.unwrap();
    let texts: Vec<&str> = sorted
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Json::as_str)
        .collect();
    assert_eq!(texts[..3], ["1.0", "2.0", "4.0"]);
    assert_eq!(texts[40..], ["nan"; 20]);

    let mixed: Vec<Json> = (0..60)
        .map(|at| match at % 7 {
            0 => json!(at.to_string()),
            1 => json!(null),
            _ => json!(at),
        })
        .collect();
    let error = evaluated("x | sort", json!({"x": mixed})).unwrap_err();
    assert!(
        error.message.contains("does not work between types"),
        "{error:?}"
    );
    // Python compares whole numbers with floats by what they are.
    let exact = evaluated(
        "9007199254740993 > 9007199254740992.0 and 1 < 1.5 and -1 > -1.5 and 2 == 2.0",
        json!({}),
    );
    assert_eq!(exact.unwrap(), json!(true));
}

#[test]
fn mappings_with_their_entries_in_another_order_are_the_same() {
    let data = || {
        json!({
            "l": [{"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}, {"a": 1}, 1, true, 1.0, "1"],
            "m": [{"b": {"d": 3, "c": 2}, "a": 1}],
        })
    };
    for (expression, expected) in [
        ("l | unique | length", json!(4)),
        ("l | union(m) | length", json!(4)),
        ("l | intersect(m) | length", json!(1)),
        ("l | difference(m) | length", json!(3)),
        ("m | symmetric_difference(l) | length", json!(3)),
        (
            "{'x': l} | combine({'x': m}, list_merge='append_rp') | json_query('length(x)')",
            json!(6),
        ),
        (
            "[[1, {'a': 1, 'b': 2}], [1, {'b': 2, 'a': 1}]] | unique | length",
            json!(1),
        ),
    ] {
        assert_eq!(
            evaluated(expression, data()).unwrap(),
            expected,
            "{expression}"
        );
    }
}

#[test]
fn work_over_a_large_value_is_counted_each_time() {
    let big: Vec<u32> = (0..20_000).collect();
    for text in [
        "{% for i in range(10000) %}{% set x = [big] %}{% endfor %}",
        "{% set ns = namespace(x=1) %}{% for i in range(10000) %}{% set ns.x = big %}{% endfor %}",
        "{% for i in range(10000) %}{% if [big] != [again] %}{% endif %}{% endfor %}",
        "{% for i in range(10000) %}{% if [[big], [again]] | unique | length == 2 %}{% endif %}{% endfor %}",
        "{% for i in range(10000) %}{% if text[-1] == 'z' %}{% endif %}{% endfor %}",
        "{% for i in range(10000) %}{% if text[-1:] == 'z' %}{% endif %}{% endfor %}",
        "{% for i in range(10000) %}{% set t %}{{ text }}{% endset %}{% endfor %}",
    ] {
        let text_of_many = "y".repeat(1 << 20);
        let data = json!({"big": big, "again": big, "text": text_of_many});
        let scope: Arc<dyn Scope> = Arc::new(Data(data));
        let error = Templar::new(TemplateOptions::default())
            .render_str(&Code::written(text), None, &scope)
            .expect_err(text);
        let message = error.message;
        assert!(
            message.contains("too much work") || message.contains("64 MiB"),
            "{message}"
        );
    }
}
