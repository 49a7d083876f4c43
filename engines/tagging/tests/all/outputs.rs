//! What the next step of each CI reads. Expected texts are written by the vendors' rules.

use domain::Digest;
use tagging::output::{DOTENV_BYTES_MAX, DOTENV_VARIABLES_MAX};
use tagging::{Output, OutputError, OutputForm, Provider, Published};

const DELIMITER: &str = "ghd0123456789abcdef";
/// printf '' | sha256sum
const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn published() -> Vec<Output> {
    let published = Published {
        digest: Digest::sha256(b""),
        tags: ["20260317-143958-prod", "v1.4.2"].map(|tag| tag.parse().unwrap()).to_vec(),
        reference: format!("registry.example.com/shop/api:v1.4.2@{EMPTY}").parse().unwrap(),
        release_time: "2026-03-17T14:39:58Z".parse().unwrap(),
    };
    published.outputs().unwrap()
}

#[test]
fn each_ci_gets_its_own_form() {
    let render = |form: OutputForm| form.render(&published(), DELIMITER).unwrap();
    assert_eq!(
        render(OutputForm::GitHub),
        format!(
            "digest={EMPTY}\ntag=20260317-143958-prod\ntags<<{DELIMITER}\n20260317-143958-prod\nv1.4.2\n{DELIMITER}\n\
             reference=registry.example.com/shop/api:v1.4.2@{EMPTY}\nrelease_time=2026-03-17T14:39:58.000Z\n"
        )
    );
    assert_eq!(
        render(OutputForm::GitLab),
        format!(
            "INDELIBLE_DIGEST={EMPTY}\nINDELIBLE_TAG=20260317-143958-prod\nINDELIBLE_TAGS=20260317-143958-prod,v1.4.2\n\
             INDELIBLE_REFERENCE=registry.example.com/shop/api:v1.4.2@{EMPTY}\nINDELIBLE_RELEASE_TIME=2026-03-17T14:39:58.000Z\n"
        )
    );
    assert!(render(OutputForm::Azure).starts_with(&format!(
        "##vso[task.setvariable variable=digest;isOutput=true]{EMPTY}\n##vso[task.setvariable variable=tag;isOutput=true]20260317-143958-prod\n"
    )));
}

#[test]
fn the_release_time_that_gitlab_hands_on_is_the_one_that_is_read() {
    let text = OutputForm::GitLab.render(&published(), DELIMITER).unwrap();
    let name = tagging::RELEASE_TIME_VARIABLE;
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    let value = line.split_once('=').unwrap().1;
    let now = "2026-03-17T15:00:00Z".parse().unwrap();
    let time = tagging::release_time(Some(value), now).unwrap();
    assert_eq!(time.at, "2026-03-17T14:39:58Z".parse().unwrap());
}

#[test]
fn a_value_cannot_end_its_line() {
    for bad in ["a\nb=c", "a\r", "a\u{0}", "a\u{85}b", "a\u{2028}b"] {
        assert_eq!(
            Output::one("x", bad.to_owned()),
            Err(OutputError::Control { name: "x" }),
            "{bad:?}"
        );
        assert!(Output::lines("x", vec![bad.to_owned()]).is_err());
    }
    let lines = Output::lines("x", vec![DELIMITER.to_owned(), "y=z".to_owned()]).unwrap();
    assert_eq!(
        OutputForm::GitHub.render(&[lines], DELIMITER),
        Err(OutputError::HoldsDelimiter { name: "x" })
    );
}

#[test]
fn a_delimiter_has_16_characters_and_no_fewer() {
    let render = |delimiter: &str| OutputForm::GitHub.render(&published(), delimiter);
    assert!(render("0123456789abcdef").is_ok());
    for bad in ["0123456789abcde", "0123456789abcdef\n", "0123456789abcde "] {
        assert!(matches!(render(bad), Err(OutputError::Delimiter { .. })), "{bad:?}");
    }
}

#[test]
fn azures_agent_gets_escaped_text() {
    let value = Output::one("x", "50%;]##vso[task.complete]".to_owned()).unwrap();
    assert_eq!(
        OutputForm::Azure.render(&[value], DELIMITER).unwrap(),
        "##vso[task.setvariable variable=x;isOutput=true]50%AZP25;]##vso[task.complete]\n"
    );
}

#[test]
fn gitlab_changes_nothing_on_the_way() {
    for bad in ["$CI_JOB_TOKEN", " a", "a "] {
        let output = Output::one("x", bad.to_owned()).unwrap();
        assert_eq!(
            OutputForm::GitLab.render(&[output], DELIMITER),
            Err(OutputError::GitLabChanges { name: "x" })
        );
    }
}

#[test]
fn a_dotenv_report_keeps_gitlabs_limits() {
    let one = |len: usize| Output::one("x", "a".repeat(len)).unwrap();
    let render = |outputs: &[Output]| OutputForm::GitLab.render(outputs, DELIMITER);
    let around = "INDELIBLE_X=\n".len();
    assert!(render(&[one(DOTENV_BYTES_MAX - 1 - around)]).is_ok());
    assert_eq!(
        render(&[one(DOTENV_BYTES_MAX - around)]),
        Err(OutputError::DotenvBytes { found: 5120 })
    );
    let many = |count: usize| vec![one(1); count];
    assert!(render(&many(DOTENV_VARIABLES_MAX)).is_ok());
    assert_eq!(render(&many(21)), Err(OutputError::DotenvVariables { found: 21 }));
}

#[test]
fn the_form_is_detected_or_asked_for() {
    assert_eq!(OutputForm::of(Provider::Forgejo), Some(OutputForm::GitHub));
    assert_eq!(OutputForm::of(Provider::GitLab), Some(OutputForm::GitLab));
    assert_eq!(OutputForm::of(Provider::Azure), Some(OutputForm::Azure));
    assert_eq!(OutputForm::of(Provider::Checkout), None);
    assert_eq!("azure".parse(), Ok(OutputForm::Azure));
    let error = "gihub".parse::<OutputForm>().unwrap_err();
    assert!(error.to_string().contains("did you mean `github`"));
}

#[test]
fn an_outputs_name_is_one_in_every_ci() {
    for bad in ["", "Digest", "1x", "a-b", "a b"] {
        let refused = Output::one(bad, String::new());
        assert_eq!(refused, Err(OutputError::Name { name: bad }));
    }
}
