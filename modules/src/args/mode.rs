//! File modes as users write them: octal in quotes, symbolic, or a number that YAML made of one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::unfit::{ReadArgument, Unfit};
use super::values::{by_read, inline_schema};
use crate::outcome::Failure;

/// A mode: octal in quotes (`'0644'`), symbolic (`u=rwx,g=rx,o=`, `a+X`), or `preserve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// As the source has it; `copy` and `template` know what that is.
    Preserve,
    /// Steps from the mode as it is to the mode that is wanted: sh arithmetic over `w_m` (the mode),
    /// `w_d` (1 for a folder) and `w_u` (the umask). They hold no white space and nothing that sh
    /// expands.
    Steps(String),
}

impl Mode {
    /// The steps, for `w_opt_mode`; those of `preserve` are the mode of the source.
    pub fn steps(&self, source: Option<u32>) -> String {
        match (self, source) {
            (Self::Steps(steps), _) => steps.clone(),
            (Self::Preserve, Some(mode)) => octal(mode),
            (Self::Preserve, None) => "preserve".to_owned(),
        }
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "preserve" {
            return Ok(Self::Preserve);
        }
        let digits = text.strip_prefix("0o").unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return match u32::from_str_radix(digits, 8) {
                Ok(mode) if mode <= 0o7777 => Ok(Self::Steps(octal(mode))),
                _ => Err(format!(
                    "`{text}` is not an octal mode: it takes digits from 0 to 7 and at most 07777"
                )),
            };
        }
        let steps: Result<Vec<String>, String> = text.split(',').map(clause).collect();
        steps
            .map(|steps| Self::Steps(steps.join(" ")))
            .map_err(|wrong| {
                format!(
                    "`{text}` is not a mode: {wrong}; write it octal in quotes ('0644') or symbolic \
                     (u=rwx,g=rx,o=)"
                )
            })
    }

    fn from_number(number: i64) -> Result<Self, String> {
        let written_octal = number
            .to_string()
            .bytes()
            .all(|byte| (b'0'..=b'7').contains(&byte));
        let mode = u32::try_from(number).ok().filter(|mode| *mode <= 0o7777);
        match mode {
            Some(mode) if !written_octal || likely(mode) => Ok(Self::Steps(octal(mode))),
            Some(mode) => Err(format!(
                "the number {number} is the mode {mode:04o}, which is hardly meant; quote it: \
                 mode: '{number:0>4}'"
            )),
            None if written_octal && number > 0 => Err(format!(
                "the number {number} is more than any mode; quote it: mode: '{number:0>4}'"
            )),
            None => Err(format!("the number {number} is not a mode")),
        }
    }
}

/// A mode for sh arithmetic, where a leading 0 makes it octal.
fn octal(mode: u32) -> String {
    format!("0{mode:03o}")
}

/// Whether anyone would give a file this mode: nobody who may less than the owner may more than
/// others, whoever may write may read, and who may execute is not split without need. It tells YAML's
/// `0644` (the number 420) from an unquoted `644`.
fn likely(mode: u32) -> bool {
    let owner = mode >> 6 & 7;
    let group = mode >> 3 & 7;
    let other = mode & 7;
    let sensible = |class: u32| match class {
        0 | 4 | 5 | 6 | 7 => true,
        1 => owner == 7,
        _ => false,
    };
    let within = |less: u32, more: u32| less & !more == 0;
    let executes_alike = |class: u32| class <= 1 || class & 1 == owner & 1;
    (mode == 0 || owner >= 4)
        && sensible(group)
        && sensible(other)
        && within(group, owner)
        && within(other, owner)
        && (within(other, group) || group == 0 && other == 1)
        && executes_alike(group)
        && executes_alike(other)
}

