//! Reads what uses roles: entries of `roles:` and of `dependencies:`, `import_role` and `include_role`.

use std::sync::Arc;

use super::action::Action;
use super::keywords;
use super::known::KnownVariables;
use super::model::{Common, Keyword, Role, RoleFiles, RoleRequest, UsedBy};
use super::reader::{Reader, describe, scalar};
use super::role::RoleUse;
use super::search::Home;
use crate::yaml::{Diagnostic, Mapping, Node};

impl Reader<'_> {
    /// `roles:` of a play.
    pub(super) fn roles(&mut self, mapping: &Mapping, home: &Home) -> Vec<Arc<Role>> {
        match Self::given(mapping, "roles") {
            Some(node) => self.uses(node, "roles", UsedBy::Play, home),
            None => Vec::new(),
        }
    }

    /// A list of roles, under a keyword.
    pub(super) fn uses(
        &mut self,
        node: &Node,
        key: &str,
        by: UsedBy,
        home: &Home,
    ) -> Vec<Arc<Role>> {
        let Some(items) = node.as_sequence() else {
            self.wrong(key, node, "a list of roles");
            return Vec::new();
        };
        let uses = items.iter().filter_map(|item| {
            let wanted = self.listed(item, by)?;
            self.role(&wanted, home)
        });
        uses.collect()
    }

    /// An entry of such a list.
    fn listed(&mut self, item: &Node, by: UsedBy) -> Option<RoleUse> {
        if !self.has_room(item) {
            return None;
        }
        let mut wanted = RoleUse {
            name: item.clone(),
            files: RoleFiles::default(),
            common: Common::default(),
            params: Mapping::default(),
            by,
            public: by == UsedBy::Play,
            allow_duplicates: None,
            validate: true,
        };
        let Some(mapping) = item.as_mapping() else {
            if scalar(item).is_none_or(|name| name.trim().is_empty()) {
                let message = format!("a role was expected here, but this is {}", describe(item));
                self.error(Diagnostic::error(&item.span, message).help(
                    "write the name of a role: `- NAME`, or `- role: NAME` with more below it",
                ));
                return None;
            }
            return Some(wanted);
        };
        let named = ["role", "name"].iter().find_map(|key| mapping.get(key));
        let source = mapping.get("src").filter(|_| by == UsedBy::Role);
        let source = source.filter(|_| named.is_none()).and_then(of_source);
        let named = named.or(source.as_ref());
        let Some(name) = named.filter(|name| scalar(name).is_some()) else {
            let first = mapping.entries.first();
            let span = named.map_or_else(
                || first.map_or(&item.span, |(key, _)| &key.span),
                |name| &name.span,
            );
            self.error(
                Diagnostic::error(span, "this entry names no role")
                    .help("write `- role: NAME`, and what is for the role below it"),
            );
            return None;
        };
        wanted.name = name.clone();
        wanted.common = self.common(mapping);
        for (key, value) in mapping.iter() {
            let Some(text) = key.as_str() else {
                self.unknown(key, "a role", keywords::ROLE);
                continue;
            };
            if keywords::contains(keywords::ROLE, text) {
                continue;
            }
            if keywords::not_yet(text).is_some() {
                self.unknown(key, "a role", keywords::ROLE);
                continue;
            }
            wanted.params.entries.push((key.clone(), value.clone()));
        }
        Some(wanted)
    }

    /// What an `import_role` or `include_role` asks for.
    pub(super) fn role_request(
        &mut self,
        action: &Action,
        mapping: &Mapping,
        dynamic: bool,
    ) -> Option<RoleRequest> {
        let keyword = keywords::short(&action.name).to_owned();
        let form = super::ArgumentSyntax::new(windlass_modules::FreeForm::No, []);
        let more = Self::given(mapping, "args");
        let arguments = match super::arguments(&action.arguments, more, &form) {
            Ok(read) => read.entries,
            Err(errors) => {
                self.errors(errors);
                return None;
            }
        };
        let known: &[&[&str]] = if dynamic {
            &[keywords::IMPORT_ROLE, &["apply"]]
        } else {
            &[keywords::IMPORT_ROLE]
        };
        self.only(&arguments, &format!("`{keyword}`"), known);
        let name = ["name", "role"].iter().find_map(|key| arguments.get(key));
        let Some(name) = name.filter(|name| scalar(name).is_some_and(|name| !name.is_empty()))
        else {
            self.error(
                Diagnostic::error(&action.span, format!("`{keyword}` names no role"))
                    .help("write `name: ROLE` below it"),
            );
            return None;
        };
        let name = name.clone();
        let mut file = |key: &str| self.scalar_node(&arguments, key);
        let files = RoleFiles {
            tasks: file("tasks_from"),
            vars: file("vars_from"),
            defaults: file("defaults_from"),
            handlers: file("handlers_from"),
        };
        let mut flag = |key: &str| match self.flag(&arguments, key) {
            Some(Keyword::Template(node)) if !dynamic => {
                self.wrong(key, &node, "a yes or a no that is written out");
                None
            }
            flag => flag,
        };
        Some(RoleRequest {
            name,
            files,
            public: flag("public"),
            allow_duplicates: flag("allow_duplicates"),
            validate: flag("rolespec_validate"),
        })
    }

    /// A place inside what names collections and variables in addition: a play, a block or a task.
    pub(super) fn home_with(
        &mut self,
        home: &Home,
        mapping: &Mapping,
        known: KnownVariables,
    ) -> Home {
        let names = self.scalars(
            mapping,
            "collections",
            "the name of a collection, or a list",
        );
        if names.is_empty() {
            return Home {
                known,
                ..home.clone()
            };
        }
        Home {
            collections: names.iter().filter_map(scalar).collect(),
            known,
            ..home.clone()
        }
    }
}

/// The name of a dependency that says where Galaxy gets it from: the last part of the address, without what says how
/// it is packed.
fn of_source(source: &Node) -> Option<Node> {
    let text = source.as_str()?;
    let last = if text.contains("://") || text.contains('@') {
        text.rsplit('/').next()?
    } else {
        text
    };
    let last = last.split(',').next()?;
    let last = last.strip_suffix(".git").unwrap_or(last);
    let last = last.strip_suffix(".tar.gz").unwrap_or(last);
    Some(Node::string(source.span.clone(), last))
}
