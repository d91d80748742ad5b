//! The dashboard, driven by real keys over a terminal that is only memory.

mod connection;
mod copying;
mod doing;
mod filtering;
mod mouse;
mod moving;
mod screens;
mod screenshots;
mod sizes;
mod tables;
mod timeline;
