//! The shop: an axum service with an inventory, prices, an order queue, an audit log and background workers, whose
//! faults are switched on and off over HTTP while it runs.
//!
//! | route | does |
//! |---|---|
//! | `GET /offers` | what to buy, best first |
//! | `GET /quote/{sku}` | its price in cents |
//! | `POST /orders/{sku}` | buys one |
//! | `GET /faults` | every fault and whether it is on, as JSON |
//! | `POST /faults/{rule}/on`, `POST /faults/{rule}/off` | switches one |
//!
//! Each fault sits in a part of its own, so that any of them can be on together with any other.

mod audit;
mod client;
mod faults;
mod http;
mod inventory;
mod load;
mod mail;
mod orders;
mod prices;
mod tracking;
mod workers;

use std::{io, net::Ipv4Addr, sync::Arc};

pub use client::Client;
pub use faults::{FAULTS, Fault, fault};
pub use load::{DEFAULT_CONNECTIONS, load};
use tokio::{net::TcpListener, task::JoinSet};

use self::{audit::Audit, faults::Switches, inventory::Inventory, orders::Orders, prices::Prices};

/// Workers of the shop's runtime: enough that one blocked worker slows it and does not stop it.
pub const WORKERS: usize = 4;

/// How the shop is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The port to listen on, on the loopback interface; 0 takes a free one.
    pub port: u16,
    /// How many connections of the load generator to run in the same process, if any.
    pub load: Option<usize>,
    /// The rules whose faults are on from the start; see [`FAULTS`].
    pub faults: Vec<&'static str>,
    /// Whether to print `listening on 127.0.0.1:PORT` on standard output.
    pub announce: bool,
}

impl Options {
    /// What the program name `shop` or `shop:RULE,RULE` stands for; `None` when it is no such name.
    pub(crate) fn of_program(name: &str) -> Option<Self> {
        let faults = match name.strip_prefix("shop")? {
            "" => Vec::new(),
            list => list.strip_prefix(':')?.split(',').map(|rule| Some(fault(rule)?.rule)).collect::<Option<_>>()?,
        };
        Some(Self { port: 0, load: Some(DEFAULT_CONNECTIONS), faults, announce: true })
    }
}

/// What every request handler and worker can reach.
struct Shop {
    faults: Switches,
    inventory: Inventory,
    prices: Prices,
    orders: Orders,
    audit: Audit,
}

/// Serves until the process is killed.
///
/// # Errors
/// When the port cannot be listened on.
pub async fn serve(options: Options) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let address = listener.local_addr()?;
    if options.announce {
        println!("listening on {address}");
    }

    let faults = Switches::default();
    for rule in options.faults {
        faults.set(rule, true);
    }
    let mut background = JoinSet::new();
    let mail = mail::start(&mut background, &faults);
    let shop = Arc::new(Shop {
        inventory: Inventory::new(faults.clone()),
        prices: Prices::new(),
        orders: orders::start(&mut background, &faults, mail),
        audit: audit::start(&mut background, &faults),
        faults,
    });
    workers::start(&mut background, &shop);
    tracking::start(&mut background, &shop.faults);
    if let Some(connections) = options.load {
        background.spawn(load(address, connections));
    }
    axum::serve(listener, http::routes(shop)).await
}
