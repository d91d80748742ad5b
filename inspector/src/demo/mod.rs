//! `async-inspect demo`: a real faulty service as a child process, and the dashboard on it.
//!
//! The service is a program of the zoo, run by this same executable; it is watched as any other process would be, over
//! its probe's socket.

mod child;
mod error;
mod faults;

use std::net::{Ipv4Addr, TcpListener};

use async_inspect_proto::DEFAULT_ADDR;

pub use error::DemoError;
pub use faults::{FaultError, list_faults};

use crate::{
    app,
    dashboard::{self, Exit},
    source::{Address, Pace},
};
use child::Child;

/// A running demo: ends its service when dropped.
#[derive(Debug)]
pub struct Demo {
    address: Address,
    child: Child,
}

impl Demo {
    /// Starts the service that shows these faults, and waits until its probe answers.
    ///
    /// No fault: the shop in the middle of an incident of several. One: the small program that has it. More: the shop
    /// with these. `all` stands for every fault, `none` for the shop without any.
    ///
    /// # Errors
    /// When there is no such fault, or when the service does not come up.
    pub async fn start(faults: &[String]) -> Result<Self, DemoError> {
        let program = faults::program(faults)?;
        loop {
            let listen = free_address()?;
            let address: Address = listen.parse().map_err(|error| DemoError::Start(std::io::Error::other(error)))?;
            let mut child = Child::start(&program, &listen).map_err(DemoError::Start)?;
            // Two demos that start at once may want the same port: who comes second takes another.
            if child.until_watched(&address).await? {
                return Ok(Self { address, child });
            }
        }
    }

    /// Where its probe listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Ends the service.
    ///
    /// # Errors
    /// When the service ended before, by itself.
    pub async fn end(mut self) -> Result<(), DemoError> {
        self.child.end().await
    }
}

/// Runs the demo with these faults (see [`Demo::start`]) and the dashboard on it, until the operator leaves.
///
/// # Errors
/// As [`Demo::start`]; when the terminal fails; and when the service ended by itself in the meantime.
pub async fn run(faults: &[String], options: app::Options) -> Result<Exit, DemoError> {
    let demo = Demo::start(faults).await?;
    let exit =
        dashboard::run(vec![demo.address.clone()], Pace::default(), options).await.map_err(DemoError::Terminal)?;
    demo.end().await?;
    Ok(exit)
}

/// The default address, so that `async-inspect connect` in a second terminal finds the demo too; another port when that
/// one is taken.
fn free_address() -> Result<String, DemoError> {
    if TcpListener::bind(DEFAULT_ADDR).is_ok() {
        return Ok(DEFAULT_ADDR.to_owned());
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(DemoError::Start)?;
    Ok(listener.local_addr().map_err(DemoError::Start)?.to_string())
}
