//! A run over files in a folder, for the tests of views.

use std::fs;
use std::sync::Arc;

use minijinja::Value;
use serde_json::Value as Json;
use tempfile::TempDir;

use super::super::{PlayLayers, PlayVars, RunInfo, Store, TaskLayer, TaskLayers, extra};
use crate::inventory::{self, Beside, InventorySource};
use crate::playbook::{self, Loader, Play};
use crate::template::{self, Expression, Scope, Templar, TemplateError, TemplateOptions};
use crate::yaml::{self, Mapping, Source};

/// A run over files in a folder.
pub(super) struct Run {
    pub(super) folder: TempDir,
    pub(super) store: Store,
    pub(super) templar: Templar,
    pub(super) plays: Vec<Arc<Play>>,
}

impl Run {
    pub(super) fn new(files: &[(&str, &str)], extra_vars: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let at = |name: &str| folder.path().join(name);
        let inventory = inventory::load(&[InventorySource::Path(at("inv/hosts"))]).unwrap();
        let playbook = playbook::load(&at("play/main.yml"), &Loader::new(|_| true)).unwrap();
        let mut folders: Vec<_> = playbook
            .plays
            .iter()
            .map(|play| play.path.parent().unwrap().to_owned())
            .collect();
        folders.dedup();
        let beside = folders.into_iter().map(|folder| {
            let beside = Beside::load(&folder, &inventory).unwrap();
            (folder, Arc::new(beside))
        });
        let beside = beside.collect();
        let templar = Templar::new(TemplateOptions::default());
        let extra_vars: Vec<String> = extra_vars.iter().map(|text| (*text).to_owned()).collect();
        let store = Store::new(
            Arc::new(inventory),
            beside,
            extra(&extra_vars).unwrap(),
            templar.clone(),
            RunInfo {
                forks: 5,
                ..RunInfo::default()
            },
        );
        Self {
            folder,
            store,
            templar,
            plays: playbook.plays,
        }
    }

    /// With an inventory and a play of one task.
    pub(super) fn simple(hosts: &str, play: &str) -> Self {
        Self::new(&[("inv/hosts", hosts), ("play/main.yml", play)], &[])
    }

    pub(super) fn play(&self, index: usize) -> Arc<PlayVars> {
        let play = &self.plays[index];
        let layers = PlayLayers {
            play: Arc::clone(play),
            name: "the play".to_owned(),
            hosts: vec!["h".to_owned(), "i".to_owned()],
            batch: vec!["h".to_owned()],
        };
        Arc::new(self.store.play(layers).unwrap())
    }

    pub(super) fn view(&self, host: &str) -> Arc<dyn Scope> {
        self.view_with(host, Vec::new(), Vec::new())
    }

    pub(super) fn view_with(
        &self,
        host: &str,
        layers: Vec<TaskLayer>,
        running: Vec<(String, Value)>,
    ) -> Arc<dyn Scope> {
        self.store
            .view(host, &self.play(0), &Arc::new(TaskLayers(layers)), running)
    }

    pub(super) fn evaluate(&self, host: &str, expression: &str) -> Result<Json, TemplateError> {
        let value = self
            .templar
            .evaluate(&Expression::written(expression), &self.view(host))?;
        Ok(template::to_json(&value))
    }

    pub(super) fn text_of(&self, error: &TemplateError) -> String {
        let span = error
            .span
            .as_ref()
            .map_or(String::new(), |span| format!("{span:?}: "));
        let hint = error.hint.as_deref().unwrap_or_default();
        let folder = self.folder.path().display().to_string();
        format!("{span}{}\n{hint}", error.message).replace(&folder, "DIR")
    }
}

pub(super) fn values(json: &Json) -> Vec<(String, Value)> {
    let values = json.as_object().unwrap().iter();
    values
        .map(|(name, value)| (name.clone(), template::from_json(value)))
        .collect()
}

pub(super) fn map(json: &Json) -> serde_json::Map<String, Json> {
    json.as_object().unwrap().clone()
}

pub(super) fn mapping(text: &str) -> Mapping {
    let documents = yaml::parse(&Source::named("test", text)).unwrap();
    documents[0].as_mapping().unwrap().clone()
}

pub(super) const PLAY: &str = "- hosts: all\n  tasks:\n    - debug:\n";
