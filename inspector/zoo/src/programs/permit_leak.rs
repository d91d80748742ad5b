//! A mailer with a limit of mails on their way. The faulty one forgets its permits, in the belief that this lets go of them;
//! the healthy one keeps each in a variable for as long as it sends.
use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{interval, sleep},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "permit-leak",
    rule: Some("permit-leak"),
    about: "a mailer that forgets its permits and never gives them back",
    source: include_str!("permit_leak.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

const ON_THEIR_WAY: usize = 5;

/// Every fifth bounces.
async fn send(mail: u64) -> Result<(), u64> {
    sleep(Duration::from_millis(5)).await;
    if mail % 5 == 4 { Err(mail) } else { Ok(()) }
}

async fn mail_and_forget(limit: Arc<Semaphore>, mail: u64) -> Result<(), u64> {
    if let Ok(permit) = limit.acquire().await {
        // "Not needed any more", somebody thought.
        permit.forget();
    }
    send(mail).await
}

async fn mail_and_keep(limit: Arc<Semaphore>, mail: u64) -> Result<(), u64> {
    let _permit = limit.acquire().await.ok();
    send(mail).await
}

/// Four mails a second.
async fn mails<M: Future<Output = Result<(), u64>> + Send + 'static>(
    limit: Arc<Semaphore>,
    mail: fn(Arc<Semaphore>, u64) -> M,
) {
    let mut clock = interval(Duration::from_millis(250));
    let mut sending = JoinSet::new();
    let mut bounced = 0_u64;
    for number in 0.. {
        clock.tick().await;
        while let Some(sent) = sending.try_join_next() {
            bounced += u64::from(!matches!(sent, Ok(Ok(()))));
        }
        if sending.len() < 40 {
            sending.spawn(mail(Arc::clone(&limit), number));
        }
        std::hint::black_box(bounced);
    }
}

async fn faulty() -> io::Result<()> {
    let limit = Arc::new(Semaphore::new(ON_THEIR_WAY)); // <- fault: permit-leak
    mails(limit, mail_and_forget).await;
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let limit = Arc::new(Semaphore::new(ON_THEIR_WAY));
    mails(limit, mail_and_keep).await;
    Ok(())
}
