//! What tests of the whole program share.

pub(crate) mod stock_console;
pub(crate) mod terminal;
