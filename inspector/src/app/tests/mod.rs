//! The dashboard, driven by real keys over a terminal that is only memory.

mod connection;
mod copying;
mod filtering;
mod moving;
mod screens;
mod sizes;
