//! Other template files: include, import, extends, and the blocks that extending is for.

use std::path::PathBuf;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::access::items;
use super::locals::Locals;
use super::output::TemplateOutput;
use super::state::{Eval, RenderShared};
use crate::template::error::TemplateError;
use crate::template::files;
use crate::template::options::FileOptions;
use crate::template::python::string;
use crate::template::tame;
use crate::template::tree::{AssignTarget, Expr, Name, Stmt, Template};

type Result<T> = std::result::Result<T, TemplateError>;

/// A template file that was read.
pub(in crate::template) struct Loaded {
    pub(in crate::template) template: Arc<Template>,
    pub(in crate::template) path: PathBuf,
    pub(in crate::template) source: Arc<crate::yaml::Source>,
}

impl Loaded {
    fn folder(&self) -> Option<PathBuf> {
        self.path.parent().map(PathBuf::from)
    }

    /// An error inside this file, with its place there.
    fn locate(&self, error: TemplateError) -> TemplateError {
        files::locate(error, &self.source)
    }
}

impl Eval<'_> {
    fn load(&mut self, file: &Expr) -> Result<Option<Loaded>> {
        let wanted = self.defined(file)?;
        if tame::is_suspicious(&wanted) {
            tame::compare(&wanted, self.harmless(file, &wanted))
                .map_err(|error| error.or_at(file.at.clone()))?;
        }
        let names = match wanted.kind() {
            ValueKind::Seq => items(&wanted)?,
            _ => vec![wanted],
        };
        for name in &names {
            if let Some(loaded) = self
                .shared
                .templar
                .load(&string(name), self.folder.as_deref())?
            {
                return Ok(Some(loaded));
            }
        }
        Ok(None)
    }

    /// What the name of a file comes to with all made harmless that is not the user's.
    fn harmless(&self, file: &Expr, name: &Value) -> Result<Value> {
        let shared = self.shared;
        let name = crate::template::display(name);
        let Some(scope) = shared.scope.tame(&name) else {
            // It is rendered with everything harmless already.
            return Ok(Value::from(name));
        };
        let part = tame::NamePart::Of(name.into());
        let locals = self.locals.all().iter();
        let locals = locals.map(|(name, value)| (name.clone(), tame::tame(value.clone(), &part)));
        let shared = RenderShared::new(shared.templar, &scope);
        let mut eval = Eval::new(&shared, self.folder.clone());
        eval.locals = Locals::with(locals.collect());
        eval.defined(file)
    }

    fn need(&mut self, file: &Expr) -> Result<Loaded> {
        self.load(file)?.ok_or_else(|| {
            TemplateError::new("this template file does not exist")
                .hint("it is looked for beside the template that names it, then in templates/")
                .or_at(file.at.clone())
        })
    }

    /// Runs a loaded file with its own folder, and gives errors their place in it.
    fn in_file<T>(
        &mut self,
        loaded: &Loaded,
        run: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let folder = std::mem::replace(&mut self.folder, loaded.folder());
        let result = self.nested(run);
        self.folder = folder;
        result.map_err(|error| loaded.locate(error))
    }

    pub(super) fn include(
        &mut self,
        file: &Expr,
        ignore_missing: bool,
        output: &mut TemplateOutput,
    ) -> Result<()> {
        let loaded = if ignore_missing {
            match self.load(file)? {
                Some(loaded) => loaded,
                None => return Ok(()),
            }
        } else {
            self.need(file)?
        };
        let blocks = std::mem::take(&mut self.blocks);
        let mut inner = TemplateOutput::default();
        let result = self.in_file(&loaded, |eval| {
            eval.scoped(|eval| eval.whole(&loaded.template, &mut inner))
        });
        self.blocks = blocks;
        result?;
        output.text(&inner.into_text(self.shared)?, self.shared)
    }

    /// The names a file binds at its top.
    fn exports(&mut self, loaded: &Loaded) -> Result<Vec<(Name, Value)>> {
        let locals = std::mem::take(&mut self.locals);
        let result = self.in_file(loaded, |eval| {
            eval.whole(&loaded.template, &mut TemplateOutput::default())?;
            Ok(eval.locals.all().to_vec())
        });
        self.locals = locals;
        result
    }

    pub(super) fn import(&mut self, file: &Expr, target: &AssignTarget) -> Result<()> {
        let loaded = self.need(file)?;
        let exports = self.exports(&loaded)?;
        self.assign(target, super::macros::Namespace::value(exports))
    }

    pub(super) fn import_from(&mut self, file: &Expr, names: &[(Name, Name)]) -> Result<()> {
        let loaded = self.need(file)?;
        let exports = self.exports(&loaded)?;
        for (name, alias) in names {
            let value = exports
                .iter()
                .find(|(bound, _)| bound == name)
                .map(|(_, value)| value.clone())
                .ok_or_else(|| {
                    TemplateError::new(format!(
                        "{} does not define '{name}'",
                        loaded.path.display()
                    ))
                    .or_at(file.at.clone())
                })?;
            self.locals.set(alias, value);
        }
        Ok(())
    }

    /// Runs a whole template. One that extends another first runs all it has outside its blocks,
    /// for the names that sets, and writes nothing of it.
    pub(in crate::template) fn whole(
        &mut self,
        template: &Template,
        output: &mut TemplateOutput,
    ) -> Result<()> {
        self.collect_blocks(&template.body);
        let parent = template.body.iter().find_map(|statement| match statement {
            Stmt::Extends(file) => Some(file),
            _ => None,
        });
        let Some(parent) = parent else {
            return self.run(&template.body, output).map(|_| ());
        };
        for statement in &template.body {
            if !matches!(
                statement,
                Stmt::Block(..) | Stmt::Extends(_) | Stmt::Text(_)
            ) {
                self.run(
                    std::slice::from_ref(statement),
                    &mut TemplateOutput::default(),
                )?;
            }
        }
        self.extends(parent, output)
    }

    /// The text of a template file as part of this rendering, with other variables bound as well.
    pub(in crate::template) fn file_text(
        &mut self,
        text: &str,
        path: &std::path::Path,
        options: &FileOptions,
        extra: Option<&Value>,
    ) -> Result<String> {
        let source = crate::yaml::Source::file(path, text);
        let code = crate::template::trust::Code::of_file(&source);
        let template = crate::template::lower::template(&code, options, false)
            .map_err(|error| files::locate(error, &source))?;
        let loaded = Loaded {
            template: Arc::new(template),
            path: path.to_path_buf(),
            source,
        };
        let bound = extra.and_then(super::call::entries).unwrap_or_default();
        let bound = bound
            .into_iter()
            .map(|(name, value)| (string(&name).into(), value));
        let locals = std::mem::replace(
            &mut self.locals,
            super::locals::Locals::with(bound.collect()),
        );
        let blocks = std::mem::take(&mut self.blocks);
        let mut output = TemplateOutput::default();
        let result = self.in_file(&loaded, |eval| eval.whole(&loaded.template, &mut output));
        self.locals = locals;
        self.blocks = blocks;
        result?;
        let written = Value::from(output.into_text(self.shared)?);
        Ok(string(&crate::template::templar::with_line_breaks(
            text, written,
        )))
    }

    /// Writes the parent with the blocks of this template in the place of its own.
    pub(super) fn extends(&mut self, file: &Expr, output: &mut TemplateOutput) -> Result<()> {
        let loaded = self.need(file)?;
        self.in_file(&loaded, |eval| eval.whole(&loaded.template, output))
    }

    /// Remembers the blocks a template defines, behind those already known.
    pub(in crate::template) fn collect_blocks(&mut self, body: &[Stmt]) {
        for statement in body {
            match statement {
                Stmt::Block(name, _, body) => {
                    self.blocks
                        .entry(name.clone())
                        .or_default()
                        .push(Arc::clone(body));
                    self.collect_blocks(body);
                }
                Stmt::If(_, then, otherwise) => {
                    self.collect_blocks(then);
                    self.collect_blocks(otherwise);
                }
                Stmt::For(looped) => self.collect_blocks(&looped.body),
                Stmt::With(_, body) | Stmt::Plain(body) => self.collect_blocks(body),
                _ => {}
            }
        }
    }

    pub(super) fn block(
        &mut self,
        name: &Name,
        required: bool,
        body: &Arc<[Stmt]>,
        output: &mut TemplateOutput,
    ) -> Result<()> {
        let known = self.blocks.get(name);
        if required && known.is_none_or(|known| known.len() < 2) {
            return Err(TemplateError::new(format!(
                "the required block '{name}' is missing"
            )));
        }
        let body = known.and_then(|known| known.first()).unwrap_or(body);
        let body = Arc::clone(body);
        self.write_block(name, 0, &body, output)
    }

    fn write_block(
        &mut self,
        name: &Name,
        level: usize,
        body: &[Stmt],
        output: &mut TemplateOutput,
    ) -> Result<()> {
        let outer = self.block.replace((name.clone(), level));
        let result = self.nested(|eval| eval.scoped(|eval| eval.run(body, output)));
        self.block = outer;
        result.map(|_| ())
    }

    /// A block's text, from its definition at a level: 0 is the most derived.
    pub(super) fn block_text(&mut self, name: &Name, level: usize) -> Result<Value> {
        let body = self
            .blocks
            .get(name)
            .and_then(|known| known.get(level))
            .cloned();
        let Some(body) = body else {
            return Err(TemplateError::new(format!(
                "there is no parent block '{name}'"
            )));
        };
        let mut output = TemplateOutput::default();
        self.write_block(name, level, &body, &mut output)?;
        output.into_text(self.shared).map(Value::from)
    }

    /// `super()`.
    pub(super) fn super_block(&mut self) -> Result<Value> {
        match self.block.clone() {
            Some((name, level)) => self.block_text(&name, level + 1),
            None => Err(TemplateError::new("'super()' works only inside a block")),
        }
    }
}
