//! One step of the loop, with real channels and signals.
use crossterm::event::{Event, KeyCode, KeyEvent};
use tokio::signal::unix::SignalKind;

use super::inputs::{Ended, Input, Inputs};
use super::*;

/// Twenty targets, each with all the updates that may wait for the dashboard.
fn flooded() -> Sources {
    let mut sources = Sources { tasks: JoinSet::new(), events: SelectAll::new(), requests: Vec::new() };
    for n in 0..20 {
        let (events, waiting) = mpsc::channel(QUEUE);
        sources.events.push(ReceiverStream::new(waiting).map(move |event| (n, event)).boxed());
        sources
            .tasks
            .spawn(async move { while events.send(source::Event::Connecting { attempt: 1 }).await.is_ok() {} });
    }
    sources
}

/// Updates that come before the next input of another kind.
async fn told_before(inputs: &mut Inputs, sources: &mut Sources) -> (usize, Input) {
    for told in 0..1000 {
        match inputs.next(sources, None, false).await.expect("all go on") {
            Input::Told(..) | Input::Time => {}
            other => return (told, other),
        }
    }
    panic!("nothing but updates");
}

#[tokio::test]
async fn keys_have_their_turn_while_updates_are_queued() {
    let (typed, keys) = mpsc::channel(8);
    let (_exported, exported) = mpsc::channel(1);
    let (mut inputs, mut sources) =
        (Inputs::new(Ended::by(&[SignalKind::user_defined1()]).unwrap(), keys, exported), flooded());
    // All of them have told what there is room for.
    tokio::task::yield_now().await;
    let key = Event::Key(KeyEvent::from(KeyCode::Char('q')));
    // As the task that reads keys: woken, and not polled before the loop waits.
    let reader = tokio::spawn(async move { typed.send(Ok(key)).await.map(|()| typed) });
    let (told, input) = told_before(&mut inputs, &mut sources).await;
    assert!(matches!(input, Input::Operator(Some(Msg::Key(key))) if key.code == KeyCode::Char('q')), "{input:?}");
    assert!(told <= 2, "after {told} updates");
    drop(reader.await);
}

#[tokio::test]
async fn signals_have_their_turn_while_updates_are_queued() {
    let (_typed, keys) = mpsc::channel(8);
    let (_exported, exported) = mpsc::channel(1);
    // One that nothing else here hangs on: whoever has asked for it does not end by it.
    let ended = Ended::by(&[SignalKind::user_defined2()]).unwrap();
    let (mut inputs, mut sources) = (Inputs::new(ended, keys, exported), flooded());
    tokio::task::yield_now().await;
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::USR2).unwrap();
    let (told, input) = told_before(&mut inputs, &mut sources).await;
    assert!(matches!(input, Input::Gone), "{input:?}");
    // The driver that brings it has its turn once all tasks have had theirs.
    assert!(told <= 5, "after {told} updates");
}
