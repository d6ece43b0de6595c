//! Filters that encode, quote and decorate text: `b64encode`, `quote`, `comment`, `split` …

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use minijinja::Value;

use crate::template::budget::{Growing, fits, replaced};
use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function, call_text_method};
use crate::template::python::string;
use crate::template::special::Dict;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("b64encode", b64encode, 1, ["encoding", "urlsafe"]),
    filter!("b64decode", b64decode, 1, ["encoding", "urlsafe"]),
    filter!("quote", quote, 1, []),
    filter!("comment", comment, 1, ["style", "**"]),
    filter!("split", split, 1, ["sep", "maxsplit"]),
    filter!("urldecode", urldecode, 1, []),
    filter!("urlsplit", urlsplit, 1, ["query"]),
];

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
    .with_decode_allow_trailing_bits(true);

fn engine(urlsafe: bool) -> GeneralPurpose {
    GeneralPurpose::new(
        if urlsafe {
            &alphabet::URL_SAFE
        } else {
            &alphabet::STANDARD
        },
        LENIENT,
    )
}

/// Bytes of a text in an encoding.
fn bytes(input: &BoundArguments<'_, '_>, text: &str) -> Result<Vec<u8>> {
    match encoding(input)?.as_str() {
        "utf16le" => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        _ => Ok(text.as_bytes().to_vec()),
    }
}

fn encoding(input: &BoundArguments<'_, '_>) -> Result<String> {
    let name = input.optional_text(1).unwrap_or_else(|| "utf-8".to_owned());
    let short: String = name
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    match short.as_str() {
        "utf8" | "ascii" | "usascii" | "utf16le" => Ok(short),
        _ => Err(input.error(format_args!(
            "knows the encodings utf-8 and utf-16-le, not '{name}'"
        ))),
    }
}

fn b64encode(input: &mut BoundArguments<'_, '_>) -> Result {
    let urlsafe = input.bool_or(2, false)?;
    let value = input.value(0);
    let data = match value.as_bytes() {
        Some(data) if value.as_str().is_none() => data.to_vec(),
        _ => bytes(input, &input.text(0)?)?,
    };
    Ok(engine(urlsafe).encode(data).into())
}

fn b64decode(input: &mut BoundArguments<'_, '_>) -> Result {
    let (text, urlsafe) = (input.text(0)?, input.bool_or(2, false)?);
    // As Python does, pass over what is not of the alphabet, such as line breaks.
    let wanted = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '=' | '+' | '/' | '-' | '_');
    let text: String = text.chars().filter(wanted).collect();
    let data = engine(urlsafe)
        .decode(text)
        .map_err(|error| input.error(format_args!("cannot decode this: {error}")))?;
    if encoding(input)? == "utf16le" {
        let units: Vec<u16> = data
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        return Ok(String::from_utf16_lossy(&units).into());
    }
    String::from_utf8(data)
        .map(Value::from)
        .map_err(|_| input.error("decoded this to bytes that are not text"))
}

/// Text quoted for a shell, as Python's `shlex.quote` does.
pub(super) fn shell_quoted(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

fn quote(input: &mut BoundArguments<'_, '_>) -> Result {
    let length = input.get(0).and_then(Value::as_str).map_or(0, str::len);
    fits(length.checked_mul("'\"'\"'".len()))?;
    Ok(shell_quoted(&input.optional_text(0).unwrap_or_default()).into())
}

/// What surrounds a comment in one style.
const STYLES: &[(&str, &str, &str, &str)] = &[
    ("plain", "", "# ", ""),
    ("erlang", "", "% ", ""),
    ("c", "", "// ", ""),
    ("cblock", "/*", " * ", " */"),
    ("xml", "<!--", " - ", "-->"),
];

fn comment(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let style = input.optional_text(1).unwrap_or_else(|| "plain".to_owned());
    let Some((_, beginning, decoration, end)) = STYLES.iter().find(|(name, ..)| *name == style)
    else {
        return Err(input
            .error(format_args!("has no style '{style}'"))
            .hint("the styles are plain, erlang, c, cblock and xml"));
    };
    let option = |name: &str, default: &str| {
        input
            .named
            .iter()
            .find(|(given, _)| &**given == name)
            .map_or_else(|| default.to_owned(), |(_, value)| string(value))
    };
    let count = |name: &str| option(name, "1").parse::<usize>().unwrap_or(1).min(1000);
    let newline = option("newline", "\n");
    let decoration = option("decoration", decoration);
    let bare = decoration.trim_end().to_owned();
    let (beginning, end) = (option("beginning", beginning), option("end", end));
    let (prefix, postfix) = (option("prefix", &bare), option("postfix", &bare));
    let mut out = Growing::default();
    if !beginning.is_empty() {
        out.push(&format!("{beginning}{newline}"))?;
    }
    if !prefix.is_empty() {
        let line = if prefix == newline {
            newline.clone()
        } else {
            format!("{prefix}{newline}")
        };
        out.repeat(&line, count("prefix_count"))?;
    }
    let body = format!(
        "{decoration}{}",
        replaced(&text, &newline, &format!("{newline}{decoration}"), None)?
    );
    let (full, empty) = (format!("{decoration}{newline}"), format!("{bare}{newline}"));
    out.push(&replaced(&body, &full, &empty, None)?)?;
    out.repeat(&format!("{newline}{postfix}"), count("postfix_count"))?;
    if !end.is_empty() {
        out.push(&format!("{newline}{end}"))?;
    }
    Ok(out.text().into())
}

fn split(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let mut args = vec![input.get(1).cloned().unwrap_or_else(|| Value::from(()))];
    args.extend(input.get(2).cloned());
    call_text_method(&text, "split", args)
}

fn urldecode(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?.replace('+', " ");
    Ok(percent_decoded(&text).into())
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = (*byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn urlsplit(input: &mut BoundArguments<'_, '_>) -> Result {
    let url = input.text(0)?;
    let (rest, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_scheme = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_lowercase(), rest),
        _ => (String::new(), rest),
    };
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (user, host) = netloc
        .rsplit_once('@')
        .map_or((None, netloc), |(user, host)| (Some(user), host));
    let (username, password) = match user.map(|user| user.split_once(':').unwrap_or((user, "\0"))) {
        Some((name, "\0")) => (Value::from(name), Value::from(())),
        Some((name, password)) => (Value::from(name), Value::from(password)),
        None => (Value::from(()), Value::from(())),
    };
    let (hostname, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((name, port)) => (name, port.strip_prefix(':').unwrap_or("")),
        None => host.split_once(':').unwrap_or((host, "")),
    };
    let hostname = if hostname.is_empty() {
        Value::from(())
    } else {
        Value::from(hostname.to_lowercase())
    };
    let port = port
        .parse::<i64>()
        .map_or_else(|_| Value::from(()), Value::from);
    let parts = Dict::value([
        ("fragment".into(), fragment.into()),
        ("hostname".into(), hostname),
        ("netloc".into(), netloc.into()),
        ("password".into(), password),
        ("path".into(), path.into()),
        ("port".into(), port),
        ("query".into(), query.into()),
        ("scheme".into(), scheme.into()),
        ("username".into(), username),
    ]);
    match input.optional_text(1).filter(|wanted| !wanted.is_empty()) {
        None => Ok(parts),
        Some(wanted) => crate::template::eval::item(&parts, &Value::from(wanted.as_str()))
            .ok_or_else(|| input.error(format_args!("knows no part '{wanted}' of a URL"))),
    }
}
