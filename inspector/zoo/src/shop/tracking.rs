//! Parcel updates from the carriers, some of them malformed.
use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{interval, sleep},
};

use super::faults::{Switches, Which};

/// What a carrier sends: now and then without a place.
fn update(number: u64) -> String {
    if number % 10 == 9 { "4711".to_owned() } else { format!("4711;depot {}", number % 12) }
}

fn depot(update: &str) -> Option<u64> {
    update.split_once(";depot ")?.1.parse().ok()
}

/// Reads an update that must be well formed.
async fn trust(update: String) {
    sleep(Duration::from_millis(1)).await;
    let depot = depot(&update).expect("an update names a depot"); // <- open: lost-panic
    std::hint::black_box(depot);
}

pub(super) fn start(background: &mut JoinSet<()>, faults: &Switches) {
    background.spawn(follow(faults.clone()));
}

async fn follow(faults: Switches) {
    let mut carrier = interval(Duration::from_millis(50));
    let mut malformed = 0_u64;
    for number in 0.. {
        carrier.tick().await;
        let update = update(number);
        if faults.on(Which::LostPanic) {
            tokio::spawn(trust(update)); // <- fault: lost-panic
        } else if depot(&update).is_none() {
            malformed += 1;
            if malformed.is_power_of_two() {
                eprintln!("{malformed} malformed parcel updates so far");
            }
        }
    }
}
