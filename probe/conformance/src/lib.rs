//! Nothing: see `../tests`.
