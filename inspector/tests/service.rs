//! The shop, an axum service under HTTP load, as a process of its own: each of its faults is switched on over HTTP, is
//! seen at its line, and is gone after it is switched off.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
mod watched;

use std::{
    net::{SocketAddr, TcpListener},
    time::{Duration, Instant},
};

use async_inspect_zoo::shop::{Client, FAULTS, Fault};
use common::terminal::{ASYNC_INSPECT, Terminal};
use watched::{Attached, Watched, async_inspect, describe, free_address, is_in_line, run, turn};

const ONSET: Duration = Duration::from_secs(5);
/// Panics that were lost are remembered for the longest: 15 s from the last of them.
const CLEARED: Duration = Duration::from_secs(20);

fn start_shop() -> (Watched, SocketAddr) {
    let shop = Watched::start("shop", &["shop"], free_address());
    let address = shop.listens_on();
    (shop, address)
}

async fn switch(client: &Client, rule: &str, state: &str) {
    let (status, _) = client.post(&format!("/faults/{rule}/{state}")).await.unwrap();
    assert!(status.is_success(), "{rule} {state}: {status}");
}

fn is_at(finding: &async_inspect_cli::lints::Finding, fault: &Fault) -> bool {
    finding.rule == fault.rule && is_in_line(&finding.subject.location, fault.file, fault.line())
}

fn lasting(attached: &Attached) -> Vec<String> {
    attached.active().map(describe).collect()
}

/// A fault that was on.
struct Past {
    fault: &'static Fault,
    off: Instant,
    /// How long after that its rule was last silent for good.
    gone: Option<Duration>,
}

/// Takes one update, and notes which of the faults are not seen any more.
async fn step(attached: &mut Attached, past: &mut [Past]) {
    attached.step().await;
    for past in past {
        let seen = attached.active().any(|finding| is_at(finding, past.fault));
        past.gone = if seen { None } else { past.gone.or_else(|| Some(past.off.elapsed())) };
    }
}

/// What lasts and is neither of this fault nor of one that was on until a moment ago.
fn strangers(attached: &Attached, now: Option<&Fault>, past: &[Past]) -> Vec<String> {
    let fading = past.iter().filter(|past| past.off.elapsed() < CLEARED).map(|past| past.fault);
    let known: Vec<&Fault> = now.into_iter().chain(fading).collect();
    let strange = attached.active().filter(|finding| !known.iter().any(|fault| is_at(finding, fault)));
    strange.map(describe).collect()
}

/// The next fault is switched on as soon as one is off: each is told from what is left of those before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_shop_under_load_raises_nothing_and_each_fault_its_rule_while_it_is_on() {
    let _turn = turn();
    let (shop, http) = start_shop();
    let client = Client::new(http);
    let mut attached = shop.attach().await;

    attached.watch_until(Duration::from_secs(10)).await;
    assert_eq!(lasting(&attached), [""; 0], "the shop is healthy");
    assert!(attached.seen.is_empty(), "the shop was healthy from the start: {:?}", attached.seen);

    // A dashboard beside it, in a terminal that shows the whole Overview.
    let address = shop.probe.to_string();
    let dashboard = Terminal::start(ASYNC_INSPECT, &["connect", &address], 120, 60);
    dashboard.wait_for("live");

    let mut complaints = Vec::new();
    let mut past: Vec<Past> = Vec::new();
    for fault in FAULTS {
        let (rule, line) = (fault.rule, fault.line());
        switch(&client, rule, "on").await;
        let on = Instant::now();
        while on.elapsed() < ONSET && !attached.active().any(|finding| is_at(finding, fault)) {
            step(&mut attached, &mut past).await;
        }
        let onset = on.elapsed();
        // Nothing but this may come of it in the next moments.
        while on.elapsed() < onset + Duration::from_secs(2) {
            step(&mut attached, &mut past).await;
        }
        if !attached.active().any(|finding| is_at(finding, fault)) {
            complaints.push(format!("{rule}: not at {}:{line} within {ONSET:?}", fault.file));
        }
        complaints.extend(strangers(&attached, Some(fault), &past).iter().map(|found| format!("{rule} on: {found}")));

        let open = format!("{}:{}", fault.file, fault.line_to_open());
        dashboard.wait_until("the rule and the line to open", |screen| screen.contains(rule) && screen.contains(&open));

        switch(&client, rule, "off").await;
        past.push(Past { fault, off: Instant::now(), gone: None });
        eprintln!("{rule}: seen after {onset:?}");
    }
    let off = Instant::now();
    while off.elapsed() < CLEARED && past.iter().any(|past| past.gone.is_none()) {
        step(&mut attached, &mut past).await;
    }
    complaints.extend(strangers(&attached, None, &past).iter().map(|found| format!("all off: {found}")));
    for past in past {
        eprintln!("{}: gone after {:?}", past.fault.rule, past.gone);
        if past.gone.is_none_or(|gone| gone > CLEARED) {
            complaints.push(format!("{}: not gone {CLEARED:?} after it was off", past.fault.rule));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[tokio::test]
async fn check_on_a_healthy_shop_is_clean_and_on_a_faulty_one_names_the_line() {
    let _turn = turn();
    let (shop, http) = start_shop();
    let client = Client::new(http);
    let probe = shop.probe.to_string();

    let healthy = run(&["check", &probe, "--for", "4s", "--fail-on", "warn", "--format", "json"]);
    assert_eq!(healthy.status.code(), Some(0), "{healthy:?}");

    switch(&client, "lock-held-across-await", "on").await;
    let faulty = run(&["check", &probe, "--for", "5s", "--fail-on", "warn", "--format", "json"]);
    assert_eq!(faulty.status.code(), Some(1), "{faulty:?}");
    let report: serde_json::Value = serde_json::from_slice(&faulty.stdout).expect("results are JSON");
    let fault = async_inspect_zoo::shop::fault("lock-held-across-await").unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert!(
        findings.iter().any(|finding| finding["rule"] == fault.rule
            && finding["subject"]["location"].as_str().is_some_and(|location| is_in_line(
                location,
                fault.file,
                fault.line()
            ))),
        "{report:#}"
    );
}

#[test]
fn an_app_whose_probe_finds_its_port_taken_says_so_once_and_runs_on() {
    let _turn = turn();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut shop = Watched::start("shop", &["shop"], taken.local_addr().unwrap());
    let http = shop.listens_on();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::new(http);
        for _ in 0..20 {
            assert!(client.get("/offers").await.unwrap().0.is_success());
        }
    });
    assert!(shop.runs());
    let said: Vec<_> = shop.stderr().lines().filter(|line| line.contains("async-inspect")).map(str::to_owned).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("taken"), "{said:?}");
}

