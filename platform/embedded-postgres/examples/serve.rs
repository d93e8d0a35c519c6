//! `serve DATA_DIR [URL_FILE]` runs a server until Ctrl-C. When it is ready, the superuser's URL goes to standard
//! output, and into `URL_FILE`, which is complete when it exists.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use embedded_postgres::{Options, Server};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let data_dir = arguments.next().context("usage: serve DATA_DIR [URL_FILE]")?;
    let began = Instant::now();
    let mut server = Server::start(Options::new(data_dir)).await?;
    eprintln!("ready after {} ms", began.elapsed().as_millis());
    println!("{}", server.admin_url());
    if let Some(file) = arguments.next() {
        let unfinished = file.with_added_extension("unfinished");
        std::fs::write(&unfinished, server.admin_url())?;
        std::fs::rename(unfinished, file)?;
    }
    tokio::select! {
        error = server.ended() => Err(error.into()),
        signal = tokio::signal::ctrl_c() => {
            signal?;
            let began = Instant::now();
            server.stop().await?;
            eprintln!("stopped after {} ms", began.elapsed().as_millis());
            Ok(())
        }
    }
}
