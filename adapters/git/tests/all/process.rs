//! How git is started and stopped: a missing program, time limits, secrets, surroundings.

use crate::sandbox::{Sandbox, environment, path_variable, raw, script_at};
use domain::Secret;
use git::{
    BranchStore, Credential, Environment, Git, GitError, RemoteUrl, Scratch, Timeouts, WriteBack,
};
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// The longest that a killed process may still be seen.
const GONE_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_missing_git_program_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let refused = Git::open(Environment::bare(empty.path())).await;
    let Err(error @ GitError::ProgramMissing { .. }) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("install git"), "{error}");
}

#[tokio::test]
async fn an_old_git_program_is_named() {
    let folder = tempfile::tempdir().unwrap();
    script_at(&folder.path().join("git"), "echo git version 2.25.1");
    let mut path = OsString::from(folder.path());
    path.push(":");
    path.push(path_variable());
    let refused = Git::open(Environment::bare(path)).await;
    assert!(matches!(refused, Err(GitError::ProgramTooOld { .. })), "{refused:?}");
}

/// An environment whose ssh is a script, and timeouts of a moment.
fn with_ssh(script: &std::path::Path, remote: Duration) -> Environment {
    let variables = [
        ("PATH", path_variable()),
        ("GIT_SSH_COMMAND", script.into()),
        ("GIT_SSH_VARIANT", "ssh".into()),
    ];
    let timeouts = Timeouts { local: Duration::from_secs(60), remote };
    Environment::from_variables(variables.map(|(name, value)| (name.into(), value)))
        .with_timeouts(timeouts)
}

#[tokio::test]
async fn a_remote_that_never_answers_is_given_up_with_all_its_processes() {
    let sandbox = Sandbox::new().await;
    let (script, pid) = (sandbox.at("ssh"), sandbox.at("pid"));
    script_at(&script, &format!("echo $$ > '{}'; exec sleep 600", pid.display()));
    let git = Git::open(with_ssh(&script, Duration::from_secs(2))).await.unwrap();
    let remote = RemoteUrl::parse("git@git.example.com:shop/config.git").unwrap();
    let cache = sandbox.at("cache");
    let name = "main".parse().unwrap();
    let store = BranchStore::new(&git, remote, Credential::Ambient, name, &cache);
    let refused = store.fetch().await;
    assert!(matches!(refused, Err(GitError::Timeout { seconds: 2, .. })), "{refused:?}");

    let id = std::fs::read_to_string(&pid).unwrap();
    let process = std::path::PathBuf::from(format!("/proc/{}", id.trim()));
    let is_gone = || {
        // A process that was killed and that nobody has asked about yet is a zombie.
        let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
        status.is_empty() || status.contains("State:\tZ")
    };
    let begun = Instant::now();
    while !is_gone() {
        assert!(begun.elapsed() < GONE_WITHIN, "ssh outlived git");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_ssh_says_is_told_and_bounded() {
    let sandbox = Sandbox::new().await;
    let script = sandbox.at("ssh");
    let noise = "i=0; while [ $i -lt 20000 ]; do echo \"noise $i\" >&2; i=$((i+1)); done";
    script_at(
        &script,
        &format!("echo 'git@h: Permission denied (publickey).' >&2; {noise}; exit 255"),
    );
    let git = Git::open(with_ssh(&script, Duration::from_secs(60))).await.unwrap();
    let remote = RemoteUrl::parse("git@git.example.com:shop/config.git").unwrap();
    let cache = sandbox.at("cache");
    let back = WriteBack::new(&git, remote, Credential::Ambient, "main".parse().unwrap(), &cache);
    let refused = back.tree().await;
    let Err(error @ GitError::AuthRefused { .. }) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().len() < 600, "{error}");
}

#[tokio::test]
async fn ssh_gets_the_host_as_one_argument() {
    let sandbox = Sandbox::new().await;
    let (script, seen) = (sandbox.at("ssh"), sandbox.at("seen"));
    let record = format!(
        "for a in \"$@\"; do echo \"<$a>\"; done >> '{}'; env >> '{0}'; exit 255",
        seen.display()
    );
    script_at(&script, &record);
    let git = Git::open(with_ssh(&script, Duration::from_secs(60))).await.unwrap();
    let remote = RemoteUrl::parse("git@git.example.com:shop/con$(x)fig.git").unwrap();
    let cache = sandbox.at("cache");
    let back = WriteBack::new(&git, remote, Credential::Ambient, "main".parse().unwrap(), &cache);
    assert!(back.tree().await.is_err());
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(
        seen.contains("<git@git.example.com>\n<git-upload-pack 'shop/con$(x)fig.git'>"),
        "{seen}"
    );
    assert!(seen.contains("LC_ALL=C\n") && !seen.contains("CARGO"), "{seen}");
}

/// Answers each request with 401 and hands on what it was asked with.
fn server_that_asks_for_a_password() -> (u16, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
            let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\
                 Content-Length: 0\r\nConnection: close\r\n\r\n";
            let _closed = stream.write_all(answer.as_bytes());
            if sender.send(head).is_err() {
                return;
            }
        }
    });
    (port, receiver)
}