/// The arithmetic of one clause, such as `ug+rX` or `o=u-w`.
fn clause(text: &str) -> Result<String, String> {
    let start = text
        .find(['+', '-', '='])
        .ok_or_else(|| format!("`{text}` has none of `+`, `-`, `=`"))?;
    let (users, mut rest) = text.split_at(start);
    let mut mask = 0;
    for user in users.chars() {
        mask |= match user {
            'u' => 0o4700,
            'g' => 0o2070,
            'o' => 0o1007,
            'a' => 0o7777,
            other => {
                return Err(format!(
                    "`{other}` is not one of the users `u`, `g`, `o`, `a`"
                ));
            }
        };
    }
    // Without users the umask decides, as with chmod.
    let (mask, free) = if users.is_empty() {
        (0o7777, "&~w_u")
    } else {
        (mask, "")
    };
    let mut steps = Vec::new();
    while let Some(operator) = rest.chars().next() {
        let end = rest[1..]
            .find(['+', '-', '='])
            .map_or(rest.len(), |end| end + 1);
        let bits = format!("(({}){free})", bits(&rest[1..end], mask)?);
        steps.push(match operator {
            '+' => format!("w_m|{bits}"),
            '-' => format!("w_m&~{bits}"),
            _ => format!("(w_m&~0{mask:o})|{bits}"),
        });
        rest = &rest[end..];
    }
    Ok(steps.join(" "))
}

/// The bits of permissions such as `rwX`, `st` or `g`, for the users of `mask`.
fn bits(permissions: &str, mask: u32) -> Result<String, String> {
    let mut fixed = 0;
    let mut terms = Vec::new();
    for permission in permissions.chars() {
        match permission {
            'r' => fixed |= 0o444 & mask,
            'w' => fixed |= 0o222 & mask,
            'x' => fixed |= 0o111 & mask,
            's' => fixed |= 0o6000 & mask,
            't' => fixed |= 0o1000,
            // All ones where it is a folder or anybody may execute it; nothing else.
            'X' => terms.push(format!("(-(w_d||(w_m&0111)!=0)&0{:o})", 0o111 & mask)),
            'u' => terms.push(spread(6, mask)),
            'g' => terms.push(spread(3, mask)),
            'o' => terms.push(spread(0, mask)),
            other => return Err(format!("`{other}` is not a permission")),
        }
    }
    terms.push(format!("0{fixed:o}"));
    Ok(terms.join("|"))
}

/// The permissions of one class of users, given to those of `mask`.
fn spread(shift: u32, mask: u32) -> String {
    format!(
        "((((w_m>>{shift})&07)<<6|((w_m>>{shift})&07)<<3|(w_m>>{shift})&07)&0{:o})",
        mask & 0o777
    )
}

impl ReadArgument for Mode {
    fn read(value: &Value) -> Result<Self, Unfit> {
        match value {
            Value::String(text) => Self::from_text(text).map_err(Unfit::Because),
            Value::Number(number) if number.is_i64() => {
                Self::from_number(number.as_i64().unwrap_or_default()).map_err(Unfit::Because)
            }
            other => Err(Unfit::kind("a mode", other)),
        }
    }
}

by_read!(Mode);
inline_schema!(Mode, "Mode", { "type": ["string", "integer"], "x-kind": "mode" });

