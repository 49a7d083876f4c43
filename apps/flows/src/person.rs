//! Who is recorded: a name that is claimed, and the address beside it in commits.
//!
//! ```text
//! INDELIBLE_ACTOR=ada          ->  ada            a CI's GITHUB_ACTOR=ada      ->  ada
//! git config user.name "Ada"   ->  Ada            USER=ada, and nothing else   ->  ada
//! ```
//! Nothing here proves a name: variables and settings are whoever's. What stands behind it is the place of the
//! record, and is said beside it as the proof: see `docs/record.md`, "Who".

use crate::surroundings::Surroundings;
use domain::{Actor, Proof};
use git::{Author, Checkout};

/// Variables that name who acts, before git is asked: told by a person, by the CI, by git's own variables.
const NAMES: [&str; 5] = [
    "INDELIBLE_ACTOR",
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BUILD_REQUESTEDFOR",
    "GIT_AUTHOR_NAME",
];
/// The user of this machine, where git knows nobody.
const USERS: [&str; 2] = ["USER", "LOGNAME"];
/// Variables with an address, before git is asked.
const EMAILS: [&str; 3] = ["GIT_AUTHOR_EMAIL", "GITLAB_USER_EMAIL", "BUILD_REQUESTEDFOREMAIL"];

/// Somebody, by their own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    name: String,
    email: String,
}

impl Person {
    /// Whom the variables name, if they name anybody: then git need not be asked.
    pub(crate) fn of_variables(surroundings: &Surroundings) -> Option<Self> {
        let is_named = NAMES.iter().any(|name| surroundings.variable(name).is_some());
        is_named.then(|| Self::claimed(surroundings, &Author::default()))
    }

    /// Whom git's settings in the checkout name, else the user of this machine.
    pub(crate) async fn of_checkout(
        surroundings: &Surroundings,
        checkout: Option<&Checkout>,
    ) -> Self {
        let author = match checkout {
            // A git that cannot say who it is stops nobody: the machine's user is known too.
            Some(checkout) => checkout.author().await.unwrap_or_default(),
            None => Author::default(),
        };
        Self::claimed(surroundings, &author)
    }

    fn claimed(surroundings: &Surroundings, author: &Author) -> Self {
        let from =
            |names: &'static [&str]| names.iter().filter_map(|name| surroundings.variable(name));
        let names = from(&NAMES).chain(author.name.as_deref()).chain(from(&USERS));
        let emails = from(&EMAILS).chain(author.email.as_deref()).chain(from(&["EMAIL"]));
        let is_name = |text: &&str| Actor::new(text, Proof::None).is_ok();
        let is_address = |text: &&str| text.contains('@') && !text.contains(['<', '>', '\n', ' ']);
        Self {
            name: names.into_iter().find(is_name).unwrap_or("unknown").to_owned(),
            email: emails.into_iter().find(is_address).unwrap_or("indelible@localhost").to_owned(),
        }
    }

    /// The name, with what the place of the record proves.
    #[must_use]
    pub fn actor(&self, proof: Proof) -> Actor {
        Actor::new(&self.name, proof).expect("it was chosen for being an actor's name")
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address that commits of ours carry.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use std::sync::Arc;

    fn person(variables: &[(&str, &str)], name: Option<&str>, email: Option<&str>) -> Person {
        let surroundings = Surroundings {
            cwd: "/".into(),
            variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            clock: Arc::new(|| Timestamp::from_millis(0)),
            entropy: Arc::new(|| 0),
        };
        let author = Author { name: name.map(str::to_owned), email: email.map(str::to_owned) };
        Person::claimed(&surroundings, &author)
    }

    #[test]
    fn the_word_of_a_person_comes_before_the_ci_s_git_s_and_the_machine_s() {
        let all = [
            ("INDELIBLE_ACTOR", "told"),
            ("GITHUB_ACTOR", "ci"),
            ("GIT_AUTHOR_NAME", "author"),
            ("USER", "user"),
        ];
        let name = |from: usize, git| person(&all[from..], git, None).name().to_owned();
        assert_eq!(name(0, Some("settings")), "told");
        assert_eq!(name(1, Some("settings")), "ci");
        assert_eq!(name(2, Some("settings")), "author");
        assert_eq!(name(3, Some("settings")), "settings");
        assert_eq!(name(3, None), "user");
        assert_eq!(person(&[], None, None).name(), "unknown");
        // A name that no event can carry is passed over.
        assert_eq!(person(&[("GITHUB_ACTOR", "a\nb"), ("USER", "ada")], None, None).name(), "ada");
    }

    #[test]
    fn an_address_that_no_commit_can_carry_is_passed_over() {
        let settings = Some("ada@shop.example");
        assert_eq!(person(&[], None, settings).email(), "ada@shop.example");
        let own = [("GIT_AUTHOR_EMAIL", "a@b")];
        assert_eq!(person(&own, None, settings).email(), "a@b");
        let broken = [("GIT_AUTHOR_EMAIL", "Ada <a@b>")];
        assert_eq!(person(&broken, None, settings).email(), "ada@shop.example");
        assert_eq!(person(&[], None, None).email(), "indelible@localhost");
    }
}
