//! Host names as inventories write them: `h[01:30]`, `h[a:f]`, `h[1:9:2]`, several of them, and a
//! port after a colon.

use std::net::Ipv6Addr;
use std::ops::Range;

/// More hosts than this from one line are taken for a slip of the pen.
const MOST: usize = 100_000;

/// A longer name is no host's: DNS has names of at most 253 bytes.
const LONGEST: usize = 500;

/// What is wrong with a name, and where in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Bytes of the name.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Wrong {
    fn new(range: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            range,
            message: message.into(),
            help: help.into(),
        }
    }
}

/// The hosts that `text` stands for, and their port.
pub(super) fn expand(text: &str) -> Result<(Vec<String>, Option<u16>), Wrong> {
    let (name, port) = split_port(text)?;
    check(name)?;
    let mut names = vec![String::new()];
    let mut rest = name;
    while let Some(open) = rest.find('[') {
        let at = name.len() - rest.len() + open;
        let close = rest[open..].find(']').map(|length| open + length);
        let Some(close) = close else {
            return Err(Wrong::new(
                at..name.len(),
                "a range of hosts is never closed",
                "write it as [1:3] or [a:f]",
            ));
        };
        let range = at..at + close - open + 1;
        let parts = sequence(&rest[open + 1..close], &range)?;
        if names.len().saturating_mul(parts.len()) > MOST {
            return Err(Wrong::new(
                range,
                format!("this range makes more than {MOST} hosts"),
                "check its end",
            ));
        }
        names = names
            .iter()
            .flat_map(|head| {
                let head = format!("{head}{}", &rest[..open]);
                parts.iter().map(move |part| format!("{head}{part}"))
            })
            .collect();
        rest = &rest[close + 1..];
    }
    for name in &mut names {
        name.push_str(rest);
    }
    Ok((names, port))
}

/// A name and the port after it. `[::1]:22` and `[name]:22` have a port too; `2001:db8::1` has none.
fn split_port(text: &str) -> Result<(&str, Option<u16>), Wrong> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    let Some((name, port)) = text.rsplit_once(':') else {
        return Ok((text, None));
    };
    // The colon of a range, as in `h[1:3]`, perhaps of one that is never closed.
    if port.contains(']') || name.matches('[').count() > name.matches(']').count() {
        return Ok((text, None));
    }
    let range = name.len() + 1..text.len();
    if port.is_empty() {
        return Err(Wrong::new(
            name.len()..text.len(),
            "a host name ends in `:`, which is for a port",
            "write the port after it, or take the `:` away; in a YAML inventory the file's name ends in .yml",
        ));
    }
    let number: u16 = match port.parse() {
        Ok(number) if number > 0 => number,
        _ => {
            return Err(Wrong::new(
                range,
                format!("`{port}` is not a port"),
                "a port is a number from 1 to 65535; an IPv6 address with a port is written [2001:db8::1]:22",
            ));
        }
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    Ok((
        bare.filter(|bare| !bare.contains(['[', ']']))
            .unwrap_or(name),
        Some(number),
    ))
}

/// Names that cannot be meant: Ansible would take them for hosts.
fn check(name: &str) -> Result<(), Wrong> {
    if name.len() > LONGEST {
        return Err(Wrong::new(
            0..name.len(),
            format!("a host name of more than {LONGEST} bytes"),
            "write one host, or one range of hosts, a line",
        ));
    }
    if name.is_empty() {
        return Err(Wrong::new(0..0, "a host without a name", "write its name"));
    }
    if name == "---" {
        return Err(Wrong::new(
            0..3,
            "`---` begins a YAML file, and this one is read as INI",
            "give the file a name that ends in .yml",
        ));
    }
    let outside = outside_brackets(name);
    for (at, char) in outside {
        let why = match char {
            '=' => {
                return Err(Wrong::new(
                    0..name.len(),
                    "there is a variable where a host is expected",
                    "put it after the host's name, or under [GROUP:vars]",
                ));
            }
            ',' | '!' | '&' | '*' | '?' => "is for patterns that select hosts",
            ']' => "closes a range that is not open",
            ':' if !like_ipv6(name) => "is for a port at the end of the name",
            _ if char.is_whitespace() || char.is_control() => "cannot be in a host name",
            _ => continue,
        };
        return Err(Wrong::new(
            at..at + char.len_utf8(),
            format!("`{char}` in a host name: it {why}"),
            "write one host, or one range of hosts, a line",
        ));
    }
    Ok(())
}

/// Whether `name` can be an IPv6 address, perhaps with ranges in it.
fn like_ipv6(name: &str) -> bool {
    let outside = || outside_brackets(name).map(|(_, char)| char);
    outside().filter(|char| *char == ':').count() >= 2
        && outside().all(|char| char.is_ascii_hexdigit() || matches!(char, ':' | '.'))
}

fn outside_brackets(name: &str) -> impl Iterator<Item = (usize, char)> {
    let mut inside = false;
    name.char_indices().filter(move |(_, char)| {
        if *char == '[' && !inside {
            inside = true;
            return false;
        }
        if *char == ']' && inside {
            inside = false;
            return false;
        }
        !inside
    })
}

