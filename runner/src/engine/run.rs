//! A run: playbooks, their plays, and the batches of each.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::batch;
use super::dispatch::Dispatcher;
use super::drive::Batch;
use super::keywords::{self, FromRendered};
use super::options::{Interrupt, RunOptions};
use super::plan::Plans;
use super::result::located;
use super::shared::RunShared;
use crate::event::{Event, EventKind, Recap};
use crate::inventory::{Inventory, Pattern, PatternError};
use crate::playbook::{Keyword, Loader, Order, Play, Playbook};
use crate::template::{Scope, Templar, TemplateError};
use crate::transport::Transport;
use crate::vars::{PlayLayers, Store};

/// Everything a run needs.
pub struct Run {
    /// The playbooks, in order.
    pub playbooks: Vec<Playbook>,
    /// The hosts.
    pub inventory: Arc<Inventory>,
    /// Their variables.
    pub store: Store,
    /// Renders templates.
    pub templar: Templar,
    /// Reads files that are included.
    pub loader: Loader,
    /// Reaches hosts.
    pub transport: Transport,
    /// What the user asked for.
    pub options: RunOptions,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Counts a host.
    pub recap: Vec<(String, Recap)>,
    /// Whether a play went without hosts that were out of it because others had failed.
    pub given_up: bool,
    /// Whether it stopped for a reason that is no host's.
    pub stopped: bool,
    /// Whether the user interrupted it.
    pub interrupted: bool,
}

impl Summary {
    /// Whether a task failed on some host for good, or counts as failed there.
    pub fn failed(&self) -> bool {
        self.given_up || self.recap.iter().any(|(_, recap)| recap.failed > 0)
    }

    /// Whether some host could not be reached.
    pub fn unreachable(&self) -> bool {
        self.recap.iter().any(|(_, recap)| recap.unreachable > 0)
    }
}

impl Run {
    /// Runs the playbooks, and reports it through `events`. `interrupt` turning true ends it: what
    /// runs on hosts is ended there, and nothing new begins.
    pub async fn run(self, events: mpsc::Sender<Event>, interrupt: Interrupt) -> Summary {
        let transport = self.transport.clone();
        let shared = Arc::new(RunShared {
            options: self.options,
            inventory: self.inventory,
            loader: self.loader,
            secrets: self.store.secrets().clone(),
            templar: self.templar,
            transport: self.transport,
            interrupt,
        });
        let mut dispatcher = Dispatcher::new(shared, self.store, events);
        let summary = dispatcher.run(&self.playbooks).await;
        transport.close();
        summary
    }
}

