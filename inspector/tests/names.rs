//! Names that an app gives to its things, over the probe's own wire: in a check, in a snapshot and on the screen.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
mod watched;

use common::terminal::{ASYNC_INSPECT, Terminal};
use serde_json::Value;
use watched::{Watched, run, turn};

/// What `check` and `snapshot` print as JSON.
fn json(args: &[&str]) -> Value {
    let output = run(args);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Those of a list in the order of the snapshot that go by `name`.
fn named<'a>(snapshot: &'a Value, list: &str, name: &str) -> &'a Value {
    let found = snapshot[list].as_array().unwrap().iter().find(|of| of["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list}: {:#}", snapshot[list]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_a_name_goes_by_it_everywhere() {
    let _turn = turn();
    let program = Watched::faulty("named");
    let mut attached = program.attach().await;
    while attached.seen.is_empty() {
        attached.step().await;
    }
    let probe = program.probe.to_string();

    // A finding accuses the task by its name.
    let report = json(&["check", &probe, "--for", "1500ms", "--format", "json"]);
    let findings = report["findings"].as_array().unwrap();
    let lost = findings.iter().find(|finding| finding["rule"] == "lost-panic").expect("a mailer panics each second");
    assert_eq!(lost["subject"]["name"], "mailer", "{lost:#}");
    assert!(lost["message"].as_str().unwrap().contains("`mailer`"), "{lost:#}");

    let snapshot = json(&["snapshot", &probe, "--format", "json"]);
    for (list, names) in [
        ("tasks", &["mailer", "sorter", "keeper", "clerk", "desk"][..]),
        ("locks", &["ledger", "uplinks", "sent"]),
        ("channels", &["mails", "returns"]),
    ] {
        for name in names {
            named(&snapshot, list, name);
        }
    }
    let wait = |task: &str| named(&snapshot, "tasks", task)["waits"][0].clone();
    let returns = &named(&snapshot, "channels", "returns")["id"];
    for (task, kind) in [("sorter", "channel_recv"), ("keeper", "channel_closed")] {
        assert_eq!((&wait(task)["kind"], &wait(task)["id"]), (&kind.into(), returns), "{task}");
    }
    let keeper = wait("keeper")["location"].as_str().unwrap().to_owned();
    assert!(keeper.contains("named.rs:"), "{keeper}");
    assert_eq!(wait("clerk")["kind"], "oneshot");
    let site = snapshot["sites"].as_array().unwrap().iter().find(|site| site["id"] == wait("clerk")["id"]).unwrap();
    assert_eq!(site["names"], serde_json::json!(["receipt"]));

    // So does the text.
    let text = String::from_utf8(run(&["snapshot", &probe]).stdout).unwrap();
    let returns = returns.as_str().unwrap();
    for words in [
        format!("message of channel {returns} returns"),
        format!("receiver of channel {returns} returns to close it"),
        "answer of oneshot receipt".to_owned(),
    ] {
        assert!(text.contains(&words), "{words}:\n{text}");
    }

    // And the screen, where tasks are grouped by the line that spawns them.
    let mut terminal = Terminal::start(ASYNC_INSPECT, &["connect", &probe], 240, 40);
    terminal.wait_for("live");
    for (key, names) in [
        ("2", &["mailer", "sorter", "keeper", "clerk", "desk", "receiver of returns", "answer of the oneshot"][..]),
        ("3", &["ledger", "uplinks", "sent"]),
        ("4", &["mails", "returns"]),
    ] {
        terminal.send(key);
        terminal.wait_until(&format!("names on screen {key}"), |screen| names.iter().all(|name| screen.contains(name)));
    }
}
