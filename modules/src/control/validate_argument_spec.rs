//! `validate_argument_spec`: goes on only when variables are as a specification wants them.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::args::{Data, describe};
use crate::argument_spec;
use crate::describe::{CheckMode, Invalid, Return};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Fails unless variables are as a specification of arguments wants them.
///
/// A role with `meta/argument_specs.yml` has a task of this module before its others.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateArgumentSpecArgs {
    /// What is wanted: the name of each variable with its `type`, `required`, `choices`, `elements`, `options`.
    argument_spec: Data,
    /// Values by their names, before those of the variables.
    #[serde(default)]
    provided_arguments: Data,
    /// What the arguments are of, for reports.
    #[serde(default)]
    validate_args_context: Data,
}

/// A mapping, or an empty one for nothing.
fn mapping(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map.clone()),
        Value::Null => Some(Map::new()),
        _ => None,
    }
}

impl Arguments for ValidateArgumentSpecArgs {
    const NAME: &'static str = "validate_argument_spec";
    const NEEDS_HOST: bool = false;
    const RETURNS: &'static [Return] = &[
        Return::text("msg", "a sentence about it"),
        Return::list("argument_errors", "what is wrong, when it fails"),
        Return::map("argument_spec_data", "the specification, when it fails"),
        Return::any("validate_args_context", "as it was given"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Go on only with a port that is a number\n  validate_argument_spec:\n    argument_spec:\n      port:\n        type: int\n        required: true\n  vars:\n    port: 8080\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        let both: [(&'static [&'static str], &Data); 2] = [
            (&["argument_spec"], &self.argument_spec),
            (&["provided_arguments"], &self.provided_arguments),
        ];
        for (name, value) in both {
            if mapping(value).is_none() {
                let message = format!("`{}` is a mapping, found {}", name[0], describe(value));
                return Err(Invalid::new(name, message));
            }
        }
        Ok(())
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let spec = mapping(&self.argument_spec).unwrap_or_default();
        let mut given = Map::new();
        for name in spec.keys() {
            if let Some(value) = context.control.variable(name)? {
                given.insert(name.clone(), value);
            }
        }
        given.extend(mapping(&self.provided_arguments).unwrap_or_default());
        let errors = argument_spec::errors(&spec, &given);
        let about = self.validate_args_context.0.clone();
        if errors.is_empty() {
            return Ok(Outcome::ok()
                .message("The arg spec validation passed")
                .with("validate_args_context", about));
        }
        let message = format!("Validation of arguments failed:\n{}", errors.join("\n"));
        Err(Failure::new(message)
            .with("argument_errors", errors)
            .with("argument_spec_data", Value::Object(spec))
            .with("validate_args_context", about))
    }
}
