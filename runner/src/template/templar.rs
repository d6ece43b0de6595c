//! The way in: renders nodes, strings, files and conditions against a scope.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::Value;

use super::error::TemplateError;
use super::eval::{Eval, Loaded, RenderShared, TemplateOutput, truth};
use super::managed::OfFile;
use super::options::{FileOptions, TemplateOptions};
use super::python::type_name;
use super::references::{References, references};
use super::scope::Scope;
use super::special::{is_omit, undefined};
use super::tree::Template;
use super::trust::{self, Code, Expression, KeptCode};
use super::{files, lower, render, tame};
use crate::yaml::{self, Node, Source, Span, Tag};

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// Templates kept compiled at once; a run has far fewer.
const KEPT: usize = 20_000;

/// What a string is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Text with templates in it.
    Text,
    /// A bare expression, such as a condition; it may stand in `{{ }}`.
    Expression,
}

/// What a condition came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionResult {
    /// Whether it holds.
    pub truth: bool,
    /// What the user should know about how it is written.
    pub warning: Option<String>,
}

/// Renders templates. Cheap to clone; clones share what has been compiled.
#[derive(Clone)]
pub struct Templar {
    options: Arc<TemplateOptions>,
    compiled: Arc<Compiled>,
}

#[derive(Default)]
struct Compiled {
    /// How often a text was looked for in these.
    #[cfg(test)]
    asked: std::sync::atomic::AtomicUsize,
    texts: RwLock<HashMap<Box<str>, Arc<Template>>>,
    expressions: RwLock<HashMap<Box<str>, Arc<Template>>>,
}

