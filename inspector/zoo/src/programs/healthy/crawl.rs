//! A crawl with a `JoinSet`: every page found leads to more, up to a limit of pages at a time; then the next crawl.
use std::{collections::HashSet, io, time::Duration};

use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::Program;

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/crawl",
    rule: None,
    about: "one crawl of 1500 pages after the other, forty pages at a time in a JoinSet",
    source: include_str!("crawl.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

const AT_A_TIME: usize = 40;
const PAGES: u64 = 1_500;

/// The pages that a page links to.
async fn fetch(page: u64) -> Vec<u64> {
    // A few servers are slow, and one does not answer.
    let answer = match page % 97 {
        0 => Duration::from_secs(5),
        1..5 => Duration::from_millis(120),
        _ => Duration::from_millis(4 + page % 9),
    };
    if timeout(Duration::from_millis(400), sleep(answer)).await.is_err() {
        return Vec::new();
    }
    (1..=3).map(|link| (page * 3 + link * 7) % PAGES).collect()
}

async fn crawl() -> usize {
    let mut seen: HashSet<u64> = (0..20).collect();
    let mut left: Vec<u64> = seen.iter().copied().collect();
    let mut fetching = JoinSet::new();
    loop {
        while fetching.len() < AT_A_TIME
            && let Some(page) = left.pop()
        {
            fetching.spawn(fetch(page));
        }
        let Some(fetched) = fetching.join_next().await else { return seen.len() };
        left.extend(fetched.unwrap_or_default().into_iter().filter(|&page| seen.insert(page)));
    }
}

async fn healthy() -> io::Result<()> {
    loop {
        std::hint::black_box(crawl().await);
        sleep(Duration::from_millis(100)).await;
    }
}
