//! A scheme as the settings write it.

use tagging::Scheme;
use tagging::scheme::{CounterWidth, Sha};

fn read(json: &str) -> Result<Scheme, String> {
    serde_json::from_str(json).map_err(|e| e.to_string())
}

#[test]
fn a_scheme_is_a_name_a_template_or_a_map() {
    assert_eq!(read(r#""timestamp-env""#), Ok(Scheme::TimestampEnv));
    assert_eq!(
        read(r#"{"scheme":"sha","length":7,"prefix":""}"#),
        Ok(Scheme::Sha(Sha::new(7, "").unwrap()))
    );
    assert_eq!(
        read(r#"{"scheme":"sha","length":40}"#),
        Ok(Scheme::Sha(Sha::new(40, "git-").unwrap()))
    );
    assert_eq!(
        read(r#"{"scheme":"date-build","width":4}"#),
        Ok(Scheme::DateBuild(CounterWidth::new(4).unwrap()))
    );
    assert_eq!(read(r#"{"scheme":"semver"}"#), Ok(Scheme::Semver));
    assert_eq!(read(r#""{date}-{sha12}""#), "{date}-{sha12}".parse().map_err(|_| String::new()));
}

#[test]
fn what_a_scheme_does_not_have_is_refused() {
    let rows = [
        (r#"{"scheme":"semver","length":7}"#, "scheme `semver` has no option `length`"),
        (r#"{"scheme":"sha","width":3}"#, "scheme `sha` has no option `width`"),
        (r#"{"scheme":"date-build","prefix":"x"}"#, "has no option `prefix`"),
        (r#"{"scheme":"sha","lenght":7}"#, "unknown field `lenght`"),
        (r#"{"scheme":"sha","length":6}"#, "7 to 64 digits"),
        (r#"{"scheme":"date-build","width":6}"#, "2 to 5 digits"),
        (r#"{"length":7}"#, "missing field `scheme`"),
        (r#""smever""#, "did you mean `semver`"),
        ("7", "a tag scheme such as timestamp-env"),
    ];
    for (json, said) in rows {
        let error = read(json).unwrap_err();
        assert!(error.contains(said), "{json}: {error}");
    }
}

#[test]
fn what_is_written_is_read_again() {
    for json in [
        r#""sha""#,
        r#""date-build""#,
        r#""{date}-{sha12}""#,
        r#"{"scheme":"sha","length":7,"prefix":""}"#,
        r#"{"scheme":"date-build","width":4}"#,
    ] {
        let scheme = read(json).unwrap();
        assert_eq!(serde_json::to_string(&scheme).unwrap(), json);
    }
}
