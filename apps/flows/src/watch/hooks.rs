//! Webhooks: a queue for each address, tries that are spaced out, and an end; nothing that is recorded waits for them.
//!
//! ```text
//! finding opened -> queue of hooks.example.com -> 503 · 1 s · 503 · 2 s · 204
//! ```

use super::cloud_event::{CONTENT_TYPE, cloud_event};
use super::meters::Meters;
use crate::app::App;
use crate::registries::client_settings;
use crate::settings::Webhook;
use crate::verdict::{Explain, Verdict};
use ::record::Event;
use domain::{EventId, Secret};
use futures_util::future::join_all;
use remote::{Called, Hook, HookError};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Calls that wait for one address; what finds no place is lost, and counted.
const WAITING_MAX: usize = 1_024;
/// How often one call is tried.
const TRIES_MAX: u32 = 6;
/// The first wait; each is twice the one before.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// Events that are remembered as told: several clusters of one environment hear of the same deploy.
const TOLD_MAX: usize = 4_096;

/// Who is called.
#[derive(Default)]
pub(super) struct Hooks {
    queues: Vec<Sender<Call>>,
    told: Mutex<ToldOf>,
}

#[derive(Default)]
struct ToldOf {
    order: VecDeque<EventId>,
    ids: BTreeSet<EventId>,
}

/// Why a webhook of the settings cannot be called at all.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Its token is not there.
    #[error("the variable {variable} is not set")]
    NoToken {
        /// The variable.
        variable: String,
    },
    /// Its address, or its token, cannot be used.
    #[error(transparent)]
    Hook(#[from] HookError),
}

impl Explain for WebhookError {
    fn verdict(&self) -> Verdict {
        Verdict::Unknown
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoToken { variable } => Some(format!("export {variable}=…")),
            Self::Hook(HookError::ClearText { host }) => {
                Some(format!("write https, or allow clear text: --plain-http {host}"))
            }
            Self::Hook(HookError::Url | HookError::Token { .. } | HookError::Setup { .. }) => None,
        }
    }
}

/// One call.
struct Call {
    context: String,
    body: Vec<u8>,
}

/// The other ends of the queues.
pub(super) struct Callers {
    hooks: Vec<(Hook, Receiver<Call>)>,
}

impl Hooks {
    /// The addresses of the settings.
    ///
    /// # Errors
    /// One of them cannot be called at all.
    pub(super) fn open(app: &App) -> Result<(Self, Callers), WebhookError> {
        let webhooks = app.loaded().map(|loaded| &loaded.settings.webhooks);
        let (mut queues, mut hooks) = (Vec::new(), Vec::new());
        for webhook in webhooks.into_iter().flatten() {
            let (queue, calls) = mpsc::channel(WAITING_MAX);
            hooks.push((hook(app, webhook)?, calls));
            queues.push(queue);
        }
        Ok((Self { queues, told: Mutex::default() }, Callers { hooks }))
    }

    /// Whether nobody is called.
    pub(super) fn is_silent(&self) -> bool {
        self.queues.is_empty()
    }

    /// Puts an event into every queue; once, whoever tells of it.
    pub(super) fn tell(&self, context: &str, event: &Event, meters: &Meters) {
        if self.queues.is_empty() || !self.is_first(event.stamp.id) {
            return;
        }
        let body = match cloud_event(event) {
            Ok(Some(body)) => body.to_string().into_bytes(),
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "watch: an event cannot be told");
                return;
            }
        };
        for queue in &self.queues {
            let call = Call { context: context.to_owned(), body: body.clone() };
            if queue.try_send(call).is_err() {
                meters.of(context, |meter| meter.webhooks_lost += 1);
            }
        }
    }

    fn is_first(&self, id: EventId) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.ids.insert(id) {
            return false;
        }
        told.order.push_back(id);
        while told.order.len() > TOLD_MAX {
            if let Some(oldest) = told.order.pop_front() {
                told.ids.remove(&oldest);
            }
        }
        true
    }
}

