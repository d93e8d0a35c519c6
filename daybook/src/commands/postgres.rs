use std::path::PathBuf;

use embedded_postgres::{DATABASES, Options, Server};

use crate::databases::Databases;
use crate::failure::Failure;
use crate::folder::{self, Addresses, DataFolder};
use crate::output::print;
use crate::signals::{stop_signal, unless_stopped};
use crate::telemetry::{self, Verbosity};

/// What every `.env.example` has, so that its copy works unchanged.
const ROLE_PASSWORD: &str = "daybook";

/// The arguments of the command.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  daybook postgres\n  daybook postgres --data-dir /tmp/pg --port 0 --url-file /tmp/pg/url"
)]
pub(crate) struct Arguments {
    /// Where the database lies
    #[arg(long, value_name = "DIR", default_value = folder::DEFAULT)]
    data_dir: PathBuf,
    /// The port on 127.0.0.1; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 5499)]
    port: u16,
    /// A file that gets the superuser's URL as soon as the server is ready
    #[arg(long, value_name = "FILE")]
    url_file: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Up)?;
    let stop = stop_signal()?;
    let folder = DataFolder::at(&arguments.data_dir);
    let options = Options {
        port: Some(arguments.port),
        role_password: Some(ROLE_PASSWORD.to_owned()),
        ..Options::new(&arguments.data_dir)
    };
    let mut server = unless_stopped(async { Ok(Server::start(options).await?) }, &stop).await?;
    announce(&server, &folder, &arguments)?;
    let ended = tokio::select! {
        error = server.ended() => Err(error.into()),
        () = stop.cancelled() => Ok(()),
    };
    Addresses::remove(&folder);
    if ended.is_ok() {
        server.stop().await?;
    }
    ended
}

fn announce(server: &Server, folder: &DataFolder, arguments: &Arguments) -> Result<(), Failure> {
    let databases = Databases::of_embedded(server);
    let addresses = Addresses { pid: std::process::id(), url: None, metrics_url: None, databases };
    addresses.leave(folder)?;
    let port = server.port();
    print("PostgreSQL is ready, for development only.\n")?;
    for name in DATABASES {
        print(format_args!("postgres://daybook:{ROLE_PASSWORD}@127.0.0.1:{port}/{name}"))?;
    }
    let (url, data) = (server.admin_url(), folder.shown());
    print(format_args!("\nSuperuser  {url}\nData       {data}\n\nCtrl-C stops it."))?;
    if let Some(file) = &arguments.url_file {
        let url = format!("{}\n", server.admin_url());
        folder::write_private(file, url.as_bytes())
            .map_err(Failure::io(format!("cannot write {}", file.display())))?;
    }
    Ok(())
}