#[test]
fn a_probe_says_once_where_it_listens_and_may_be_told_not_to() {
    let _turn = turn();
    let mut target = Watched::healthy("healthy/actors");
    let notice = watched::wait_for("the notice", || target.stderr().lines().next().map(str::to_owned));
    let (address, pid) = (target.probe, target.pid());
    assert_eq!(
        notice,
        format!("async-inspect: listening on {address} (pid {pid}), attach with: async-inspect connect {address}")
    );
    target.kill();

    let quiet = Watched::healthy_with("healthy/actors", &[("ASYNC_INSPECT_NOTICE", "off")]);
    watched::wait_for("the probe", || std::net::TcpStream::connect(quiet.probe).ok());
    assert_eq!(quiet.stderr(), "");
}

#[cfg(target_os = "linux")]
#[test]
fn stacks_may_be_switched_off_and_then_no_signal_is_handled_and_rules_go_on_without() {
    let _turn = turn();
    // For the signal by which a thread is asked for its stack.
    let handles = |target: &Watched| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", target.pid())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
        caught & 1 << (rustix::process::Signal::URG.as_raw() - 1) != 0
    };
    let check = |stacks: &str| {
        let target = Watched::faulty_with("blocked-worker", &[("ASYNC_INSPECT_STACKS", stacks)]);
        watched::wait_for("the probe", || std::net::TcpStream::connect(target.probe).ok());
        let output = run(&["check", &target.probe.to_string(), "--for", "5s", "--format", "json"]);
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(handles(&target), stacks == "on");
        assert!(report.contains("\"blocked-worker\""), "{report}");
        assert_eq!(report.contains("\"blocked_by\": \"std::thread::sleep\""), stacks == "on", "{report}");
        assert_eq!(report.contains("stacks are switched off"), stacks == "off", "{report}");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| check("on"));
        check("off");
    });
}

#[cfg(unix)]
#[test]
fn an_app_whose_stderr_nobody_reads_runs_and_is_watched_all_the_same() {
    use std::io::Write as _;
    use std::os::fd::OwnedFd;

    let _turn = turn();
    // A pipe that is full: whoever writes a byte to it waits.
    let (_reader, mut writer) = std::io::pipe().unwrap();
    let mut filler = writer.try_clone().unwrap();
    std::thread::spawn(move || while filler.write_all(&[b'-'; 4096]).is_ok() {});
    std::thread::sleep(Duration::from_millis(200));
    writer.flush().unwrap();
    let address = free_address();
    let mut app = async_inspect()
        .args(["zoo-program", "healthy/actors", "--healthy"])
        .env("ASYNC_INSPECT", address.to_string())
        .stderr(OwnedFd::from(writer))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    watched::wait_for("the probe", || std::net::TcpStream::connect(address).ok());
    let output = run(&["check", &address.to_string(), "--for", "2s"]);
    app.kill().unwrap();
    app.wait().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_target_killed_in_mid_stream_ends_check_with_code_5() {
    let _turn = turn();
    let mut target = Watched::healthy("healthy/actors");
    watched::wait_for("the probe", || std::net::TcpStream::connect(target.probe).ok());
    let check = async_inspect()
        .args(["check", &target.probe.to_string(), "--for", "30s"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(2));
    target.kill();
    let began = Instant::now();
    let output = check.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "it noticed only after {:?}", began.elapsed());
    assert!(String::from_utf8_lossy(&output.stderr).contains("lost the connection"), "{output:?}");
}

#[test]
fn what_is_no_probe_is_told_from_what_is_not_there() {
    let _turn = turn();
    let nobody = run(&["check", &free_address().to_string(), "--for", "1s"]);
    assert_eq!(nobody.status.code(), Some(3), "{nobody:?}");
    let (_shop, http) = start_shop();
    let web_server = run(&["check", &http.to_string(), "--for", "1s"]);
    assert_eq!(web_server.status.code(), Some(4), "{web_server:?}");
}
