//! What `serve` refuses before it serves, and the way out that it names.

use crate::sandbox::sandbox;
use crate::server::Served;

#[test]
fn a_server_that_would_stand_wide_open_names_each_way_out() {
    let run = sandbox().run(["serve", "--data", "data", "--listen", "0.0.0.0:0"]);
    insta::assert_snapshot!(run, @"
    [stderr]
    error: 0.0.0.0:0 is reached from other machines, and no token was made yet: everybody could push. Make one on loopback first (`indelible token create`), ask for one from the start (`--anonymous nowhere`), or say outright that everybody may (`--anonymous everywhere`)
    hint: indelible serve --data data --listen 0.0.0.0:0 --anonymous nowhere
    [exit 2]
    ");
}

#[test]
fn a_second_server_on_one_folder_is_told_the_folder_and_who_has_it() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    let data = sandbox.home().join("registry").display().to_string();
    let run = sandbox.run(["serve", "--data", &data, "--listen", "127.0.0.1:0"]);
    let held = std::fs::read_to_string(sandbox.home().join("registry/lock")).unwrap();
    let holder = format!("by process {}", held.trim());
    assert!(run.contains(&holder) && run.ends_with("[exit 2]\n"), "{run}");
    assert!(run.contains("is in use") && run.contains("stop that program"), "{run}");
    assert!(served.get("/healthz").contains("200 OK"));
}