impl fmt::Debug for Templar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templar")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Templar {
    /// A templar with nothing compiled yet.
    pub fn new(options: TemplateOptions) -> Self {
        Self {
            options: Arc::new(options),
            compiled: Arc::default(),
        }
    }

    /// The same with other folders to look for files in; shares what has been compiled.
    #[must_use]
    pub fn with_base_dirs(&self, base_dirs: Vec<PathBuf>) -> Self {
        Self {
            options: Arc::new(TemplateOptions {
                base_dirs,
                ..(*self.options).clone()
            }),
            compiled: Arc::clone(&self.compiled),
        }
    }

    /// What it may use.
    pub fn options(&self) -> &TemplateOptions {
        &self.options
    }

    /// The value of a node: every string in it rendered with its type, `omit` dropped from mappings
    /// and lists. `!unsafe` text stays as it is. A node that is `omit` itself gives [`super::omit`].
    pub fn render(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result {
        match (&node.tag, &node.value) {
            (Some(Tag::Vault), _) => Err(encrypted(&node.span)),
            (_, yaml::Value::String(text)) => match Code::of_node(node) {
                Some(code) => self.render_str(&code, Some(&node.span), scope),
                None => Ok(Value::from(text.as_str())),
            },
            (_, yaml::Value::Sequence(items)) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    let value = self.render(item, scope)?;
                    if !is_omit(&value) {
                        list.push(value);
                    }
                }
                Ok(Value::from(list))
            }
            (_, yaml::Value::Mapping(mapping)) => {
                let mut pairs = Vec::with_capacity(mapping.entries.len());
                for (key, value) in &mapping.entries {
                    let value = self.render(value, scope)?;
                    if !is_omit(&value) {
                        pairs.push((self.render(key, scope)?, value));
                    }
                }
                Ok(Value::from_pairs(pairs))
            }
            (_, value) => Ok(render::scalar(value)),
        }
    }

    /// The name of a file that is going to be compiled (tasks, variables, a template), or a list of names. An
    /// error for one that leads to another folder by what is not the user's.
    pub fn render_name(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result {
        let value = self.render(node, scope)?;
        self.check_name(node, &value, scope)?;
        Ok(value)
    }

    /// Refuses what [`Self::render_name`] refuses, of a node that was rendered already.
    pub fn check_name(
        &self,
        node: &Node,
        value: &Value,
        scope: &Arc<dyn Scope>,
    ) -> std::result::Result<(), TemplateError> {
        if !tame::is_suspicious(value) {
            return Ok(());
        }
        match scope.tame(&super::python::display(value)) {
            Some(harmless) => tame::compare(value, self.render(node, &harmless))
                .map_err(|error| error.or_span(Some(&node.span))),
            None => Ok(()),
        }
    }

    /// The value of a string: with its type if it is a single expression, else text. `span` is
    /// where the string stands, for errors.
    pub(super) fn render_str(
        &self,
        code: &Code<'_>,
        span: Option<&Span>,
        scope: &Arc<dyn Scope>,
    ) -> Result {
        let text = code.text();
        if !is_template(text) {
            return Ok(trust::users(text));
        }
        let template = self.text_template(code);
        self.render_compiled(template.as_deref().map_err(Clone::clone), text, span, scope)
    }

    /// The same of text that is compiled once, and that has a template in it.
    pub(super) fn render_kept(&self, kept: &KeptCode, scope: &Arc<dyn Scope>) -> Result {
        let template = kept.compiled(|code| self.text_template(&code));
        self.render_compiled(template, kept.code().text(), kept.span(), scope)
    }

    fn render_compiled(
        &self,
        template: std::result::Result<&Template, TemplateError>,
        text: &str,
        span: Option<&Span>,
        scope: &Arc<dyn Scope>,
    ) -> Result {
        let located = |error| files::locate_scalar(error, text, span);
        let value = template.and_then(|template| self.run(template, None, scope));
        Ok(with_line_breaks(text, value.map_err(located)?))
    }

    /// The text that a template file makes. What it includes is looked for beside it.
    pub fn render_file(
        &self,
        source: &Arc<Source>,
        options: &FileOptions,
        scope: &Arc<dyn Scope>,
    ) -> Result<String> {
        let located = |error| files::locate(error, source);
        let code = Code::of_file(source);
        let template = lower::template(&code, options, false).map_err(located)?;
        let folder = Path::new(source.name()).parent().map(PathBuf::from);
        let scope: &Arc<dyn Scope> = &(Arc::new(OfFile(Arc::clone(scope))) as Arc<dyn Scope>);
        let shared = RenderShared::new(self, scope);
        let mut eval = Eval::new(&shared, folder);
        let mut output = TemplateOutput::default();
        eval.whole(&template, &mut output)
            .map_err(|error| suggest(error, scope))
            .map_err(located)?;
        let text = output.into_text(&shared).map_err(located)?;
        let value = with_line_breaks(code.text(), Value::from(text));
        Ok(super::python::display(&value))
    }

    /// The value of an expression, as `debug: var=` shows it: one in `{{ }}` is rendered first, and what
    /// it gives has to be an expression of the user's again.
    pub fn evaluate(&self, expression: &Expression, scope: &Arc<dyn Scope>) -> Result {
        if !is_whole(expression.text()) {
            return self.expression(expression, scope);
        }
        let value = self.render_str(&expression.code(), expression.span(), scope)?;
        self.expression(&Expression::of_value(&value, expression.span())?, scope)
    }

    fn expression(&self, expression: &Expression, scope: &Arc<dyn Scope>) -> Result {
        let located = |error| files::locate_scalar(error, expression.text(), expression.span());
        let template = expression
            .kept()
            .compiled(|code| self.expression_template(&code));
        let value = template.and_then(|template| self.run(template, None, scope));
        value.map_err(located)
    }

    /// Whether one expression holds, as a condition.
    pub fn holds(
        &self,
        expression: &Expression,
        scope: &Arc<dyn Scope>,
    ) -> Result<ConditionResult> {
        if !is_whole(expression.text()) {
            return Ok(judged(&self.expression(expression, scope)?, None));
        }
        let warning = "conditions are expressions already: leave out the '{{ }}' around them";
        let code = expression.code().trimmed();
        let kept = expression.kept();
        let template = kept.compiled(|code| self.text_template(&code.trimmed()));
        let value = self.render_compiled(template, code.text(), expression.span(), scope)?;
        let value = if value.as_str().is_some() {
            // An expression kept in a variable: only where the user wrote it there.
            let kept = Expression::of_value(&value, expression.span())?;
            self.expression(&kept, scope)?
        } else {
            value
        };
        Ok(judged(&value, Some(warning)))
    }

    /// Reads a string without evaluating it, and tells what it refers to. The error is that of its
    /// syntax, or that it may not be evaluated.
    pub fn syntax_check(&self, node: &Node, syntax: Syntax) -> Result<References> {
        let text = node.as_str().unwrap_or_default();
        let located = |error| files::locate_scalar(error, text, Some(&node.span));
        let template = match (syntax, Code::of_node(node)) {
            (Syntax::Text, None) => return Ok(References::default()),
            (Syntax::Text, Some(code)) if !is_template(code.text()) => {
                return Ok(References::default());
            }
            (Syntax::Text, Some(code)) => self.text_template(&code),
            (Syntax::Expression, None) => {
                return Expression::of_node(node).map(|_| References::default());
            }
            (Syntax::Expression, Some(code)) if is_whole(code.text()) => self
                .text_template(&code.trimmed())
                .and_then(|template| single(&template).map(|()| template)),
            (Syntax::Expression, Some(code)) => self.expression_template(&code.trimmed()),
        };
        let template = template.map_err(located)?;
        Ok(references(&template, &located))
    }

    /// [`Self::syntax_check`] of a template file.
    pub fn syntax_check_file(
        &self,
        source: &Arc<Source>,
        options: &FileOptions,
    ) -> Result<References> {
        let located = |error| files::locate(error, source);
        let template = lower::template(&Code::of_file(source), options, false).map_err(located)?;
        Ok(references(&template, &located))
    }

    /// Whether there is a lookup that `with_<name>` calls.
    pub fn has_lookup(&self, name: &str) -> std::result::Result<(), TemplateError> {
        match super::lookups::find(name) {
            Some(_) => Ok(()),
            None => Err(super::lookups::unknown(name)),
        }
    }

    /// What a lookup plugin finds for its terms, which were rendered already, as `with_<name>` loops over it.
    pub fn lookup(&self, name: &str, terms: &Value, scope: &Arc<dyn Scope>) -> Result<Vec<Value>> {
        let shared = RenderShared::new(self, scope);
        let mut eval = Eval::new(&shared, None);
        super::lookups::with(&mut eval, name, terms)
    }

    fn run(&self, template: &Template, folder: Option<PathBuf>, scope: &Arc<dyn Scope>) -> Result {
        let shared = RenderShared::new(self, scope);
        let mut eval = Eval::new(&shared, folder);
        let result = if let [super::tree::Stmt::Emit(expr)] = template.body.as_slice() {
            eval.expr(expr).and_then(|value| match undefined(&value) {
                Some(error) => Err(error.or_at(expr.at.clone())),
                None => render::finished(value).map_err(|error| error.or_at(expr.at.clone())),
            })
        } else {
            let mut output = TemplateOutput::default();
            eval.whole(template, &mut output).and_then(|()| {
                output
                    .native()
                    .map_or_else(|| Ok(Value::from(())), render::finished)
            })
        };
        result.map_err(|error| suggest(error, scope))
    }

    /// How often a text had to be looked for among those that are compiled.
    #[cfg(test)]
    pub(crate) fn asked(&self) -> usize {
        self.compiled
            .asked
            .load(std::sync::atomic::Ordering::Relaxed)
    }

    #[cfg(test)]
    fn count(&self) {
        self.compiled
            .asked
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn text_template(&self, code: &Code<'_>) -> Result<Arc<Template>> {
        #[cfg(test)]
        self.count();
        kept(&self.compiled.texts, code, || {
            lower::template(code, &FileOptions::default(), true)
        })
    }

    fn expression_template(&self, code: &Code<'_>) -> Result<Arc<Template>> {
        #[cfg(test)]
        self.count();
        kept(&self.compiled.expressions, code, || lower::expression(code))
    }

    /// A template file by name, looked for in `folder` and then in the folders of the options.
    pub(super) fn load(&self, name: &str, folder: Option<&Path>) -> Result<Option<Loaded>> {
        let Some(path) = self.template_path(name, folder) else {
            return Ok(None);
        };
        let text = windlass_modules::source::text(&path).map_err(|error| {
            TemplateError::new(format!("cannot read {}: {error}", path.display()))
        })?;
        let source = Source::file(&path, text);
        let template = self
            .text_template(&Code::of_file(&source))
            .map_err(|error| files::locate(error, &source))?;
        Ok(Some(Loaded {
            template,
            path,
            source,
        }))
    }

    fn template_path(&self, name: &str, folder: Option<&Path>) -> Option<PathBuf> {
        let wanted = Path::new(name);
        if wanted.is_absolute() {
            return wanted.is_file().then(|| wanted.to_path_buf());
        }
        let folders = folder
            .into_iter()
            .chain(self.options.base_dirs.iter().map(PathBuf::as_path));
        folders
            .flat_map(|folder| [folder.join(wanted), folder.join("templates").join(wanted)])
            .find(|path| path.is_file())
    }
}

/// The error for a value that nobody has decrypted.
pub(super) fn encrypted(span: &Span) -> TemplateError {
    TemplateError::new("this value is encrypted")
        .hint("give the vault password, so that it can be decrypted")
        .or_span(Some(span))
}

/// Names the nearest known variable in the error about an undefined one.
fn suggest(mut error: TemplateError, scope: &Arc<dyn Scope>) -> TemplateError {
    let known = |name: &str| scope.get(name).is_some();
    if let (Some(name), None) = (&error.undefined, &error.hint)
        && !name.contains(['.', '['])
        && !name.is_empty()
        && !known(name)
    {
        error.hint = yaml::did_you_mean(name, scope.names().iter().map(String::as_str));
    }
    error
}

/// What is kept under a text, made if it is not there yet.
fn kept(
    store: &RwLock<HashMap<Box<str>, Arc<Template>>>,
    code: &Code<'_>,
    make: impl FnOnce() -> Result<Template>,
) -> Result<Arc<Template>> {
    let text = code.text();
    if let Some(found) = store
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(text)
    {
        return Ok(Arc::clone(found));
    }
    let made = Arc::new(make()?);
    let mut store = store.write().unwrap_or_else(PoisonError::into_inner);
    if store.len() >= KEPT {
        store.clear();
    }
    store.insert(text.into(), Arc::clone(&made));
    Ok(made)
}

/// Whether a string has anything to render.
pub(super) fn is_template(text: &str) -> bool {
    text.starts_with("#jinja2:")
        || text
            .as_bytes()
            .windows(2)
            .any(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

/// Whether an expression is a template as a whole, in `{{ }}` or `{% %}`.
pub(super) fn is_whole(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("{{") || text.starts_with("{%")
}

/// Refuses a condition in braces that is more than one expression: what it gives is text that a template
/// put together, and that is never evaluated.
fn single(template: &Template) -> std::result::Result<(), TemplateError> {
    match template.body.as_slice() {
        [super::tree::Stmt::Emit(_)] => Ok(()),
        _ => Err(TemplateError::new(
            "a condition is one expression, and this template puts a text together",
        )
        .hint("leave out the '{{ }}': write `x == 1` for `{{ x }} == 1`")),
    }
}

/// The parser drops the line break that ends a template; text gets back as many as the template had.
pub(super) fn with_line_breaks(template: &str, value: Value) -> Value {
    let count = |text: &str| text.len() - text.trim_end_matches('\n').len();
    let wanted = count(template);
    match value.as_str() {
        Some(text) if wanted > count(text) => {
            Value::from(format!("{text}{}", "\n".repeat(wanted - count(text))))
        }
        _ => value,
    }
}

/// What a value comes to as a condition.
pub(super) fn judged(value: &Value, warning: Option<&str>) -> ConditionResult {
    let kind = minijinja::value::ValueKind::Bool;
    let warning = if value.kind() == kind {
        warning.map(str::to_owned)
    } else {
        Some(format!(
            "a condition should be true or false, and this one is of type '{}': its truth is taken",
            type_name(value)
        ))
    };
    ConditionResult {
        truth: truth(value).unwrap_or(false),
        warning,
    }
}