fn hook(app: &App, webhook: &Webhook) -> Result<Hook, WebhookError> {
    let token = match &webhook.token_variable {
        Some(name) => {
            let missing = || WebhookError::NoToken { variable: name.clone() };
            Some(Secret::new(app.surroundings().variable(name).ok_or_else(missing)?))
        }
        None => None,
    };
    Ok(Hook::open(webhook.url.expose(), token.as_ref(), &client_settings(app))?)
}

impl Callers {
    /// Calls until nobody tells of anything any more, and every queue is empty.
    pub(super) async fn run(self, meters: &Meters) {
        join_all(self.hooks.into_iter().map(|(hook, calls)| serve(hook, calls, meters))).await;
    }
}

/// One address after the other call: their order is the order of the record.
async fn serve(hook: Hook, mut calls: Receiver<Call>, meters: &Meters) {
    while let Some(call) = calls.recv().await {
        let is_taken = call_until_taken(&hook, &call.body).await;
        meters.of(&call.context, |meter| match is_taken {
            true => meter.webhooks_sent += 1,
            false => meter.webhooks_lost += 1,
        });
    }
}

async fn call_until_taken(hook: &Hook, body: &[u8]) -> bool {
    let mut wait = WAIT_MIN;
    for nth in 1..=TRIES_MAX {
        match hook.call(CONTENT_TYPE, body.to_vec()).await {
            Called::Taken => return true,
            Called::Refused(code) => {
                tracing::warn!(host = hook.host(), code, "watch: a webhook refuses a call");
                return false;
            }
            Called::Later(why) if nth == TRIES_MAX => {
                tracing::warn!(host = hook.host(), why, "watch: a webhook did not take a call");
            }
            Called::Later(_) => tokio::time::sleep(wait).await,
        }
        wait *= 2;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::record::fuzz::story::Story;
    use remote::RegistrySettings;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    /// Answers with these codes, one call after the other; gives how many bodies it read.
    fn answers(codes: &'static [u16]) -> (Hook, std::thread::JoinHandle<usize>) {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            for code in codes {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4_096];
                let read = stream.read(&mut request).unwrap();
                assert!(String::from_utf8_lossy(&request[..read]).contains("cloudevents+json"));
                let answer =
                    format!("HTTP/1.1 {code} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
            }
            codes.len()
        });
        (Hook::open(&url, None, &RegistrySettings::default()).unwrap(), thread)
    }

    #[tokio::test]
    async fn a_call_is_tried_again_until_it_is_taken_and_not_after_a_refusal() {
        let (hook, server) = answers(&[503, 204]);
        assert!(call_until_taken(&hook, b"{}").await);
        assert_eq!(server.join().unwrap(), 2);
        let (hook, server) = answers(&[410]);
        assert!(!call_until_taken(&hook, b"{}").await);
        assert_eq!(server.join().unwrap(), 1);
    }

    #[test]
    fn an_event_is_told_once_and_a_full_queue_loses_and_counts() {
        let (queue, mut calls) = mpsc::channel(1);
        let hooks = Hooks { queues: vec![queue], told: Mutex::default() };
        let meters = Meters::default();
        let mut story = Story::new();
        let at = story.next_time();
        story.finding_opens("api", 1, at);
        story.finding_opens("web", 1, at);
        let events: Vec<_> = story.events().iter().map(|one| &one.event).collect();
        hooks.tell("prod-eu", events[0], &meters);
        hooks.tell("prod-us", events[0], &meters);
        hooks.tell("prod-eu", events[1], &meters);
        assert_eq!(meters.of("prod-eu", |meter| meter.webhooks_lost), 1);
        assert_eq!(calls.try_recv().unwrap().context, "prod-eu");
        assert!(calls.try_recv().is_err(), "the same event again is nobody's news");
    }
}