/// The members of `1:3`, `01:30`, `a:f` or `1:9:2`.
fn sequence(text: &str, range: &Range<usize>) -> Result<Vec<String>, Wrong> {
    let wrong = |message: String, help: &str| Err(Wrong::new(range.clone(), message, help));
    let bounds: Vec<&str> = text.split(':').collect();
    let (first, last, step) = match bounds[..] {
        [first, last] => (first, last, "1"),
        [first, last, step] => (first, last, step),
        _ => {
            return wrong(
                format!("`[{text}]` is not a range of hosts"),
                "write FIRST:LAST or FIRST:LAST:STEP, as in [1:3] or [a:f]",
            );
        }
    };
    let step = match step.parse::<usize>() {
        Ok(step) if step > 0 => step,
        _ => {
            return wrong(
                format!("`{step}` is not a step"),
                "a step is a number from 1",
            );
        }
    };
    let first = if first.is_empty() { "0" } else { first };
    if last.is_empty() {
        return wrong(
            "a range of hosts without an end".to_owned(),
            "write its last member",
        );
    }
    let members: Vec<String> = match (letter(first), letter(last)) {
        (Some(from), Some(to)) => (from..=to)
            .step_by(step)
            .map(|index| char::from(LETTERS[index]).to_string())
            .collect(),
        _ => match (digits(first), digits(last)) {
            (Some(from), Some(to)) => {
                let padded = first.len() > 1 && first.starts_with('0');
                if padded && first.len() != last.len() {
                    return wrong(
                        format!("`{first}` and `{last}` are not equally long"),
                        "a range that begins with 0 pads its numbers: write both with as many digits",
                    );
                }
                if to.saturating_sub(from) / step > MOST {
                    return wrong(
                        format!("this range makes more than {MOST} hosts"),
                        "check its end",
                    );
                }
                let width = if padded { first.len() } else { 0 };
                let numbers = (from..=to).step_by(step);
                numbers.map(|number| format!("{number:0width$}")).collect()
            }
            _ => {
                return wrong(
                    format!("`[{text}]` is not a range of hosts"),
                    "a range goes from a number to a number, or from a letter to a letter",
                );
            }
        },
    };
    if members.is_empty() {
        return wrong(
            format!("`[{text}]` is an empty range"),
            "its first member must not come after its last",
        );
    }
    Ok(members)
}

/// In the order in which Ansible counts them.
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn letter(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [letter] => LETTERS.iter().position(|other| other == letter),
        _ => None,
    }
}

fn digits(text: &str) -> Option<usize> {
    let all = text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::expand;

    fn names(text: &str) -> String {
        match expand(text) {
            Ok((names, None)) => names.join(" "),
            Ok((names, Some(port))) => format!("{} port {port}", names.join(" ")),
            Err(wrong) => format!("{:?}: {}", wrong.range, wrong.message),
        }
    }

    /// Each of these was read by ansible-core 2.19.14.
    #[test]
    fn ranges_and_ports_are_those_that_ansible_reads() {
        for (text, expected) in [
            ("plain", "plain"),
            (
                "h[01:03].example.com:2222",
                "h01.example.com h02.example.com h03.example.com port 2222",
            ),
            ("db[a:c]-[1:2]", "dba-1 dba-2 dbb-1 dbb-2 dbc-1 dbc-2"),
            ("[2001:db8::1]:2222", "2001:db8::1 port 2222"),
            ("2001:db8::2", "2001:db8::2"),
            ("2001:db8::[1:2]", "2001:db8::1 2001:db8::2"),
            ("10.0.0.[1:3]", "10.0.0.1 10.0.0.2 10.0.0.3"),
            ("s[0:6:3]", "s0 s3 s6"),
            ("h[:3]", "h0 h1 h2 h3"),
            ("h[1:2][3:4]", "h13 h14 h23 h24"),
            ("h[y:B]", "hy hz hA hB"),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn names_that_make_no_sense_are_refused() {
        for (text, expected) in [
            ("h:", "1..2: a host name ends in `:`, which is for a port"),
            ("h:ssh", "2..5: `ssh` is not a port"),
            ("h:70000", "2..7: `70000` is not a port"),
            (":22", "0..0: a host without a name"),
            ("h[1:2", "1..5: a range of hosts is never closed"),
            (
                "h]x",
                "1..2: `]` in a host name: it closes a range that is not open",
            ),
            ("h[01:100]", "1..9: `01` and `100` are not equally long"),
            ("h[3:1]", "1..6: `[3:1]` is an empty range"),
            ("h[1:3:0]", "1..8: `0` is not a step"),
            ("h[1:]", "1..5: a range of hosts without an end"),
            ("h[1]", "1..4: `[1]` is not a range of hosts"),
            ("h[1:c]", "1..6: `[1:c]` is not a range of hosts"),
            (
                "h[1:99999999999]",
                "1..16: this range makes more than 100000 hosts",
            ),
            (
                "h[1:999][1:999]",
                "8..15: this range makes more than 100000 hosts",
            ),
            (
                "a,b",
                "1..2: `,` in a host name: it is for patterns that select hosts",
            ),
            (
                "!h",
                "0..1: `!` in a host name: it is for patterns that select hosts",
            ),
            (
                "ansible_user=root",
                "0..17: there is a variable where a host is expected",
            ),
            (
                "---",
                "0..3: `---` begins a YAML file, and this one is read as INI",
            ),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[a-c0-2:\\[\\]., é-]{0,20}") {
            if let Err(wrong) = expand(&text) {
                proptest::prop_assert!(text.get(wrong.range).is_some());
            }
        }
    }
}
