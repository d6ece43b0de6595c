//! The line `#jinja2: trim_blocks: False` with which a template may begin: how it is to be read.

use super::error::TemplateError;
use super::options::FileOptions;

const MARK: &str = "#jinja2:";

/// The options with what the header changes, and how long the header is.
pub(super) fn read(
    text: &str,
    options: &FileOptions,
) -> Result<(FileOptions, usize), TemplateError> {
    let mut options = options.clone();
    if !text.starts_with(MARK) {
        return Ok((options, 0));
    }
    let Some(end) = text.find('\n') else {
        return Err(
            TemplateError::new("the header '#jinja2:' needs a line of its own")
                .or_at(0..text.len()),
        );
    };
    for pair in pairs(&text[MARK.len()..end]) {
        let (name, value) = pair.split_once(':').ok_or_else(|| {
            TemplateError::new(format!(
                "'{}' in the header '#jinja2:' is not an option",
                pair.trim()
            ))
            .hint("write options as `name: value`, with commas between them")
            .or_at(0..end)
        })?;
        set(&mut options, name.trim(), value.trim()).map_err(|error| error.or_at(0..end))?;
    }
    Ok((options, end + 1))
}

/// The header's options: what commas separate that stand in no quotes.
fn pairs(header: &str) -> Vec<&str> {
    let mut pairs = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (at, character) in header.char_indices() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, ',') => {
                pairs.push(&header[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pairs.push(&header[start..]);
    pairs
}

fn set(options: &mut FileOptions, name: &str, value: &str) -> Result<(), TemplateError> {
    let truth = || match value {
        "True" | "true" => Ok(true),
        "False" | "false" => Ok(false),
        _ => Err(TemplateError::new(format!(
            "'{name}' in the header '#jinja2:' is True or False"
        ))),
    };
    let text = || value.trim_matches(['\'', '"']).to_owned();
    match name {
        "trim_blocks" => options.trim_blocks = truth()?,
        "lstrip_blocks" => options.lstrip_blocks = truth()?,
        "variable_start_string" => options.variable_delimiters.0 = text(),
        "variable_end_string" => options.variable_delimiters.1 = text(),
        "block_start_string" => options.block_delimiters.0 = text(),
        "block_end_string" => options.block_delimiters.1 = text(),
        "comment_start_string" => options.comment_delimiters.0 = text(),
        "comment_end_string" => options.comment_delimiters.1 = text(),
        // A line break at the end is kept in any case.
        "keep_trailing_newline" => {
            truth()?;
        }
        other => {
            return Err(TemplateError::new(format!(
                "'{other}' in the header '#jinja2:' is not an option"
            ))
            .hint("it knows trim_blocks, lstrip_blocks and the delimiters, such as variable_start_string"));
        }
    }
    Ok(())
}
