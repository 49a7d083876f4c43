//! How far a command is that asks many questions: one line on a terminal, taken away when it is done.
//!
//! ```text
//! asking registries: 37 of 188 [=====>                   ]
//! ```
//! Nothing is shown for what takes less than a second, in a pipeline, or with `--quiet`.

use crate::output::{self, Output};
use flows::files::Progress;
use std::future::Future;
use std::io::IsTerminal as _;
use std::time::Duration;
use tokio::time::{Instant, interval_at};

/// What ends sooner needs no bar.
const SHOWN_AFTER: Duration = Duration::from_secs(1);
/// How often it is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(200);
/// The width of the bar, in characters.
const WIDTH: usize = 25;
/// Back to the first column, and nothing to the right of it. Source: ECMA-48, EL.
const CLEAR: &str = "\r\u{1b}[K";

/// Waits for work, and shows how far it is.
pub(crate) async fn shown<T>(
    output: Output,
    progress: &Progress,
    work: impl Future<Output = T>,
) -> T {
    if output.quiet || !std::io::stderr().is_terminal() {
        return work.await;
    }
    let mut work = std::pin::pin!(work);
    let mut tick = interval_at(Instant::now() + SHOWN_AFTER, DRAWN_EVERY);
    let mut is_drawn = false;
    loop {
        tokio::select! {
            done = &mut work => {
                if is_drawn {
                    output::say(CLEAR);
                }
                return done;
            }
            _ = tick.tick() => {
                let (done, all) = progress.now();
                output::say(&format!("{CLEAR}{}", line(done, all)));
                is_drawn = true;
            }
        }
    }
}

fn line(done: usize, all: usize) -> String {
    let filled = (done * WIDTH).checked_div(all).unwrap_or(0).min(WIDTH);
    let head = if filled < WIDTH { ">" } else { "" };
    let bar = format!("{}{head}", "=".repeat(filled));
    format!("asking registries: {done} of {all} [{bar:<WIDTH$}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_one_width_from_nothing_to_all() {
        assert_eq!(line(0, 188), "asking registries: 0 of 188 [>                        ]");
        assert_eq!(line(37, 188), "asking registries: 37 of 188 [====>                    ]");
        assert_eq!(line(188, 188), "asking registries: 188 of 188 [=========================]");
        assert_eq!(line(0, 0), "asking registries: 0 of 0 [>                        ]");
    }
}