/// The permission bits of a file of the control host.
pub fn mode_of(path: &Path) -> Result<u32, Failure> {
    path.metadata()
        .map(|metadata| metadata.permissions().mode() & 0o7777)
        .map_err(|error| {
            Failure::new(format!(
                "cannot look at {} on the control host: {error}",
                path.display()
            ))
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake;
    use crate::host::{Host, Script};

    fn read(value: Value) -> Result<Mode, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    fn steps(text: &str) -> Mode {
        Mode::Steps(text.to_owned())
    }

    #[test]
    fn octal_is_taken_in_quotes_and_as_yaml_reads_it() {
        assert_eq!(read(json!("0644")), Ok(steps("0644")));
        assert_eq!(read(json!("644")), Ok(steps("0644")));
        assert_eq!(read(json!("0o600")), Ok(steps("0600")));
        assert_eq!(read(json!("1777")), Ok(steps("01777")));
        for mode in [
            0o644, 0o755, 0o600, 0o640, 0o700, 0o750, 0o777, 0o1777, 0o400, 0o440, 0o444, 0o500,
            0o550, 0o555, 0o660, 0o664, 0o666, 0o711, 0o744, 0o770, 0o775, 0o2755, 0o2775, 0o4755,
            0o0,
        ] {
            assert_eq!(read(json!(mode)), Ok(steps(&octal(mode))), "0{mode:o}");
        }
    }

    #[test]
    fn a_mode_whose_leading_zero_was_forgotten_is_refused() {
        for mode in [
            400, 440, 444, 500, 550, 555, 600, 640, 644, 660, 664, 666, 700, 710, 711, 740, 744,
            750, 751, 755, 770, 775, 777, 1755, 1777, 2750, 2755, 2770, 2775, 4755,
        ] {
            assert!(read(json!(mode)).is_err(), "{mode}");
        }
        assert_eq!(
            read(json!(644)).unwrap_err(),
            "the number 644 is the mode 1204, which is hardly meant; quote it: mode: '0644'"
        );
        assert_eq!(
            read(json!(4755)).unwrap_err(),
            "the number 4755 is more than any mode; quote it: mode: '4755'"
        );
    }

    #[test]
    fn what_is_no_mode_is_explained() {
        for (value, words) in [
            (json!("0888"), "`0888` is not an octal mode"),
            (json!("77777"), "at most 07777"),
            (json!("rwx"), "`rwx` has none of `+`, `-`, `=`"),
            (json!("z+x"), "`z` is not one of the users"),
            (json!("u+q"), "`q` is not a permission"),
            (json!(""), "is not a mode"),
            (json!(-1), "the number -1 is not a mode"),
            (json!(true), "expected a mode, found the boolean `true`"),
        ] {
            let message = read(value).unwrap_err();
            assert!(message.contains(words), "{message}");
        }
    }

    /// What chmod makes of a mode, beside what the steps make of it. Not with BusyBox's chmod, which
    /// differs on `o=` and `o+t`.
    #[tokio::test]
    async fn symbolic_modes_are_what_chmod_makes_of_them() {
        let symbolic = [
            "u=rw,g=r,o=",
            "a+x",
            "+x",
            "=r",
            "u+s",
            "g+s",
            "o+t",
            "+t",
            "a-rwx",
            "ug+rX",
            "a=rX",
            "g=u",
            "o=g-w",
            "u=rwx,go=u-w",
            "go-rwx",
            "u+x,g-w,o=",
            "a=",
            "o=",
        ];
        let mut source = String::new();
        for mode in symbolic {
            let Ok(Mode::Steps(steps)) = read(json!(mode)) else {
                panic!("{mode}");
            };
            for (kind, before) in [("d", "0755"), ("d", "1770"), ("f", "0640"), ("f", "4711")] {
                source.push_str(&format!(
                    "case {kind} in d) mkdir x ;; f) : >x ;; esac
                     chmod 0{before} x; w_opt_mode='{steps}'; w_look x; w_wish; w_wished
                     chmod {mode} x; w_look x
                     [ $w_mode = $w_new_mode ] || printf '%s on {kind} %s: %04o, not %04o\\n' \
                       '{mode}' {before} $w_new_mode $w_mode
                     rm -rf x\n"
                ));
            }
        }
        for shell in fake::shells() {
            if shell.name().starts_with("busybox-") {
                continue;
            }
            let script = Script::new(&source).parts(&[crate::kit::ATTRIBUTES]);
            let reply = shell.run(script).await.unwrap();
            assert_eq!(
                (reply.text(), reply.error_text()),
                Default::default(),
                "{}",
                shell.name()
            );
        }
    }
}
