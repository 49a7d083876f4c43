//! Counters for `/metrics`, in the text form that Prometheus reads; never labelled by a stranger's words.

use http::StatusCode;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Requests by the first digit of their answer.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    answers: [AtomicU64; 5],
    tag_writes_refused: AtomicU64,
}

impl Metrics {
    /// One answer went out.
    pub(crate) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.answers.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if status == StatusCode::CONFLICT {
            self.tag_writes_refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All counters.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from(
            "# HELP indelible_http_answers_total Answers by class of status.\n\
             # TYPE indelible_http_answers_total counter\n",
        );
        for (at, counter) in self.answers.iter().enumerate() {
            let count = counter.load(Ordering::Relaxed);
            let class = at + 1;
            // Writing to a String cannot fail.
            let _ = writeln!(text, "indelible_http_answers_total{{class=\"{class}xx\"}} {count}");
        }
        let refused = self.tag_writes_refused.load(Ordering::Relaxed);
        let _ = write!(
            text,
            "# HELP indelible_conflicts_total Writes that were refused because a name is taken.\n\
             # TYPE indelible_conflicts_total counter\n\
             indelible_conflicts_total {refused}\n"
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_class() {
        let metrics = Metrics::default();
        metrics.answered(StatusCode::OK);
        metrics.answered(StatusCode::CONFLICT);
        let text = metrics.text();
        assert!(text.contains("indelible_http_answers_total{class=\"2xx\"} 1\n"));
        assert!(text.contains("indelible_http_answers_total{class=\"4xx\"} 1\n"));
        assert!(text.contains("indelible_conflicts_total 1\n"));
    }
}
