//! `shop [PORT] [--load CONNECTIONS]`: the example service. Watch it with `ASYNC_INSPECT=on shop --load 24`.
use std::process::ExitCode;

use async_inspect_zoo::shop::{self, Options};

const USAGE: &str = "usage: shop [PORT] [--load CONNECTIONS]

PORT 0, the default, takes a free one. --load runs the load generator in the same process.";

fn options(mut args: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options { announce: true, ..Options::default() };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--load" => options.load = Some(args.next()?.parse().ok()?),
            port => options.port = port.parse().ok()?,
        }
    }
    Some(options)
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(options) = options(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match shop::serve(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shop: {error}");
            ExitCode::FAILURE
        }
    }
}