#[tokio::test]
async fn a_token_reaches_only_the_host_it_is_for_and_no_argument_or_message() {
    let sandbox = Sandbox::new().await;
    // A git that notes its arguments before it is git.
    let seen = sandbox.at("arguments");
    std::fs::create_dir(sandbox.at("bin")).unwrap();
    let real = raw(sandbox.folder.path(), &["--exec-path"]);
    let script = format!("echo \"$@\" >> '{}'; exec '{real}/git' \"$@\"", seen.display());
    script_at(&sandbox.at("bin/git"), &script);
    let mut environment = environment();
    environment.program = sandbox.at("bin/git");
    let git = Git::open(environment).await.unwrap();

    let (port, requests) = server_that_asks_for_a_password();
    let remote = RemoteUrl::parse(&format!("http://127.0.0.1:{port}/config.git")).unwrap();
    let token = Credential::Token { username: "ci".into(), token: Secret::new("hunter2-token") };
    let cache = sandbox.at("cache");
    let back = WriteBack::new(&git, remote, token, "main".parse().unwrap(), &cache);
    let refused = back.tree().await;
    let Err(error @ GitError::AuthRefused { .. }) = refused else { panic!("{refused:?}") };
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    let asked: Vec<String> = requests.try_iter().collect();
    // base64 of `ci:hunter2-token`
    let expected = "Authorization: Basic Y2k6aHVudGVyMi10b2tlbg==";
    assert!(asked.iter().any(|head| head.contains(expected)), "{asked:?}");
    let arguments = std::fs::read_to_string(seen).unwrap();
    assert!(arguments.contains("fetch") && !arguments.contains("hunter2"), "{arguments}");
}

#[tokio::test]
async fn a_header_of_a_ci_checkout_is_sent_and_not_shown() {
    let sandbox = Sandbox::new().await;
    let (port, requests) = server_that_asks_for_a_password();
    let remote = RemoteUrl::parse(&format!("http://127.0.0.1:{port}/config.git")).unwrap();
    let header = Credential::Header(Secret::new("AUTHORIZATION: basic eDpodW50ZXIy"));
    let cache = sandbox.at("cache");
    let back = WriteBack::new(&sandbox.git, remote, header, "main".parse().unwrap(), &cache);
    let refused = back.tree().await;
    let Err(error @ GitError::AuthRefused { .. }) = refused else { panic!("{refused:?}") };
    assert!(!format!("{error:?}").contains("eDpodW50ZXIy"), "{error}");
    assert!(requests.try_iter().any(|head| head.contains("AUTHORIZATION: basic eDpodW50ZXIy")));
}

#[tokio::test]
async fn the_users_credential_helper_is_asked_and_the_users_hooks_are_not() {
    let sandbox = Sandbox::new().await;
    let home = sandbox.at("home");
    std::fs::create_dir_all(home.join("hooks")).unwrap();
    let sprung = sandbox.at("sprung");
    for hook in ["pre-push", "reference-transaction"] {
        script_at(&home.join("hooks").join(hook), &format!(": > '{}'", sprung.display()));
    }
    let helper = home.join("helper");
    script_at(&helper, "echo username=ann; echo \"password=$(cat \"$HOME/password\")\"");
    std::fs::write(home.join("password"), "from-home").unwrap();
    let settings = format!(
        "[credential]\n\thelper = {}\n[core]\n\thooksPath = {}\n",
        helper.display(),
        home.join("hooks").display()
    );
    std::fs::write(home.join(".gitconfig"), settings).unwrap();
    let variables = [("PATH", path_variable()), ("HOME", home.into())];
    let environment =
        Environment::from_variables(variables.map(|(name, value)| (name.into(), value)));
    let git = Git::open(environment).await.unwrap();

    let (port, requests) = server_that_asks_for_a_password();
    let remote = RemoteUrl::parse(&format!("http://127.0.0.1:{port}/config.git")).unwrap();
    let cache = sandbox.at("cache");
    let back = WriteBack::new(&git, remote, Credential::Ambient, "main".parse().unwrap(), &cache);
    assert!(back.tree().await.is_err());
    // base64 of `ann:from-home`
    let expected = "Authorization: Basic YW5uOmZyb20taG9tZQ==";
    let asked: Vec<String> = requests.try_iter().collect();
    assert!(asked.iter().any(|head| head.contains(expected)), "{asked:?}");
    Scratch::init_bare(&git, &sandbox.at("x.git"), &"main".parse().unwrap()).await.unwrap();
    assert!(!sprung.exists());
}

#[tokio::test]
async fn the_private_home_is_for_this_user_alone_and_goes_away() {
    use std::os::unix::fs::PermissionsExt as _;
    let temp = tempfile::tempdir().unwrap();
    let mut environment = environment();
    environment.temp = Some(temp.path().to_owned());
    let git = Git::open(environment).await.unwrap();
    let entries = || std::fs::read_dir(temp.path()).unwrap().flatten().collect::<Vec<_>>();
    let [home] = entries().try_into().unwrap();
    assert_eq!(home.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let askpass = home.path().join("askpass");
    assert_eq!(askpass.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert!(git.version().starts_with("2."));
    drop(git);
    assert!(entries().is_empty());
}
