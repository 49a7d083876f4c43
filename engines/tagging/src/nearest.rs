//! The known word that a misspelt one was meant to be.

/// The likeness below which a suggestion would only confuse. `strsim::jaro_winkler` of unrelated words is
/// about 0.5, of one with a slip of the finger above 0.8.
const LIKENESS_MIN: f64 = 0.75;

/// The known word most like `found`, where one is like enough.
pub(crate) fn nearest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |word: &&'a str| strsim::jaro_winkler(found, word);
    known
        .iter()
        .map(|word| (likeness(word), *word))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

/// Finishes an error's sentence: the suggestion, or all the choices.
pub(crate) fn hint(nearest: Option<&str>, known: &[&str]) -> String {
    match nearest {
        Some(word) => format!("did you mean `{word}`"),
        None => format!("known are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let known = ["timestamp", "branch", "sha"];
        assert_eq!(nearest("timestmap", &known), Some("timestamp"));
        assert_eq!(nearest("brnach", &known), Some("branch"));
        assert_eq!(nearest("qqqq", &known), None);
    }
}
