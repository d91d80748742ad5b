//! The stock tokio-console on this probe: console-api's `Instrument` service, beside ours and on the same port.
//!
//! The collector's readings go to a [`Board`] as well, which holds one small row an entity while any console is attached.
//! Each console's stream takes from it what it was not told yet, when it has room: so one that is slow is told less often
//! and of newer states, and nothing ever waits for it. It still hears of every birth and death: that client has no other
//! way to forget what it missed, and would show the dead among the living.
//!
//! | file | what |
//! |---|---|
//! | [`board`] | the rows, and who is attached; rounds |
//! | [`reader`] | one console: what it is owed, what it is told next |
//! | [`debts`], [`index_set`] | who was told what |
//! | [`rows`], [`waits`] | rows of tasks, locks and channels; of waits, which are async ops there |
//! | [`kinds`] | what kinds of resources there are, and what is told of each |
//! | [`draft`] | rows become messages |
//! | [`histogram`] | a task's poll durations, as that client reads them |
//! | [`names`] | types become names |
//! | [`service`], [`peer`] | gRPC; who is who |

mod board;
mod debts;
mod draft;
mod histogram;
mod index_set;
mod kinds;
mod names;
mod peer;
mod reader;
mod rows;
mod service;
mod waits;

pub(crate) use board::Consoles;
pub(crate) use service::Service;
