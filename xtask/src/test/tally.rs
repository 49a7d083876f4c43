//! The count: what libtest says, less the tests that said they could not run.
//!
//! ```text
//! test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s
//! ```
//! libtest knows no skipping while a test runs: it calls such a test passed, so each line of the
//! skip log moves one from passed to skipped.

use std::collections::BTreeSet;
use std::fmt;

/// What a skipped test means for the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skips {
    Allowed,
    /// Everything can be installed here, so nothing may be missing.
    Failing,
}

/// The sum over all test programs of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    passed: usize,
    failed: usize,
    ignored: usize,
    /// Lines of the skip log: `test name: reason`.
    pub(super) skips: BTreeSet<String>,
    pub(super) cargo_succeeded: bool,
}

impl Tally {
    /// The tests do not compile: nothing ran, and that is a failure.
    pub(super) fn failed_to_start() -> Self {
        Self::default()
    }

    /// Adds what a line of cargo's output says, where it is a result.
    pub(super) fn read(&mut self, line: &str) {
        let Some((_, counts)) =
            line.strip_prefix("test result: ").and_then(|result| result.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            let mut words = count.split(' ');
            let number = words.next().and_then(|word| word.parse::<usize>().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => self.passed += number,
                Some("failed") => self.failed += number,
                Some("ignored") => self.ignored += number,
                Some(_) | None => {}
            }
        }
    }

    /// The skip log as a set: a test that says it twice is one test.
    pub(super) fn read_skips(log: &str) -> BTreeSet<String> {
        let mut tests = BTreeSet::new();
        let first_of_its_test = |line: &&str| {
            let test = line.split_once(": ").map_or(*line, |(test, _)| test);
            tests.insert(test.to_owned())
        };
        log.lines().filter(first_of_its_test).map(str::to_owned).collect()
    }

    /// Makes the count honest: skipped tests did not pass, and a crash of cargo is a failure.
    pub(super) fn settle(&mut self) {
        self.passed = self.passed.saturating_sub(self.skips.len());
        if !self.cargo_succeeded && self.failed == 0 {
            self.failed = 1;
        }
    }

    fn skipped(&self) -> usize {
        self.skips.len() + self.ignored
    }

    /// Tells whether the run is good. One without any test is not.
    pub(super) fn is_good(&self, skips: Skips) -> bool {
        let skips_are_good = match skips {
            Skips::Allowed => true,
            Skips::Failing => self.skipped() == 0,
        };
        self.failed == 0 && self.passed > 0 && skips_are_good
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str], skip_log: &str, cargo_succeeded: bool) -> Tally {
        let mut tally = Tally { cargo_succeeded, ..Tally::default() };
        lines.iter().for_each(|line| tally.read(line));
        tally.skips = Tally::read_skips(skip_log);
        tally.settle();
        tally
    }

    const GOOD: &str = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; \
                        3 filtered out; finished in 0.02s";
    const BAD: &str = "test result: FAILED. 4 passed; 2 failed; 1 ignored; 0 measured; \
                       0 filtered out; finished in 1.02s";

    #[test]
    fn results_of_all_programs_are_summed() {
        let tally = of(&["test a ... ok", GOOD, BAD], "", false);
        assert_eq!(tally.to_string(), "16 passed, 2 failed, 1 skipped");
        assert!(!tally.is_good(Skips::Allowed));
    }

    #[test]
    fn a_test_that_could_not_run_did_not_pass() {
        let tally = of(&[GOOD], "a: no podman\na: no podman twice\nb: no crane\n", true);
        assert_eq!(tally.to_string(), "10 passed, 0 failed, 2 skipped");
        assert!(tally.is_good(Skips::Allowed));
        assert!(!tally.is_good(Skips::Failing));
    }

    #[test]
    fn a_program_that_crashed_without_a_result_is_a_failure() {
        let tally = of(&[GOOD], "", false);
        assert_eq!(tally.to_string(), "12 passed, 1 failed, 0 skipped");
        assert_eq!(Tally::failed_to_start().to_string(), "0 passed, 0 failed, 0 skipped");
    }

    #[test]
    fn a_run_without_any_test_is_not_good() {
        assert!(!of(&[], "", true).is_good(Skips::Allowed));
    }
}