impl Dispatcher {
    async fn run(&mut self, playbooks: &[Playbook]) -> Summary {
        self.emit(EventKind::RunStarted {
            playbooks: playbooks
                .iter()
                .map(|book| book.path.display().to_string())
                .collect(),
            check: self.shared.options.check,
            at: jiff::Timestamp::now().to_string(),
        })
        .await;
        'all: for playbook in playbooks {
            let path = playbook.path.display().to_string();
            self.emit(EventKind::PlaybookStarted { playbook: path })
                .await;
            for play in &playbook.plays {
                if self.state.stopped || self.interrupted() {
                    break 'all;
                }
                if let Err(error) = self.play(play).await {
                    self.stop(located(&error), error.hint.clone()).await;
                }
            }
        }
        if !self.started_at_task && !self.state.stopped && !self.interrupted() {
            let name = self
                .shared
                .options
                .start_at_task
                .clone()
                .unwrap_or_default();
            self.stop(
                format!("no task is named `{name}`, so nothing was run"),
                Some("--start-at-task needs a task's whole name; --list-tasks shows them".into()),
            )
            .await;
        }
        let recap: Vec<(String, Recap)> = self
            .state
            .recap
            .iter()
            .map(|(host, recap)| (host.clone(), *recap))
            .collect();
        let interrupted = self.interrupted();
        self.emit(EventKind::RunFinished {
            recap: recap.clone(),
            interrupted,
        })
        .await;
        Summary {
            recap,
            given_up: self.state.missed,
            stopped: self.state.broken,
            interrupted,
        }
    }

    async fn play(&mut self, play: &Arc<Play>) -> Result<(), TemplateError> {
        let global = self.store.global_view(play);
        let pattern = self.pattern(play, &global)?;
        let name = match &play.name {
            Some(name) => self.shared.templar.render(name, &global).map_or_else(
                |_| name.as_str().unwrap_or_default().to_owned(),
                |name| name.to_string(),
            ),
            None => pattern.clone(),
        };
        let wrong = |error: PatternError| {
            TemplateError::new(error.message)
                .hint(error.help)
                .or_span(Some(&play.hosts.span))
        };
        let selected = self
            .shared
            .inventory
            .select(
                &Pattern::parse(&pattern).map_err(wrong)?,
                self.shared.options.limit.as_ref(),
            )
            .map_err(wrong)?;
        let order = self
            .keyword(play.order.as_ref(), &global)?
            .unwrap_or(Order::Inventory);
        let all = batch::ordered(selected, order);
        let mut hosts = all.clone();
        // As in ansible-core, a failure of others counts as one of a host's own where it misses a play.
        self.state.missed |= hosts
            .iter()
            .any(|host| self.state.given_up.contains(host) && self.state.out.contains(host));
        hosts.retain(|host| !self.state.out.contains(host));
        if hosts.is_empty() {
            let reason = "none of its hosts is left".to_owned();
            self.emit(EventKind::PlaySkipped { name, reason }).await;
            return Ok(());
        }
        for host in &hosts {
            self.state.count(host);
        }
        self.emit(EventKind::PlayStarted {
            name: name.clone(),
            hosts: hosts.clone(),
        })
        .await;
        let mut serial = Vec::new();
        for size in &play.serial {
            serial.extend(keywords::sizes(size, &self.shared.templar, &global)?);
        }
        self.state.begin_play();
        // As in ansible-core, hosts that are out have their place in a batch all the same.
        let mut batches = batch::batches(&all, &serial);
        for batch in &mut batches {
            batch.retain(|host| !self.state.out.contains(host));
        }
        batches.retain(|batch| !batch.is_empty());
        let of = batches.len();
        let mut plans = Plans::default();
        for (index, hosts_now) in batches.into_iter().enumerate() {
            if of > 1 {
                let (number, hosts) = (index + 1, hosts_now.clone());
                self.emit(EventKind::BatchStarted { number, of, hosts })
                    .await;
            }
            self.batch(play, &name, &hosts, hosts_now, &mut plans)
                .await?;
            if self.state.play_over || self.state.stopped || self.interrupted() {
                break;
            }
        }
        Ok(())
    }

    fn pattern(&self, play: &Play, scope: &Arc<dyn Scope>) -> Result<String, TemplateError> {
        let rendered = self.shared.templar.render(&play.hosts, scope)?;
        if let Some(text) = rendered.as_str() {
            return Ok(text.to_owned());
        }
        let words: Vec<String> = rendered
            .try_iter()
            .map_err(|_| {
                TemplateError::new("`hosts` must be a pattern or a list of patterns")
                    .or_span(Some(&play.hosts.span))
            })?
            .map(|word| word.to_string())
            .collect();
        Ok(words.join(","))
    }

    fn keyword<T: FromRendered>(
        &self,
        keyword: Option<&Keyword<T>>,
        scope: &Arc<dyn Scope>,
    ) -> Result<Option<T>, TemplateError> {
        keyword
            .map(|keyword| keywords::value(keyword, &self.shared.templar, scope))
            .transpose()
    }

    async fn batch(
        &mut self,
        play: &Arc<Play>,
        name: &str,
        all: &[String],
        hosts: Vec<String>,
        plans: &mut Plans,
    ) -> Result<(), TemplateError> {
        self.state.begin_batch();
        self.store.forget_included_roles();
        let layers = PlayLayers {
            play: Arc::clone(play),
            name: name.to_owned(),
            hosts: all.to_vec(),
            batch: hosts.clone(),
        };
        let vars = Arc::new(self.store.play(layers)?);
        self.store.know_passwords_of(&vars);
        let global = self.store.global_view(play);
        let force = self
            .keyword(play.force_handlers.as_ref(), &global)?
            .unwrap_or(false);
        let gather = self.gather(play, &vars, &hosts[0])?;
        let options = &self.shared.options;
        let force = force || options.force_handlers;
        let programs = plans.programs(play, gather, force, &options.tags);
        let strategy = self.keyword(play.strategy.as_ref(), &global)?;
        let strategy = strategy.unwrap_or_default();
        let mut batch = Batch::new(play, vars, &hosts, programs, strategy);
        self.drive(&mut batch).await;
        let failed = |host: &String| self.state.failed_in_batch.contains(host);
        if hosts.iter().all(failed) {
            self.state.stopped = true;
        }
        Ok(())
    }
}
